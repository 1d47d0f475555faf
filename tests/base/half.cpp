// bf16 and f16, exhaustively.
#include <doctest/doctest.h>

#include <cmath>
#include <dsvl/base/half.hpp>
#include <limits>

#include "../support.hpp"

using namespace dsvl;

static_assert(to_float(to_bf16(1.5f)) == 1.5f && to_bf16(1.0f).bits == 0x3F80);
static_assert(to_float(to_f16(-2.0f)) == -2.0f && to_f16(1.0f).bits == 0x3C00);

TEST_CASE("every bf16 and f16 survives the way to float and back; f16 means sign, 5 bits, 10 bits") {
  for (unsigned bits = 0; bits < 65536; ++bits) {
    const bf16 b{static_cast<std::uint16_t>(bits)};
    const f16 h{static_cast<std::uint16_t>(bits)};
    if (std::isnan(to_float(b))) CHECK(std::isnan(to_float(to_bf16(to_float(b)))));
    else REQUIRE(to_bf16(to_float(b)).bits == bits);
    const int exponent = static_cast<int>(bits >> 10 & 31), mantissa = static_cast<int>(bits & 1023);
    if (exponent == 31 && mantissa) {
      REQUIRE(std::isnan(to_float(h)));
      REQUIRE(std::isnan(to_float(to_f16(to_float(h)))));
      continue;
    }
    REQUIRE(to_f16(to_float(h)).bits == bits);
    double want = exponent == 31 ? INFINITY : exponent ? std::ldexp(1024 + mantissa, exponent - 25) : std::ldexp(mantissa, -24);
    if (bits >> 15) want = -want;
    REQUIRE(static_cast<double>(to_float(h)) == want);
    REQUIRE(std::signbit(to_float(h)) == static_cast<bool>(bits >> 15));
  }
}

namespace {
/// Neighbours of x in a 16-bit format, and which of them rounding must choose.
template <class Half>
void check_rounding(Half (*round)(float), float x) {
  const Half got = round(x);
  const double here = static_cast<double>(x), value = static_cast<double>(to_float(got));
  for (const int step : {-1, 1}) {
    const Half next{static_cast<std::uint16_t>(got.bits + step)};
    const double other = static_cast<double>(to_float(next));
    if ((next.bits ^ got.bits) & 0x8000 || !std::isfinite(other)) continue;
    REQUIRE(std::abs(value - here) <= std::abs(other - here));
    if (std::abs(value - here) == std::abs(other - here) && other != value) REQUIRE((got.bits & 1) == 0);
  }
}
}  // namespace

TEST_CASE("rounding takes the nearest, and the even one of two") {
  for (unsigned i = 0; i < 65535; ++i) {  // halfway between neighbours, and next to it
    for (const auto value : {to_float(f16{static_cast<std::uint16_t>(i)}), to_float(bf16{static_cast<std::uint16_t>(i)})}) {
      if (!std::isfinite(value) || std::abs(value) > 60000.0f) continue;
      check_rounding<bf16>(to_bf16, value);
      check_rounding<f16>(to_f16, value);
    }
    const double a = static_cast<double>(to_float(f16{static_cast<std::uint16_t>(i)})), b = static_cast<double>(to_float(f16{static_cast<std::uint16_t>(i + 1)}));
    if (!std::isfinite(a) || !std::isfinite(b)) continue;
    const float middle = static_cast<float>((a + b) / 2);
    for (const float x : {middle, std::nextafter(middle, 1e9f), std::nextafter(middle, -1e9f)}) check_rounding<f16>(to_f16, x);
  }
  for (const float x : test::noise(20000, 3)) check_rounding<bf16>(to_bf16, x * 100);
}

TEST_CASE("too large becomes infinity, too small becomes zero, NaN stays NaN") {
  CHECK(to_f16(65519.0f).bits == 0x7BFF);
  CHECK(to_f16(65520.0f).bits == 0x7C00);
  CHECK(to_f16(-1e30f).bits == 0xFC00);
  CHECK(to_f16(2.9802322e-8f).bits == 0);       // half of the smallest: even
  CHECK(to_f16(2.9802326e-8f).bits == 1);
  CHECK(to_f16(-1e-30f).bits == 0x8000);
  CHECK(to_bf16((std::numeric_limits<float>::max)()).bits == 0x7F80);
  const float signalling = dsvl::bit_cast<float>(0x7F800001u);
  CHECK(std::isnan(to_float(to_bf16(signalling))));
  CHECK(std::isnan(to_float(to_f16(signalling))));
}
