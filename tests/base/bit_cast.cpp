#include <doctest/doctest.h>

#include <cstdint>

#include <dsvl/base/bit_cast.hpp>

using namespace dsvl;

TEST_CASE("bit_cast keeps every bit, in both directions and at compile time") {
  static_assert(dsvl::bit_cast<std::uint32_t>(1.0f) == 0x3F800000u);
  static_assert(dsvl::bit_cast<double>(std::uint64_t{0xBFF0000000000000u}) == -1.0);
  struct Halves { std::uint16_t low, high; };
  const auto halves = dsvl::bit_cast<Halves>(std::uint32_t{0x12345678u});
  CHECK(halves.low == 0x5678u);
  CHECK(halves.high == 0x1234u);
  CHECK(dsvl::bit_cast<std::uint32_t>(halves) == 0x12345678u);
}
