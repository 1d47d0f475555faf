// Elementwise kernels: activations and the scaled sum. In place, any n, results independent of an element's index.
//
// Sources: GELU arXiv:1606.08415, SiLU arXiv:1702.03118.
#ifndef DSVL_KERNELS_SMALL_ELEMENTWISE_HPP
#define DSVL_KERNELS_SMALL_ELEMENTWISE_HPP

#include "../lanes/math.hpp"

DSVL_BEGIN_NAMESPACE
namespace kernels {
inline namespace DSVL_ISA {

/// x P(X < x) for standard normal X: x / 2 (1 + erf(x / sqrt 2)) without its cancellation left of zero.
inline void gelu_erf(float* x, Index n) noexcept {
  for_each_vector(n, [&](auto at) DSVL_INLINED {
    const Lanes v = at.load(x);
    const Product tail = normal_tail(v);
    const Lanes left = tail.value * tail.scale, right = fma(negate(tail.value), tail.scale, splat(1.0f));
    at.store(x, v * select(v < splat(0.0f), left, right));
  });
}

/// (1 + tanh u) / 2 = 1 / (1 + exp(-2 u)), u = sqrt(2 / pi) (x + 0.044715 x^3).
inline void gelu_tanh(float* x, Index n) noexcept {
  for_each_vector(n, [&](auto at) DSVL_INLINED {
    const Lanes v = at.load(x);
    const Lanes factor = fma(v * v, splat(-0.0713548163f), splat(-1.59576912f));  // -2 sqrt(2 / pi) (0.044715 x^2 + 1)
    const Product e = exp_factors(v * factor);
    at.store(x, v / fma(e.value, e.scale, splat(1.0f)));
  });
}

inline void silu_mul(float* gate, const float* up, Index n) noexcept {
  for_each_vector(n, [&](auto at) DSVL_INLINED {
    const Lanes v = at.load(gate);
    const Product e = exp_factors(negate(v));
    at.store(gate, v / fma(e.value, e.scale, splat(1.0f)) * at.load(up));
  });
}

inline void add_scaled(const float* x, float scale, float* y, Index n) noexcept {
  for_each_vector(n, [&](auto at) DSVL_INLINED { at.store(y, fma(splat(scale), at.load(x), at.load(y))); });
}

}  // namespace DSVL_ISA
}  // namespace kernels
DSVL_END_NAMESPACE

#endif  // DSVL_KERNELS_SMALL_ELEMENTWISE_HPP
