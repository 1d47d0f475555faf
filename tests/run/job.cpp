// Programs under way: slices, cancellation and what they report.
#include <doctest/doctest.h>

#include <dsvl/base/thread_pool.hpp>
#include <dsvl/run/job.hpp>
#include <functional>
#include <string_view>
#include <thread>
#include <vector>

using namespace dsvl;
using std::chrono::milliseconds;

namespace {

/// What tiles report to: how often each ran, step after step.
struct HitBoard {
  std::vector<std::vector<std::atomic<int>>> hits;
  std::function<void(std::size_t step, Index tile)> in_tile;

  explicit HitBoard(const std::vector<std::size_t>& tiles) {
    for (const std::size_t n : tiles) hits.emplace_back(n);
  }
  [[nodiscard]] int begun() const {
    int n = 0;
    for (const auto& step : hits)
      for (const auto& h : step) n += h;
    return n;
  }
  [[nodiscard]] bool each_once() const {
    for (const auto& step : hits)
      for (const auto& h : step)
        if (h != 1) return false;
    return true;
  }
};

struct Hit {
  static constexpr const char* kName = "hit";
  HitBoard* board;
  std::size_t step;
  double price;

  [[nodiscard]] Index tiles() const noexcept { return static_cast<Index>(board->hits[step].size()); }
  [[nodiscard]] Index scratch() const noexcept { return 0; }
  [[nodiscard]] double cost() const noexcept { return price; }
  void run(const Worker<float>&, Index tile) const noexcept {
    ++board->hits[step][static_cast<std::size_t>(tile)];
    if (board->in_tile) board->in_tile(step, tile);
  }
};

/// A board's steps as a program; step s costs `first_price` + s.
struct RecordedHits {
  Program<float> program;
  Buffer<std::byte> memory;

  explicit RecordedHits(HitBoard& board, double first_price = 1) {
    REQUIRE(carve_slab(memory, [&](Arena& arena) {
      program = {};
      Recorder<float> on(program, arena);
      for (std::size_t s = 0; s < board.hits.size(); ++s)
        on(Hit{&board, s, first_price == 0 ? 0 : first_price + static_cast<double>(s)});
    }));
  }
};

struct Rig {
  Kernels<float> kernels;
  InlineExecutor here;
  Machine<float> machine(Executor* executor = nullptr) {
    Executor* const on = executor ? executor : &here;
    return {&kernels, on, nullptr, 0, on->workers(), nullptr};
  }
};

struct Report {
  Stage stage;
  double done, total;
};
Progress into(std::vector<Report>& reports) {
  return {[](void* user, Stage stage, double done, double total) {
            static_cast<std::vector<Report>*>(user)->push_back({stage, done, total});
          },
          &reports};
}

void sleep(int ms) { std::this_thread::sleep_for(milliseconds(ms)); }

}  // namespace

TEST_CASE("a job is busy from its beginning to its program's end, and runs every tile once") {
  Rig rig;
  HitBoard board({3, 0, 20, 1});
  RecordedHits r(board);
  Job job;
  CHECK_FALSE(job.busy());
  CHECK(job.advance(rig.machine(), {}).ok());
  for (int again = 1; again <= 3; ++again) {
    job.begin(r.program, {});
    CHECK(job.busy());
    CHECK(job.advance(rig.machine(), {}).ok());
    CHECK_FALSE(job.busy());
    CHECK(board.begun() == 24 * again);
    CHECK(job.advance(rig.machine(), {}).ok());
    CHECK(board.begun() == 24 * again);
  }
  job.begin(Program<float>(), {});
  CHECK_FALSE(job.busy());
}

TEST_CASE("a deadline ends a slice, not the job") {
  Rig rig;
  HitBoard board({4, 60});
  RecordedHits r(board);
  board.in_tile = [](std::size_t, Index) { sleep(1); };
  Job job;
  job.begin(r.program, {});
  Control control;
  control.deadline = Clock::now() - milliseconds(1);
  CHECK(job.advance(rig.machine(), control).ok());
  CHECK((job.busy() && board.begun() == 0));
  int slices = 0;
  for (; job.busy() && slices < 10000; ++slices) {
    const int before = board.begun();
    control.deadline = Clock::now() + milliseconds(10);
    CHECK(job.advance(rig.machine(), control).ok());
    CHECK(board.begun() - before <= 11);
  }
  CHECK(slices >= 6);
  CHECK(board.each_once());
}

TEST_CASE("a cancelled job stops behind the tile that is running, says during what, and can go on") {
  Rig rig;
  HitBoard board({2, 10, 3});
  RecordedHits r(board);
  CancelToken cancel;
  board.in_tile = [&](std::size_t step, Index tile) {
    if (step == 1 && tile == 5) cancel.cancel();
  };
  Job job;
  job.begin(r.program, {Stage::encode});
  Control control;
  control.cancel = &cancel;
  for (int again = 0; again < 2; ++again) {
    const Status status = job.advance(rig.machine(), control);
    CHECK(status.code() == Code::cancelled);
    CHECK(std::string_view(status.text()).find("encode") != std::string_view::npos);
    CHECK((job.busy() && board.begun() == 8));
  }
  cancel.reset();
  CHECK(job.advance(rig.machine(), control).ok());
  CHECK((!job.busy() && board.each_once()));
}

