// Taps: the source samples that one output sample of a resize is made of, and their weights.
//
// They belong to one axis; resample.hpp applies two of them. There are two kinds of weights: std::int32_t with 22
// fractional bits is how Pillow resizes 8-bit pictures, float is how torchvision resizes a float tensor (antialias on).
// Sources: Pillow, Resample.c (precompute_coeffs, normalize_coeffs_8bpc); PyTorch, _upsample_bilinear2d_aa.
#ifndef DSVL_VISION_PRE_TAPS_HPP
#define DSVL_VISION_PRE_TAPS_HPP

#include "../base/host_macros_push.hpp"

#include <cmath>
#include <cstdint>
#include <type_traits>

#include "../base/buffer.hpp"
#include "../base/checked.hpp"
#include "../base/status.hpp"
#include "../base/strict_math.hpp"
#include "../base/view.hpp"

DSVL_BEGIN_NAMESPACE

/// Resampling filter. Both widen with the scale when a picture shrinks, which is the antialiasing.
enum class Filter : unsigned char { bilinear, bicubic };

/// Longest side in pixels that can be resized. It bounds the weights of one axis to 18 MiB, whatever size a file
/// claims.
inline constexpr Index kMaxPictureSide = Index{1} << 20;

/// Fractional bits of the fixed-point weights. Pillow has 32 - 8 - 2: 8 bits for a sample and 2 for the overshoot of
/// the bicubic filter's negative lobes.
inline constexpr int kWeightBits = 22;

/// The taps of one axis: output o is the sum over j of row(o)[j] * sample[begin(o) + j].
template <class Weight>
struct Taps {
  Index in = 0;                ///< source samples
  Index out = 0;               ///< output samples
  Index most = 0;              ///< weights that each output has room for
  Buffer<std::int32_t> first;  ///< (out), first source sample; does not fall from one output to the next
  Buffer<std::int32_t> count;  ///< (out), number of source samples; first + count does not fall either
  Buffer<Weight> weights;      ///< (out, most)

  /// First source sample of output o.
  [[nodiscard]] Index begin(Index o) const noexcept { return first[static_cast<std::size_t>(o)]; }
  /// Number of source samples of output o.
  [[nodiscard]] Index size(Index o) const noexcept { return count[static_cast<std::size_t>(o)]; }
  /// One past the last source sample of output o.
  [[nodiscard]] Index end(Index o) const noexcept { return begin(o) + size(o); }
  /// The size(o) weights of output o.
  [[nodiscard]] const Weight* row(Index o) const noexcept { return weights.data() + o * most; }

  /// Upper bound of the source samples that any `n` neighbouring outputs read together; sizes scratch memory.
  [[nodiscard]] Index reach(Index n) const noexcept {
    const Index moved = ceil_div((n - 1) * in, out);
    return moved + most + 1 < in ? moved + most + 1 : in;
  }
};

