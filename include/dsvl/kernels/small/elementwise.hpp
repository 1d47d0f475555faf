// Elementwise kernels: activation functions and the scaled sum. They work in place and for any n; an element's result
// does not depend on its index.
//
// Sources: GELU arXiv:1606.08415, SiLU arXiv:1702.03118.
#ifndef DSVL_KERNELS_SMALL_ELEMENTWISE_HPP
#define DSVL_KERNELS_SMALL_ELEMENTWISE_HPP

#include "../lanes/math.hpp"

DSVL_BEGIN_NAMESPACE
namespace kernels {
inline namespace DSVL_ISA {

/// Computes x P(X < x) for a standard normal X. That is x / 2 (1 + erf(x / sqrt 2)), without its cancellation for x <
/// 0.
inline void gelu_erf(float* x, Index n) noexcept {
  for_each_vector(n, [&](auto at) DSVL_INLINED {
    const Lanes v = at.load(x);
    const Product tail = normal_tail(v);
    const Lanes left = tail.value * tail.scale, right = fma(negate(tail.value), tail.scale, splat(1.0f));
    at.store(x, v * select(v < splat(0.0f), left, right));
  });
}

/// Uses (1 + tanh u) / 2 = 1 / (1 + exp(-2 u)) with u = sqrt(2 / pi) (x + 0.044715 x^3).
inline void gelu_tanh(float* x, Index n) noexcept {
  for_each_vector(n, [&](auto at) DSVL_INLINED {
    const Lanes v = at.load(x);
    const Lanes factor = fma(v * v, splat(-0.0713548163f), splat(-1.59576912f));  // -2 sqrt(2 / pi) (0.044715 x^2 + 1)
    const Product e = exp_factors(v * factor);
    at.store(x, v / fma(e.value, e.scale, splat(1.0f)));
  });
}

/// See Kernels::silu_mul.
inline void silu_mul(float* gate, const float* up, Index n) noexcept {
  for_each_vector(n, [&](auto at) DSVL_INLINED {
    const Lanes v = at.load(gate);
    const Product e = exp_factors(negate(v));
    at.store(gate, v / fma(e.value, e.scale, splat(1.0f)) * at.load(up));
  });
}

/// See Kernels::add_scaled.
inline void add_scaled(const float* x, float scale, float* y, Index n) noexcept {
  for_each_vector(n, [&](auto at) DSVL_INLINED { at.store(y, fma(splat(scale), at.load(x), at.load(y))); });
}

}  // namespace DSVL_ISA
}  // namespace kernels
DSVL_END_NAMESPACE

#endif  // DSVL_KERNELS_SMALL_ELEMENTWISE_HPP
