// Sample: the two input positions, and their weights, of one output of bilinear interpolation (align_corners = false).
//
// The reference and the vectorised kernel share it, because the positions are part of the definition.
// Source: PyTorch's upsample_bilinear2d without antialias, which computes them in the scalar type of the map.
#ifndef DSVL_KERNELS_SMALL_SAMPLE_HPP
#define DSVL_KERNELS_SMALL_SAMPLE_HPP

#include "../../base/view.hpp"

DSVL_BEGIN_NAMESPACE
namespace kernels {
inline namespace DSVL_ISA {

/// Output i of an axis is (1 - weight) * [low] + weight * [high].
template <class T>
struct Sample {
  Index low, high;
  T weight;
};

/// The sample of output `i` of an axis that is resized from `from` to `to` elements.
template <class T>
DSVL_FORCE_INLINE Sample<T> sample(Index i, Index from, Index to) noexcept {
  const T scale = static_cast<T>(from) / static_cast<T>(to);
  // By way of double: rounded to T before the subtraction, as PyTorch does, whatever the compiler contracts.
  const T centre = static_cast<T>(static_cast<double>(scale) * (static_cast<double>(i) + 0.5));
  const T at = centre > T(0.5) ? centre - T(0.5) : T(0);
  const Index floor = static_cast<Index>(at), low = floor < from ? floor : from - 1;
  return {low, low + 1 < from ? low + 1 : low, at - static_cast<T>(low)};
}

}  // namespace DSVL_ISA
}  // namespace kernels
DSVL_END_NAMESPACE

#endif  // DSVL_KERNELS_SMALL_SAMPLE_HPP
