// Pixels: a view of somebody's 8-bit picture in any common layout, read where it lies.
//
// The currency between whoever has a picture (a decoder, a camera, a frame buffer) and vision/preprocess.hpp.
#ifndef DSVL_BASE_PIXELS_HPP
#define DSVL_BASE_PIXELS_HPP

#include <cstdint>

#include "view.hpp"

DSVL_BEGIN_NAMESPACE

/// Order of the bytes of one pixel. Alpha is ignored, as the reference does; gray becomes r = g = b.
enum class PixelFormat : unsigned char { rgb, bgr, rgba, bgra, gray };

constexpr int channels(PixelFormat format) noexcept {
  return format == PixelFormat::gray ? 1 : format == PixelFormat::rgb || format == PixelFormat::bgr ? 3 : 4;
}

/// Non-owning 8-bit picture, origin at the top left.
struct Pixels {
  const std::uint8_t* data = nullptr;  ///< first byte of the top row
  Index width = 0, height = 0;
  PixelFormat format = PixelFormat::rgb;
  Index stride = 0;  ///< bytes from one row to the row below; 0 means packed; negative for bottom-up pictures

  [[nodiscard]] constexpr Index row_stride() const noexcept { return stride ? stride : width * channels(format); }
  [[nodiscard]] constexpr const std::uint8_t* row(Index y) const noexcept { return data + y * row_stride(); }
};

/// A rectangle of a picture, in pixels.
struct Rect {
  Index x = 0, y = 0, width = 0, height = 0;
};

DSVL_END_NAMESPACE

#endif  // DSVL_BASE_PIXELS_HPP
