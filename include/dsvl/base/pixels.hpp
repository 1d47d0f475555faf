// Pixels: a view of a picture in the caller's memory, in any common layout, read in place.
//
// Decoders, cameras and frame buffers make them, and vision/preprocess.hpp takes them. The model sees 8-bit RGB;
// read_pixels.hpp says how each format becomes that.
#ifndef DSVL_BASE_PIXELS_HPP
#define DSVL_BASE_PIXELS_HPP

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "view.hpp"

DSVL_BEGIN_NAMESPACE

/// The samples of a pixel and their order. The first fifteen formats are interleaved in one plane: five orders, in 8
/// bits, in 16 bits and in 32-bit floats. Gray becomes r = g = b; for alpha see Pixels::background.
enum class PixelFormat : unsigned char {
  /// One byte a sample.
  rgb, bgr, rgba, bgra, gray,
  /// Two bytes a sample, low byte first, at any address. Only the high byte is used (>> 8 rather than / 257), as in
  /// OpenCV's imread.
  rgb16, bgr16, rgba16, bgra16, gray16,
  /// Four bytes a sample, at any address; 0 is black and 1 white. See Pixels::transfer.
  rgb32f, bgr32f, rgba32f, bgra32f, gray32f,
  /// 4:2:0: a plane of Y with a sample per pixel, and chroma for 2 x 2 pixels in one plane of (U, V), in one of (V, U),
  /// or in a plane of each. Every pixel takes its block's chroma as it is, without interpolation. (YV12 is i420 with
  /// the two chroma planes exchanged.)
  nv12, nv21, i420,
  /// 4:2:2 in one plane, four bytes for two pixels: Y U Y V, or U Y V Y.
  yuy2, uyvy,
};

/// The numbers that Y, U and V have for black, white and gray.
enum class ColorRange : unsigned char {
  limited,  ///< Y 16 to 235, U and V 16 to 240, as in video
  full,     ///< 0 to 255, as in MJPEG cameras and in formats whose names have a J
};
/// The standard that says how Y, U and V become RGB.
enum class ColorMatrix : unsigned char {
  bt601,  ///< ITU-R BT.601, for standard definition and JPEG
  bt709,  ///< ITU-R BT.709, for high definition
};
/// The meaning of floats between 0 and 1.
enum class Transfer : unsigned char {
  srgb,    ///< encoded like 8-bit values: clamped, times 255, rounded to the nearest, halves up
  linear,  ///< linear light, which goes through the transfer function of sRGB (IEC 61966-2-1) first, exactly
};

/// True for the formats that have to be converted from Y, U and V.
constexpr bool is_yuv(PixelFormat format) noexcept { return format >= PixelFormat::nv12; }
/// Planes of a format, each with an address: 2 for nv12 and nv21, 3 for i420, otherwise 1.
constexpr int plane_count(PixelFormat format) noexcept {
  return format == PixelFormat::i420 ? 3 : format == PixelFormat::nv12 || format == PixelFormat::nv21 ? 2 : 1;
}
/// The 8-bit interleaved format that has the same order of channels; rgb for the YUV formats, which become that.
constexpr PixelFormat channel_order(PixelFormat format) noexcept {
  return is_yuv(format) ? PixelFormat::rgb : static_cast<PixelFormat>(static_cast<int>(format) % 5);
}
/// Channels of a pixel: 1, 3 or 4.
constexpr int channels(PixelFormat format) noexcept {
  const PixelFormat as = channel_order(format);
  return as == PixelFormat::gray ? 1 : as == PixelFormat::rgb || as == PixelFormat::bgr ? 3 : 4;
}
/// True for formats with an alpha channel.
constexpr bool has_alpha(PixelFormat format) noexcept { return channels(format) == 4; }
/// Bytes of a sample of an interleaved format: 1, 2 or 4.
constexpr Index sample_bytes(PixelFormat format) noexcept {
  return is_yuv(format) || format <= PixelFormat::gray ? 1 : format <= PixelFormat::gray16 ? 2 : 4;
}
/// Bytes of a row of plane `plane`, without padding. Chroma of an odd last column is stored as if a column followed.
constexpr Index row_bytes(PixelFormat format, Index width, int plane = 0) noexcept {
  const Index pairs = width / 2 + width % 2;
  if (format == PixelFormat::yuy2 || format == PixelFormat::uyvy) return 4 * pairs;
  if (is_yuv(format)) return plane == 0 ? width : format == PixelFormat::i420 ? pairs : 2 * pairs;
  return width * channels(format) * sample_bytes(format);
}
/// The format's name, for messages.
constexpr std::string_view name(PixelFormat format) noexcept {
  constexpr std::string_view kNames[] = {"rgb",    "bgr",    "rgba",    "bgra",    "gray",    "rgb16", "bgr16",
                                         "rgba16", "bgra16", "gray16",  "rgb32f",  "bgr32f",  "rgba32f", "bgra32f",
                                         "gray32f", "nv12",  "nv21",    "i420",    "yuy2",    "uyvy"};
  return format <= PixelFormat::uyvy ? kNames[static_cast<int>(format)] : "unknown";
}

