// linear: y = x w^T + bias, the product under everything.
//
// Outputs run across lanes: one step multiplies one number of a row of x by the weights of a few registers of outputs.
// The bits of y[r, n] are fixed by x[r] and w[n] alone: a chain of fma over each kLinearDepth columns in increasing
// order, beginning at zero, then the chains' results are added in order, then the bias, then what y held. How many rows
// and outputs run side by side never shows, so a row alone (a decoded token) gives the bits of the same row among many
// (a prompt); and since nothing depends on the width of a register, all instruction sets with fma agree.
//
// For each block of columns the weights of a strip of outputs are converted and turned into the order in which they are
// used; there they stay in the first-level cache while all rows of x pass, which are read where they are.
#ifndef DSVL_KERNELS_LINEAR_HPP
#define DSVL_KERNELS_LINEAR_HPP

#include <algorithm>

#include "formats.hpp"
#include "table.hpp"

DSVL_BEGIN_NAMESPACE
namespace kernels {
inline namespace DSVL_ISA {
namespace linear_detail {

/// Rows whose sums stay in registers, and the registers of outputs that they meet: many rows by two, or few by four (a
/// handful of rows has too few independent sums otherwise).
inline constexpr int kRowBlock = kRegisters == 32 ? 14 : 6, kWide = 2;
inline constexpr int kFewRows = kRegisters == 32 ? 6 : 3, kWider = 4;
static_assert(kLinearStrip % (kWider * kLanes) == 0 && kLinearGroup % kLinearStrip == 0);

/// Rows of x, `stride` elements apart, each read one number at a time.
struct Rows {
  const float* x;
  Index stride;
  DSVL_FORCE_INLINE Rows from(Index row, Index col) const noexcept { return {x + row * stride + col, stride}; }
};

/// Pointers to five rows each: every row is then one of them plus nothing, or 1, 2, 3 or 4 strides, which are addresses
/// that need no arithmetic (and two registers for all).
template <int rows>
struct Cursors {
  const float* at[(rows + 4) / 5];
  Index one, three;

  DSVL_FORCE_INLINE explicit Cursors(const Rows& x) noexcept : one(hold(x.stride)), three(hold(3 * x.stride)) {
    unroll<(rows + 4) / 5>([&](auto i) { at[i] = x.x + 5 * i * x.stride; });
  }
  template <int r>
  DSVL_FORCE_INLINE float get(std::integral_constant<int, r>) const noexcept {
    constexpr int behind = r % 5;
    return at[r / 5][behind == 0 ? 0 : behind == 3 ? three : behind * one];
  }
  DSVL_FORCE_INLINE void advance() noexcept {
    unroll<(rows + 4) / 5>([&](auto i) { ++at[i]; });
  }
};

/// sums = (first ? 0 : sums) + x w for `rows` by `registers` chains of `steps` columns.
/// w      as many weights for each column
/// sums   rows kLinearGroup apart
/// Not inlined, every loop body stands once: measured, only so do the sums stay in registers with GCC; and what is read
/// more than once is held in a register, since GCC would read memory anew in every fma.
template <int rows, int registers>
DSVL_NO_INLINE void accumulate(const Rows& x, const float* w, Index steps, bool first, float* sums) noexcept {
  Lanes total[rows][registers];
  Cursors<rows> from(x);
  unroll<rows * registers>([&](auto i) { total[i / registers][i % registers] = splat(0.0f); });
  for (Index k = 0; k < steps; ++k, from.advance(), w += registers * kLanes) {
    if constexpr (rows >= registers) {
      Lanes b[registers];
      unroll<registers>([&](auto n) { b[n] = hold(load(w + n * kLanes)); });
      unroll<rows>([&](auto r) {
        const Lanes a = hold(splat(from.get(r)));
        unroll<registers>([&](auto n) { total[r][n] = fma(a, b[n], total[r][n]); });
      });
    } else {
      Lanes a[rows];
      unroll<rows>([&](auto r) { a[r] = hold(splat(from.get(r))); });
      unroll<registers>([&](auto n) {
        const Lanes b = hold(load(w + n * kLanes));
        unroll<rows>([&](auto r) { total[r][n] = fma(a[r], b, total[r][n]); });
      });
    }
  }
  if (!first)
    unroll<rows * registers>([&](auto i) {
      constexpr int r = i / registers, n = i % registers;
      total[r][n] = load(sums + r * kLinearGroup + n * kLanes) + total[r][n];
    });
  unroll<rows * registers>([&](auto i) {
    constexpr int r = i / registers, n = i % registers;
    store(sums + r * kLinearGroup + n * kLanes, total[r][n]);
  });
}

/// All rows against a packed strip of `registers`. How many rows a block has does not show in the sums.
template <int registers>
DSVL_FORCE_INLINE void multiply(const Rows& x, Index rows, const float* w, Index steps, bool first,
                                float* sums) noexcept {
  each_block<registers == kWide ? kRowBlock : kFewRows>(rows, [&](auto count, Index row) {
    accumulate<count, registers>(x.from(row, 0), w, steps, first, sums + row * kLinearGroup);
  });
}

/// A block of weights: up to a strip of outputs, `stride` bytes apart, by `steps` columns.
struct Block {
  const std::byte* w;
  Index stride, outputs, steps;
};

/// Asks for a line of each of kLanes rows, `stride` bytes apart: short runs that lie far apart are nothing the hardware
/// foresees.
DSVL_FORCE_INLINE void ask(const std::byte* lines, Index stride) noexcept {
  unroll<kLanes>([&](auto i) { prefetch(lines + i * stride); });
}

/// A block as floats, for each column those of `registers` of outputs; lanes without an output are left as they are (no
/// sum of theirs is stored in y). Meanwhile asks for the block of the same shape at `next`, which is packed after this.
template <WeightFormat F, int registers>
DSVL_NO_INLINE void pack(const Block& block, const std::byte* next, float* packed) noexcept {
  constexpr Index kStrip = registers * kLanes;
  for (Index n = 0; n < block.outputs; n += kLanes, next += kLanes * block.stride) {
    const std::byte* const w = block.w + n * block.stride;
    const Index rows = std::min<Index>(kLanes, block.outputs - n);
    const auto put_at = [&](Index s) {
      return [to = packed + s * kStrip + n](int i, Lanes column) { store(to + i * registers * kLanes, column); };
    };
    Index s = 0;
    for (; rows == kLanes && s + F::kTurned <= block.steps; s += F::kTurned) {
      if (s * F::kBytes % kCacheLine == 0) ask(next + s * F::kBytes, block.stride);
      F::turn(w + s * F::kBytes, block.stride, put_at(s));
    }
    for (; s < block.steps; s += kLanes)
      turn_part<F>(w + s * F::kBytes, block.stride, rows, std::min<Index>(kLanes, block.steps - s), put_at(s));
  }
}

/// `steps` columns of `rows` rows of x: where they are, or copied into `to` where rows would collide in the cache.
DSVL_FORCE_INLINE Rows spread(const Rows& x, Index rows, Index steps, float* to) noexcept {
  if (rows <= kFewRows || !rows_collide(x.stride * static_cast<Index>(sizeof(float)))) return x;
  for (Index r = 0; r < rows; ++r)
    sweep(steps, [&](auto at) { at.store(to + r * kLinearPitch, at.load(x.x + r * x.stride)); });
  return {to, kLinearPitch};
}

/// y from the sums of one row.
DSVL_FORCE_INLINE void finish(const float* sums, const float* bias, Index outputs, bool add, float* y) noexcept {
  sweep(outputs, [&](auto at) {
    Lanes s = at.load(sums);
    if (bias) s = s + at.load(bias);
    if (add) s = at.load(y) + s;
    at.store(y, s);
  });
}

/// Rows [row, row + rows) and outputs [first, first + outputs) of y, at most kLinearRows by kLinearGroup.
template <WeightFormat F, int registers>
DSVL_NO_INLINE void multiply_group(const LinearTile<float>& t, Index row, Index rows, Index first, Index outputs,
                                   float* scratch) noexcept {
  constexpr Index kStrip = registers * kLanes;
  float* const sums = scratch;
  float* const copied = sums + kLinearRows * kLinearGroup;
  float* const packed = copied + kLinearRows * kLinearPitch;
  const Index stride = t.cols * F::kBytes;
  for (Index k = 0; k < t.cols; k += kLinearDepth) {
    const Index steps = std::min<Index>(kLinearDepth, t.cols - k);
    const Rows x = spread(Rows{t.x, t.x_stride}.from(row, k), rows, steps, copied);
    for (Index n = 0; n < outputs; n += kStrip) {
      const std::byte* const w = t.w + (first + n) * stride + k * F::kBytes;
      const Block block{w, stride, std::min<Index>(kStrip, outputs - n), steps};
      // Next are the strip beside this one, then the columns behind, then the outputs behind.
      const std::byte* const next = n + kStrip < outputs   ? w + kStrip * stride
                                    : k + steps < t.cols ? t.w + first * stride + (k + steps) * F::kBytes
                                                         : t.w + (first + outputs) * stride;
      pack<F, registers>(block, next, packed);
      multiply<registers>(x, rows, packed, steps, k == 0, sums + n);
    }
  }
  for (Index r = 0; r < rows; ++r)
    finish(sums + r * kLinearGroup, t.bias ? t.bias + first : nullptr, outputs, t.add,
           t.y + (row + r) * t.y_stride + first);
}

/// Registers of outputs of a row alone that are worked on together: 16 rows of weights. Of more, where they collide in
/// the cache, some would be lost before they are used.
inline constexpr int kTurns = kLanes >= 16 ? 1 : 16 / static_cast<int>(kLanes);

/// One row by kTurns registers of outputs. Weights are turned in registers and used at once: packing would take longer
/// than the product. Meanwhile asks for the outputs behind, which are next.
template <WeightFormat F>
DSVL_NO_INLINE void multiply_row(const LinearTile<float>& t, const float* x, Index first, float* y) noexcept {
  const Index stride = t.cols * F::kBytes, group = kLanes * stride;
  const std::byte* const rows = t.w + first * stride;
  Lanes sums[kTurns];
  for (Index k = 0; k < t.cols; k += kLinearDepth) {
    const Index end = std::min<Index>(k + kLinearDepth, t.cols);
    Lanes chain[kTurns];
    unroll<kTurns>([&](auto g) { chain[g] = splat(0.0f); });
    const auto add_at = [&](Index at, int g) {
      return [&sum = chain[g], from = x + at](int i, Lanes column) { sum = fma(splat(from[i]), column, sum); };
    };
    Index at = k;
    for (; at + F::kTurned <= end; at += F::kTurned)
      unroll<kTurns>([&](auto g) {
        const std::byte* const block = rows + g * group + at * F::kBytes;
        if (at * F::kBytes % kCacheLine == 0) ask(block + kTurns * group, stride);
        F::turn(block, stride, add_at(at, g));
      });
    for (; at < end; at += kLanes)
      unroll<kTurns>([&](auto g) {
        turn_part<F>(rows + g * group + at * F::kBytes, stride, kLanes, std::min<Index>(kLanes, end - at),
                     add_at(at, g));
      });
    unroll<kTurns>([&](auto g) { sums[g] = k == 0 ? chain[g] : sums[g] + chain[g]; });
  }
  alignas(64) float waiting[kTurns * kLanes];
  unroll<kTurns>([&](auto g) { store(waiting + g * kLanes, sums[g]); });
  finish(waiting, t.bias ? t.bias + first : nullptr, kTurns * kLanes, t.add, y + first);
}

}  // namespace linear_detail

inline void linear(const LinearTile<float>& t, float* scratch) noexcept {
  namespace d = linear_detail;
  with_format(t.format, [&]<class F>(F) {
    for (Index row = 0; row < t.rows; row += kLinearRows) {
      const Index rows = std::min<Index>(kLinearRows, t.rows - row);
      Index n = 0;
      if (rows == 1)
        for (constexpr Index step = d::kTurns * kLanes; n + step <= t.outputs; n += step)
          d::multiply_row<F>(t, t.x + row * t.x_stride, n, t.y + row * t.y_stride);
      for (; n < t.outputs; n += kLinearGroup) {
        const Index outputs = std::min<Index>(kLinearGroup, t.outputs - n);
        if (rows <= d::kFewRows) d::multiply_group<F, d::kWider>(t, row, rows, n, outputs, scratch);
        else d::multiply_group<F, d::kWide>(t, row, rows, n, outputs, scratch);
      }
    }
  });
}

}  // namespace DSVL_ISA
}  // namespace kernels
DSVL_END_NAMESPACE

#endif  // DSVL_KERNELS_LINEAR_HPP
