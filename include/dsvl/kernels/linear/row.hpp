// A few rows of x: a decoded token, tokens of some sessions. The product is bound by reading the weights once.
//
// Weights are transposed within quads and used at once, since packing them would take longer than the product. A quad
// holds one operand of four rows of w, and an AVX-512 register four quads: this is why a product has four accumulators.
// Row after row of x passes over a K block of eight outputs, which the first one brings into the nearest cache.
#ifndef DSVL_KERNELS_LINEAR_ROW_HPP
#define DSVL_KERNELS_LINEAR_ROW_HPP

#include "blocks.hpp"

DSVL_BEGIN_NAMESPACE
namespace kernels {
inline namespace DSVL_ISA {
namespace linear_detail {

/// Up to this many rows of x the weights are transposed for every row again. With more, few.hpp is quicker.
inline constexpr Index kStreamedRows = 4;
/// Outputs of a row that are computed together, four to a quad. With more rows of w at once memory gets slower,
/// with fewer there are too few sums that do not wait for each other.
inline constexpr int kFours = 2, kRowOutputs = 4 * kFours;
/// The rows of w are prefetched this many bytes ahead of their use.
inline constexpr Index kPrefetchBytes = 1024;

/// Copies a row of x in the order in which multiply_rows reads it, with zeros up to a whole step: of every step the
/// first four operands of each accumulator's run, then the next four.
template <OperandFormat F>
void reorder(const float* x, Index cols, float* to) noexcept {
  const auto one = [](const float* from, float* step) {
    for (Index four = 0; four < F::kRun; four += 4)
      for (Index q = 0; q < kAccumulators; ++q, step += 4) std::memcpy(step, from + q * F::kRun + four, 16);
  };
  Index k = 0;
  for (; k + kStep<F> <= cols; k += kStep<F>) one(x + k, to + k);
  if (k == cols) return;
  float rest[kStep<F>] = {};
  std::copy(x + k, x + cols, rest);
  one(rest, to + k);
}

/// The four accumulators of kRowOutputs outputs.
struct RowAccumulators {
  Lanes at[kFours][kAccumulatorVectors];

  DSVL_FORCE_INLINE RowAccumulators() noexcept {
    unroll<kFours * kAccumulatorVectors>([&](int i) DSVL_INLINED {
      at[i / kAccumulatorVectors][i % kAccumulatorVectors] = splat(0.0f);
    });
  }
  /// Adds a step of x, reordered, times the same step of each row of w.
  template <OperandFormat F>
  DSVL_FORCE_INLINE void add(const float* x, const std::byte* w, Index stride) noexcept {
    unroll<kFours * kAccumulatorVectors>([&](int i) DSVL_INLINED {
      const int four = i / kAccumulatorVectors, v = i % kAccumulatorVectors;
      Lanes columns[F::kRun];
      F::transpose(w + 4 * four * stride, stride, v, columns);
      unroll<F::kRun / 4>([&](int quad) DSVL_INLINED {
        unroll_constant<4>([&](auto k) DSVL_INLINED {
          const Lanes a = splat_in_quads<k>(x + quad * 4 * kAccumulators + v * kLanes);
          at[four][v] = F::multiply_add(a, columns[4 * quad + k], at[four][v]);
        });
      });
    });
  }
  /// sums = (first ? 0 : sums) + the four accumulators in order.
  DSVL_FORCE_INLINE void add_to(bool first, float* sums) const noexcept {
    alignas(64) float accumulators[kFours][kAccumulators][4];
    unroll<kFours * kAccumulatorVectors>([&](int i) DSVL_INLINED {
      store(accumulators[i / kAccumulatorVectors][0] + i % kAccumulatorVectors * kLanes,
            at[i / kAccumulatorVectors][i % kAccumulatorVectors]);
    });
    for (int four = 0; four < kFours; ++four)
      for (int i = 0; i < 4; ++i) {
        float& sum = sums[4 * four + i];
        sum = first ? accumulators[four][0][i] : sum + accumulators[four][0][i];
        for (int q = 1; q < kAccumulators; ++q) sum += accumulators[four][q][i];
      }
  }
};

/// `rows` rows of x, at most kStreamedRows and reordered, by kRowOutputs outputs. The first row prefetches what lies
/// ahead in these rows of w, and at their end the beginning of the rows that are next.
template <OperandFormat F>
DSVL_KERNEL void multiply_rows(const LinearTile<float>& t, const Factors& s, Index rows, Index first,
                               float* y) noexcept {
  constexpr Index kBehind = kRowOutputs - 1;  // from a row's end to the beginning of the row kRowOutputs further
  const std::byte* const w = s.w + first * s.w_stride;
  alignas(64) float sums[kStreamedRows][kRowOutputs];
  PartialStep<F, kRowOutputs> part;
  for (Index k = 0, depth; k < s.cols; k += depth) {
    depth = block_depth(s.cols - k, kStep<F>);
    const Index begin = k * F::kBytes;
    const std::byte* block = w + begin;
    Index stride = s.w_stride;
    if (depth < kStep<F>) {
      part.copy(block, stride, kRowOutputs, depth * F::kBytes);
      block = part.rows[0], stride = part.kStride;
    }
    for (Index r = 0; r < rows; ++r) {
      const std::byte* step = block;
      RowAccumulators accumulators;
      for (Index at = 0; at < depth; at += kStep<F>, step += kStep<F> * F::kBytes) {
        if (r == 0) {
          const Index ahead = begin + at * F::kBytes + kPrefetchBytes;
          const Index beyond = ahead < s.w_stride ? 0 : kBehind * s.w_stride;
          prefetch_rows<F, kRowOutputs>(w + ahead + beyond, s.w_stride);
        }
        accumulators.add<F>(s.x + r * s.x_stride + k + at, step, stride);
      }
      accumulators.add_to(k == 0, sums[r]);
    }
  }
  for (Index r = 0; r < rows; ++r)
    finish(sums[r], t.bias ? t.bias + first : nullptr, kRowOutputs, t.add, y + r * t.y_stride + first);
}

}  // namespace linear_detail
}  // namespace DSVL_ISA
}  // namespace kernels
DSVL_END_NAMESPACE

#endif  // DSVL_KERNELS_LINEAR_ROW_HPP