/// One plane of a picture.
struct PixelPlane {
  const std::uint8_t* data = nullptr;  ///< first byte of the top row
  Index stride = 0;  ///< bytes from one row to the row below
};

/// A picture that it does not own, with the origin at the top left. Use Pixels{data, width, height, format, stride}, or
/// name what differs from the defaults:
///
///   Pixels{.data = frame, .width = 1920, .height = 1080, .format = PixelFormat::nv12};               // one buffer
///   Pixels{.data = y, .width = 1920, .height = 1080, .format = PixelFormat::nv12, .stride = 2048,
///          .range = ColorRange::full, .chroma = {{uv, 2048}}};                                       // two planes
///
/// The memory that the members point to is only read. How long it must stay is said by the function that takes the
/// Pixels.
struct Pixels {
  const std::uint8_t* data = nullptr;  ///< first byte of the top row; of the plane of Y when there are several
  Index width = 0;   ///< in pixels; chroma of 4:2:0 has half as many columns, rounded up
  Index height = 0;  ///< in pixels; chroma of 4:2:0 has half as many rows, rounded up
  PixelFormat format = PixelFormat::rgb;  ///< samples and their order
  Index stride = 0;  ///< bytes from one row to the row below; 0 means packed; negative for bottom-up pictures

  // The next two matter for YUV formats. The defaults give the result of OpenCV's conversions, bit by bit: BT.601,
  // limited range. A frame's bytes and size do not tell which it has, so dsvl never guesses.
  ColorRange range = ColorRange::limited;   ///< of Y, U and V
  ColorMatrix matrix = ColorMatrix::bt601;  ///< from Y, U and V to RGB
  Transfer transfer = Transfer::srgb;       ///< of floats, not of their alpha; NaN counts as 0
  /// The planes behind the first: (U, V) of nv12 or (V, U) of nv21; U and V of i420. They have half of the height in
  /// rows, rounded up. A plane without an address follows the one before it in one buffer, as cameras and OpenCV have
  /// it (a frame whose height is padded needs addresses). Stride 0 means the stride in such a buffer: that of the first
  /// plane, made even (nv12, nv21), or half of it, rounded up (i420).
  PixelPlane chroma[2] = {};
  /// The colour (r, g, b) that pictures with alpha are blended onto: (alpha * value + (255 - alpha) * background) /
  /// 255, rounded to the nearest, on encoded 8-bit values. Values must not be premultiplied; alpha is converted to 8
  /// bits like they are. Empty means that alpha is ignored, as the reference does.
  std::optional<std::array<std::uint8_t, 3>> background = {};

  /// The stride with its default filled in, in bytes.
  [[nodiscard]] constexpr Index row_stride() const noexcept { return stride ? stride : row_bytes(format, width); }
  /// First byte of row y of the first plane.
  [[nodiscard]] constexpr const std::uint8_t* row(Index y) const noexcept { return data + y * row_stride(); }
  /// Plane `i`, below plane_count(format), with the defaults of `chroma` filled in.
  [[nodiscard]] constexpr PixelPlane plane(int i) const noexcept {
    if (i == 0) return {data, row_stride()};
    PixelPlane at = chroma[i - 1];
    if (!at.stride) {
      const Index first = row_stride(), odd = first % 2;  // rounds away from 0, so negative strides work as well
      at.stride = format == PixelFormat::i420 ? first / 2 + odd : first + odd;
    }
    if (!at.data) {
      const PixelPlane before = plane(i - 1);
      at.data = before.data + before.stride * (i == 1 ? height : height / 2 + height % 2);
    }
    return at;
  }
};

/// A rectangle of a picture, in pixels; (x, y) is its top left corner.
struct Rect {
  Index x = 0;       ///< of the left edge
  Index y = 0;       ///< of the top edge
  Index width = 0;   ///< in pixels
  Index height = 0;  ///< in pixels
};

DSVL_END_NAMESPACE

#endif  // DSVL_BASE_PIXELS_HPP