namespace detail {

/// Keeps the compiler from fusing a product with the sum that follows. The references round both, and a weight that
/// differs in its last bit can move a pixel.
template <class Real>
inline Real rounded(Real x) noexcept {
  volatile Real stored = x;
  return stored;
}

/// The filter's kernel at distance x from its centre, in output samples.
template <class Real>
inline Real filter_value(Filter filter, Real x) noexcept {
  if (x < 0) x = -x;
  if (filter == Filter::bilinear) return x < 1 ? 1 - x : Real(0);
  constexpr Real a = Real(-0.5);  // the Catmull-Rom spline, which both references use
  if (x < 1) return rounded((rounded((a + 2) * x) - (a + 3)) * x * x) + 1;
  if (x < 2) return (rounded((rounded((x - 5) * x) + 8) * x) - 4) * a;
  return 0;
}

/// A normalised weight as it is stored: float as it is, fixed point rounded half away from zero.
template <class Weight, class Real>
inline Weight to_weight(Real w) noexcept {
  if constexpr (std::is_same_v<Weight, std::int32_t>) {
    const Real scaled = w * Real(1 << kWeightBits);  // exact, because it multiplies by a power of two
    return static_cast<Weight>(w < 0 ? scaled - Real(0.5) : scaled + Real(0.5));
  } else {
    return w;
  }
}

/// Fills first, count and weights of output `o`; `values` has room for taps.most. `scale` is in / out, `support` half
/// the width of the filter in source samples.
template <class Weight, class Real>
inline void make_row(Filter filter, Real scale, Real support, Index o, Real* values, Taps<Weight>& taps) noexcept {
  const Real widened = scale > 1 ? scale : Real(1), inverse = 1 / widened;
  const Real center = rounded((static_cast<Real>(o) + Real(0.5)) * scale);
  Index lo = static_cast<Index>(center - support + Real(0.5));  // truncated toward zero, as the references do in C
  Index hi = static_cast<Index>(center + support + Real(0.5));
  lo = lo < 0 ? 0 : lo;
  hi = hi > taps.in ? taps.in : hi;
  Real sum = 0;
  for (Index j = 0; j < hi - lo; ++j) {
    values[j] = filter_value(filter, rounded((static_cast<Real>(j + lo) - center + Real(0.5)) * inverse));
    sum += values[j];
  }
  Weight* const row = taps.weights.data() + o * taps.most;
  for (Index j = 0; j < hi - lo; ++j) row[j] = to_weight<Weight>(sum != 0 ? values[j] / sum : values[j]);
  taps.first[static_cast<std::size_t>(o)] = static_cast<std::int32_t>(lo);
  taps.count[static_cast<std::size_t>(o)] = static_cast<std::int32_t>(hi - lo);
}

}  // namespace detail

/// Makes the taps that resize `in` samples to `out`. Equal sizes give one tap of weight one, so the pass changes
/// nothing. Geometry is computed in double for fixed-point weights and in float for float ones, as the references do.
///
/// Cost   about 4 * max(in, out) evaluations of the filter
/// Fails  bad_argument (a side below 1), limit (a side above kMaxPictureSide), out_of_memory
template <class Weight>
inline Status make_taps(Filter filter, Index in, Index out, Allocator* from, Taps<Weight>& taps) noexcept {
  using Real = std::conditional_t<std::is_same_v<Weight, float>, float, double>;
  if (in < 1 || out < 1) return fail(Code::bad_argument, "resize %td -> %td: both must be at least 1", in, out);
  if (in > kMaxPictureSide || out > kMaxPictureSide)
    return fail(Code::limit, "resize %td -> %td: a side may have at most %td pixels", in, out, kMaxPictureSide);
  const Real scale = static_cast<Real>(in) / static_cast<Real>(out);
  const Real support = Real(filter == Filter::bicubic ? 2 : 1) * (scale > 1 ? scale : Real(1));
  taps = Taps<Weight>{in, out, in == out ? 1 : 2 * static_cast<Index>(std::ceil(support)) + 1,
                      Buffer<std::int32_t>(from), Buffer<std::int32_t>(from), Buffer<Weight>(from)};
  Buffer<Real> values(from);
  const auto size = checked_multiply(static_cast<std::uint64_t>(out), static_cast<std::uint64_t>(taps.most));
  const auto outputs = static_cast<std::size_t>(out);
  if (!size || *size > (std::numeric_limits<std::size_t>::max)() || !taps.first.resize(outputs) ||
      !taps.count.resize(outputs) || !taps.weights.resize(static_cast<std::size_t>(*size)) ||
      !values.resize(static_cast<std::size_t>(taps.most)))
    return fail(Code::out_of_memory, "resize %td -> %td: no memory for %td weights", in, out, out * taps.most);
  for (Index o = 0; o < out; ++o) {
    if (in != out) {
      detail::make_row(filter, scale, support, o, values.data(), taps);
      continue;
    }
    taps.first[static_cast<std::size_t>(o)] = static_cast<std::int32_t>(o);
    taps.count[static_cast<std::size_t>(o)] = 1;
    taps.weights[static_cast<std::size_t>(o)] = detail::to_weight<Weight>(Real(1));
  }
  return {};
}

DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_VISION_PRE_TAPS_HPP
