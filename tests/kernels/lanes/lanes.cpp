#include <doctest/doctest.h>

#include <algorithm>

#include <dsvl/kernels/lanes/math.hpp>

#include "../support.hpp"

using namespace dsvl;
using namespace test;
namespace k = dsvl::kernels;

namespace {

std::vector<float> to_vector(k::Lanes x) {
  std::vector<float> out(static_cast<std::size_t>(k::kLanes));
  k::store(out.data(), x);
  return out;
}

/// binary16 by its definition, in double.
double f16_value(unsigned bits) {
  const double sign = bits & 0x8000u ? -1.0 : 1.0;
  const int exponent = static_cast<int>((bits >> 10) & 31u), mantissa = static_cast<int>(bits & 1023u);
  if (exponent == 31) return mantissa ? NAN : sign * INFINITY;
  return sign * (exponent ? std::ldexp(1024 + mantissa, exponent - 25) : std::ldexp(mantissa, -24));
}

/// The nearest of the two 16-bit neighbours of |x| in a format whose non-negative values grow with their bits.
template <class Value>
unsigned nearest(double x, unsigned infinity, Value&& value) {
  unsigned low = 0, high = infinity;  // value(low) <= x < value(high), infinity standing for the next power of two
  while (high - low > 1) {
    const unsigned middle = (low + high) / 2;
    (value(middle) <= x ? low : high) = middle;
  }
  const double below = value(low), above = high == infinity ? 2 * below - value(low - 1) : value(high);
  if (x - below < above - x) return low;
  if (x - below > above - x) return high;
  return low % 2 == 0 ? low : high;
}

float bf16_value(unsigned bits) { return to_float(bf16{static_cast<std::uint16_t>(bits)}); }

/// Floats of every exponent and sign, near and at the ties of both formats.
std::vector<float> hard_floats() {
  std::vector<float> out;
  for (std::uint32_t upper = 0; upper < 0x8000u; upper += 7) {
    for (const std::uint32_t lower :
         {0u, 1u, 0xFFFu, 0x1000u, 0x1001u, 0x2000u, 0x3000u, 0x7FFFu, 0x8000u, 0x8001u, 0xFFFFu}) {
      const float x = dsvl::bit_cast<float>(upper << 16 | lower);
      if (!std::isnan(x)) out.insert(out.end(), {x, -x});
    }
  }
  return out;
}

}  // namespace

TEST_CASE("every bf16 and every f16 widens exactly, in lanes as alone") {
  int wrong = 0;
  for (unsigned first = 0; first < 65536; first += static_cast<unsigned>(k::kLanes)) {
    std::uint16_t half[k::kLanes];
    for (unsigned i = 0; i < k::kLanes; ++i) half[i] = static_cast<std::uint16_t>(first + i);
    const auto b = to_vector(k::load_bf16(reinterpret_cast<const std::byte*>(half)));
    const auto h = to_vector(k::load_f16(reinterpret_cast<const std::byte*>(half)));
    std::uint32_t wide[k::kLanes];
    for (unsigned i = 0; i < k::kLanes; ++i) wide[i] = half[i];
    const auto soft = to_vector(k::portable::widen_f16(k::Bits::load_unaligned(wide)));
    for (unsigned i = 0; i < k::kLanes; ++i) {
      const double want = f16_value(half[i]);
      const auto equal = [](double a, double x) {
        return std::isnan(x) ? std::isnan(a) : a == x && std::signbit(a) == std::signbit(x);
      };
      wrong += dsvl::bit_cast<std::uint32_t>(b[i]) != std::uint32_t{half[i]} << 16;
      wrong += dsvl::bit_cast<std::uint32_t>(to_float(bf16{half[i]})) != std::uint32_t{half[i]} << 16;
      wrong += !equal(h[i], want) + !equal(soft[i], want) + !equal(to_float(f16{half[i]}), want);
    }
  }
  CHECK(wrong == 0);
}

TEST_CASE("rounding to bf16 and f16 finds the nearest value, ties to even, in lanes as alone") {
  const auto inputs = hard_floats();
  int wrong = 0;
  for (std::size_t i = 0; i + static_cast<std::size_t>(k::kLanes) <= inputs.size();
       i += static_cast<std::size_t>(k::kLanes)) {
    std::uint16_t rounded[k::kLanes];
    k::store_bf16(reinterpret_cast<std::byte*>(rounded), k::load(inputs.data() + i));
    for (std::size_t j = 0; j < static_cast<std::size_t>(k::kLanes); ++j) {
      const float x = inputs[i + j];
      const unsigned sign = std::signbit(x) ? 0x8000u : 0u;
      const double size = std::abs(static_cast<double>(x));
      const unsigned want_b =
          std::isinf(x) ? 0x7F80u
                        : nearest(size, 0x7F80u, [](unsigned v) { return static_cast<double>(bf16_value(v)); });
      const unsigned want_h =
          std::isinf(x) || size > 70000 ? 0x7C00u : nearest(size, 0x7C00u, [](unsigned v) { return f16_value(v); });
      wrong += rounded[j] != (want_b | sign);
      wrong += to_bf16(x).bits != (want_b | sign);
      wrong += to_f16(x).bits != (want_h | sign);
    }
  }
  CHECK(wrong == 0);
}

