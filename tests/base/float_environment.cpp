// Rounding and flush modes belong to us for a while, and to the host afterwards.
#include <doctest/doctest.h>

#include <cfenv>
#include <cfloat>
#include <dsvl/base/float_environment.hpp>

using namespace dsvl;

namespace {
float add(float a, float b) {
  volatile float x = a, y = b;
  volatile float sum = x + y;
  return sum;
}
}  // namespace

TEST_CASE("inside, sums are rounded to nearest; outside, the host's rounding is back") {
  const int before = std::fegetround();
  REQUIRE(std::fesetround(FE_UPWARD) == 0);
  CHECK(add(1.0f, 1e-10f) > 1.0f);
  {
    const FloatEnvironment ours;
    CHECK(add(1.0f, 1e-10f) == 1.0f);
  }
  CHECK(add(1.0f, 1e-10f) > 1.0f);
  CHECK(std::fegetround() == FE_UPWARD);
  std::fesetround(before);
}

#if defined(__SSE__)
namespace {
float times(float a, float b) {
  volatile float x = a, y = b;
  volatile float product = x * y;
  return product;
}
}  // namespace

TEST_CASE("inside, subnormals are kept, whatever the host does with them") {
  const unsigned before = _mm_getcsr();
  _mm_setcsr(before | 0x8040);  // flush to zero, denormals are zero
  CHECK(times(FLT_MIN, 0.5f) == 0.0f);
  {
    const FloatEnvironment ours;
    CHECK(times(FLT_MIN, 0.5f) > 0.0f);
    {
      const FloatEnvironment nested;
      CHECK(times(FLT_MIN, 0.5f) > 0.0f);
    }
  }
  CHECK(times(FLT_MIN, 0.5f) == 0.0f);
  CHECK((_mm_getcsr() & 0x8040) == 0x8040);
  _mm_setcsr(before);
}
#endif
