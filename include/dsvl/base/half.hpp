// Conversions between float and bf16 or f16, one number at a time. The vector forms are in kernels/lanes/lanes.hpp and
// give the same bits.
#ifndef DSVL_BASE_HALF_HPP
#define DSVL_BASE_HALF_HPP

#include <cstdint>

#include "bit_cast.hpp"
#include "config.hpp"

DSVL_BEGIN_NAMESPACE

/// bfloat16: the upper half of a float, with 8 bits of exponent and 7 of mantissa.
struct bf16 { std::uint16_t bits; };
/// IEEE binary16: 5 bits of exponent and 10 of mantissa.
struct f16 { std::uint16_t bits; };

/// The number itself, so that templates can convert any format.
constexpr float to_float(float x) noexcept { return x; }

/// Converts exactly.
constexpr float to_float(bf16 x) noexcept { return dsvl::bit_cast<float>(static_cast<std::uint32_t>(x.bits) << 16); }

/// Converts exactly, subnormals, infinities and NaN included.
constexpr float to_float(f16 x) noexcept {
  const std::uint32_t sign = static_cast<std::uint32_t>(x.bits & 0x8000u) << 16;
  const std::uint32_t exponent = (x.bits >> 10) & 0x1Fu, mantissa = x.bits & 0x3FFu;
  if (exponent == 0x1F) return dsvl::bit_cast<float>(sign | 0x7F800000u | (mantissa << 13));
  if (exponent != 0) return dsvl::bit_cast<float>(sign | ((exponent + 112u) << 23) | (mantissa << 13));
  const float magnitude = static_cast<float>(mantissa) * 5.9604644775390625e-8f;  // 2^-24, exact
  return dsvl::bit_cast<float>(sign | dsvl::bit_cast<std::uint32_t>(magnitude));
}

/// Rounds to nearest, ties to even. NaN stays NaN (quiet).
constexpr bf16 to_bf16(float x) noexcept {
  const std::uint32_t bits = dsvl::bit_cast<std::uint32_t>(x);
  if ((bits & 0x7FFFFFFFu) > 0x7F800000u) return {static_cast<std::uint16_t>((bits >> 16) | 0x40u)};
  return {static_cast<std::uint16_t>((bits + 0x7FFFu + ((bits >> 16) & 1u)) >> 16)};
}

/// Rounds to nearest, ties to even. Numbers too large for it become infinity; NaN stays NaN (quiet).
constexpr f16 to_f16(float x) noexcept {
  const std::uint32_t bits = dsvl::bit_cast<std::uint32_t>(x);
  const std::uint32_t sign = (bits >> 16) & 0x8000u, rest = bits & 0x7FFFFFFFu;
  if (rest > 0x7F800000u) return {static_cast<std::uint16_t>(sign | 0x7E00u | ((rest >> 13) & 0x3FFu))};
  if (rest >= 0x477FF000u) return {static_cast<std::uint16_t>(sign | 0x7C00u)};  // rounds to 2^16 or more
  if (rest < 0x38800000u) {  // below 2^-14 the result is subnormal, in units of 2^-24
    if (rest < 0x33000000u) return {static_cast<std::uint16_t>(sign)};  // below 2^-25 it rounds to zero
    const std::uint32_t shift = 126u - (rest >> 23), mantissa = (rest & 0x7FFFFFu) | 0x800000u;
    const std::uint32_t half = mantissa >> shift, left = mantissa & ((1u << shift) - 1u), tie = 1u << (shift - 1u);
    return {static_cast<std::uint16_t>(sign | (half + (left > tie || (left == tie && (half & 1u)))))};
  }
  const std::uint32_t rounded = rest - (112u << 23) + 0xFFFu + ((rest >> 13) & 1u);
  return {static_cast<std::uint16_t>(sign | (rounded >> 13))};
}

DSVL_END_NAMESPACE

#endif  // DSVL_BASE_HALF_HPP
