// Loops whose bounds are known when the kernel is compiled.
//
// A micro-tile of sums stays in registers only if every index into it is a constant, so the loops over its rows and
// vectors must be gone before the compiler assigns registers.
#ifndef DSVL_KERNELS_LANES_UNROLL_HPP
#define DSVL_KERNELS_LANES_UNROLL_HPP

#include <type_traits>
#include <utility>

#include "../../base/view.hpp"

DSVL_BEGIN_NAMESPACE
namespace kernels {
inline namespace DSVL_ISA {

/// The loop of unroll(). A function rather than a lambda inside it: GCC does not always inline such a lambda, and the
/// arrays would then live in memory.
template <class F, int... i>
DSVL_FORCE_INLINE void call_each(F& f, std::integer_sequence<int, i...>) noexcept {
  (f(std::integral_constant<int, i>{}), ...);
}
/// Calls f(0), …, f(n - 1), each with its index as a constant.
template <int n, class F>
DSVL_FORCE_INLINE void unroll(F&& f) noexcept {
  call_each(f, std::make_integer_sequence<int, n>{});
}

/// Calls f(count) with `count` (from 1 to `most`) as a constant.
template <int most, class F>
DSVL_FORCE_INLINE void with_count(int count, F&& f) noexcept {
  if constexpr (most > 1) {
    if (count < most) return with_count<most - 1>(count, f);
  }
  f(std::integral_constant<int, most>{});
}
/// Cuts `rows` into the fewest blocks of at most `most` rows and calls f(count, first) for each. Blocks are as equal in
/// height as possible: a low one at the end would load as many weights for fewer products.
template <int most, class F>
DSVL_FORCE_INLINE void for_each_row_block(Index rows, F&& f) noexcept {
  const Index blocks = ceil_div(rows, most);
  for (Index b = 0; b < blocks; ++b) {
    const Index first = rows * b / blocks;
    with_count<most>(static_cast<int>(rows * (b + 1) / blocks - first), [&](auto count) { f(count, first); });
  }
}

}  // namespace DSVL_ISA
}  // namespace kernels
DSVL_END_NAMESPACE

#endif  // DSVL_KERNELS_LANES_UNROLL_HPP
