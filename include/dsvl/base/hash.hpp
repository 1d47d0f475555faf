// ContentHash: 128 bits that stand for a picture's pixels.
//
// Pictures are recognised by what they show, not by where they lie: the same pixels in another layout or file hash
// alike. Not a cryptographic hash: it keeps honest content apart, it does not resist somebody who constructs
// collisions.
#ifndef DSVL_BASE_HASH_HPP
#define DSVL_BASE_HASH_HPP

#include "pixels.hpp"

DSVL_BEGIN_NAMESPACE

struct ContentHash {
  std::uint64_t a = 0x9E3779B97F4A7C15ull, b = 0xD1B54A32D192ED03ull;

  constexpr bool operator==(const ContentHash&) const noexcept = default;

  constexpr void add(std::uint64_t word) noexcept {
    a = mix(a ^ word);
    b = mix(b + word * 0xBF58476D1CE4E5B9ull);
  }

 private:
  static constexpr std::uint64_t mix(std::uint64_t z) noexcept {
    z = (z ^ (z >> 32)) * 0xD6E8FEB86659FD93ull;
    return z ^ (z >> 32);
  }
};

/// Of the RGB values and the size; alpha and layout do not count. About 1 GB/s.
inline ContentHash hash_pixels(const Pixels& p) noexcept {
  ContentHash hash;
  hash.add(static_cast<std::uint64_t>(p.width));
  hash.add(static_cast<std::uint64_t>(p.height));
  const Index step = channels(p.format);
  const bool swapped = p.format == PixelFormat::bgr || p.format == PixelFormat::bgra;
  const Index red = swapped ? 2 : 0, green = step == 1 ? 0 : 1, blue = step == 1 || swapped ? 0 : 2;
  for (Index y = 0; y < p.height; ++y) {
    const std::uint8_t* at = p.row(y);
    std::uint64_t word = 0;
    for (Index x = 0; x < p.width; ++x, at += step) {
      word = word << 24 | static_cast<std::uint64_t>(at[red]) << 16 | static_cast<std::uint64_t>(at[green]) << 8 |
             at[blue];
      if (x % 2 == 1 || x + 1 == p.width) hash.add(word), word = 0;
    }
  }
  return hash;
}

DSVL_END_NAMESPACE

#endif  // DSVL_BASE_HASH_HPP
