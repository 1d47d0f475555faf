// linear: y = x w^T + bias, the product under everything.
//
// The bits of y[r, n] are fixed by x[r] and w[n] alone: lane l of one register sums the products k = l, l + kLanes, …
// in increasing k by fma (the tail filled with zeros), then the lanes are added in the order of `sum`. Blocks of rows,
// outputs and k only decide which of these chains run side by side, so a row alone (a decoded token) gives the bits of
// the same row among many (a prompt).
//
// Few rows: the weights stream from memory once and are converted in registers. Many rows: 16 rows of weights are
// converted once into scratch, and all rows of x pass over them.
#ifndef DSVL_KERNELS_LINEAR_HPP
#define DSVL_KERNELS_LINEAR_HPP

#include <algorithm>

#include "formats.hpp"
#include "table.hpp"

DSVL_BEGIN_NAMESPACE
namespace kernels {
inline namespace DSVL_ISA {
namespace linear_detail {

/// Outputs that are finished together: linear_scratch holds as many rows of weights.
inline constexpr int kStrip = 16;
/// Rows of weights and of x whose sums stay in registers.
inline constexpr int kOutputBlock = 4;
inline constexpr int kRowBlock = kRegisters == 32 ? 6 : 3;
/// Columns between two visits of the sums in memory: with a block of x they fit the first-level cache.
inline constexpr Index kDepth = 1024;
/// Up to this many rows weights are converted again for every block of rows instead of unpacked once.
inline constexpr int kFewRows = 4 * kRowBlock;
/// Elements of x in a panel: 1 MiB.
inline constexpr Index kPanel = 1 << 18;

/// sums[r][n] += x[r] * w[n] for `rows` x kOutputBlock chains over the whole registers of columns [0, cols). The chains
/// of two rows are kStrip apart; w[n] points at weights of format F.
/// Not inlined, every loop body stands once, no tail: measured, only so do the sums stay in registers with GCC.
template <class F, int rows>
DSVL_NO_INLINE void accumulate(const float* const* x, const std::byte* const* w, Index cols, Lanes* sums) noexcept {
  Lanes total[rows][kOutputBlock];
  const Index ahead = (w[1] - w[0]) * kOutputBlock;  // the next block's rows: the hardware starts anew at each of them
  unroll<rows>([&](auto r) { unroll<kOutputBlock>([&](auto n) { total[r][n] = sums[r * kStrip + n]; }); });
  for (Index k = 0; k + kLanes <= cols; k += kLanes) {
    if constexpr (rows > kOutputBlock) {  // the shorter side waits in registers
      Lanes b[kOutputBlock];
      unroll<kOutputBlock>([&](auto n) { b[n] = F::load(w[n] + k * F::kBytes); });
      unroll<rows>([&](auto r) {
        const Lanes a = load(x[r] + k);
        unroll<kOutputBlock>([&](auto n) { total[r][n] = fma(a, b[n], total[r][n]); });
      });
    } else {
      Lanes a[rows];
      unroll<rows>([&](auto r) { a[r] = load(x[r] + k); });
      unroll<kOutputBlock>([&](auto n) {
        const Lanes b = F::load(w[n] + k * F::kBytes);
        if constexpr (rows <= 2) prefetch(w[n] + ahead + k * F::kBytes);
        unroll<rows>([&](auto r) { total[r][n] = fma(a[r], b, total[r][n]); });
      });
    }
  }
  unroll<rows>([&](auto r) { unroll<kOutputBlock>([&](auto n) { sums[r * kStrip + n] = total[r][n]; }); });
}

/// The columns from k on, less than a register of them.
template <class F>
DSVL_NO_INLINE void accumulate_tail(int rows, const float* const* x, const std::byte* const* w, Index k, Index cols,
                                    Lanes* sums) noexcept {
  for (int n = 0; n < kOutputBlock; ++n) {
    const Lanes b = F::load(w[n] + k * F::kBytes, cols - k);
    for (int r = 0; r < rows; ++r) sums[r * kStrip + n] = fma(load(x[r] + k, cols - k), b, sums[r * kStrip + n]);
  }
}

/// As many instances as a block has rows; which one runs does not show in the sums.
template <class F, int rows>
DSVL_FORCE_INLINE void accumulate_rows(int count, const float* const* x, const std::byte* const* w, Index cols,
                                       Lanes* sums) noexcept {
  if constexpr (rows > 1) {
    if (count < rows) return accumulate_rows<F, rows - 1>(count, x, w, cols, sums);
  }
  accumulate<F, rows>(x, w, cols, sums);
}

/// Adds the lanes of one row of sums, the bias, and what y holds if asked.
DSVL_FORCE_INLINE void finish(const Lanes* sums, const float* bias, int outputs, bool add, float* y) noexcept {
  for (int n = 0; n < outputs; n += static_cast<int>(kLanes)) {
    const Index left = outputs - n;
    Lanes s = transposed_sum(sums + n);
    if (left >= kLanes) {
      if (bias) s = s + load(bias + n);
      if (add) s = load(y + n) + s;
      store(y + n, s);
    } else {
      if (bias) s = s + load(bias + n, left);
      if (add) s = load(y + n, left) + s;
      store(y + n, s, left);
    }
  }
}

/// Up to kStrip rows of weights, `stride` bytes apart, that give the outputs from `first` on.
struct Strip {
  const std::byte* w;
  Index stride, first;
  int outputs;
};

/// A strip against `rows` <= kRowBlock rows of x from `row` on.
template <class F>
DSVL_FORCE_INLINE void multiply_block(const LinearTile<float>& t, const Strip& strip, Index row, int rows) noexcept {
  Lanes sums[kRowBlock * kStrip];
  for (int i = 0; i < rows * kStrip; ++i) sums[i] = splat(0.0f);
  const Index most = rows <= 2 ? t.cols : kDepth;  // one or two rows fit the cache, and weights stream better whole
  for (Index k = 0; k < t.cols; k += most) {
    const Index depth = std::min<Index>(most, t.cols - k);
    const float* x[kRowBlock];
    for (int r = 0; r < rows; ++r) x[r] = t.x + (row + r) * t.x_stride + k;
    for (int n = 0; n < strip.outputs; n += kOutputBlock) {
      const std::byte* w[kOutputBlock];  // outputs that do not exist repeat the last one, and are not stored
      for (int i = 0; i < kOutputBlock; ++i)
        w[i] = strip.w + std::min<int>(n + i, strip.outputs - 1) * strip.stride + k * F::kBytes;
      accumulate_rows<F, kRowBlock>(rows, x, w, depth, sums + n);
      if (depth % kLanes != 0) accumulate_tail<F>(rows, x, w, depth - depth % kLanes, depth, sums + n);
    }
  }
  for (int r = 0; r < rows; ++r)
    finish(sums + r * kStrip, t.bias ? t.bias + strip.first : nullptr, strip.outputs, t.add,
           t.y + (row + r) * t.y_stride + strip.first);
}

/// A strip against all rows, in blocks of equal height (a low one at the end would waste loads).
template <class F>
DSVL_NO_INLINE void multiply_strip(const LinearTile<float>& t, const Strip& strip) noexcept {
  const Index blocks = ceil_div(t.rows, kRowBlock);
  for (Index b = 0; b < blocks; ++b) {
    const Index row = t.rows * b / blocks, end = t.rows * (b + 1) / blocks;
    multiply_block<F>(t, strip, row, static_cast<int>(end - row));
  }
}

/// Rows of weights as floats, zeros up to a multiple of kStrip columns; aligned, so that no load crosses a cache line.
template <WeightFormat F>
DSVL_NO_INLINE Strip unpack_strip(const Strip& from, Index cols, float* scratch) noexcept {
  const Index stride = round_up(cols, kStrip);
  for (int n = 0; n < from.outputs; ++n) {
    const std::byte* const w = from.w + n * from.stride;
    sweep(cols, [&](auto at) { store(scratch + n * stride + at.i, load_weights<F>(w, at)); });
  }
  return {reinterpret_cast<const std::byte*>(scratch), stride * static_cast<Index>(sizeof(float)), from.first,
          from.outputs};
}

/// Whether rows of floats can be used where they lie without loads across cache lines.
inline bool aligned(const Strip& strip) noexcept {
  constexpr auto kMask = static_cast<std::uintptr_t>(kLanes) * sizeof(float) - 1;
  return ((reinterpret_cast<std::uintptr_t>(strip.w) | static_cast<std::uintptr_t>(strip.stride)) & kMask) == 0;
}

}  // namespace linear_detail

inline void linear(const LinearTile<float>& tile, float* scratch) noexcept {
  namespace d = linear_detail;
  const auto run = [&]<class F>(F, const LinearTile<float>& t) {
    const Index stride = t.cols * F::kBytes;
    for (Index n = 0; n < t.outputs; n += d::kStrip) {
      const d::Strip strip{t.w + n * stride, stride, n, static_cast<int>(std::min<Index>(d::kStrip, t.outputs - n))};
      const bool in_place = t.rows <= d::kFewRows || (std::is_same_v<F, F32> && d::aligned(strip));
      if (in_place) d::multiply_strip<F>(t, strip);
      else d::multiply_strip<F32>(t, d::unpack_strip<F>(strip, t.cols, scratch));
    }
  };
  // All strips pass over the same rows of x: panels of them that stay in the second-level cache.
  const Index panels = ceil_div(tile.rows * tile.cols, d::kPanel);
  for (Index p = 0; p < panels; ++p) {
    const Index row = tile.rows * p / panels;
    LinearTile<float> t = tile;
    t.x += row * t.x_stride;
    t.y += row * t.y_stride;
    t.rows = tile.rows * (p + 1) / panels - row;
    with_format(t.format, [&](auto format) { run(format, t); });
  }
}

}  // namespace DSVL_ISA
}  // namespace kernels
DSVL_END_NAMESPACE

#endif  // DSVL_KERNELS_LINEAR_HPP
