// ContentHash: 128 bits that stand for a picture's pixels.
//
// Pictures are recognised by what they show, not by where they lie: the same pixels in another layout or file hash
// alike. Not a cryptographic hash: it keeps honest content apart, it does not resist somebody who constructs
// collisions.
#ifndef DSVL_BASE_HASH_HPP
#define DSVL_BASE_HASH_HPP

#include <limits>

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

/// The hash of a picture's RGB values and size; alpha and layout do not count. About 1 GB/s, as many rows at a time as
/// its caller likes.
class PixelHasher {
 public:
  PixelHasher() = default;
  explicit PixelHasher(const Pixels& pixels) noexcept : pixels_(pixels) {
    hash_.add(static_cast<std::uint64_t>(pixels.width));
    hash_.add(static_cast<std::uint64_t>(pixels.height));
  }

  [[nodiscard]] bool done() const noexcept { return next_row_ >= pixels_.height; }
  /// Reads at least `pixels` pixels more (whole rows), or what is left.
  void advance(Index pixels) noexcept {
    for (Index read = 0; read < pixels && !done(); read += pixels_.width) add_row(next_row_++);
  }
  /// Of everything, when done.
  [[nodiscard]] const ContentHash& hash() const noexcept { return hash_; }

 private:
  void add_row(Index y) noexcept {
    const Index step = channels(pixels_.format);
    const bool swapped = pixels_.format == PixelFormat::bgr || pixels_.format == PixelFormat::bgra;
    const Index red = swapped ? 2 : 0, green = step == 1 ? 0 : 1, blue = step == 1 || swapped ? 0 : 2;
    const std::uint8_t* at = pixels_.row(y);
    std::uint64_t word = 0;
    for (Index x = 0; x < pixels_.width; ++x, at += step) {
      word = word << 24 | static_cast<std::uint64_t>(at[red]) << 16 | static_cast<std::uint64_t>(at[green]) << 8 |
             at[blue];
      if (x % 2 == 1 || x + 1 == pixels_.width) hash_.add(word), word = 0;
    }
  }

  Pixels pixels_;
  Index next_row_ = 0;
  ContentHash hash_;
};

inline ContentHash hash_pixels(const Pixels& p) noexcept {
  PixelHasher hasher(p);
  hasher.advance((std::numeric_limits<Index>::max)());
  return hasher.hash();
}

DSVL_END_NAMESPACE

#endif  // DSVL_BASE_HASH_HPP