TEST_CASE("NaN stays NaN when it is rounded to 16 bits") {
  for (const std::uint32_t bits : {0x7F800001u, 0x7FC00000u, 0xFF80FFFFu, 0xFFFFFFFFu, 0x7F8000FFu}) {
    const float x = dsvl::bit_cast<float>(bits);
    std::uint16_t rounded[k::kLanes];
    k::store_bf16(reinterpret_cast<std::byte*>(rounded), k::splat(x));
    CHECK(std::isnan(to_float(bf16{rounded[0]})));
    CHECK(rounded[0] == to_bf16(x).bits);
    CHECK(std::isnan(to_float(to_f16(x))));
  }
}

TEST_CASE("a partial load fills with zeros and a partial store leaves the rest alone") {
  for (Index n = 1; n < k::kLanes; ++n) {
    const std::vector<float> x(static_cast<std::size_t>(n), 3.0f);  // exactly n: a sanitizer sees a read behind it
    const auto loaded = to_vector(k::load(x.data(), n));
    std::vector<float> y(static_cast<std::size_t>(k::kLanes), 5.0f);
    k::store(y.data(), k::splat(4.0f), n);
    for (Index i = 0; i < k::kLanes; ++i) {
      CHECK(loaded[static_cast<std::size_t>(i)] == (i < n ? 3.0f : 0.0f));
      CHECK(y[static_cast<std::size_t>(i)] == (i < n ? 4.0f : 5.0f));
    }
  }
}

TEST_CASE("the columns of a block of rows are what stands below one another, at any address") {
  const Index stride = k::kLanes + 3;
  const auto x = noise(static_cast<std::size_t>(k::kLanes * stride), 9);
  k::Lanes columns[k::kLanes];
  k::load_columns(reinterpret_cast<const std::byte*>(x.data() + 2), stride * static_cast<Index>(sizeof(float)), columns);
  for (Index j = 0; j < k::kLanes; ++j) {
    const auto column = to_vector(columns[j]);
    for (Index i = 0; i < k::kLanes; ++i)
      CHECK(column[static_cast<std::size_t>(i)] == x[static_cast<std::size_t>(i * stride + j + 2)]);
  }
}

TEST_CASE("the sum of a register adds its halves, and the largest of its lanes is found") {
  const auto x = noise(static_cast<std::size_t>(k::kLanes), 9);
  auto part = x;
  for (std::size_t half = part.size() / 2; half > 0; half /= 2)
    for (std::size_t i = 0; i < half; ++i) part[i] += part[i + half];
  CHECK(k::sum(k::load(x.data())) == part[0]);
  CHECK(k::largest(k::load(x.data())) == *std::max_element(x.begin(), x.end()));
}

namespace {

k::Lanes exp(k::Lanes x) {
  const k::Product p = k::exp_factors(x);
  return p.value * p.scale;
}

}  // namespace

TEST_CASE("exp is accurate to about one unit in the last place and handles the ends") {
  double worst = 0;
  std::vector<float> lane(static_cast<std::size_t>(k::kLanes));
  for (double x = -87.3; x < 88.7; x += 0.00037) {
    const float at = static_cast<float>(x);
    const double got = static_cast<double>(to_vector(exp(k::splat(at)))[0]),
                 want = std::exp(static_cast<double>(at));
    worst = std::max(worst, std::abs(got - want) / want);
  }
  MESSAGE("exp: largest relative error " << worst);
  CHECK(worst < 1.3e-7);
  const auto of = [](float x) { return to_vector(exp(k::splat(x)))[static_cast<std::size_t>(k::kLanes - 1)]; };
  CHECK(of(0.0f) == 1.0f);
  CHECK(of(-0.0f) == 1.0f);
  CHECK(of(INFINITY) == INFINITY);
  CHECK(of(89.0f) == INFINITY);
  CHECK(of(88.72f) < INFINITY);
  CHECK(of(-INFINITY) == 0.0f);
  CHECK(of(-1e30f) == 0.0f);
  CHECK(std::isnan(of(NAN)));
  CHECK(std::abs(static_cast<double>(of(-95.0f)) - std::exp(-95.0)) < 1.5e-45);  // subnormal
}

TEST_CASE("2^x of what is not positive is accurate, is 0 far below, and any NaN stays one") {
  const auto of = [](float x) { return to_vector(k::exp2_of_negative(k::splat(x)))[0]; };
  double worst = 0;
  for (double x = -124.99; x <= 0; x += 0.00037) {
    const double want = std::exp2(static_cast<double>(static_cast<float>(x)));
    worst = std::max(worst, std::abs(static_cast<double>(of(static_cast<float>(x))) - want) / want);
  }
  MESSAGE("exp2: largest relative error " << worst);
  CHECK(worst < 1e-7);
  CHECK(of(0.0f) == 1.0f);
  CHECK(of(-0.0f) == 1.0f);
  CHECK(of(-125.0f) == std::ldexp(1.0f, -125));
  for (const float below : {-125.5f, -1e9f, std::numeric_limits<float>::lowest(), -INFINITY}) CHECK(of(below) == 0.0f);
  for (const std::uint32_t nan : {0x7FC00000u, 0x7FC00080u, 0xFFFFFFFFu, 0x7FFFFFFFu})
    CHECK(std::isnan(of(dsvl::bit_cast<float>(nan))));
}
