// Kernels over two-dimensional maps: neighbourhoods for convolutions (im2col), bilinear resize.
#ifndef DSVL_KERNELS_SMALL_MAPS_HPP
#define DSVL_KERNELS_SMALL_MAPS_HPP

#include <algorithm>

#include "../lanes/lanes.hpp"
#include "sample.hpp"
#include "../table.hpp"

DSVL_BEGIN_NAMESPACE
namespace kernels {
inline namespace DSVL_ISA {
namespace gather_detail {

/// Copies one neighbourhood, whose corner is (top, left). `clipped`: part of it lies outside the map and becomes zero.
template <bool clipped>
DSVL_FORCE_INLINE void neighbourhood(const UnfoldTile<float>& t, Index top, Index left, float* y) noexcept {
  for (Index c = 0; c < t.channels; ++c) {
    for (Index ky = top; ky < top + t.size; ++ky) {
      for (Index kx = left; kx < left + t.size; ++kx, ++y) {
        const bool inside = !clipped || (ky >= 0 && ky < t.height && kx >= 0 && kx < t.width);
        *y = inside ? t.map[c * t.channel_stride + ky * t.row_stride + kx * t.pixel_stride] : 0.0f;
      }
    }
  }
}

}  // namespace gather_detail

/// See Kernels::unfold.
inline void unfold(const UnfoldTile<float>& t) noexcept {
  for (Index p = 0; p < t.count; ++p) {
    const Index top = (t.first + p) / t.out_width * t.step - t.padding;
    const Index left = (t.first + p) % t.out_width * t.step - t.padding;
    const bool inside = top >= 0 && left >= 0 && top + t.size <= t.height && left + t.size <= t.width;
    float* const y = t.y + p * t.y_stride;
    if (inside) gather_detail::neighbourhood<false>(t, top, left, y);
    else gather_detail::neighbourhood<true>(t, top, left, y);
  }
}

/// See Kernels::resize.
inline void resize(const ResizeTile<float>& t) noexcept {
  for (Index row = t.first; row < t.first + t.count; ++row) {
    const Sample<float> v = sample<float>(row, t.from.height, t.to.height);
    for (Index column = 0; column < t.to.width; ++column) {
      const Sample<float> h = sample<float>(column, t.from.width, t.to.width);
      const auto pixel = [&](Index y, Index x) { return t.map + (y * t.from.width + x) * t.channels; };
      const float* const corner[] = {pixel(v.low, h.low), pixel(v.low, h.high), pixel(v.high, h.low),
                                     pixel(v.high, h.high)};
      float* const y = t.y + (row * t.to.width + column) * t.channels;
      const auto mix = [](Lanes a, Lanes b, float weight) { return fma(splat(weight), b, splat(1.0f - weight) * a); };
      for_each_vector(t.channels, [&](auto at) DSVL_INLINED {
        const Lanes low = mix(at.load(corner[0]), at.load(corner[1]), h.weight);
        const Lanes high = mix(at.load(corner[2]), at.load(corner[3]), h.weight);
        at.store(y, mix(low, high, v.weight));
      });
    }
  }
}

}  // namespace DSVL_ISA
}  // namespace kernels
DSVL_END_NAMESPACE

#endif  // DSVL_KERNELS_SMALL_MAPS_HPP
