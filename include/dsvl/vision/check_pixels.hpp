// Checks Pixels that a caller handed in, before a byte of them is read.
//
// The strides and sizes of Pixels are the caller's word: a wrong one would make the preprocessor read outside the
// picture. Each message says what was found and what would fit.
#ifndef DSVL_VISION_CHECK_PIXELS_HPP
#define DSVL_VISION_CHECK_PIXELS_HPP

#include "../base/host_macros_push.hpp"

#include <algorithm>
#include <limits>

#include "../base/pixels.hpp"
#include "../base/status.hpp"
#include "pre_taps.hpp"

DSVL_BEGIN_NAMESPACE

namespace detail {

/// bad_argument when the stride of one plane is shorter than its rows, or when the plane's bytes cannot be counted in
/// an Index.
inline Status check_stride(const Pixels& p, int plane) noexcept {
  const Index stride = p.plane(plane).stride, row = row_bytes(p.format, p.width, plane);
  const Index planes = is_yuv(p.format) ? 4 : 1;  // later planes are no larger than the first, up to rounding
  const Index most = (std::numeric_limits<Index>::max)() / planes / p.height;
  if ((stride >= row || stride <= -row) && stride <= most && stride >= -most) return {};
  constexpr const char* kOf[] = {"", " (chroma[0])", " (chroma[1])"};
  return fail(Code::bad_argument,
              "%s picture of %td x %td pixels: a stride of %td bytes%s does not fit rows of %td; it is the bytes from "
              "row to row, %td to %td, negative if bottom-up, 0 if packed",
              name(p.format).data(), p.width, p.height, stride, kOf[plane], row, row, most);
}

/// bad_argument unless the planes behind the first are all given or all left out, and none is there that the format
/// does not have.
inline Status check_chroma(const Pixels& p) noexcept {
  const int needed = plane_count(p.format) - 1;
  const bool u = p.chroma[0].data, v = p.chroma[1].data;
  if ((u || v) && (u != (needed >= 1) || v != (needed == 2)))
    return fail(Code::bad_argument, "%s picture with %s; needed: %s", name(p.format).data(),
                u && v ? "chroma[0] and chroma[1]" : u ? "chroma[0] alone" : "chroma[1] alone",
                needed == 2   ? "both, or neither when all planes follow in one buffer"
                : needed == 1 ? "chroma[0] alone, or neither when colour follows Y in one buffer"
                              : "neither, or the format that has such planes (nv12, nv21, i420)");
  const Index down = std::min<Index>(p.stride, std::min<Index>(p.chroma[0].stride, p.chroma[1].stride));
  if (needed > 0 && !u && down < 0)
    return fail(Code::bad_argument,
                "%s picture with a stride of %td bytes and no address of colour: where that lies when rows go up is "
                "not known; give the address of its top row (chroma)",
                name(p.format).data(), down);
  for (int plane = 1; plane <= needed; ++plane) DSVL_CHECK_STATUS(check_stride(p, plane));
  return {};
}

/// Checks size, format, colour and strides. It cannot know whether so many bytes are really there.
///
/// Codes  bad_argument, limit (a side above kMaxPictureSide)
inline Status check(const Pixels& p) noexcept {
  if (!p.data || p.width < 1 || p.height < 1)
    return fail(Code::bad_argument, "picture of %td x %td pixels%s: there is nothing to see", p.width, p.height,
                p.data ? "" : " at no address");
  if (p.width > kMaxPictureSide || p.height > kMaxPictureSide)
    return fail(Code::limit, "picture of %td x %td pixels: a side may have at most %td", p.width, p.height,
                kMaxPictureSide);
  if (p.format > PixelFormat::uyvy)
    return fail(Code::bad_argument, "unknown pixel format %d", static_cast<int>(p.format));
  if (p.range > ColorRange::full || p.matrix > ColorMatrix::bt709 || p.transfer > Transfer::linear)
    return fail(Code::bad_argument, "unknown colour of pixels: range %d, matrix %d, transfer %d; each can be 0 or 1",
                static_cast<int>(p.range), static_cast<int>(p.matrix), static_cast<int>(p.transfer));
  DSVL_CHECK_STATUS(check_stride(p, 0));
  return check_chroma(p);
}

}  // namespace detail

DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_VISION_CHECK_PIXELS_HPP
