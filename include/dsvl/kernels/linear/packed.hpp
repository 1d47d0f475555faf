// Many rows of x: a prompt, a picture. Bound by arithmetic. (Also the outputs that a row alone leaves at the end.)
//
// Outputs run across lanes: one step multiplies an operand of a row of x by the weights of a few registers of outputs.
// For each block of operands the weights of a strip of outputs are converted and turned into the order in which they
// are used; there they stay in the nearest caches while all rows of x pass, which are read where they are.
#ifndef DSVL_KERNELS_LINEAR_PACKED_HPP
#define DSVL_KERNELS_LINEAR_PACKED_HPP

#include "blocks.hpp"

DSVL_BEGIN_NAMESPACE
namespace kernels {
inline namespace DSVL_ISA {
namespace linear_detail {

/// Rows whose sums stay in registers, and the registers of outputs that they meet: many rows by two, or few by four (a
/// handful of rows has too few independent sums otherwise).
inline constexpr int kRowBlock = kRegisters == 32 ? 14 : 6, kWide = 2;
inline constexpr int kFewRows = kRegisters == 32 ? 6 : 3, kWider = 4;
static_assert(kLinearStrip % (kWider * kLanes) == 0 && kLinearGroup % kLinearStrip == 0);
/// Rows of x of which lines are asked for in turn: a line with every column then covers a block.
inline constexpr Index kAsked = 16, kLineFloats = kCacheLine / static_cast<Index>(sizeof(float));
static_assert(kRowBlock <= kAsked && kAsked == kLineFloats);

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

  DSVL_FORCE_INLINE explicit Cursors(const Rows& x) noexcept : one(opaque(x.stride)), three(opaque(3 * x.stride)) {
    unroll<(rows + 4) / 5>([&](auto i) { at[i] = x.x + 5 * i * x.stride; });
  }
  template <int r>
  DSVL_FORCE_INLINE float get(std::integral_constant<int, r>) const noexcept {
    constexpr int behind = r % 5;
    return at[r / 5][behind == 0 ? 0 : behind == 3 ? three : behind * one];
  }
  DSVL_FORCE_INLINE void advance(Index by) noexcept {
    unroll<(rows + 4) / 5>([&](auto i) { at[i] += by; });
  }
};

/// sums = (first ? 0 : sums) + x w for `rows` by `registers` chains over `runs` runs of operands; between two runs of
/// x lie those of the other chains.
/// A      an operand's F::Arithmetic
/// w      as many weights for each operand
/// next   x that is used after this: asked for meanwhile, since the first chain of a block meets all its lines
/// sums   rows kLinearGroup apart
/// Not inlined: measured, only so do the sums stay in registers with GCC; and what is read more than once is held in a
/// register, since GCC would read memory anew in every fma.
template <class A, int rows, int registers>
DSVL_KERNEL void accumulate(const Rows& x, Index runs, const float* w, bool first, const Rows& next,
                            float* sums) noexcept {
  Lanes total[rows][registers];
  Cursors<rows> from(x);
  unroll<rows * registers>([&](auto i) { total[i / registers][i % registers] = splat(0.0f); });
  for (Index run = 0; run < runs; ++run, from.advance(kLine<A> - A::kRun)) {
    unroll<A::kRun>([&](auto k) {
      if constexpr (registers == kWide) {
        const Index asked = run * A::kRun + k;
        prefetch(next.x + asked % kAsked * next.stride + asked / kAsked * kLineFloats);
      }
      if constexpr (rows >= registers) {
        Lanes b[registers];
        unroll<registers>([&](auto n) { b[n] = keep_in_register(load(w + n * kLanes)); });
        unroll<rows>([&](auto r) {
          const Lanes a = keep_in_register(splat(from.get(r)));
          unroll<registers>([&](auto n) { total[r][n] = A::multiply_add(a, b[n], total[r][n]); });
        });
      } else {
        Lanes a[rows];
        unroll<rows>([&](auto r) { a[r] = keep_in_register(splat(from.get(r))); });
        unroll<registers>([&](auto n) {
          const Lanes b = keep_in_register(load(w + n * kLanes));
          unroll<rows>([&](auto r) { total[r][n] = A::multiply_add(a[r], b, total[r][n]); });
        });
      }
      from.advance(1), w += registers * kLanes;
    });
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

/// A block of weights: up to a strip of outputs, `stride` bytes apart, by `steps` operands.
struct Block {
  const std::byte* w;
  Index stride, outputs, steps;
};

/// All rows against a packed strip of `registers`. How many rows a block has does not show in the sums.
template <Operand F, int registers>
DSVL_FORCE_INLINE void multiply_strip(const Rows& x, Index rows, const float* w, Index steps, bool first,
                                float* sums) noexcept {
  const Index runs = ceil_div(steps, kLine<F>);  // of each chain
  for_each_row_block<registers == kWide ? kRowBlock : kFewRows>(rows, [&](auto count, Index row) {
    const Index behind = row + count;
    const Rows next = behind < rows ? x.from(behind, 0) : x.from(0, steps);
    for (Index q = 0; q < kChains; ++q)
      accumulate<typename F::Arithmetic, count, registers>(
          x.from(row, q * F::kRun), runs, w + q * runs * F::kRun * registers * kLanes, first && q == 0,
          next.from(0, q * steps / kChains), sums + row * kLinearGroup);
  });
}

/// A block in the order of its use: for each chain and each of its operands those of `registers` of outputs; zero where
/// there is no column, and in lanes without an output. FullVector registers without one are left as they are: no sum of
/// theirs reaches y. Meanwhile asks for the block of the same shape at `next`, which is packed after this.
template <Operand F, int registers>
DSVL_NO_INLINE void pack(const Block& block, const std::byte* next, float* packed) noexcept {
  constexpr Index kStrip = registers * kLanes;
  const Index lines = ceil_div(block.steps, kLine<F>);
  const auto turn = [&](const std::byte* from, Index stride, float* to) {
    unroll<kLine<F> / (kLanes * F::kUnit)>([&](auto part) DSVL_INLINED {
      Lanes columns[kLanes];
      load_columns(from + part * kLanes * 4, stride, columns);
      unroll<kLanes * F::kUnit>([&](auto i) DSVL_INLINED {
        constexpr Index column = part * kLanes * F::kUnit + i, chain = column / F::kRun, at = column % F::kRun;
        store(to + (chain * lines * F::kRun + at) * kStrip, F::template operand<i % F::kUnit>(columns[i / F::kUnit]));
      });
    });
  };
  for (Index n = 0; n < block.outputs; n += kLanes, next += kLanes * block.stride) {
    const std::byte* const w = block.w + n * block.stride;
    const Index rows = std::min<Index>(kLanes, block.outputs - n);
    for (Index line = 0; line < lines; ++line) {
      const Index at = line * kLine<F> * F::kBytes, left = block.steps * F::kBytes - at;
      float* const to = packed + line * F::kRun * kStrip + n;
      if (rows == kLanes && left >= kLine<F> * F::kBytes) {
        ask<F, kLanes>(next + at, block.stride);
        turn(w + at, block.stride, to);
      } else {
        const PartialLine<F, kLanes> part(w + at, block.stride, rows, left);
        turn(part.rows[0], part.kStride, to);
      }
    }
  }
}

/// `steps` operands of `rows` rows of x: where they are; or copied into `to` where rows would collide in the cache, and
/// where they are no whole line, with zeros behind.
template <Operand F>
DSVL_FORCE_INLINE Rows arrange(const Rows& x, Index rows, Index steps, float* to) noexcept {
  const bool part = steps % kLine<F> != 0;
  if (!part && (rows <= kFewRows || !rows_collide(x.stride * static_cast<Index>(sizeof(float))))) return x;
  for (Index r = 0; r < rows; ++r) {
    float* const row = to + r * kLinearPitch;
    for_each_vector(steps, [&](auto at) DSVL_INLINED { at.store(row, at.load(x.x + r * x.stride)); });
    if (part) std::fill(row + steps, row + round_up(steps, kLine<F>), 0.0f);
  }
  return {to, kLinearPitch};
}

/// Rows [row, row + rows) and outputs [first, first + outputs) of y, at most kLinearRows by kLinearGroup.
template <Operand F, int registers>
DSVL_NO_INLINE void multiply_group(const LinearTile<float>& t, const Sides& s, Index row, Index rows, Index first,
                                   Index outputs, float* scratch) noexcept {
  constexpr Index kStrip = registers * kLanes;
  float* const sums = scratch;
  float* const copied = sums + kLinearRows * kLinearGroup;
  float* const packed = copied + kLinearRows * kLinearPitch;
  for (Index k = 0, steps; k < s.cols; k += steps) {
    steps = block_steps<F>(s.cols - k);
    const Rows x = arrange<F>(Rows{s.x, s.x_stride}.from(row, k), rows, steps, copied);
    for (Index n = 0; n < outputs; n += kStrip) {
      const Index begin = k * F::kBytes, end = begin + steps * F::kBytes;
      const std::byte* const w = s.w + (first + n) * s.w_stride;
      // Next are the strip beside this one, then the columns behind, then the outputs behind.
      const std::byte* const next = n + kStrip < outputs ? w + kStrip * s.w_stride + begin
                                    : k + steps < s.cols ? s.w + first * s.w_stride + end
                                                         : s.w + (first + outputs) * s.w_stride;
      pack<F, registers>({w + begin, s.w_stride, std::min<Index>(kStrip, outputs - n), steps}, next, packed);
      multiply_strip<F, registers>(x, rows, packed, steps, k == 0, sums + n);
    }
  }
  for (Index r = 0; r < rows; ++r)
    finish(sums + r * kLinearGroup, t.bias ? t.bias + first : nullptr, outputs, t.add,
           t.y + (row + r) * t.y_stride + first);
}

}  // namespace linear_detail
}  // namespace DSVL_ISA
}  // namespace kernels
DSVL_END_NAMESPACE

#endif  // DSVL_KERNELS_LINEAR_PACKED_HPP
