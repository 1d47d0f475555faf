// Memory that is handed out from front to back.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <dsvl/base/bump_allocator.hpp>
#include <dsvl/base/status.hpp>
#include <limits>
#include <random>
#include <vector>

#include "../io/failing_allocator.hpp"

using namespace dsvl;

namespace {

struct Room {
  alignas(64) std::array<std::byte, 4096> bytes{};
  [[nodiscard]] bool holds(const void* piece, std::size_t size) const {
    const auto at = reinterpret_cast<std::uintptr_t>(piece), begin = reinterpret_cast<std::uintptr_t>(bytes.data());
    return at >= begin && at + size <= begin + bytes.size();
  }
};

}  // namespace

TEST_CASE("pieces lie inside the room, aligned as asked, and none touches another, wherever the room begins") {
  std::mt19937 random(1);
  Room room;
  for (int round = 0; round < 100; ++round) {
    test::FailingAllocator behind;
    BumpAllocator bump(&behind);
    bump.use(std::span(room.bytes).subspan(random() % 64));
    std::vector<std::pair<std::byte*, std::size_t>> pieces;
    while (true) {
      const std::size_t size = 1 + random() % 200, align = std::size_t{1} << random() % 9;
      auto* const piece = static_cast<std::byte*>(bump.allocate(size, align));
      REQUIRE(piece);
      CHECK(reinterpret_cast<std::uintptr_t>(piece) % align == 0);
      if (behind.requests > 0) {
        CHECK_FALSE(room.holds(piece, size));
        bump.deallocate(piece, size, align);
        break;
      }
      REQUIRE(room.holds(piece, size));
      std::fill_n(piece, size, static_cast<std::byte>(pieces.size()));
      pieces.emplace_back(piece, size);
    }
    CHECK(pieces.size() >= 10);
    for (std::size_t i = 0; i < pieces.size(); ++i)
      CHECK(std::all_of(pieces[i].first, pieces[i].first + pieces[i].second,
                        [&](std::byte b) { return b == static_cast<std::byte>(i); }));
  }
}

TEST_CASE("the whole room can be used, and what does not fit comes from behind and goes back there") {
  test::FailingAllocator behind;
  BumpAllocator bump(&behind);
  Room room;
  bump.use(room.bytes);
  void* const most = bump.allocate(4000, 64);
  CHECK(room.holds(most, 4000));
  void* const large = bump.allocate(97, 1);
  CHECK((large && !room.holds(large, 97) && behind.live == 97));
  void* const rest = bump.allocate(96, 1);
  CHECK((room.holds(rest, 96) && behind.requests == 1));
  void* const aligned = bump.allocate(1, 1);
  CHECK(behind.live == 98);
  bump.deallocate(large, 97, 1);
  CHECK(behind.live == 1);
  bump.deallocate(aligned, 1, 1);
  bump.deallocate(rest, 96, 1);
  bump.deallocate(most, 4000, 64);
  CHECK(behind.live == 0);
  bump.use(std::span(room.bytes).first(100));
  CHECK(room.holds(bump.allocate(90, 64), 90));
  void* const crossing = bump.allocate(1, 64);
  CHECK((!room.holds(crossing, 1) && behind.live == 1));
  bump.deallocate(crossing, 1, 64);
}

TEST_CASE("without a room, or without an allocator behind it, there is memory all the same") {
  test::FailingAllocator behind;
  BumpAllocator no_room(&behind);
  void* const piece = no_room.allocate(100, 64);
  CHECK((piece && behind.live == 100));
  no_room.deallocate(piece, 100, 64);
  CHECK(behind.live == 0);
  BumpAllocator nothing;
  auto* const bytes = static_cast<std::byte*>(nothing.allocate(100, 256));
  REQUIRE(bytes);
  CHECK(reinterpret_cast<std::uintptr_t>(bytes) % 256 == 0);
  std::fill_n(bytes, 100, std::byte{1});
  nothing.deallocate(bytes, 100, 256);
}

TEST_CASE("no memory behind is no memory, also for sizes that would wrap") {
  test::FailingAllocator behind(0);
  BumpAllocator bump(&behind);
  Room room;
  bump.use(room.bytes);
  CHECK(room.holds(bump.allocate(10, 64), 10));
  const volatile std::size_t wraps = (std::numeric_limits<std::size_t>::max)() - 16;  // unseen by compilers that warn
  CHECK(bump.allocate(wraps, 64) == nullptr);
  CHECK(behind.requests == 1);
  CHECK(room.holds(bump.allocate(10, 64), 10));
}

TEST_CASE("the last piece can be used again, and giving back one before it leaves it alone") {
  test::FailingAllocator behind;
  BumpAllocator bump(&behind);
  Room room;
  bump.use(room.bytes);
  void* const a = bump.allocate(128, 64);
  void* const b = bump.allocate(128, 64);
  bump.deallocate(b, 128, 64);
  CHECK(bump.allocate(256, 64) == b);
  bump.deallocate(a, 128, 64);
  auto *const c = static_cast<std::byte*>(bump.allocate(64, 64)), *const kept = static_cast<std::byte*>(b);
  CHECK((c + 64 <= kept || c >= kept + 256));
  CHECK(room.holds(c, 64));
  for (int i = 0; i < 1000; ++i) bump.deallocate(bump.allocate(1000, 1), 1000, 1);
  auto* const behind_c = static_cast<std::byte*>(bump.allocate(1, 1));
  CHECK((behind_c >= c + 64 || behind_c < c));
  CHECK(behind.requests == 0);
}

TEST_CASE("after a reset, and in another room, everything begins at the front") {
  test::FailingAllocator behind;
  BumpAllocator bump(&behind);
  Room room, other;
  bump.use(room.bytes);
  for (int round = 0; round < 3; ++round) {
    CHECK(bump.allocate(3000, 64) == room.bytes.data());
    CHECK(room.holds(bump.allocate(1000, 1), 1000));
    if (round < 2) bump.reset();
  }
  bump.use(other.bytes);
  CHECK(bump.allocate(4096, 64) == other.bytes.data());
  CHECK(behind.requests == 0);
}

TEST_CASE("a buffer grows inside the room and out of it, and keeps its elements") {
  test::FailingAllocator behind;
  BumpAllocator bump(&behind);
  Room room;
  bump.use(room.bytes);
  {
    Buffer<int> numbers(&bump);
    for (int i = 0; i < 5000; ++i) {
      REQUIRE(numbers.push_back(i));
      if (i == 100) CHECK(room.holds(numbers.data(), sizeof(int)));
    }
    CHECK_FALSE(room.holds(numbers.data(), sizeof(int)));
    for (int i = 0; i < 5000; ++i) REQUIRE(numbers[static_cast<std::size_t>(i)] == i);
    CHECK(behind.live > 0);
  }
  CHECK(behind.live == 0);
}
