// Arithmetic on sizes that come from a file or a caller: overflow is a result that the code must handle, not undefined
// behaviour.
#ifndef DSVL_BASE_CHECKED_HPP
#define DSVL_BASE_CHECKED_HPP

#include <cstdint>
#include <limits>
#include <optional>

#include "config.hpp"

DSVL_BEGIN_NAMESPACE

/// a * b, or nothing when it does not fit 64 bits.
constexpr std::optional<std::uint64_t> checked_multiply(std::uint64_t a, std::uint64_t b) noexcept {
  if (b != 0 && a > (std::numeric_limits<std::uint64_t>::max)() / b) return std::nullopt;
  return a * b;
}

DSVL_END_NAMESPACE

#endif  // DSVL_BASE_CHECKED_HPP