TEST_CASE("what was cancelled with its last tile is done") {
  Rig rig;
  HitBoard board({1, 1});
  RecordedHits r(board);
  CancelToken cancel;
  board.in_tile = [&](std::size_t step, Index) {
    if (step == 1) cancel.cancel();
  };
  Job job;
  job.begin(r.program, {});
  Control control;
  control.cancel = &cancel;
  CHECK(job.advance(rig.machine(), control).ok());
  CHECK((!job.busy() && board.each_once()));
}

TEST_CASE("an abandoned job is over, and another can begin in its place") {
  Rig rig;
  HitBoard half({10, 10}), whole({5});
  RecordedHits first(half), second(whole);
  CancelToken cancel;
  half.in_tile = [&](std::size_t, Index) { cancel.cancel(); };
  Control control;
  control.cancel = &cancel;
  Job job;
  for (const bool abandoned : {true, false}) {
    cancel.reset();
    const int before = half.begun();
    job.begin(first.program, {});
    CHECK(job.advance(rig.machine(), control).code() == Code::cancelled);
    if (abandoned) {
      job.abandon();
      CHECK_FALSE(job.busy());
      CHECK(job.advance(rig.machine(), control).ok());
    }
    CHECK(half.begun() == before + 1);
  }
  job.begin(second.program, {});
  CHECK(job.advance(rig.machine(), {}).ok());
  CHECK((whole.each_once() && half.begun() == 2));
}

TEST_CASE("long work reports again and again how much of its stage is done, up to its share") {
  Rig rig;
  HitBoard board(std::vector<std::size_t>(60, 1));
  RecordedHits r(board);
  board.in_tile = [](std::size_t, Index) { sleep(4); };
  std::vector<Report> reports;
  Control control;
  control.progress = into(reports);
  Job job;
  job.begin(r.program, {Stage::prefill, 10, 5, 20});
  CHECK(job.advance(rig.machine(), control).ok());
  REQUIRE(reports.size() >= 3);
  double before = 10;
  for (const Report& report : reports) {
    CHECK((report.stage == Stage::prefill && report.total == 20));
    CHECK(report.done >= before);
    before = report.done;
  }
  CHECK(reports.front().done < 12.5);
  CHECK(reports.back().done == doctest::Approx(15).epsilon(1e-12));
  CHECK(board.each_once());
}

TEST_CASE("steps count by their cost, over all slices, and a new job counts anew") {
  Rig rig;
  HitBoard board({1, 1, 1});
  RecordedHits r(board);  // costs 1, 2, 3
  std::vector<Report> reports;
  Control control;
  control.progress = into(reports);
  board.in_tile = [](std::size_t, Index) { sleep(20); };
  Job job;
  for (int again = 0; again < 2; ++again) {
    job.begin(r.program, {Stage::encode, 100, 60, 400});
    std::vector<double> done;
    while (job.busy()) {
      control.deadline = Clock::now() + milliseconds(10);
      const int before = board.begun();
      CHECK(job.advance(rig.machine(), control).ok());
      if (board.begun() > before) done.push_back(reports.back().done);
    }
    REQUIRE(done.size() == 3);
    CHECK(done[0] == doctest::Approx(110));
    CHECK(done[1] == doctest::Approx(130));
    CHECK(done[2] == doctest::Approx(160));
  }
}

TEST_CASE("a program that costs nothing runs and reports nothing") {
  Rig rig;
  HitBoard board({2, 3});
  RecordedHits r(board, 0);
  std::vector<Report> reports;
  Control control;
  control.progress = into(reports);
  Job job;
  job.begin(r.program, {});
  CHECK(job.advance(rig.machine(), control).ok());
  CHECK((!job.busy() && board.each_once() && reports.empty()));
}

TEST_CASE("slices on several threads, with cancellations and reports in between, run every tile once") {
  Rig rig;
  ThreadPool pool(3);
  HitBoard board({30, 1, 0, 50, 7});
  RecordedHits r(board);
  CancelToken cancel;
  board.in_tile = [&](std::size_t, Index tile) {
    if (tile % 10 == 3) cancel.cancel();
  };
  std::vector<Report> reports;
  Control control;
  control.cancel = &cancel;
  control.progress = into(reports);
  Job job;
  job.begin(r.program, {});
  int cancelled = 0;
  for (int slice = 0; job.busy() && slice < 1000; ++slice) {
    cancel.reset();
    control.deadline = slice % 2 ? Clock::now() + milliseconds(1) : (Clock::time_point::max)();
    const Status status = job.advance(rig.machine(slice % 3 ? &pool : nullptr), control);
    CHECK((status.ok() || status.code() == Code::cancelled));
    cancelled += !status.ok();
  }
  CHECK((!job.busy() && board.each_once() && cancelled > 0));
  for (std::size_t i = 1; i < reports.size(); ++i) CHECK(reports[i].done >= reports[i - 1].done);
  CHECK(reports.back().done == doctest::Approx(1));
}

TEST_CASE("a control that asks for nothing is never late and never cancelled") {
  Control control;
  CHECK_FALSE((control.cancelled() || control.late()));
  CancelToken cancel;
  control.cancel = &cancel;
  control.deadline = Clock::now() + std::chrono::hours(1);
  CHECK_FALSE((control.cancelled() || control.late()));
  cancel.cancel();
  control.deadline = Clock::now();
  CHECK((control.cancelled() && control.late()));
  const auto began = Clock::now();
  sleep(5);
  CHECK(seconds_since(began) >= 0.005);
  CHECK(seconds_since(began) < 5);
}
