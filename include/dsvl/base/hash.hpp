// ContentHash: 128 bits that identify a picture by its pixels.
//
// Pictures are recognised by what they show, not by their address: the same pixels in another layout or file hash
// alike, so their encoding can be reused. It is not a cryptographic hash: it tells honest pictures apart, and does not
// resist an attacker who constructs collisions.
#ifndef DSVL_BASE_HASH_HPP
#define DSVL_BASE_HASH_HPP

#include <limits>

#include "read_pixels.hpp"

DSVL_BEGIN_NAMESPACE

/// The state of the hash, and its value. The start values are arbitrary odd constants.
struct ContentHash {
  std::uint64_t a = 0x9E3779B97F4A7C15ull;  ///< first half
  std::uint64_t b = 0xD1B54A32D192ED03ull;  ///< second half

  constexpr bool operator==(const ContentHash&) const noexcept = default;

  /// Mixes one word into both halves.
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

/// Hashes a picture's size and its RGB values as the model sees them. So format, range, matrix, transfer, planes and
/// background count only as far as they change these values; strides, and alpha without a background, do not. The work
/// can be cut into pieces of any number of rows. The pixels must have been checked.
///
/// Cost   about 1 GB/s, less where pixels are converted
class PixelHasher {
 public:
  PixelHasher() = default;
  /// Begins with a picture, which must stay until all is read.
  explicit PixelHasher(const Pixels& pixels) noexcept : pixels_(pixels) {
    hash_.add(static_cast<std::uint64_t>(pixels.width));
    hash_.add(static_cast<std::uint64_t>(pixels.height));
  }

  /// True when all rows are read.
  [[nodiscard]] bool done() const noexcept { return next_row_ >= pixels_.height; }
  /// Reads whole rows until at least `pixels` more pixels are read, or none are left.
  void advance(Index pixels) noexcept {
    for (Index read = 0; read < pixels && !done(); read += pixels_.width) add_row(next_row_++);
  }
  /// The hash of the picture, once done().
  [[nodiscard]] const ContentHash& hash() const noexcept { return hash_; }

 private:
  void add_row(Index y) noexcept {
    if (reads_in_place(pixels_)) return add(pixels_.row(y), detail::layout_of(pixels_.format), pixels_.width);
    constexpr Index kRun = 128;  // even, because two pixels make a word
    std::uint8_t run[3 * kRun];
    const Index next = channels(pixels_.format) == 1 ? 0 : kRun;  // from channel to channel
    for (Index x = 0; x < pixels_.width; x += kRun) {
      const Index n = std::min<Index>(kRun, pixels_.width - x);
      read_pixels(pixels_, x, y, n, run, kRun);
      add(run, {0, next, 2 * next, 0, 1}, n);
    }
  }

  void add(const std::uint8_t* at, const detail::PixelLayout& layout, Index pixels) noexcept {
    const std::uint8_t *const red = at + layout.red, *const green = at + layout.green, *const blue = at + layout.blue;
    ContentHash hash = hash_;  // the compiler can keep a local variable in registers
    Index i = 0;
    const auto next = [&]() noexcept {
      const std::uint64_t rgb = static_cast<std::uint64_t>(red[i]) << 16 | static_cast<std::uint64_t>(green[i]) << 8 |
                                blue[i];
      i += layout.step;
      return rgb;
    };
    for (Index x = 1; x < pixels; x += 2) {
      const std::uint64_t first = next();
      hash.add(first << 24 | next());
    }
    if (pixels % 2 == 1) hash.add(next());
    hash_ = hash;
  }

  Pixels pixels_;
  Index next_row_ = 0;
  ContentHash hash_;
};

/// Hashes a whole picture at once.
inline ContentHash hash_pixels(const Pixels& p) noexcept {
  PixelHasher hasher(p);
  hasher.advance((std::numeric_limits<Index>::max)());
  return hasher.hash();
}

DSVL_END_NAMESPACE

#endif  // DSVL_BASE_HASH_HPP
