// Pixels: a view of somebody's picture in any common layout, read where it lies.
//
// The currency between whoever has a picture (a decoder, a camera, a frame buffer) and vision/preprocess.hpp. What the
// model sees is 8-bit RGB; read_pixels.hpp says how each format becomes that.
#ifndef DSVL_BASE_PIXELS_HPP
#define DSVL_BASE_PIXELS_HPP

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "view.hpp"

DSVL_BEGIN_NAMESPACE

/// What one pixel is made of. The first fifteen lie in one plane, sample beside sample: five orders, in 8 bits, in 16
/// bits, in 32-bit floats. Gray becomes r = g = b; for alpha see Pixels::background.
enum class PixelFormat : unsigned char {
  rgb, bgr, rgba, bgra, gray,
  /// Two bytes a sample, low byte first, at any address. The high byte counts and the low one is dropped, as OpenCV's
  /// imread does (>> 8, not / 257).
  rgb16, bgr16, rgba16, bgra16, gray16,
  /// Four bytes a sample, at any address; 0 is black and 1 white. See Pixels::transfer.
  rgb32f, bgr32f, rgba32f, bgra32f, gray32f,
  /// 4:2:0: a plane of Y, a sample a pixel, and colour for 2 x 2 pixels: one plane of (U, V), of (V, U), or a plane of
  /// each. Every pixel takes its block's colour as it is, none is interpolated. (YV12 is i420 with the planes named the
  /// other way round.)
  nv12, nv21, i420,
  /// 4:2:2 in one plane, four bytes for two pixels: Y U Y V, or U Y V Y.
  yuy2, uyvy,
};

/// Which numbers of Y, U and V mean black, white and gray.
enum class ColorRange : unsigned char {
  limited,  ///< Y 16 to 235, U and V 16 to 240: video
  full,     ///< 0 to 255: MJPEG cameras, the formats whose names have a J
};
/// What U and V mean.
enum class ColorMatrix : unsigned char { bt601, bt709 };
/// What floats between 0 and 1 mean.
enum class Transfer : unsigned char {
  srgb,    ///< already encoded, like 8-bit values: clamped, times 255, to the nearest, halves up
  linear,  ///< light: through the transfer function of sRGB (IEC 61966-2-1) first, exactly
};

constexpr bool is_yuv(PixelFormat format) noexcept { return format >= PixelFormat::nv12; }
/// Addresses that a picture needs: 1, with nv12 and nv21 2, with i420 3.
constexpr int plane_count(PixelFormat format) noexcept {
  return format == PixelFormat::i420 ? 3 : format == PixelFormat::nv12 || format == PixelFormat::nv21 ? 2 : 1;
}
/// The one of the first five formats that has the same order; of the YUV formats rgb, which they become.
constexpr PixelFormat channel_order(PixelFormat format) noexcept {
  return is_yuv(format) ? PixelFormat::rgb : static_cast<PixelFormat>(static_cast<int>(format) % 5);
}
constexpr int channels(PixelFormat format) noexcept {
  const PixelFormat as = channel_order(format);
  return as == PixelFormat::gray ? 1 : as == PixelFormat::rgb || as == PixelFormat::bgr ? 3 : 4;
}
constexpr bool has_alpha(PixelFormat format) noexcept { return channels(format) == 4; }
/// Of the formats in one plane without YUV: 1, 2 or 4.
constexpr Index sample_bytes(PixelFormat format) noexcept {
  return is_yuv(format) || format <= PixelFormat::gray ? 1 : format <= PixelFormat::gray16 ? 2 : 4;
}
/// Bytes of a row of plane `plane`, without padding. Colour of an odd last column takes room as if a column followed.
constexpr Index row_bytes(PixelFormat format, Index width, int plane = 0) noexcept {
  const Index pairs = width / 2 + width % 2;
  if (format == PixelFormat::yuy2 || format == PixelFormat::uyvy) return 4 * pairs;
  if (is_yuv(format)) return plane == 0 ? width : format == PixelFormat::i420 ? pairs : 2 * pairs;
  return width * channels(format) * sample_bytes(format);
}
constexpr std::string_view name(PixelFormat format) noexcept {
  constexpr std::string_view kNames[] = {"rgb",    "bgr",    "rgba",    "bgra",    "gray",    "rgb16", "bgr16",
                                         "rgba16", "bgra16", "gray16",  "rgb32f",  "bgr32f",  "rgba32f", "bgra32f",
                                         "gray32f", "nv12",  "nv21",    "i420",    "yuy2",    "uyvy"};
  return format <= PixelFormat::uyvy ? kNames[static_cast<int>(format)] : "unknown";
}

