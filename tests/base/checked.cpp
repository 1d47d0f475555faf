// Arithmetic on untrusted sizes.
#include <doctest/doctest.h>

#include <dsvl/base/checked.hpp>

using namespace dsvl;

TEST_CASE("products that do not fit are nothing, the largest that fit are themselves") {
  constexpr std::uint64_t kMost = ~std::uint64_t{0};
  static_assert(checked_multiply(3, 4) == 12u);
  static_assert(checked_multiply(0, kMost) == 0u && checked_multiply(kMost, 0) == 0u);
  static_assert(checked_multiply(kMost, 1) == kMost);
  static_assert(!checked_multiply(kMost, 2) && !checked_multiply(1ull << 32, 1ull << 32));
  static_assert(checked_multiply(1ull << 32, (1ull << 32) - 1) == ((1ull << 32) - 1) << 32);
  CHECK(checked_multiply(2, 3) == 6u);
}
