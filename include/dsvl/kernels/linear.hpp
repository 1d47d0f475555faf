// linear: y = x w^T + bias, the product under everything.
//
// The bits of y[r, n] are fixed by x[r] and w[n] alone: lane l of one register sums the products k = l, l + kLanes, …
// in increasing k by fma (the tail filled with zeros), then the lanes are added in the order of `sum`. Blocks of rows,
// outputs and k only decide which of these chains run side by side, so a row alone (a decoded token) gives the bits of
// the same row among many (a prompt).
//
// Few rows: the weights stream from memory once and are converted in registers. Many rows: a block of weights, 16
// outputs by some hundred columns, is converted and laid out for the inner loop, where it stays in the first-level
// cache while all rows of x pass over it; their sums wait in scratch from one block of columns to the next.
#ifndef DSVL_KERNELS_LINEAR_HPP
#define DSVL_KERNELS_LINEAR_HPP

#include <algorithm>

#include "formats.hpp"
#include "table.hpp"

DSVL_BEGIN_NAMESPACE
namespace kernels {
inline namespace DSVL_ISA {
namespace linear_detail {

/// Outputs that are finished together.
inline constexpr int kStrip = kLinearStrip;
/// Rows of weights and of x whose sums stay in registers.
inline constexpr int kOutputBlock = 4;
inline constexpr int kRowBlock = kRegisters == 32 ? 6 : 3;
/// Columns of a block of weights: two thirds, or half, of a first-level cache of 48, or 32, KiB.
inline constexpr Index kDepth = kRegisters == 32 ? 512 : 256;
static_assert(kDepth <= kLinearDepth && kDepth % kLanes == 0);
/// Up to this many rows weights are used where they lie.
inline constexpr int kFewRows = kRowBlock;

/// sums[r][n] += x[r] * w[n] for `rows` x kOutputBlock chains over the whole registers of columns [0, cols). The chains
/// of two rows are kStrip apart; w[n] points at weights of format F.
/// Not inlined, every loop body stands once, no tail: measured, only so do the sums stay in registers with GCC.
template <class F, int rows>
DSVL_NO_INLINE void accumulate(const float* const* x, const std::byte* const* w, Index cols, Lanes* sums) noexcept {
  Lanes total[rows][kOutputBlock];
  const Index ahead = (w[1] - w[0]) * kOutputBlock;  // the next block's rows: the hardware starts anew at each of them
  unroll<rows>([&](auto r) { unroll<kOutputBlock>([&](auto n) { total[r][n] = sums[r * kStrip + n]; }); });
  for (Index k = 0; k + kLanes <= cols; k += kLanes) {
    Lanes a[rows];
    unroll<rows>([&](auto r) { a[r] = load(x[r] + k); });
    unroll<kOutputBlock>([&](auto n) {
      const Lanes b = F::load(w[n] + k * F::kBytes);
      if constexpr (rows <= 2) prefetch(w[n] + ahead + k * F::kBytes);
      unroll<rows>([&](auto r) { total[r][n] = fma(a[r], b, total[r][n]); });
    });
  }
  unroll<rows>([&](auto r) { unroll<kOutputBlock>([&](auto n) { sums[r * kStrip + n] = total[r][n]; }); });
}

/// The same over packed weights: for each register of columns, those of kOutputBlock outputs side by side. The shorter
/// side waits in registers; the other is loaded once and held there, which GCC would not do by itself (it reads memory
/// anew in every fma, and loads are what limits this loop).
template <int rows>
DSVL_NO_INLINE void accumulate_packed(const float* x, Index x_stride, const float* w, Index steps,
                                      Lanes* sums) noexcept {
  Lanes total[rows][kOutputBlock];
  unroll<rows>([&](auto r) { unroll<kOutputBlock>([&](auto n) { total[r][n] = sums[r * kStrip + n]; }); });
  for (Index s = 0; s < steps; ++s, x += kLanes, w += kOutputBlock * kLanes) {
    if constexpr (rows >= kOutputBlock) {
      Lanes b[kOutputBlock];
      unroll<kOutputBlock>([&](auto n) { b[n] = hold(load(w + n * kLanes)); });
      unroll<rows>([&](auto r) {
        const Lanes a = hold(load(x + r * x_stride));
        unroll<kOutputBlock>([&](auto n) { total[r][n] = fma(a, b[n], total[r][n]); });
      });
    } else {
      Lanes a[rows];
      unroll<rows>([&](auto r) { a[r] = hold(load(x + r * x_stride)); });
      unroll<kOutputBlock>([&](auto n) {
        const Lanes b = hold(load(w + n * kLanes));
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

template <int rows>
DSVL_FORCE_INLINE void accumulate_packed_rows(int count, const float* x, Index x_stride, const float* w, Index steps,
                                              Lanes* sums) noexcept {
  if constexpr (rows > 1) {
    if (count < rows) return accumulate_packed_rows<rows - 1>(count, x, x_stride, w, steps, sums);
  }
  accumulate_packed<rows>(x, x_stride, w, steps, sums);
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

/// Rows [row, row + rows) of y from their sums.
DSVL_FORCE_INLINE void finish_rows(const LinearTile<float>& t, const Strip& strip, Index row, Index rows,
                                   const Lanes* sums) noexcept {
  for (Index r = 0; r < rows; ++r)
    finish(sums + r * kStrip, t.bias ? t.bias + strip.first : nullptr, strip.outputs, t.add,
           t.y + (row + r) * t.y_stride + strip.first);
}

/// Weights [k, …) of output n of a strip; outputs that do not exist repeat the last one, and are not stored.
template <class F>
DSVL_FORCE_INLINE const std::byte* weights_of(const Strip& strip, int n, Index k) noexcept {
  return strip.w + std::min<int>(n, strip.outputs - 1) * strip.stride + k * F::kBytes;
}

/// The columns behind the last whole register, for `rows` <= kRowBlock rows.
template <class F>
DSVL_FORCE_INLINE void multiply_tail(const LinearTile<float>& t, const Strip& strip, Index row, int rows,
                                     Lanes* sums) noexcept {
  const Index k = t.cols - t.cols % kLanes;
  if (k == t.cols) return;
  const float* x[kRowBlock];
  for (int r = 0; r < rows; ++r) x[r] = t.x + (row + r) * t.x_stride;
  for (int n = 0; n < strip.outputs; n += kOutputBlock) {
    const std::byte* w[kOutputBlock];
    for (int i = 0; i < kOutputBlock; ++i) w[i] = weights_of<F>(strip, n + i, 0);
    accumulate_tail<F>(rows, x, w, k, t.cols, sums + n);
  }
}

/// A strip against at most kFewRows rows, its weights where they lie.
template <class F>
DSVL_NO_INLINE void multiply_in_place(const LinearTile<float>& t, const Strip& strip, Index row, int rows) noexcept {
  Lanes sums[kRowBlock * kStrip];
  for (int i = 0; i < rows * kStrip; ++i) sums[i] = splat(0.0f);
  const float* x[kRowBlock];
  for (int r = 0; r < rows; ++r) x[r] = t.x + (row + r) * t.x_stride;
  for (int n = 0; n < strip.outputs; n += kOutputBlock) {
    const std::byte* w[kOutputBlock];
    for (int i = 0; i < kOutputBlock; ++i) w[i] = weights_of<F>(strip, n + i, 0);
    accumulate_rows<F, kRowBlock>(rows, x, w, t.cols, sums + n);
  }
  multiply_tail<F>(t, strip, row, rows, sums);
  finish_rows(t, strip, row, rows, sums);
}

/// `steps` registers of the columns from k on, as floats in the order of accumulate_packed.
template <WeightFormat F>
DSVL_NO_INLINE void pack(const Strip& strip, Index k, Index steps, float* packed) noexcept {
  for (int n = 0; n < kStrip; ++n) {
    const std::byte* const w = weights_of<F>(strip, n, k);
    float* const to = packed + (n / kOutputBlock * steps * kOutputBlock + n % kOutputBlock) * kLanes;
    for (Index s = 0; s < steps; ++s) store(to + s * kOutputBlock * kLanes, F::load(w + s * kLanes * F::kBytes));
  }
}

/// The part of a strip that is packed next, asked for piece by piece while this one is worked on: sixteen short runs
/// that lie far apart are nothing that the hardware would foresee.
struct Upcoming {
  static constexpr Index kLine = 64;
  const std::byte* w;
  Index stride, bytes;  ///< from one output to the next; of each
  Index next = 0;

  DSVL_FORCE_INLINE void ask(Index lines) noexcept {
    const Index each = bytes / kLine, end = std::min<Index>(next + lines, each * kStrip);
    for (; next < end; ++next) prefetch_far(w + next / each * stride + next % each * kLine);
  }
};

/// A strip against kLinearRows rows at most, in blocks of equal height (a low one at the end would waste loads).
/// scratch: sums of all rows, then a packed block.
template <class F>
DSVL_NO_INLINE void multiply_packed(const LinearTile<float>& t, const Strip& strip, Index row, Index rows,
                                    float* scratch) noexcept {
  Lanes* const sums = reinterpret_cast<Lanes*>(scratch);
  float* const packed = scratch + kLinearRows * kStrip * kLanes;
  for (Index i = 0; i < rows * kStrip; ++i) sums[i] = splat(0.0f);
  const Index blocks = ceil_div(rows, kRowBlock), whole = t.cols - t.cols % kLanes;
  const auto each_block = [&](auto&& body) {
    for (Index b = 0; b < blocks; ++b)
      body(rows * b / blocks, static_cast<int>(rows * (b + 1) / blocks - rows * b / blocks));
  };
  for (Index k = 0; k < whole; k += kDepth) {
    const Index steps = std::min<Index>(kDepth, whole - k) / kLanes;
    pack<F>(strip, k, steps, packed);
    const Index bytes = steps * kLanes * F::kBytes;
    const bool more = k + kDepth < whole;  // of this strip; otherwise of the one that lies behind it
    Upcoming upcoming{strip.w + (more ? (k + kDepth) * F::kBytes : kStrip * strip.stride), strip.stride, bytes};
    const Index lines = ceil_div(kStrip * bytes / Upcoming::kLine, blocks);
    each_block([&](Index first, int count) {
      if (bytes >= Upcoming::kLine) upcoming.ask(lines);
      for (int n = 0; n < strip.outputs; n += kOutputBlock)
        accumulate_packed_rows<kRowBlock>(count, t.x + (row + first) * t.x_stride + k, t.x_stride,
                                          packed + n * steps * kLanes, steps, sums + first * kStrip + n);
    });
  }
  each_block([&](Index first, int count) { multiply_tail<F>(t, strip, row + first, count, sums + first * kStrip); });
  finish_rows(t, strip, row, rows, sums);
}

}  // namespace linear_detail

inline void linear(const LinearTile<float>& t, float* scratch) noexcept {
  namespace d = linear_detail;
  with_format(t.format, [&]<class F>(F) {
    const Index stride = t.cols * F::kBytes;
    // All strips pass over the same rows of x, which stay in the second-level cache.
    for (Index row = 0; row < t.rows; row += kLinearRows) {
      const Index rows = std::min<Index>(kLinearRows, t.rows - row);
      for (Index n = 0; n < t.outputs; n += d::kStrip) {
        const d::Strip strip{t.w + n * stride, stride, n, static_cast<int>(std::min<Index>(d::kStrip, t.outputs - n))};
        if (rows <= d::kFewRows) d::multiply_in_place<F>(t, strip, row, static_cast<int>(rows));
        else d::multiply_packed<F>(t, strip, row, rows, scratch);
      }
    }
  });
}

}  // namespace DSVL_ISA
}  // namespace kernels
DSVL_END_NAMESPACE

#endif  // DSVL_KERNELS_LINEAR_HPP
