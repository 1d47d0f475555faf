// quantize8: numbers to signed bytes with one scale, as activations and cached keys and values are stored.
//
// Shared by the reference and, where a row is not long enough to be worth vectors, by the vectorised kernels.
#ifndef DSVL_KERNELS_SMALL_QUANTIZE8_HPP
#define DSVL_KERNELS_SMALL_QUANTIZE8_HPP

#include <cmath>
#include <cstdint>

#include "../../base/view.hpp"

DSVL_BEGIN_NAMESPACE
namespace kernels {
inline namespace DSVL_ISA {

/// Writes n numbers as signed bytes, rounded to nearest even, to every `step`-th byte of q, and returns their scale:
/// x[i] is about q[i] * scale, and the number of the largest size becomes 127 or -127. All arithmetic is in float
/// whatever T is, so that every table of kernels stores the same bytes. A NaN makes the scale NaN.
template <class T>
float quantize8(const T* x, Index n, std::int8_t* q, Index step) noexcept {
  float largest = 0;
  for (Index i = 0; i < n; ++i) {
    const float size = std::fabs(static_cast<float>(x[i]));
    if (largest == largest && !(size <= largest)) largest = size;  // a NaN stays, and is seen in the scale
  }
  const float up = largest > 0 ? 127.0f / largest : 0.0f;
  for (Index i = 0; i < n; ++i) {
    const float scaled = static_cast<float>(x[i]) * up;  // at most a rounding above 127
    q[i * step] = static_cast<std::int8_t>(scaled >= -127.5f && scaled <= 127.5f ? std::nearbyint(scaled) : 0.0f);
  }
  return largest / 127.0f;
}

}  // namespace DSVL_ISA
}  // namespace kernels
using kernels::quantize8;
DSVL_END_NAMESPACE

#endif  // DSVL_KERNELS_SMALL_QUANTIZE8_HPP
