// LayerNorm and RMSNorm of rows.
//
// Sums run in four accumulators (element i goes to lane i mod 4 kLanes), which are added in a fixed order. Many short
// sums instead of one long one keep float accurate: with 16 lanes, 2048 columns are 32 additions deep. Sources:
// LayerNorm arXiv:1607.06450, RMSNorm arXiv:1910.07467.
#ifndef DSVL_KERNELS_SMALL_NORMS_HPP
#define DSVL_KERNELS_SMALL_NORMS_HPP

#include <cmath>

#include "../lanes/lanes.hpp"
#include "../table.hpp"

DSVL_BEGIN_NAMESPACE
namespace kernels {
inline namespace DSVL_ISA {

/// Sums up a row: `term` adds one vector of x to a running total. Lanes that the row does not fill hold `filler`, for
/// which the term must be zero.
template <class Term>
DSVL_FORCE_INLINE float sum_row(const float* x, Index cols, float filler, Term&& term) noexcept {
  Lanes total[4] = {splat(0.0f), splat(0.0f), splat(0.0f), splat(0.0f)};
  Index i = 0;
  for (; i + 4 * kLanes <= cols; i += 4 * kLanes)
    unroll<4>([&](int u) { total[u] = term(total[u], load(x + i + u * kLanes)); });
  for (int u = 0; i < cols; i += kLanes, ++u) {
    const Index n = cols - i;
    const Lanes value =
        n >= kLanes ? load(x + i) : select(iota() < splat(static_cast<float>(n)), load(x + i, n), splat(filler));
    total[u] = term(total[u], value);
  }
  return sum((total[0] + total[1]) + (total[2] + total[3]));
}

/// See Kernels::layer_norm.
inline void layer_norm(const NormTile<float>& t) noexcept {
  for (Index r = 0; r < t.rows; ++r) {
    const float* const x = t.x + r * t.x_stride;
    float* const y = t.y + r * t.y_stride;
    const float count = static_cast<float>(t.cols);
    const float mean = sum_row(x, t.cols, 0.0f, [](Lanes total, Lanes v) { return total + v; }) / count;
    const auto add_square = [&](Lanes total, Lanes v) {
      const Lanes d = v - splat(mean);
      return fma(d, d, total);
    };
    const float variance = sum_row(x, t.cols, mean, add_square) / count;
    const float factor = 1.0f / std::sqrt(variance + t.eps);
    for_each_vector(t.cols, [&](auto at) DSVL_INLINED {
      at.store(y, fma((at.load(x) - splat(mean)) * splat(factor), at.load(t.weight), at.load(t.bias)));
    });
  }
}

/// See Kernels::rms_norm.
inline void rms_norm(const NormTile<float>& t) noexcept {
  for (Index r = 0; r < t.rows; ++r) {
    const float* const x = t.x + r * t.x_stride;
    float* const y = t.y + r * t.y_stride;
    const float squares = sum_row(x, t.cols, 0.0f, [](Lanes total, Lanes v) { return fma(v, v, total); });
    const float factor = 1.0f / std::sqrt(squares / static_cast<float>(t.cols) + t.eps);
    for_each_vector(t.cols, [&](auto at) DSVL_INLINED { at.store(y, at.load(x) * splat(factor) * at.load(t.weight)); });
  }
}

}  // namespace DSVL_ISA
}  // namespace kernels
DSVL_END_NAMESPACE

#endif  // DSVL_KERNELS_SMALL_NORMS_HPP
