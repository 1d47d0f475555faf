// Reads pixels of any format as 8-bit RGB or gray: some formats are read in place, others are converted.
//
// The resampler and the hash of a picture read through this, so that both see the same values. A converted picture is
// never stored: the reader converts a run of pixels into a small buffer and goes on.
// Sources: OpenCV's color_yuv.simd.hpp (BT.601, limited range), libjpeg's jdcolor.c (BT.601, full range), ITU-R BT.709.
#ifndef DSVL_BASE_READ_PIXELS_HPP
#define DSVL_BASE_READ_PIXELS_HPP

#include <algorithm>
#include <cstring>

#include "pixels.hpp"
#include "srgb.hpp"

DSVL_BEGIN_NAMESPACE

namespace detail {

/// Distances in bytes inside an interleaved format, from a pixel to its samples and to the next pixel.
struct PixelLayout {
  Index red, green, blue;  ///< all three are the same for gray
  Index alpha;             ///< only for formats that have it
  Index step;              ///< to the next pixel
};

/// The layout of an interleaved format. For 16 bits it points to the high bytes, which are all that is used: they are a
/// picture of 8 bits in every other byte.
constexpr PixelLayout layout_of(PixelFormat format) noexcept {
  const PixelFormat order = channel_order(format);
  const bool swapped = order == PixelFormat::bgr || order == PixelFormat::bgra;
  const Index size = sample_bytes(format), first = size == 2 ? 1 : 0;
  const Index second = first + (order == PixelFormat::gray ? 0 : size), third = 2 * second - first;
  return {swapped ? third : first, second, swapped ? first : third, first + 3 * size, size * channels(format)};
}

/// R, G, B = (y * (max(Y, least) - black) + (rv, gu + gv, bu) * (U - 128, V - 128) + 2^19) >> 20, clamped to 0..255.
/// All intermediate values stay below 2^30.
struct YuvCoefficients {
  std::int32_t least, black, y, rv, gu, gv, bu;  ///< see above
};

/// The coefficients, as [matrix][range], with 20 fractional bits.
inline constexpr YuvCoefficients kYuvCoefficients[2][2] = {
    {{16, 16, 1220542, 1673527, -409993, -852492, 2116026},  // OpenCV's, which clamps Y to 16 and above
     // libjpeg's have 16 fractional bits; four more zeros change nothing.
     {0, 0, 65536 << 4, 91881 << 4, -22554 * 16, -46802 * 16, 116130 << 4}},
    // The standard's, rounded to 20 bits, with Kr = 0.2126 and Kb = 0.0722. Limited range scales Y by 255/219, and U
    // and V by 255/224; full range by 1.
    {{0, 16, 1220945, 1879825, -223607, -558796, 2215014}, {0, 0, 1048576, 1651297, -196424, -490864, 1945738}}};

/// The first samples of a row of a YUV format, and the distances to the next ones in bytes.
struct YuvRow {
  const std::uint8_t *y, *u, *v;  ///< samples of the row's first pixel
  Index y_step, colour_step;      ///< bytes to the next sample
};

/// Finds the samples of row y.
inline YuvRow yuv_row(const Pixels& p, Index y) noexcept {
  const std::uint8_t* const row = p.row(y);
  const auto colour = [&](int plane) noexcept {
    const PixelPlane at = p.plane(plane);
    return at.data + y / 2 * at.stride;
  };
  switch (p.format) {
    case PixelFormat::nv12: return {row, colour(1), colour(1) + 1, 1, 2};
    case PixelFormat::nv21: return {row, colour(1) + 1, colour(1), 1, 2};
    case PixelFormat::i420: return {row, colour(1), colour(2), 1, 1};
    case PixelFormat::yuy2: return {row, row + 1, row + 3, 2, 4};
    default: return {row + 1, row, row + 2, 2, 4};
  }
}

/// Pixels converted at a time.
inline constexpr Index kYuvLanes = 16;

/// Computes one channel of sixteen pixels from their Y part and their chroma.
inline void yuv_bytes(const std::int32_t* level, const std::int32_t* u, std::int32_t by_u, const std::int32_t* v,
                      std::int32_t by_v, std::uint8_t* out) noexcept {
  std::int32_t bytes[kYuvLanes];
  for (Index i = 0; i < kYuvLanes; ++i) {
    const std::int32_t value = (level[i] + by_u * u[i] + by_v * v[i]) >> 20, positive = value < 0 ? 0 : value;
    bytes[i] = positive > 255 ? 255 : positive;
  }
  for (Index i = 0; i < kYuvLanes; ++i) out[i] = static_cast<std::uint8_t>(bytes[i]);
}

/// read_pixels() for YUV formats. It works on arrays of sixteen, which compilers turn into vectors.
inline void read_yuv(const Pixels& p, Index x, Index y, Index n, std::uint8_t* to, Index pitch) noexcept {
  const YuvCoefficients by = kYuvCoefficients[static_cast<int>(p.matrix)][static_cast<int>(p.range)];
  const YuvRow row = yuv_row(p, y);
  for (const Index end = x + n; x < end;) {
    const Index skip = x % 2, from = x - skip, count = std::min<Index>(kYuvLanes, end - from);
    std::int32_t level[kYuvLanes] = {}, u[kYuvLanes] = {}, v[kYuvLanes] = {};
    for (Index i = 0; i < count; ++i) level[i] = row.y[(from + i) * row.y_step];
    for (Index i = 0; i < count; i += 2) {
      u[i] = u[i + 1] = row.u[(from + i) / 2 * row.colour_step] - 128;
      v[i] = v[i + 1] = row.v[(from + i) / 2 * row.colour_step] - 128;
    }
    for (Index i = 0; i < kYuvLanes; ++i)
      level[i] = ((level[i] < by.least ? by.least : level[i]) - by.black) * by.y + (1 << 19);
    std::uint8_t out[3][kYuvLanes];
    yuv_bytes(level, u, 0, v, by.rv, out[0]);
    yuv_bytes(level, u, by.gu, v, by.gv, out[1]);
    yuv_bytes(level, u, by.bu, v, 0, out[2]);
    const Index done = count - skip;
    for (int c = 0; c < 3; ++c) std::memcpy(to + c * pitch, out[c] + skip, static_cast<std::size_t>(done));
    x += done, to += done;
  }
}

/// read_pixels() for interleaved formats. `load` and `load_alpha` turn the bytes of a sample into 8 bits:
/// std::uint8_t(const std::uint8_t* sample).
template <class Load, class LoadAlpha>
void read_interleaved(const Pixels& p, Index x, Index y, Index n, std::uint8_t* to, Index pitch, const Load& load,
                      const LoadAlpha& load_alpha) noexcept {
  const PixelLayout layout = layout_of(p.format);
  const Index at[3] = {layout.red, layout.green, layout.blue};
  const std::uint8_t* const first = p.row(y) + x * layout.step;
  for (int c = 0; c < (channels(p.format) == 1 ? 1 : 3); ++c, to += pitch) {
    const std::uint8_t* from = first + at[c];
    for (Index i = 0; i < n; ++i, from += layout.step) to[i] = load(from);
    if (!p.background || !has_alpha(p.format)) continue;
    const int behind = (*p.background)[static_cast<std::size_t>(c)];
    from = first + layout.alpha;
    for (Index i = 0; i < n; ++i, from += layout.step) {
      const int alpha = load_alpha(from);
      to[i] = static_cast<std::uint8_t>((alpha * to[i] + (255 - alpha) * behind + 127) / 255);
    }
  }
}

}  // namespace detail

