// Shared by both dense products: a row of weights is cut along K into blocks, steps and accumulators.
//
// See linear.hpp for what that means for the result.
#ifndef DSVL_KERNELS_LINEAR_BLOCKS_HPP
#define DSVL_KERNELS_LINEAR_BLOCKS_HPP

#include <algorithm>
#include <cstring>

#include "../lanes/prefetch.hpp"
#include "../table.hpp"
#include "../weights/dense_formats.hpp"

DSVL_BEGIN_NAMESPACE
namespace kernels {
inline namespace DSVL_ISA {
namespace linear_detail {

/// Operands of the K block that begins where `left` operands are left: kLinearDepth, then all whole steps, then the
/// rest.
constexpr Index block_depth(Index left, Index step) noexcept {
  return left >= kLinearDepth ? kLinearDepth : left >= step ? left / step * step : left;
}

/// Both factors as rows of operands: columns, or for Bf16Pairs pairs of them (x then points to pairs too, 4 bytes
/// each).
struct Factors {
  const float* x;
  Index x_stride;       ///< in floats
  const std::byte* w;
  Index w_stride;       ///< in bytes
  Index cols;           ///< operands in a row
};

/// Room for copies of the last, partial step of up to `most` rows of w, with zeros behind.
template <OperandFormat F, int most>
struct PartialStep {
  static constexpr Index kStride = kStep<F> * F::kBytes;
  alignas(64) std::byte rows[most][kStride];

  /// `left`: bytes that each row has from the step on; more than a step are cut off.
  void copy(const std::byte* from, Index stride, Index count, Index left) noexcept {
    std::memset(rows, 0, sizeof rows);
    const auto bytes = static_cast<std::size_t>(std::min<Index>(left, kStride));
    for (Index i = 0; i < count; ++i) std::memcpy(rows[i], from + i * stride, bytes);
  }
};

/// Prefetches one step of each of `rows` rows, `stride` bytes apart. The hardware does not: it follows streams, and
/// these are short runs far apart.
template <OperandFormat F, int rows>
DSVL_FORCE_INLINE void prefetch_rows(const std::byte* step, Index stride) noexcept {
  unroll<rows * kStep<F> * F::kBytes / kCacheLine>([&](int i) DSVL_INLINED {
    prefetch(step + i % rows * stride + i / rows * kCacheLine);
  });
}

/// Writes y from the sums of one row: plus the bias, plus what y held where `add`.
DSVL_NO_INLINE inline void finish(const float* sums, const float* bias, Index outputs, bool add, float* y) noexcept {
  for_each_vector(outputs, [&](auto at) DSVL_INLINED {
    Lanes s = at.load(sums);
    if (bias) s = s + at.load(bias);
    if (add) s = at.load(y) + s;
    at.store(y, s);
  });
}

}  // namespace linear_detail
}  // namespace DSVL_ISA
}  // namespace kernels
DSVL_END_NAMESPACE

#endif  // DSVL_KERNELS_LINEAR_BLOCKS_HPP
