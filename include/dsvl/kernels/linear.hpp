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
/// Up to this many rows the weights are not unpacked.
inline constexpr int kFewRows = 2;

/// sums[r][n] += x[r] * w[n] over columns [0, cols) for `rows` x kOutputBlock chains. `stride` separates the chains of
/// two rows in `sums`; w[n] points at weights of format F. Not inlined: the compiler then finds the registers.
template <class F, int rows>
DSVL_NO_INLINE void accumulate(const float* const* x, const std::byte* const* w, Index cols, Lanes* sums,
                               int stride) noexcept {
  Lanes total[rows][kOutputBlock];
  unroll<rows>([&](auto r) { unroll<kOutputBlock>([&](auto n) { total[r][n] = sums[r * stride + n]; }); });
  const auto step = [&](auto&& load_x, auto&& load_w) {
    if constexpr (rows > kOutputBlock) {  // the shorter side waits in registers
      Lanes b[kOutputBlock];
      unroll<kOutputBlock>([&](auto n) { b[n] = load_w(w[n]); });
      unroll<rows>([&](auto r) {
        const Lanes a = load_x(x[r]);
        unroll<kOutputBlock>([&](auto n) { total[r][n] = fma(a, b[n], total[r][n]); });
      });
    } else {
      Lanes a[rows];
      unroll<rows>([&](auto r) { a[r] = load_x(x[r]); });
      unroll<kOutputBlock>([&](auto n) {
        const Lanes b = load_w(w[n]);
        unroll<rows>([&](auto r) { total[r][n] = fma(a[r], b, total[r][n]); });
      });
    }
  };
  Index k = 0;
  for (; k + kLanes <= cols; k += kLanes)
    step([&](const float* p) { return load(p + k); }, [&](const std::byte* p) { return F::load(p + k * F::kBytes); });
  if (k < cols)
    step([&](const float* p) { return load(p + k, cols - k); },
         [&](const std::byte* p) { return F::load(p + k * F::kBytes, cols - k); });
  unroll<rows>([&](auto r) { unroll<kOutputBlock>([&](auto n) { sums[r * stride + n] = total[r][n]; }); });
}

/// As many instances as a block has rows; which one runs does not show in the sums.
template <class F, int rows>
DSVL_FORCE_INLINE void accumulate_rows(int count, const float* const* x, const std::byte* const* w, Index cols,
                                       Lanes* sums) noexcept {
  if constexpr (rows > 1) {
    if (count < rows) return accumulate_rows<F, rows - 1>(count, x, w, cols, sums);
  }
  accumulate<F, rows>(x, w, cols, sums, kStrip);
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

/// One strip of weights against up to kRowBlock rows of x.
template <class F, int max_rows>
inline void strip(const LinearTile<float>& t, const std::byte* w, Index w_stride, Index first, Index row) noexcept {
  const int outputs = static_cast<int>(std::min<Index>(kStrip, t.outputs - first));
  const int rows = static_cast<int>(std::min<Index>(max_rows, t.rows - row));
  Lanes sums[max_rows * kStrip];
  for (int i = 0; i < rows * kStrip; ++i) sums[i] = splat(0);
  for (Index k = 0; k < t.cols; k += kDepth) {
    const Index depth = std::min<Index>(kDepth, t.cols - k);
    const float* x[max_rows];
    for (int r = 0; r < rows; ++r) x[r] = t.x + (row + r) * t.x_stride + k;
    for (int n = 0; n < outputs; n += kOutputBlock) {
      const std::byte* block[kOutputBlock];  // outputs that do not exist repeat the last one, and are not stored
      for (int i = 0; i < kOutputBlock; ++i)
        block[i] = w + std::min<int>(n + i, outputs - 1) * w_stride + k * F::kBytes;
      accumulate_rows<F, max_rows>(rows, x, block, depth, sums + n);
    }
  }
  for (int r = 0; r < rows; ++r)
    finish(sums + r * kStrip, t.bias ? t.bias + first : nullptr, outputs, t.add,
           t.y + (row + r) * t.y_stride + first);
}

template <WeightFormat F>
DSVL_NO_INLINE void few_rows(const LinearTile<float>& t) noexcept {
  const Index stride = t.cols * F::kBytes;
  for (Index n = 0; n < t.outputs; n += kStrip) strip<F, kFewRows>(t, t.w + n * stride, stride, n, 0);
}

DSVL_NO_INLINE inline void many_rows(const LinearTile<float>& t, const std::byte* w, Index stride, Index n) noexcept {
  for (Index r = 0; r < t.rows; r += kRowBlock) strip<F32, kRowBlock>(t, w, stride, n, r);
}

/// Rows of weights as floats, zeros up to a multiple of kStrip columns (so that every load is a whole register).
template <WeightFormat F>
DSVL_NO_INLINE void unpack_strip(const std::byte* w, Index cols, Index outputs, float* scratch) noexcept {
  for (Index n = 0; n < outputs; ++n, w += cols * F::kBytes, scratch += round_up(cols, kStrip))
    sweep(cols, [&](auto at) { store(scratch + at.i, load_weights<F>(w, at)); });
}

}  // namespace linear_detail

inline void linear(const LinearTile<float>& t, float* scratch) noexcept {
  namespace d = linear_detail;
  with_format(t.format, [&](auto format) {
    using F = decltype(format);
    if (t.rows <= d::kFewRows) return d::few_rows<F>(t);
    for (Index n = 0; n < t.outputs; n += d::kStrip) {
      const std::byte* const w = t.w + n * t.cols * F::kBytes;
      if constexpr (std::is_same_v<F, F32>) {
        d::many_rows(t, w, t.cols * F::kBytes, n);
      } else {
        d::unpack_strip<F>(w, t.cols, std::min<Index>(d::kStrip, t.outputs - n), scratch);
        d::many_rows(t, reinterpret_cast<const std::byte*>(scratch),
                     round_up(t.cols, d::kStrip) * static_cast<Index>(sizeof(float)), n);
      }
    }
  });
}

}  // namespace DSVL_ISA
}  // namespace kernels
DSVL_END_NAMESPACE

#endif  // DSVL_KERNELS_LINEAR_HPP
