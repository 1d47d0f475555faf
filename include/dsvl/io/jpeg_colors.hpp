// From the components of a JPEG picture to RGB, as libjpeg-turbo and Pillow do it, bit for bit.
//
// Source: JFIF 1.02 (YCbCr), jdcolor.c of libjpeg-turbo (its fixed point), Convert.c of Pillow (CMYK, which it takes
// as inverted whatever a file says).
#ifndef DSVL_IO_JPEG_COLORS_HPP
#define DSVL_IO_JPEG_COLORS_HPP

#include "../base/view.hpp"
#include "jpeg_lanes.hpp"

DSVL_BEGIN_NAMESPACE
namespace jpeg {

/// What the components of a picture are.
enum class Colors : unsigned char { gray, ycbcr, rgb, cmyk, ycck };

namespace colors {

struct Rgb {
  Int16x8 r, g, b;  ///< still to be brought between 0 and 255
};

/// R = Y + 1.402 Cr, G = Y - 0.344136 Cb - 0.714136 Cr, B = Y + 1.772 Cb, with 128 less of Cb and Cr, and with factors
/// of 16 bits of fraction. Of larger ones the whole part is added as it is, so that the rest fits 16 bits.
DSVL_FORCE_INLINE Rgb from_ycbcr(const std::uint8_t* y, const std::uint8_t* cb, const std::uint8_t* cr) noexcept {
  const Int16x8 luma = load(y), blue = load(cb) - splat(128), red = load(cr) - splat(128);
  return {luma + red + scale(red, 91881 - 65536), luma - red + narrow<16>(weigh(blue, red, -22554, 65536 - 46802)),
          luma + blue + blue + scale(blue, 116130 - 131072)};
}

/// a b / 255, rounded, as Pillow has it.
inline int product(int a, int b) noexcept {
  const int t = a * b + 128;
  return (t + (t >> 8)) >> 8;
}

/// `cmyk` are rows of stored values, which are 255 less the ink.
inline void from_cmyk(const std::uint8_t* const (&cmyk)[4], Index width, std::uint8_t* out) noexcept {
  for (Index x = 0; x < width; ++x)
    for (int c = 0; c < 3; ++c) {
      const int key = cmyk[3][x], value = key - product(255 - cmyk[c][x], key);
      *out++ = static_cast<std::uint8_t>(value < 0 ? 0 : value);
    }
}

/// Eight pixels at a time; `make` gives those at x.
template <class Make>
void write_pixels(Index width, std::uint8_t* out, const Make& make) noexcept {
  Index x = 0;
  for (; x + 9 <= width; x += 8) {  // a register more than its pixels is written, which needs a pixel behind
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

/// One row of packed RGB. `rows`: as many as there are components, of `width` samples and up to 7 more that are read
/// and mean nothing; those of YCCK are overwritten.
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
      // The RGB that the first three stand for is what is printed without black: stored CMY is 255 less that.
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
