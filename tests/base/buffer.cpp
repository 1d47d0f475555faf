// Arrays from the host's allocator.
#include <doctest/doctest.h>

#include <dsvl/base/buffer.hpp>
#include <dsvl/base/status.hpp>
#include <numeric>
#include <vector>

#include "../io/failing_allocator.hpp"

using namespace dsvl;

TEST_CASE("a buffer keeps its elements while it grows, at an address that suits vectors") {
  test::FailingAllocator memory;
  {
    Buffer<int> b(&memory);
    CHECK(b.empty());
    for (int i = 0; i < 1000; ++i) REQUIRE(b.push_back(i));
    CHECK(b.size() == 1000);
    for (int i = 0; i < 1000; ++i) REQUIRE(b[static_cast<std::size_t>(i)] == i);
    CHECK(reinterpret_cast<std::uintptr_t>(b.data()) % kAlignment == 0);
    REQUIRE(b.reserve(5000));
    CHECK(b.capacity() >= 5000);
    CHECK(b[999] == 999);
    REQUIRE(b.resize(3));
    CHECK(b.span().back() == 2);
    CHECK(std::accumulate(b.begin(), b.end(), 0) == 3);
    const int more[] = {10, 11};
    REQUIRE(b.append(more, 2));
    REQUIRE(b.append(nullptr, 0));
    CHECK((b.size() == 5 && b[4] == 11));
    b.clear();
    CHECK(b.empty());
    CHECK(memory.live > 0);
  }
  CHECK(memory.live == 0);
}

TEST_CASE("push_back takes an element of the buffer itself, also when it has to move") {
  Buffer<int> b;
  REQUIRE(b.push_back(7));
  while (b.size() < b.capacity()) REQUIRE(b.push_back(1));
  REQUIRE(b.push_back(b[0]));
  CHECK(b[b.size() - 1] == 7);
}

TEST_CASE("when memory is refused, a buffer says so and stays as it was") {
  test::FailingAllocator memory(1);
  Buffer<int> b(&memory);
  REQUIRE(b.resize(4));
  for (int& x : b) x = 5;
  CHECK_FALSE(b.resize(100));
  CHECK((b.size() == 4 && b.capacity() == 4 && b[3] == 5));
  CHECK(b.resize(100));  // only one request is refused
  CHECK(b[3] == 5);
}

TEST_CASE("a size whose bytes do not fit a size_t is refused, not wrapped") {
  Buffer<double> b;
  CHECK_FALSE(b.reserve((std::numeric_limits<std::size_t>::max)() / 4));
  CHECK_FALSE(b.resize((std::numeric_limits<std::size_t>::max)()));
  CHECK((b.size() == 0 && b.data() == nullptr));
}

TEST_CASE("moving a buffer leaves nothing behind and frees once") {
  test::FailingAllocator memory;
  {
    Buffer<int> a(&memory), c(&memory);
    REQUIRE(a.resize(10));
    REQUIRE(c.resize(20));
    int* const at = a.data();
    Buffer<int> b(std::move(a));
    CHECK((b.data() == at && b.size() == 10));
    CHECK((a.data() == nullptr && a.size() == 0 && a.capacity() == 0));  // NOLINT: the moved-from state is promised
    c = std::move(b);
    CHECK((c.data() == at && c.size() == 10));
    CHECK(memory.live == 40);
    REQUIRE(a.resize(2));  // still usable
  }
  CHECK(memory.live == 0);
}

TEST_CASE("over a fixed room a buffer fills it and never grows beyond it") {
  int room[4] = {};
  {
    Buffer<int> b{std::span<int>(room)};
    CHECK((b.empty() && b.capacity() == 4 && b.data() == room));
    for (int i = 1; i <= 3; ++i) REQUIRE(b.push_back(i));
    const int more[] = {10, 11, 12, 13, 14};
    CHECK_FALSE(b.append(more, 2));
    CHECK_FALSE(b.assign(more, 5));
    CHECK_FALSE(b.resize(5));
    CHECK_FALSE(b.reserve(5));
    CHECK((b.size() == 3 && b[0] == 1 && b[2] == 3));
    REQUIRE(b.append(more, 1));
    CHECK_FALSE(b.push_back(5));
    CHECK(std::vector<int>(b.begin(), b.end()) == std::vector<int>{1, 2, 3, 10});
    REQUIRE(b.assign(more, 4));
    CHECK(b.reserve(4));
    CHECK((b.data() == room && b.capacity() == 4));
  }
  CHECK((room[0] == 10 && room[3] == 13));
  Buffer<int> nothing{std::span<int>()};
  CHECK_FALSE(nothing.push_back(1));
  CHECK(nothing.append(nullptr, 0));
}

TEST_CASE("moving a buffer takes its room along: an owner frees what it had, and nobody frees a room") {
  test::FailingAllocator memory;
  int room[2] = {};
  {
    Buffer<int> fixed{std::span<int>(room)}, owner(&memory);
    REQUIRE(owner.resize(10));
    REQUIRE(fixed.push_back(7));
    owner = std::move(fixed);
    CHECK(memory.live == 0);
    CHECK((owner.data() == room && owner.size() == 1 && owner[0] == 7));
    CHECK_FALSE(owner.resize(3));
    Buffer<int> moved(std::move(owner)), another(&memory);
    CHECK((moved.data() == room && moved.capacity() == 2));
    CHECK_FALSE(moved.resize(3));
    REQUIRE(another.resize(10));
    moved = std::move(another);
    CHECK(memory.live == 40);
    CHECK(moved.resize(20));
  }
  CHECK(memory.live == 0);
}

TEST_CASE("assign takes these elements instead of those that were there, also some of its own") {
  Buffer<int> b;
  const int eight[] = {1, 2, 3, 4, 5, 6, 7, 8};
  REQUIRE(b.assign(eight, 8));
  REQUIRE(b.assign(b.data() + 2, 5));
  CHECK(std::vector<int>(b.begin(), b.end()) == std::vector<int>{3, 4, 5, 6, 7});
  REQUIRE(b.assign(b.data(), 2));
  CHECK(std::vector<int>(b.begin(), b.end()) == std::vector<int>{3, 4});
  REQUIRE(b.assign(nullptr, 0));
  CHECK(b.empty());
  REQUIRE(b.assign(eight + 6, 2));
  CHECK(std::vector<int>(b.begin(), b.end()) == std::vector<int>{7, 8});
}

TEST_CASE("an assign that gets no memory changes nothing") {
  test::FailingAllocator memory(1);
  Buffer<int> b(&memory);
  const int eight[] = {1, 2, 3, 4, 5, 6, 7, 8};
  REQUIRE(b.assign(eight, 2));
  CHECK_FALSE(b.assign(eight + 4, 4));
  CHECK((b.size() == 2 && b[0] == 1 && b[1] == 2));
  CHECK(b.assign(eight + 4, 4));
  CHECK((b.size() == 4 && b[3] == 8));
}
