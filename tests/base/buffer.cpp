// Arrays from the host's allocator.
#include <doctest/doctest.h>

#include <dsvl/base/buffer.hpp>
#include <dsvl/base/status.hpp>
#include <numeric>

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
