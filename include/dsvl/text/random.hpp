// Random numbers by position: number `position` of stream `seed`, with no state to carry along.
//
// The generator is counter-based: a session that is rewound or forked, or that checks drafted tokens out of order,
// draws the same number for the same position. It is SplitMix64 entered at any point, where the seed's hash is the
// start.
// Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators" (2014).
#ifndef DSVL_TEXT_RANDOM_HPP
#define DSVL_TEXT_RANDOM_HPP

#include <cstdint>

#include "../base/config.hpp"

DSVL_BEGIN_NAMESPACE

/// SplitMix64's output function: a bijection that spreads every input bit over all output bits.
constexpr std::uint64_t mix_bits(std::uint64_t z) noexcept {
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ull;
  z = (z ^ z >> 27) * 0x94D049BB133111EBull;
  return z ^ z >> 31;
}

/// SplitMix64's increment, 2^64 divided by the golden ratio.
inline constexpr std::uint64_t kGolden = 0x9E3779B97F4A7C15ull;

/// 64 random bits for a position of a stream.
constexpr std::uint64_t random_bits(std::uint64_t seed, std::uint64_t position) noexcept {
  return mix_bits(mix_bits(seed + kGolden) + (position + 1) * kGolden);
}

/// A uniform number in [0, 1), a multiple of 2^-53.
constexpr double random_unit(std::uint64_t seed, std::uint64_t position) noexcept {
  return static_cast<double>(random_bits(seed, position) >> 11) * 0x1p-53;
}

/// The seed of fork number `fork` of a session, unrelated to the parent's stream and to that of other forks.
constexpr std::uint64_t fork_seed(std::uint64_t seed, std::uint64_t fork) noexcept {
  return mix_bits(random_bits(~seed, fork) + kGolden);
}

DSVL_END_NAMESPACE

#endif  // DSVL_TEXT_RANDOM_HPP