/// One plane of a picture.
struct PixelPlane {
  const std::uint8_t* data = nullptr;  ///< first byte of the top row
  Index stride = 0;                    ///< bytes from one row to the row below
};

/// Non-owning picture, origin at the top left: Pixels{data, width, height, format, stride}, or by name what differs
/// from the defaults:
///
///   Pixels{.data = frame, .width = 1920, .height = 1080, .format = PixelFormat::nv12};               // one buffer
///   Pixels{.data = y, .width = 1920, .height = 1080, .format = PixelFormat::nv12, .stride = 2048,
///          .range = ColorRange::full, .chroma = {{uv, 2048}}};                                       // two planes
///
/// All that the members point to is only read, and must stay as long as whoever takes the Pixels says.
struct Pixels {
  const std::uint8_t* data = nullptr;  ///< first byte of the top row; with several planes of that of Y
  Index width = 0, height = 0;         ///< odd ones too: colour of 4:2:0 then lies in rows and columns rounded up
  PixelFormat format = PixelFormat::rgb;
  Index stride = 0;  ///< bytes from one row to the row below; 0 means packed; negative for bottom-up pictures

  // Of YUV formats. By default the result is that of OpenCV's conversions, bit by bit: BT.601, limited range. What a
  // frame holds cannot be seen from its bytes or its size, so it is never guessed.
  ColorRange range = ColorRange::limited;
  ColorMatrix matrix = ColorMatrix::bt601;
  Transfer transfer = Transfer::srgb;  ///< of floats, not of their alpha; NaN counts as 0
  /// Planes behind the first: (U, V) of nv12 or (V, U) of nv21; U and V of i420. Rows go as far as colour does: half of
  /// the height, rounded up. No address: they follow the plane before them in one buffer, as cameras and OpenCV have
  /// it (a frame whose height is padded needs addresses). Stride 0: as in one buffer, which is the first plane's, made
  /// even (nv12, nv21), or half of it (i420), rounded up.
  PixelPlane chroma[2] = {};
  /// Where alpha is, pictures lie upon this colour (r, g, b): (alpha * value + (255 - alpha) * background) / 255 to the
  /// nearest, in 8 bits as they are encoded; alpha is not multiplied into the values beforehand, and is made 8 bits as
  /// they are. Empty: alpha is ignored, as the reference does.
  std::optional<std::array<std::uint8_t, 3>> background = {};

  [[nodiscard]] constexpr Index row_stride() const noexcept { return stride ? stride : row_bytes(format, width); }
  [[nodiscard]] constexpr const std::uint8_t* row(Index y) const noexcept { return data + y * row_stride(); }
  /// Where plane `i` lies, below plane_count(format), with all that `chroma` leaves open.
  [[nodiscard]] constexpr PixelPlane plane(int i) const noexcept {
    if (i == 0) return {data, row_stride()};
    PixelPlane at = chroma[i - 1];
    if (!at.stride) {
      const Index first = row_stride(), odd = first % 2;  // rounded up is away from 0, whatever the direction
      at.stride = format == PixelFormat::i420 ? first / 2 + odd : first + odd;
    }
    if (!at.data) {
      const PixelPlane before = plane(i - 1);
      at.data = before.data + before.stride * (i == 1 ? height : height / 2 + height % 2);
    }
    return at;
  }
};

/// A rectangle of a picture, in pixels.
struct Rect {
  Index x = 0, y = 0, width = 0, height = 0;
};

DSVL_END_NAMESPACE

#endif  // DSVL_BASE_PIXELS_HPP
