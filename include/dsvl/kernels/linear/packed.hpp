// Many rows of x: a prompt, a picture. The product is bound by arithmetic.
//
// Outputs run across lanes: one operand of a row of x meets a vector or more of weights. For each K block the weights
// of a few vectors of outputs are widened and packed into a panel, in the order in which they are used. The panel stays
// in the nearest caches while all rows of x pass, which are read in place.
#ifndef DSVL_KERNELS_LINEAR_PACKED_HPP
#define DSVL_KERNELS_LINEAR_PACKED_HPP

#include "blocks.hpp"

DSVL_BEGIN_NAMESPACE
namespace kernels {
inline namespace DSVL_ISA {
namespace linear_detail {

/// At most this many rows of x are few, and go through few.hpp: two vectors of them, or one where it has sixteen lanes.
/// It is one with SSE2 as well, which small programs are compiled for.
inline constexpr Index kMostFewRows = kLanes < 16 && (kLanes == 8 || kRegisters == 32) ? 2 * kLanes : kLanes;
/// The micro-tile, in rows of x by vectors of outputs.
inline constexpr int kTileRows = kRegisters == 32 ? 14 : 6, kPanel = 2;
static_assert(kLinearPanel % (kPanel * kLanes) == 0 && kLinearOutputs % kLinearPanel == 0);
/// Rows of x that are prefetched in turn, one cache line per operand: after a K block all of their lines have been.
inline constexpr Index kPrefetchRows = 16, kCacheLineFloats = kCacheLine / static_cast<Index>(sizeof(float));
static_assert(kTileRows <= kPrefetchRows && kPrefetchRows == kCacheLineFloats);

/// Rows of x, `stride` floats apart, each read one number at a time.
struct Rows {
  const float* x;
  Index stride;
  DSVL_FORCE_INLINE Rows from(Index row, Index col) const noexcept { return {x + row * stride + col, stride}; }
};

/// Read positions in `rows` rows of floats or bytes. One pointer serves five rows: a row is the pointer plus 0, 1, 2, 3
/// or 4 strides, which x86 addresses can express with two index registers (stride, 3 strides) and no arithmetic.
template <int rows, class T>
struct Cursors {
  const T* at[(rows + 4) / 5];
  Index one, three;

  DSVL_FORCE_INLINE Cursors(const T* from, Index stride) noexcept : one(opaque(stride)), three(opaque(3 * stride)) {
    unroll<(rows + 4) / 5>([&](int i) { at[i] = from + 5 * i * stride; });
  }
  DSVL_FORCE_INLINE const T* get(int r) const noexcept {
    const int behind = r % 5;
    return at[r / 5] + (behind == 0 ? 0 : behind == 3 ? three : behind * one);
  }
  DSVL_FORCE_INLINE void advance(Index by) noexcept {
    unroll<(rows + 4) / 5>([&](int i) { at[i] += by; });
  }
};

/// One accumulator of a micro-tile: sums = (first ? 0 : sums) + x w for `rows` rows by a panel of outputs over `runs`
/// runs of operands. Between two runs of x lie those of the other accumulators.
///
/// A      the operands' F::Arithmetic
/// w      packed: for each operand the weights of the panel
/// next   rows of x that are used after this one; they are prefetched here, since the first accumulator of a block
///        reads from all their cache lines
/// sums   rows kLinearOutputs apart
///
/// Not inlined: measured with GCC, sums stay in registers only so. Operands that are read more than once are kept in
/// registers explicitly, or GCC would read them from memory in every fma.
template <class A, int rows>
DSVL_KERNEL void accumulate(const Rows& x, Index runs, const float* w, bool first, const Rows& next,
                            float* sums) noexcept {
  constexpr int vectors = kPanel;
  Lanes total[rows][vectors];
  Cursors<rows, float> from(x.x, x.stride);
  unroll<rows * vectors>([&](int i) { total[i / vectors][i % vectors] = splat(0.0f); });
  for (Index run = 0; run < runs; ++run, from.advance(kStep<A> - A::kRun)) {
    unroll<A::kRun>([&](int k) DSVL_INLINED {
      const Index line = run * A::kRun + k;
      prefetch(next.x + line % kPrefetchRows * next.stride + line / kPrefetchRows * kCacheLineFloats);
      Lanes b[vectors];
      unroll<vectors>([&](int n) { b[n] = keep_in_register(load(w + n * kLanes)); });
      unroll<rows>([&](int r) DSVL_INLINED {
        const Lanes a = keep_in_register(splat(*from.get(r)));
        unroll<vectors>([&](int n) { total[r][n] = A::multiply_add(a, b[n], total[r][n]); });
      });
      from.advance(1), w += vectors * kLanes;
    });
  }
  if (!first)
    unroll<rows * vectors>([&](int i) DSVL_INLINED {
      const int r = i / vectors, n = i % vectors;
      total[r][n] = load(sums + r * kLinearOutputs + n * kLanes) + total[r][n];
    });
  unroll<rows * vectors>([&](int i) DSVL_INLINED {
    const int r = i / vectors, n = i % vectors;
    store(sums + r * kLinearOutputs + n * kLanes, total[r][n]);
  });
}

/// A block of weights to be packed.
struct Block {
  const std::byte* w;  ///< (outputs, depth), rows `stride` bytes apart
  Index stride, outputs, depth;
};

/// All rows of x times a packed panel. The height of the micro-tiles does not show in the sums.
template <class A>
DSVL_NO_INLINE void multiply_panel(const Rows& x, Index rows, const float* w, Index depth, bool first,
                                   float* sums) noexcept {
  const Index runs = ceil_div(depth, kStep<A>);  // of each accumulator
  const auto multiply_rows = [&](auto count, Index row) {
    const Index behind = row + count;
    const Rows next = behind < rows ? x.from(behind, 0) : x.from(0, depth);
    for (Index q = 0; q < kAccumulators; ++q)
      accumulate<A, count>(x.from(row, q * A::kRun), runs, w + q * runs * A::kRun * kPanel * kLanes,
                                    first && q == 0, next.from(0, q * depth / kAccumulators),
                                    sums + row * kLinearOutputs);
  };
  for_each_row_block<kMostFewRows, kTileRows>(rows, multiply_rows);
}

/// Packs a step of kLanes rows of w, `stride` bytes apart; `runs` operands lie between two accumulators' first ones.
template <OperandFormat F>
DSVL_KERNEL void pack_step(const std::byte* from, Index stride, Index runs, float* to) noexcept {
  unroll<kStep<F> / (kLanes * F::kPerWord)>([&](int part) DSVL_INLINED {
    Lanes columns[kLanes];
    load_columns(from + part * kLanes * 4, stride, columns);
    unroll<kLanes>([&](int word) DSVL_INLINED {
      unroll_constant<F::kPerWord>([&](auto i) DSVL_INLINED {
        const Index column = (part * kLanes + word) * F::kPerWord + i, q = column / F::kRun, at = column % F::kRun;
        store(to + (q * runs + at) * kPanel * kLanes, F::template operand<i>(columns[word]));
      });
    });
  });
}

/// Packs a block of weights in the order of its use: for each accumulator, for each of its operands, the weights of
/// the panel's outputs. It writes zeros where there is no column, and in lanes without an output; vectors without any
/// output keep what they held, since their sums never reach y. Meanwhile it prefetches the block of the same shape at
/// `next`, which is packed after this one.
template <OperandFormat F>
DSVL_NO_INLINE void pack(const Block& block, const std::byte* next, float* packed) noexcept {
  constexpr Index kWidth = kPanel * kLanes;
  const Index steps = ceil_div(block.depth, kStep<F>);
  for (Index n = 0; n < block.outputs; n += kLanes, next += kLanes * block.stride) {
    const std::byte* const w = block.w + n * block.stride;
    const Index rows = std::min<Index>(kLanes, block.outputs - n);
    for (Index step = 0; step < steps; ++step) {
      const Index at = step * kStep<F> * F::kBytes, left = block.depth * F::kBytes - at;
      float* const to = packed + step * F::kRun * kWidth + n;
      if (rows == kLanes && left >= kStep<F> * F::kBytes) {
        prefetch_rows<F, kLanes>(next + at, block.stride);
        pack_step<F>(w + at, block.stride, steps * F::kRun, to);
      } else {
        PartialStep<F, kLanes> part;
        part.copy(w + at, block.stride, rows, left);
        pack_step<F>(part.rows[0], part.kStride, steps * F::kRun, to);
      }
    }
  }
}

/// What the loops around a panel know of the weights' format: data, since they do not feel it. So they are compiled
/// once.
struct Panels {
  Index step, bytes;  ///< kStep<F> and F::kBytes
  void (*pack)(const Block& block, const std::byte* next, float* packed) noexcept;
  void (*multiply)(const Rows& x, Index rows, const float* w, Index depth, bool first, float* sums) noexcept;
};
template <OperandFormat F>
inline constexpr Panels kPanels = {kStep<F>, F::kBytes, pack<F>, multiply_panel<typename F::Arithmetic>};

/// Returns where `depth` operands of `rows` rows of x can be read: in place, or from copies in `to`. Rows are copied
/// where they would collide in the cache, and where a partial step needs zeros behind it.
inline Rows stage_rows(const Rows& x, Index rows, Index depth, Index step, float* to) noexcept {
  const bool part = depth % step != 0;
  if (!part && !rows_collide(x.stride * static_cast<Index>(sizeof(float)))) return x;
  for (Index r = 0; r < rows; ++r) {
    float* const row = to + r * kLinearPitch;
    for_each_vector(depth, [&](auto at) DSVL_INLINED { at.store(row, at.load(x.x + r * x.stride)); });
    if (part) std::fill(row + depth, row + round_up(depth, step), 0.0f);
  }
  return {to, kLinearPitch};
}

/// Rows [row, row + rows) and outputs [first, first + outputs) of y, at most kLinearRows by kLinearOutputs.
inline void multiply_block(const Panels& panels, const LinearTile<float>& t, const Factors& s, Index row, Index rows,
                           Index first, Index outputs, float* scratch) noexcept {
  constexpr Index kWidth = kPanel * kLanes;
  float* const sums = scratch;
  float* const copied = sums + kLinearRows * kLinearOutputs;
  float* const packed = copied + kLinearRows * kLinearPitch;
  for (Index k = 0, depth; k < s.cols; k += depth) {
    depth = block_depth(s.cols - k, panels.step);
    const Rows x = stage_rows(Rows{s.x, s.x_stride}.from(row, k), rows, depth, panels.step, copied);
    for (Index n = 0; n < outputs; n += kWidth) {
      const Index begin = k * panels.bytes, end = begin + depth * panels.bytes;
      const std::byte* const w = s.w + (first + n) * s.w_stride;
      // Packed next: the panel beside this one, else the next K block, else the next outputs.
      const std::byte* const next = n + kWidth < outputs ? w + kWidth * s.w_stride + begin
                                    : k + depth < s.cols       ? s.w + first * s.w_stride + end
                                                               : s.w + (first + outputs) * s.w_stride;
      panels.pack({w + begin, s.w_stride, std::min<Index>(kWidth, outputs - n), depth}, next, packed);
      panels.multiply(x, rows, packed, depth, k == 0, sums + n);
    }
  }
  for (Index r = 0; r < rows; ++r)
    finish(sums + r * kLinearOutputs, t.bias ? t.bias + first : nullptr, outputs, t.add,
           t.y + (row + r) * t.y_stride + first);
}

}  // namespace linear_detail
}  // namespace DSVL_ISA
}  // namespace kernels
DSVL_END_NAMESPACE

#endif  // DSVL_KERNELS_LINEAR_PACKED_HPP
