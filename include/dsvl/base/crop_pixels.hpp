// A part of a picture, as Pixels that read the picture's own memory.
#ifndef DSVL_BASE_CROP_PIXELS_HPP
#define DSVL_BASE_CROP_PIXELS_HPP

#include "host_macros_push.hpp"

#include "pixels.hpp"
#include "status.hpp"

DSVL_BEGIN_NAMESPACE

namespace detail {

/// The pixels that share a sample of chroma, in x and in y.
constexpr Index chroma_width(PixelFormat format) noexcept { return is_yuv(format) ? 2 : 1; }
constexpr Index chroma_height(PixelFormat format) noexcept {
  return is_yuv(format) && plane_count(format) > 1 ? 2 : 1;
}
/// Bytes from the first pixel of a row to pixel x, which begins a block of chroma, in plane `plane`.
constexpr Index column_offset(PixelFormat format, Index x, int plane) noexcept {
  if (!is_yuv(format)) return x * channels(format) * sample_bytes(format);
  if (plane_count(format) == 1) return 2 * x;
  return plane == 0 || format != PixelFormat::i420 ? x : x / 2;
}

}  // namespace detail

/// The pixels of `picture` inside `part`, read where they lie: nothing is copied, so they are valid as long as the
/// picture's. Where pixels share chroma (YUV), an edge at the left or at the top that would divide such pixels moves
/// outwards by one, and `part` with it. The pixels must have been checked.
///
/// Codes  bad_argument (the part is empty, or not within the picture)
inline Result<Pixels> crop(const Pixels& picture, Rect& part) noexcept {
  const auto inside = [](Index at, Index count, Index size) { return at >= 0 && count >= 1 && count <= size - at; };
  if (part.x > picture.width || part.y > picture.height || !inside(part.x, part.width, picture.width) ||
      !inside(part.y, part.height, picture.height))
    return fail(Code::bad_argument,
                "a region of %td x %td pixels at (%td, %td) is not within the picture, which has %td x %td", part.width,
                part.height, part.x, part.y, picture.width, picture.height);
  const Index left = part.x % detail::chroma_width(picture.format);
  const Index top = part.y % detail::chroma_height(picture.format);
  part = {part.x - left, part.y - top, part.width + left, part.height + top};
  Pixels out = picture;
  out.width = part.width;
  out.height = part.height;
  out.stride = picture.row_stride();
  for (int i = 0; i < plane_count(picture.format); ++i) {
    const PixelPlane plane = picture.plane(i);
    const Index row = i == 0 ? part.y : part.y / 2, column = detail::column_offset(picture.format, part.x, i);
    const std::uint8_t* const first = plane.data + row * plane.stride + column;
    if (i == 0) out.data = first;
    else out.chroma[i - 1] = {first, plane.stride};
  }
  return out;
}

DSVL_END_NAMESPACE

#include "host_macros_pop.hpp"

#endif  // DSVL_BASE_CROP_PIXELS_HPP
