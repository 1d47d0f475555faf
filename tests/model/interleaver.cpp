// Interleaving on threads: the bytes of one thread, whatever the executor does, and an end as soon as it is cancelled.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <dsvl/base/thread_pool.hpp>
#include <dsvl/model/interleaver.hpp>
#include <vector>

using namespace dsvl;

namespace {

constexpr Index kCols = 1024;
constexpr Format kFormat = Format::q8_0;
const Index kStride = row_bytes(kFormat, kCols);

/// FileRows as a file has them, with finite scales.
struct FileRows {
  explicit FileRows(Index rows) : bytes(static_cast<std::size_t>(rows * kStride)), block{bytes.data(), rows, kFormat} {
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>((i * 2654435761u) >> 17 & 0x3B);
  }
  std::vector<std::byte> bytes;
  Matrix::Block block;
};

/// Calls the tasks in the opposite order, and `before` in front of each.
struct Backwards final : Executor {
  int count = 1, tasks = 0;
  FunctionRef<void(int)> before;
  explicit Backwards(int workers, FunctionRef<void(int)> call) : count(workers), before(call) {}
  [[nodiscard]] int workers() const noexcept override { return count; }
  void run(int n, FunctionRef<void(int)> task) noexcept override {
    for (int i = n; i-- > 0;) before(tasks++), task(i);
  }
};

}  // namespace

TEST_CASE("weights are interleaved to the same bytes by any number of workers, in any order") {
  for (const Index rows : {16, 48, 256, 1616}) {
    CAPTURE(rows);
    FileRows whole(rows);
    std::vector<std::byte> want(whole.bytes.size());
    interleave(kFormat, whole.bytes.data(), rows, kCols, want.data());
    const auto check = [&](Executor* threads) {
      std::vector<std::byte> got(want.size());
      Matrix::Block block = whole.block;
      const LoadWork work{threads};
      CHECK(Interleaver(work).run(block, kCols, got.data()));
      CHECK(block.data == got.data());
      CHECK(got == want);
      CHECK(Interleaver(work).run(block, kCols, nullptr));  // they are interleaved now, so they stay where they are
      CHECK(block.data == got.data());
    };
    check(nullptr);
    const auto nothing = [](int) {};
    for (const int workers : {1, 2, 3, 7, 200}) {
      Backwards backwards(workers, nothing);
      check(&backwards);
    }
    ThreadPool pool(3);
    check(&pool);
  }
}

TEST_CASE("a scale that is infinite is seen in every piece of a weight") {
  const Index rows = 1616;
  ThreadPool pool(2);
  const LoadWork work{&pool};
  for (const Index row : {Index{0}, Index{15}, rows / 2, rows - 1}) {
    CAPTURE(row);
    FileRows broken(rows);
    std::memcpy(broken.bytes.data() + row * kStride, "\x00\x7C", 2);
    std::vector<std::byte> to(broken.bytes.size());
    CHECK(!Interleaver(work).run(broken.block, kCols, to.data()));
  }
}

TEST_CASE("interleaving that is cancelled in any task does no other, and reports no progress") {
  const Index rows = 1616;
  FileRows whole(rows);
  for (int k = 0; k < 7; ++k) {
    CAPTURE(k);
    CancelToken cancel;
    int reports = 0;
    const auto stop = [&](int task) { if (task == k) cancel.cancel(); };
    Backwards threads(2, stop);
    const LoadWork work{&threads, {[](void* n, Stage, double, double) { ++*static_cast<int*>(n); }, &reports}, &cancel};
    Interleaver interleaver(work, 1);
    std::vector<std::byte> to(whole.bytes.size(), std::byte{0xA5});
    Matrix::Block block = whole.block;
    CHECK(interleaver.run(block, kCols, to.data()));
    CHECK(interleaver.cancelled());
    CHECK(reports == 0);
    CHECK(block.data == whole.bytes.data());
    // No byte of the rows is 0xA5, so those that are left tell how many pieces were not made.
    const auto left = std::count(to.begin(), to.end(), std::byte{0xA5});
    CHECK(left > static_cast<std::ptrdiff_t>(to.size()) - (k + 1) * (256 << 10));
  }
}
