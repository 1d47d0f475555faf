// What both ways of multiplying share: how a row of weights is cut into blocks, lines and chains.
//
// See linear.hpp for what that means for the result.
#ifndef DSVL_KERNELS_LINEAR_BLOCKS_HPP
#define DSVL_KERNELS_LINEAR_BLOCKS_HPP

#include <algorithm>
#include <cstring>

#include "../lanes/prefetch.hpp"
#include "../weights/dense_formats.hpp"
#include "../table.hpp"

DSVL_BEGIN_NAMESPACE
namespace kernels {
inline namespace DSVL_ISA {
namespace linear_detail {

/// Operands of the block that begins where `left` are left.
template <Operand F>
constexpr Index block_steps(Index left) noexcept {
  static_assert(kLinearDepth % kLine<F> == 0);
  return left >= kLinearDepth ? kLinearDepth : left >= kLine<F> ? left / kLine<F> * kLine<F> : left;
}

/// x and w as sequences of operands, which is what a step multiplies: a column, or for Bf16Pairs two (x then points to
/// pairs too, 4 bytes each).
struct Sides {
  const float* x;
  Index x_stride;       ///< in floats
  const std::byte* w;
  Index w_stride;       ///< bytes of a row
  Index cols;           ///< operands in a row
};

/// A line of up to `most` rows as far as it is there, and zeros.
template <Operand F, int most>
struct PartialLine {
  static constexpr Index kStride = kLine<F> * F::kBytes;
  alignas(64) std::byte rows[most][kStride] = {};

  /// `left`: bytes from the line on.
  PartialLine(const std::byte* from, Index stride, Index count, Index left) noexcept {
    const auto bytes = static_cast<std::size_t>(std::min<Index>(left, kStride));
    for (Index i = 0; i < count; ++i) std::memcpy(rows[i], from + i * stride, bytes);
  }
};

/// Asks for a line of each of `rows` rows, `stride` bytes apart: short runs that lie far apart are nothing the hardware
/// foresees.
template <Operand F, int rows>
DSVL_FORCE_INLINE void ask(const std::byte* lines, Index stride) noexcept {
  unroll<rows * kLine<F> * F::kBytes / kCacheLine>([&](auto i) {
    prefetch(lines + i % rows * stride + i / rows * kCacheLine);
  });
}

/// y from the sums of one row.
DSVL_FORCE_INLINE void finish(const float* sums, const float* bias, Index outputs, bool add, float* y) noexcept {
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
