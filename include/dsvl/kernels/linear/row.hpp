// One row of x: a decoded token. Bound by reading the weights once.
//
// They are turned within quarters of a register only, which is why a product has four chains, and used at once: packing
// would take longer than the product.
#ifndef DSVL_KERNELS_LINEAR_ROW_HPP
#define DSVL_KERNELS_LINEAR_ROW_HPP

#include "blocks.hpp"

DSVL_BEGIN_NAMESPACE
namespace kernels {
inline namespace DSVL_ISA {
namespace linear_detail {

/// Outputs of a row alone that are worked on together, four to a register's quarter: more rows of weights at once make
/// memory slower, fewer leave too few sums that do not wait for each other.
inline constexpr int kFours = 2, kRowOutputs = 4 * kFours;
/// Bytes of each of these rows that are asked for ahead of their use.
inline constexpr Index kAhead = 1024;

/// A row of x in the order in which multiply_row reads it, with zeros up to a whole line: of every line the first four
/// operands of each chain's run, then the next four.
template <Operand F>
void order(const float* x, Index cols, float* to) noexcept {
  const auto one = [](const float* from, float* line) {
    for (Index four = 0; four < F::kRun; four += 4)
      for (Index q = 0; q < kChains; ++q, line += 4) std::memcpy(line, from + q * F::kRun + four, 16);
  };
  Index k = 0;
  for (; k + kLine<F> <= cols; k += kLine<F>) one(x + k, to + k);
  if (k == cols) return;
  float rest[kLine<F>] = {};
  std::copy(x + k, x + cols, rest);
  one(rest, to + k);
}

/// kRowOutputs by the four chains.
struct RowChains {
  Lanes at[kFours][kParts];

  DSVL_FORCE_INLINE RowChains() noexcept {
    unroll<kFours * kParts>([&](auto i) { at[i / kParts][i % kParts] = splat(0.0f); });
  }
  /// A line of x, in order, times that of each row of w.
  template <Operand F>
  DSVL_FORCE_INLINE void add(const float* x, const std::byte* w, Index stride) noexcept {
    unroll<kFours * kParts>([&](auto i) DSVL_INLINED {
      constexpr int four = i / kParts, part = i % kParts;
      Lanes turned[F::kRun];
      F::template turn<part>(w + 4 * four * stride, stride, turned);
      unroll<F::kRun>([&](auto k) DSVL_INLINED {
        const Lanes a = splat_in_quads<k % 4>(x + k / 4 * 4 * kChains + part * kLanes);
        at[four][part] = F::multiply_add(a, turned[k], at[four][part]);
      });
    });
  }
  /// sums = (first ? 0 : sums) + chains.
  DSVL_FORCE_INLINE void add_to(bool first, float* sums) const noexcept {
    alignas(64) float chains[kFours][kChains][4];
    unroll<kFours * kParts>([&](auto i) {
      store(chains[i / kParts][0] + i % kParts * kLanes, at[i / kParts][i % kParts]);
    });
    for (int four = 0; four < kFours; ++four)
      for (int i = 0; i < 4; ++i) {
        float& sum = sums[4 * four + i];
        sum = first ? chains[four][0][i] : sum + chains[four][0][i];
        for (int q = 1; q < kChains; ++q) sum += chains[four][q][i];
      }
  }
};

/// One row by kRowOutputs. Asks for what is ahead in the rows, and then for the rows behind, which are next.
/// s.x   in order
template <Operand F>
DSVL_KERNEL void multiply_row(const LinearTile<float>& t, const Sides& s, Index first, float* y) noexcept {
  constexpr Index kBehind = kRowOutputs - 1;  // a row's end and the beginning of the rows behind, seen as one
  const std::byte* const rows = s.w + first * s.w_stride;
  alignas(64) float sums[kRowOutputs];
  for (Index k = 0, steps; k < s.cols; k += steps) {
    steps = block_steps<F>(s.cols - k);
    const Index begin = k * F::kBytes;
    RowChains chains;
    if (steps < kLine<F>) {
      const PartialLine<F, kRowOutputs> part(rows + begin, s.w_stride, kRowOutputs, steps * F::kBytes);
      chains.add<F>(s.x + k, part.rows[0], part.kStride);
    } else {
      for (Index at = 0; at < steps; at += kLine<F>) {
        const std::byte* const line = rows + begin + at * F::kBytes;
        const Index ahead = line - rows + kAhead, beyond = ahead < s.w_stride ? 0 : kBehind * s.w_stride;
        ask<F, kRowOutputs>(rows + ahead + beyond, s.w_stride);
        chains.add<F>(s.x + k + at, line, s.w_stride);
      }
    }
    chains.add_to(k == 0, sums);
  }
  finish(sums, t.bias ? t.bias + first : nullptr, kRowOutputs, t.add, y + first);
}

}  // namespace linear_detail
}  // namespace DSVL_ISA
}  // namespace kernels
DSVL_END_NAMESPACE

#endif  // DSVL_KERNELS_LINEAR_ROW_HPP
