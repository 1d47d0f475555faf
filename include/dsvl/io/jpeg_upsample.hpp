// Brings the rows of a JPEG component to the picture's size, as libjpeg's "fancy upsampling" does, bit for bit.
//
// Colour that is stored at half the size is interpolated with weights 3/4 and 1/4, in x, y or both; all other ratios
// repeat samples. The edge of a component is its last real sample, and its own neighbour.
// Source: jdsample.c of libjpeg-turbo.
#ifndef DSVL_IO_JPEG_UPSAMPLE_HPP
#define DSVL_IO_JPEG_UPSAMPLE_HPP

#include "../base/view.hpp"
#include "jpeg_lanes.hpp"

DSVL_BEGIN_NAMESPACE
namespace jpeg {

/// A decoded component. Rows lie `stride` bytes apart, which is a multiple of 8 and at least `width`.
struct Plane {
  const std::uint8_t* data = nullptr;
  Index stride = 0;
  Index width = 0, height = 0;    ///< of the samples that belong to the picture
  int across = 1, down = 1;       ///< how many times wider and higher the picture is
};

/// What a row may be written past its end, for whole registers.
inline constexpr Index kRowSlack = 32;

namespace upsample {

inline bool doubles_both(const Plane& p) noexcept { return p.across == 2 && p.down == 2 && p.width > 2; }
inline bool doubles_across(const Plane& p) noexcept { return p.across == 2 && p.down == 1 && p.width > 2; }
inline bool doubles_down(const Plane& p) noexcept { return p.across == 1 && p.down == 2; }

/// The row that the picture's row y lies in, and the one that it leans to.
struct Neighbours {
  const std::uint8_t *nearest, *farther;
};
inline Neighbours neighbours(const Plane& p, Index y) noexcept {
  const Index nearest = y / 2, leaning = y % 2 == 0 ? nearest - 1 : nearest + 1;
  const Index farther = leaning < 0 ? 0 : leaning >= p.height ? p.height - 1 : leaning;
  return {p.data + nearest * p.stride, p.data + farther * p.stride};
}

/// sums[x] = nearest or 3 nearest + farther, with one more at each side that repeats its neighbour.
inline void add_rows(const Plane& p, Neighbours rows, bool both, std::int16_t* sums) noexcept {
  for (Index x = 0; x < p.width; x += 8) {
    const Int16x8 nearest = load(rows.nearest + x);
    store(sums + x, both ? nearest + nearest + nearest + load(rows.farther + x) : nearest);
  }
  sums[-1] = sums[0];
  sums[p.width] = sums[p.width - 1];
}

/// out[2 x] = (3 sums[x] + sums[x - 1] + even) >> kBits, out[2 x + 1] alike with sums[x + 1] and odd.
template <int kBits>
void double_across(const std::int16_t* sums, Index width, int even, int odd, std::uint8_t* out) noexcept {
  for (Index x = 0; x < width; x += 8) {
    const Int16x8 own = load(sums + x), three = own + own + own;
    store_zipped(out + 2 * x, shift_right<kBits>(three + load(sums + x - 1) + splat(even)),
                 shift_right<kBits>(three + load(sums + x + 1) + splat(odd)));
  }
}

inline void repeat(const std::uint8_t* row, Index width, int across, std::uint8_t* out) noexcept {
  for (Index x = 0; x < width; ++x)
    for (int i = 0; i < across; ++i) *out++ = row[x];
}

}  // namespace upsample

/// Row y of the picture, of at least p.width * p.across samples: the plane's own where it has the picture's width, else
/// in `out`. Room: `out` p.stride * p.across + kRowSlack bytes, `sums` p.stride + kRowSlack numbers.
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
  std::int16_t* const inner = sums + 8;  // has a neighbour in front
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
