// A few rows of x: tokens of some sessions, guesses, a short prompt. The rows run across lanes.
//
// One operand of a row of w is broadcast, and meets the same operand of all rows of x. So weights are neither
// transposed nor packed. The time is that of reading, or of arithmetic in which lanes without a row are idle.
#ifndef DSVL_KERNELS_LINEAR_FEW_HPP
#define DSVL_KERNELS_LINEAR_FEW_HPP

#include "../lanes/bytes.hpp"
#include "packed.hpp"

DSVL_BEGIN_NAMESPACE
namespace kernels {
inline namespace DSVL_ISA {
namespace linear_detail {

/// A micro-tile has eight sums that do not wait for each other: as many outputs by one vector of rows, or half as many
/// by two.
template <int vectors>
inline constexpr int kFewOutputs = 8 / vectors;

/// Lays out a K block of x: for each accumulator its operands in order, each a vector or two with one row in a lane.
/// Lanes without a row, and operands behind the last column, are zero. to: depth * vectors * kLanes floats, with depth
/// rounded up to a whole step.
inline void lay_out_rows(const Rows& x, Index rows, Index depth, Index run, Index vectors, float* to) noexcept {
  const Index step = kAccumulators * run, steps = ceil_div(depth, step);
  alignas(64) float part[kLanes * kCacheLineFloats * 2];  // the longest step has 32 operands
  Lanes columns[kLanes];
  for (Index v = 0; v < vectors; ++v) {
    std::memset(part, 0, sizeof part);
    for (Index s = 0; s < steps; ++s) {
      const Index here = std::min<Index>(step, depth - s * step);
      for (Index r = 0; r < std::min<Index>(kLanes, rows - v * kLanes); ++r) {
        float* const row = part + r * step;
        std::copy_n(x.x + (v * kLanes + r) * x.stride + s * step, here, row);
        std::fill(row + here, row + step, 0.0f);
      }
      for (Index k = 0; k < step; k += kLanes) {
        load_columns(reinterpret_cast<const std::byte*>(part + k), step * 4, columns);
        for (Index i = 0; i < kLanes; ++i) {
          const Index q = (k + i) / run, at = (k + i) % run;
          store(to + (((q * steps + s) * run + at) * vectors + v) * kLanes, columns[i]);
        }
      }
    }
  }
}

/// A micro-tile: sums = (first ? 0 : sums) + x w over a K block of `steps` steps, for some rows of w, `stride` bytes
/// apart, and all rows of x, which are in the lanes of `vectors` vectors. Meanwhile it prefetches the rows of w that
/// are next.
template <OperandFormat F, int vectors>
DSVL_KERNEL void accumulate_few(const float* x, const std::byte* w, Index stride, Index steps, bool first,
                                float* sums) noexcept {
  constexpr int outputs = kFewOutputs<vectors>;
  constexpr Index kRunWords = F::kRun / F::kPerWord, kStepWords = kAccumulators * kRunWords;
  for (Index q = 0; q < kAccumulators; ++q) {
    Lanes total[outputs * vectors];
    Cursors<outputs, std::byte> from(w + q * kRunWords * 4, stride);
    unroll<outputs * vectors>([&](int i) { total[i] = splat(0.0f); });
    for (Index s = 0; s < steps; ++s, from.advance(4 * (kStepWords - kRunWords))) {
      if (q == 0) prefetch_rows<F, outputs>(w + outputs * stride + s * kStep<F> * F::kBytes, stride);
      unroll<kRunWords>([&](int) DSVL_INLINED {
        Lanes a[F::kPerWord * vectors];
        unroll<F::kPerWord * vectors>([&](int i) { a[i] = keep_in_register(load(x + i * kLanes)); });
        unroll<outputs>([&](int n) DSVL_INLINED {
          const Lanes word = keep_in_register(from_bits(splat_word(from.get(n))));
          unroll_constant<F::kPerWord>([&](auto e) DSVL_INLINED {
            const Lanes b = F::template operand<e>(word);
            unroll<vectors>([&](int v) {
              Lanes& sum = total[n * vectors + v];
              sum = F::multiply_add(a[e * vectors + v], b, sum);
            });
          });
        });
        from.advance(4), x += F::kPerWord * vectors * kLanes;
      });
    }
    unroll<outputs * vectors>([&](int i) DSVL_INLINED {
      float* const sum = sums + i * kLanes;
      store(sum, first && q == 0 ? total[i] : load(sum) + total[i]);
    });
  }
}

/// Copies a K block of some rows of w, of `depth` bytes each, and puts zeros behind them up to whole steps, and up to
/// `most` rows.
inline const std::byte* copy_rows(const Block& block, Index most, Index step, float* to) noexcept {
  const Index stride = round_up(block.depth, step);
  auto* const copied = reinterpret_cast<std::byte*>(to);
  std::memset(copied, 0, static_cast<std::size_t>(most * stride));
  for (Index i = 0; i < block.outputs; ++i)
    std::memcpy(copied + i * stride, block.w + i * block.stride, static_cast<std::size_t>(block.depth));
  return copied;
}

/// Outputs [first, first + outputs), at most kLinearOutputs, of rows [row, row + rows) of y, which are `vectors`
/// vectors.
template <OperandFormat F, int vectors>
void multiply_few(const LinearTile<float>& t, const Factors& s, Index row, Index rows, Index first, Index outputs,
                  float* scratch) noexcept {
  constexpr Index kWidth = vectors * kLanes;  // floats of an output's sums, and of an operand of x
  constexpr int kOutputs = kFewOutputs<vectors>;
  float* const sums = scratch;
  float* const x = sums + kLinearOutputs * kWidth;
  static_assert((kLinearOutputs + kLinearDepth) * kWidth + kOutputs * kLinearDepth <= kLinearScratch);
  float* const copied = x + kLinearDepth * kWidth;
  for (Index k = 0, depth; k < s.cols; k += depth) {
    depth = block_depth(s.cols - k, kStep<F>);
    lay_out_rows(Rows{s.x, s.x_stride}.from(row, k), rows, depth, F::kRun, vectors, x);
    for (Index n = 0; n < outputs; n += kOutputs) {
      const std::byte* w = s.w + (first + n) * s.w_stride + k * F::kBytes;
      Index stride = s.w_stride;
      if (outputs - n < kOutputs || depth < kStep<F>) {
        w = copy_rows({w, stride, std::min<Index>(kOutputs, outputs - n), depth * F::kBytes}, kOutputs,
                      kStep<F> * F::kBytes, copied);
        stride = round_up(depth, kStep<F>) * F::kBytes;
      }
      accumulate_few<F, vectors>(x, w, stride, ceil_div(depth, kStep<F>), k == 0, sums + n * kWidth);
    }
  }
  float* const of_row = x;  // (outputs), which is done with
  for (Index r = 0; r < rows; ++r) {
    for (Index n = 0; n < outputs; ++n) of_row[n] = sums[n * kWidth + r];
    finish(of_row, t.bias ? t.bias + first : nullptr, outputs, t.add, t.y + (row + r) * t.y_stride + first);
  }
}

}  // namespace linear_detail
}  // namespace DSVL_ISA
}  // namespace kernels
DSVL_END_NAMESPACE

#endif  // DSVL_KERNELS_LINEAR_FEW_HPP
