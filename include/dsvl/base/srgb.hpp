// sRGB: conversion from floats to the 8-bit values that screens and pictures have.
//
// The result is equal on every machine, because no function of the C library takes part. Linear light is compared with
// the smallest float that gives each of the 255 values. The compiler computes these floats, and none is so close to its
// neighbour that the last bits of the computation matter.
// Source: IEC 61966-2-1.
#ifndef DSVL_BASE_SRGB_HPP
#define DSVL_BASE_SRGB_HPP

#include "strict_math.hpp"

#include <cstdint>

#include "bit_cast.hpp"
#include "config.hpp"

DSVL_BEGIN_NAMESPACE

namespace detail {

/// The linear light at which `value` begins: halfway between it and the value before in encoded light, decoded.
constexpr double srgb_begins(int value) noexcept {
  const double encoded = (value - 0.5) / 255;
  if (encoded <= 0.04045) return encoded / 12.92;
  const double y = (encoded + 0.055) / 1.055, square = y * y;
  double root = 1;  // the fifth root of the square, by Newton's method, because y^2.4 = y^2 * (y^2)^(1/5)
  for (int i = 0; i < 20; ++i) root = (4 * root + square / (root * root * root * root)) / 5;
  return square * root;
}

/// Finds the 8-bit value of a float by its bits, since floats from 0 on have the same order as their bits. A group of
/// floats shares the upper 15 bits, and at most two values begin inside one group.
struct SrgbTable {
  static constexpr int kShift = 17;  ///< bits of a float that its group does not tell
  static constexpr std::uint32_t kGroups = 818;  ///< from the group where value 1 begins to that of 1.0f
  std::uint32_t lowest = 0;          ///< bits of the first group's first float
  std::uint32_t begins[257] = {};    ///< bits of the smallest float of each value, and one more that none reaches
  std::uint8_t first[kGroups] = {};  ///< value of the first float of each group

  /// Computes the table; done once, at compile time.
  constexpr SrgbTable() noexcept {
    for (int value = 1; value < 256; ++value) {
      const double exact = srgb_begins(value);
      const float nearest = static_cast<float>(exact);
      begins[value] = dsvl::bit_cast<std::uint32_t>(nearest) + (static_cast<double>(nearest) < exact ? 1 : 0);
    }
    begins[256] = 0xFFFFFFFF;
    lowest = begins[1] >> kShift << kShift;
    int value = 0;
    for (std::uint32_t group = 0; group < kGroups; ++group) {
      while (begins[value + 1] <= lowest + (group << kShift)) ++value;
      first[group] = static_cast<std::uint8_t>(value);
    }
  }
};
/// The one table there is, 1.8 KB.
inline constexpr SrgbTable kSrgb;

/// Clamps to 0..1; NaN gives 0.
constexpr float clamp_to_unit(float value) noexcept {
  const float positive = value > 0 ? value : 0;
  return positive < 1 ? positive : 1;
}

}  // namespace detail

/// Encoded light to 8 bits: clamped to 0..1, times 255, rounded to the nearest, halves up; NaN gives 0. It rounds once,
/// because the product of a float and 255 is exact in double.
constexpr std::uint8_t byte_of_encoded(float value) noexcept {
  return static_cast<std::uint8_t>(static_cast<int>(static_cast<double>(detail::clamp_to_unit(value)) * 255 + 0.5));
}

/// Linear light to 8 bits, through the transfer function of sRGB. The result is exactly rounded.
constexpr std::uint8_t byte_of_linear(float light) noexcept {
  const detail::SrgbTable& table = detail::kSrgb;
  const auto given = dsvl::bit_cast<std::uint32_t>(detail::clamp_to_unit(light));
  const std::uint32_t bits = given > table.lowest ? given : table.lowest;
  std::uint32_t value = table.first[(bits - table.lowest) >> table.kShift];
  value += bits >= table.begins[value + 1] ? 1 : 0;
  value += bits >= table.begins[value + 1] ? 1 : 0;
  return static_cast<std::uint8_t>(value);
}

DSVL_END_NAMESPACE

#endif  // DSVL_BASE_SRGB_HPP
