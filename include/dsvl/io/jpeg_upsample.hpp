// Scales the rows of a JPEG component to the picture's size, as libjpeg's "fancy upsampling" does, bit for bit.
//
// Chroma that is stored at half the size is interpolated with weights 3/4 and 1/4, in x, y or both; all other ratios
// repeat samples. At the edge of a component the last sample is its own neighbour.
// Source: jdsample.c of libjpeg-turbo.
#ifndef DSVL_IO_JPEG_UPSAMPLE_HPP
#define DSVL_IO_JPEG_UPSAMPLE_HPP

#include "../base/view.hpp"
#include "jpeg_lanes.hpp"

DSVL_BEGIN_NAMESPACE
namespace jpeg {

/// A decoded component. Rows are `stride` bytes apart, which is a multiple of 8 and at least `width`.
struct Plane {
  const std::uint8_t* data = nullptr;  ///< top left sample
  Index stride = 0;                    ///< in bytes
  Index width = 0, height = 0;         ///< of the samples that belong to the picture
  int across = 1, down = 1;            ///< how many times wider and higher the picture is
};

/// Bytes that may be written behind a row, since whole registers are.
inline constexpr Index kRowSlack = 32;

namespace upsample {

/// True when the component is interpolated in both directions. libjpeg repeats samples of very narrow ones instead.
inline bool doubles_both(const Plane& p) noexcept { return p.across == 2 && p.down == 2 && p.width > 2; }
/// True when it is interpolated along x only.
inline bool doubles_across(const Plane& p) noexcept { return p.across == 2 && p.down == 1 && p.width > 2; }
/// True when it is interpolated along y only.
inline bool doubles_down(const Plane& p) noexcept { return p.across == 1 && p.down == 2; }

/// The two rows that a row of the picture is interpolated from: the nearest, with weight 3/4, and the next nearest.
struct Neighbours {
  const std::uint8_t *nearest, *farther;
};
/// The rows for row y of the picture.
inline Neighbours neighbours(const Plane& p, Index y) noexcept {
  const Index nearest = y / 2, leaning = y % 2 == 0 ? nearest - 1 : nearest + 1;
  const Index farther = leaning < 0 ? 0 : leaning >= p.height ? p.height - 1 : leaning;
  return {p.data + nearest * p.stride, p.data + farther * p.stride};
}

/// sums[x] = nearest[x], or 3 * nearest[x] + farther[x] with `both`. One more at each side repeats its neighbour.
inline void add_rows(const Plane& p, Neighbours rows, bool both, std::int16_t* sums) noexcept {
  for (Index x = 0; x < p.width; x += 8) {
    const Int16x8 nearest = load(rows.nearest + x);
    store(sums + x, both ? nearest + nearest + nearest + load(rows.farther + x) : nearest);
  }
  sums[-1] = sums[0];
  sums[p.width] = sums[p.width - 1];
}

/// out[2 x] = (3 * sums[x] + sums[x - 1] + even) >> kBits, and out[2 x + 1] likewise with sums[x + 1] and odd. The two
/// roundings differ, so that rounding makes the picture neither lighter nor darker.
template <int kBits>
void double_across(const std::int16_t* sums, Index width, int even, int odd, std::uint8_t* out) noexcept {
  for (Index x = 0; x < width; x += 8) {
    const Int16x8 own = load(sums + x), three = own + own + own;
    store_zipped(out + 2 * x, shift_right<kBits>(three + load(sums + x - 1) + splat(even)),
                 shift_right<kBits>(three + load(sums + x + 1) + splat(odd)));
  }
}

/// Repeats each sample `across` times.
inline void repeat(const std::uint8_t* row, Index width, int across, std::uint8_t* out) noexcept {
  for (Index x = 0; x < width; ++x)
    for (int i = 0; i < across; ++i) *out++ = row[x];
}

}  // namespace upsample

/// Row y of the picture, of at least p.width * p.across samples: the plane's own row where that has the picture's
/// width, otherwise in `out`. `out` has room for p.stride * p.across + kRowSlack bytes, `sums` for p.stride + kRowSlack
/// numbers.
inline const std::uint8_t* upsampled_row(const Plane& p, Index y, std::uint8_t* out, std::int16_t* sums) noexcept {
  using namespace upsample;
  if (doubles_down(p)) {
    const Neighbours rows = neighbours(p, y);
    const Int16x8 bias = splat(y % 2 == 0 ? 1 : 2);
    for (Index x = 0; x < p.width; x += 8) {
      const Int16x8 nearest = load(rows.nearest + x);
      store(out + x, shift_right<2>(nearest + nearest + nearest + load(rows.farther + x) + bias));
    }
    return out;
  }
  std::int16_t* const inner = sums + 8;  // leaves room for a neighbour in front
  if (doubles_both(p)) {
    add_rows(p, neighbours(p, y), true, inner);
    double_across<4>(inner, p.width, 8, 7, out);
    return out;
  }
  const std::uint8_t* const row = p.data + y / p.down * p.stride;
  if (doubles_across(p)) {
    add_rows(p, {row, row}, false, inner);
    double_across<2>(inner, p.width, 1, 2, out);
    return out;
  }
  if (p.across == 1) return row;
  repeat(row, p.width, p.across, out);
  return out;
}

}  // namespace jpeg
DSVL_END_NAMESPACE

#endif  // DSVL_IO_JPEG_UPSAMPLE_HPP
