// Converts the components of a JPEG picture to RGB, as libjpeg-turbo and Pillow do it, bit for bit.
//
// Source: JFIF 1.02 (YCbCr), jdcolor.c of libjpeg-turbo (its fixed point), Convert.c of Pillow (CMYK, which it takes
// as inverted whatever a file says).
#ifndef DSVL_IO_JPEG_COLORS_HPP
#define DSVL_IO_JPEG_COLORS_HPP

#include "../base/view.hpp"
#include "jpeg_lanes.hpp"

DSVL_BEGIN_NAMESPACE
namespace jpeg {

/// The meaning of a picture's components.
enum class Colors : unsigned char {
  gray,   ///< one component
  ycbcr,  ///< luma and two chroma differences
  rgb,    ///< as they are
  cmyk,   ///< inks, stored inverted
  ycck,   ///< cmyk, whose first three are stored as YCbCr
};

namespace colors {

/// Eight pixels.
struct Rgb {
  Int16x8 r, g, b;  ///< not yet clamped to 0..255
};

/// R = Y + 1.402 Cr, G = Y - 0.344136 Cb - 0.714136 Cr, B = Y + 1.772 Cb, where 128 is subtracted from Cb and Cr first.
/// The factors have 16 fractional bits. The integer part of the larger ones is added without a multiplication, so that
/// the rest fits 16 bits.
DSVL_FORCE_INLINE Rgb from_ycbcr(const std::uint8_t* y, const std::uint8_t* cb, const std::uint8_t* cr) noexcept {
  const Int16x8 luma = load(y), blue = load(cb) - splat(128), red = load(cr) - splat(128);
  return {luma + red + scale(red, 91881 - 65536), luma - red + narrow<16>(weigh(blue, red, -22554, 65536 - 46802)),
          luma + blue + blue + scale(blue, 116130 - 131072)};
}

/// a * b / 255, rounded as in Pillow.
inline int product(int a, int b) noexcept {
  const int t = a * b + 128;
  return (t + (t >> 8)) >> 8;
}

/// Converts a row of CMYK. `cmyk` are rows of stored values, which are 255 less the ink.
inline void from_cmyk(const std::uint8_t* const (&cmyk)[4], Index width, std::uint8_t* out) noexcept {
  for (Index x = 0; x < width; ++x)
    for (int c = 0; c < 3; ++c) {
      const int key = cmyk[3][x], value = key - product(255 - cmyk[c][x], key);
      *out++ = static_cast<std::uint8_t>(value < 0 ? 0 : value);
    }
}

/// Writes a row, eight pixels at a time; `make` gives the pixels at x.
template <class Make>
void write_pixels(Index width, std::uint8_t* out, const Make& make) noexcept {
  Index x = 0;
  for (; x + 9 <= width; x += 8) {  // store_pixels() writes two bytes too many, so a pixel has to follow
    const Rgb p = make(x);
    store_pixels(out + 3 * x, p.r, p.g, p.b);
  }
  for (; x < width; x += 8) {
    std::uint8_t last[32];
    const Rgb p = make(x);
    store_pixels(last, p.r, p.g, p.b);
    std::memcpy(out + 3 * x, last, static_cast<std::size_t>(3 * (width - x < 8 ? width - x : 8)));
  }
}

}  // namespace colors

/// Writes one row of packed RGB. `rows` has a row for each component, of `width` samples and up to 7 more, which are
/// read and not used. The rows of YCCK are overwritten.
inline void to_rgb(Colors from, const std::uint8_t* const (&rows)[4], Index width, std::uint8_t* out) noexcept {
  using namespace colors;
  const auto at = [&rows](int c, Index x) { return load(rows[c] + x); };
  switch (from) {
    case Colors::gray:
      return write_pixels(width, out, [&](Index x) { return Rgb{at(0, x), at(0, x), at(0, x)}; });
    case Colors::rgb:
      return write_pixels(width, out, [&](Index x) { return Rgb{at(0, x), at(1, x), at(2, x)}; });
    case Colors::ycbcr:
      return write_pixels(width, out, [&](Index x) { return from_ycbcr(rows[0] + x, rows[1] + x, rows[2] + x); });
    case Colors::cmyk: return from_cmyk(rows, width, out);
    case Colors::ycck:
      // The first three components give an RGB that is the print without black; stored CMY is 255 less that.
      write_pixels(width, out, [&](Index x) { return from_ycbcr(rows[0] + x, rows[1] + x, rows[2] + x); });
      for (Index x = 0; x < width; ++x)
        for (int c = 0; c < 3; ++c, ++out) {
          const int key = rows[3][x], value = key - product(*out, key);
          *out = static_cast<std::uint8_t>(value < 0 ? 0 : value);
        }
  }
}

}  // namespace jpeg
DSVL_END_NAMESPACE

#endif  // DSVL_IO_JPEG_COLORS_HPP
