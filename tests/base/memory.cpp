// Memory from the host's allocator, or from operator new.
#include <doctest/doctest.h>

#include <cstdint>
#include <cstring>
#include <dsvl/base/memory.hpp>
#include <dsvl/base/status.hpp>

#include "../io/failing_allocator.hpp"

using namespace dsvl;

TEST_CASE("memory lies at the alignment of vectors, and large blocks at that of huge pages") {
  for (const std::size_t bytes : {std::size_t{1}, std::size_t{4096}, kHugeBlock - 1, kHugeBlock, kHugeBlock + 1}) {
    CAPTURE(bytes);
    void* const memory = allocate(nullptr, bytes);
    REQUIRE(memory);
    CHECK(reinterpret_cast<std::uintptr_t>(memory) % (bytes < kHugeBlock ? kAlignment : kHugePage) == 0);
    std::memset(memory, 1, bytes);  // all of it is there
    deallocate(nullptr, memory, bytes);
  }
}

TEST_CASE("an allocator of the host is asked for blocks of every size, and gets back what it was asked for") {
  test::FailingAllocator host;
  for (const std::size_t bytes : {std::size_t{100}, kHugeBlock}) {
    void* const memory = allocate(&host, bytes);
    REQUIRE(memory);
    CHECK(host.live > 0);
    deallocate(&host, memory, bytes);
    CHECK(host.live == 0);
  }
}