/// True when the samples can be used where they are, as bytes at a fixed distance: formats of 8 and 16 bits, without
/// blending onto a background.
constexpr bool reads_in_place(const Pixels& p) noexcept {
  return !is_yuv(p.format) && sample_bytes(p.format) < 4 && !(p.background && has_alpha(p.format));
}

/// Reads pixels x to x + n - 1 of row y as 8-bit values, each channel in a run of its own: to[c * pitch + i], with
/// c = 0, 1, 2 for R, G, B, or only 0 for gray formats. The pixels must have been checked.
inline void read_pixels(const Pixels& p, Index x, Index y, Index n, std::uint8_t* to, Index pitch) noexcept {
  if (is_yuv(p.format)) return detail::read_yuv(p, x, y, n, to, pitch);
  const auto byte = [](const std::uint8_t* at) noexcept { return *at; };
  if (sample_bytes(p.format) < 4) return detail::read_interleaved(p, x, y, n, to, pitch, byte, byte);
  const auto value = [](const std::uint8_t* at) noexcept {
    float f;
    std::memcpy(&f, at, sizeof f);  // the address may be misaligned
    return f;
  };
  const auto encoded = [value](const std::uint8_t* at) noexcept { return byte_of_encoded(value(at)); };
  const auto linear = [value](const std::uint8_t* at) noexcept { return byte_of_linear(value(at)); };
  if (p.transfer == Transfer::linear) return detail::read_interleaved(p, x, y, n, to, pitch, linear, encoded);
  return detail::read_interleaved(p, x, y, n, to, pitch, encoded, encoded);
}

/// Reads row y as packed RGB. `planes` is scratch of three bytes a pixel and must not be `to`.
inline void read_rgb_row(const Pixels& p, Index y, std::uint8_t* planes, std::uint8_t* to) noexcept {
  read_pixels(p, 0, y, p.width, planes, p.width);
  const Index pitch = channels(p.format) == 1 ? 0 : p.width;  // the one run of gray serves all three channels
  for (Index x = 0; x < p.width; ++x)
    for (Index c = 0; c < 3; ++c) *to++ = planes[c * pitch + x];
}

DSVL_END_NAMESPACE

#endif  // DSVL_BASE_READ_PIXELS_HPP
