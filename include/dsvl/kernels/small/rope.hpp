// Rotary position embedding, half-rotation form: element i of a head rotates with element i + head_dim / 2.
//
// Source: RoFormer arXiv:2104.09864; the pairing is that of the published checkpoints.
#ifndef DSVL_KERNELS_SMALL_ROPE_HPP
#define DSVL_KERNELS_SMALL_ROPE_HPP

#include "../lanes/lanes.hpp"

DSVL_BEGIN_NAMESPACE
namespace kernels {
inline namespace DSVL_ISA {

/// See Kernels::rope.
inline void rope(float* x, Index heads, Index head_dim, const float* cos, const float* sin) noexcept {
  const Index half = head_dim / 2;
  for (Index h = 0; h < heads; ++h, x += head_dim) {
    for_each_vector(half, [&](auto at) DSVL_INLINED {
      const Lanes a = at.load(x), b = at.load(x + half), c = at.load(cos), s = at.load(sin);
      at.store(x, fma(a, c, negate(b * s)));
      at.store(x + half, fma(b, c, a * s));
    });
  }
}

}  // namespace DSVL_ISA
}  // namespace kernels
DSVL_END_NAMESPACE

#endif  // DSVL_KERNELS_SMALL_ROPE_HPP
