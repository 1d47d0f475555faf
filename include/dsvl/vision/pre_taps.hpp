// Taps: the source samples that one output sample of a resize is made of, and their weights.
//
// They belong to one axis; resample.hpp applies two of them. There are two kinds of weights: std::int32_t with 22
// fractional bits is how Pillow resizes 8-bit pictures, float is how torchvision resizes a float tensor (antialias on).
// Sources: Pillow, Resample.c (precompute_coeffs, normalize_coeffs_8bpc); PyTorch, _upsample_bilinear2d_aa.
#ifndef DSVL_VISION_PRE_TAPS_HPP
#define DSVL_VISION_PRE_TAPS_HPP

#include "../base/host_macros_push.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <type_traits>

#include "../base/status.hpp"
#include "../base/strict_math.hpp"
#include "../run/arena.hpp"

DSVL_BEGIN_NAMESPACE

/// Resampling filter. Both widen with the scale when a picture shrinks, which is the antialiasing.
enum class Filter : unsigned char { bilinear, bicubic };

/// Longest side in pixels that can be resized. It bounds the weights of one axis to 18 MiB, whatever size a file
/// claims.
inline constexpr Index kMaxPictureSide = Index{1} << 20;

/// Fractional bits of the fixed-point weights. Pillow has 32 - 8 - 2: 8 bits for a sample and 2 for the overshoot of
/// the bicubic filter's negative lobes.
inline constexpr int kWeightBits = 22;

/// The taps of one axis: output o is the sum over j of row(o)[j] * sample[begin(o) + j]. They are planned, then memory
/// is carved for them, then they are filled.
template <class Weight>
struct Taps {
  /// The type that geometry is computed in: double for fixed-point weights and float for float ones, as the references
  /// do.
  using Real = std::conditional_t<std::is_same_v<Weight, float>, float, double>;

  Filter filter = Filter::bilinear;  ///< of the resize
  Index in = 1;                      ///< source samples
  Index out = 1;                     ///< output samples
  Index most = 1;                    ///< weights that each output has room for
  std::int32_t* first = nullptr;     ///< (out), first source sample; does not fall from one output to the next
  std::int32_t* count = nullptr;     ///< (out), number of source samples; first + count does not fall either
  Weight* weights = nullptr;         ///< (out, most)
  Real* values = nullptr;            ///< (most), of the filter for one output

  /// The taps that resize `from` samples to `to`. Equal sizes give one tap, so the pass changes nothing.
  ///
  /// Fails  bad_argument (a side below 1), limit (a side above kMaxPictureSide)
  Status plan(Filter by, Index from, Index to) noexcept {
    if (from < 1 || to < 1) return fail(Code::bad_argument, "resize %td -> %td: both must be at least 1", from, to);
    if (from > kMaxPictureSide || to > kMaxPictureSide)
      return fail(Code::limit, "resize %td -> %td: a side may have at most %td pixels", from, to, kMaxPictureSide);
    *this = {by, from, to, 1};
    if (from != to) most = 2 * static_cast<Index>(std::ceil(support())) + 1;
    return {};
  }
  /// Taps that take no less memory than those of any resize from at most `from` samples to at most `to`, none of which
  /// makes a side more than `shrink` times smaller. They are for measuring and are never filled.
  static Taps largest(Filter by, Index from, Index to, Index shrink) noexcept {
    return {by, from, to, 2 * radius(by) * shrink + 1};
  }

  /// Declares their memory. An output has at most 2 radius in / out + 3 weights, so that many are declared: a number
  /// which grows with both sizes, unlike out * most.
  void carve(Arena& arena) noexcept {
    first = arena.array<std::int32_t>("preprocessing", out);
    count = arena.array<std::int32_t>("preprocessing", out);
    weights = arena.array<Weight>("preprocessing", 2 * radius(filter) * std::max<Index>(in, out) + 3 * out);
    values = arena.array<Real>("preprocessing", most);
  }
  /// Computes them, in memory that was carved. Cost: about 4 * max(in, out) evaluations of the filter.
  void fill() noexcept;

  /// First source sample of output o.
  [[nodiscard]] Index begin(Index o) const noexcept { return first[o]; }
  /// Number of source samples of output o.
  [[nodiscard]] Index size(Index o) const noexcept { return count[o]; }
  /// One past the last source sample of output o.
  [[nodiscard]] Index end(Index o) const noexcept { return begin(o) + size(o); }
  /// The size(o) weights of output o.
  [[nodiscard]] const Weight* row(Index o) const noexcept { return weights + o * most; }

  /// Upper bound of the source samples that any `n` neighbouring outputs read together; sizes scratch memory.
  [[nodiscard]] Index reach(Index n) const noexcept {
    const Index moved = ceil_div((n - 1) * in, out);
    return moved + most + 1 < in ? moved + most + 1 : in;
  }

 private:
  /// Half the width of a filter, in samples of whichever side is smaller.
  static constexpr Index radius(Filter filter) noexcept { return filter == Filter::bicubic ? 2 : 1; }
  /// Source samples for each output.
  [[nodiscard]] Real scale() const noexcept { return static_cast<Real>(in) / static_cast<Real>(out); }
  /// Half the width of the filter in source samples.
  [[nodiscard]] Real support() const noexcept {
    return static_cast<Real>(radius(filter)) * (scale() > 1 ? scale() : Real(1));
  }
  void fill_row(Index o) noexcept;
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

}  // namespace detail

/// Fills first, count and weights of output `o`.
template <class Weight>
inline void Taps<Weight>::fill_row(Index o) noexcept {
  const Real step = scale(), half = support(), widened = step > 1 ? step : Real(1), inverse = 1 / widened;
  const Real center = detail::rounded((static_cast<Real>(o) + Real(0.5)) * step);
  Index lo = static_cast<Index>(center - half + Real(0.5));  // truncated toward zero, as the references do in C
  Index hi = static_cast<Index>(center + half + Real(0.5));
  lo = lo < 0 ? 0 : lo;
  hi = hi > in ? in : hi;
  Real sum = 0;
  for (Index j = 0; j < hi - lo; ++j) {
    const Real distance = detail::rounded((static_cast<Real>(j + lo) - center + Real(0.5)) * inverse);
    values[j] = detail::filter_value(filter, distance);
    sum += values[j];
  }
  Weight* const row = weights + o * most;
  for (Index j = 0; j < hi - lo; ++j) row[j] = detail::to_weight<Weight>(sum != 0 ? values[j] / sum : values[j]);
  first[o] = static_cast<std::int32_t>(lo);
  count[o] = static_cast<std::int32_t>(hi - lo);
}

template <class Weight>
inline void Taps<Weight>::fill() noexcept {
  for (Index o = 0; o < out; ++o) {
    if (in != out) {
      fill_row(o);
      continue;
    }
    first[o] = static_cast<std::int32_t>(o);
    count[o] = 1;
    weights[o] = detail::to_weight<Weight>(Real(1));
  }
}

DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_VISION_PRE_TAPS_HPP
