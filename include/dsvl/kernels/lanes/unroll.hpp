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

/// The loop of unroll_constant(). A function rather than a lambda inside it: GCC does not always inline such a lambda,
/// and the arrays would then live in memory.
template <class F, int... i>
DSVL_FORCE_INLINE void call_each(F& f, std::integer_sequence<int, i...>) noexcept {
  (f(std::integral_constant<int, i>{}), ...);
}
/// Calls f(0), …, f(n - 1) for an `f` that uses its index as a template argument. `f` is compiled n times, with all
/// lambdas in it.
template <int n, class F>
DSVL_FORCE_INLINE void unroll_constant(F&& f) noexcept {
  call_each(f, std::make_integer_sequence<int, n>{});
}
/// Calls f(0), …, f(n - 1) for an `f` that takes an int and is compiled once. The compiler repeats it, and every index
/// is then a constant.
template <int n, class F>
DSVL_FORCE_INLINE void unroll(F&& f) noexcept {
#if defined(__GNUC__)  // and Clang
  static_assert(n <= 64);
#pragma GCC unroll 64
  for (int i = 0; i < n; ++i) f(i);
#else
  unroll_constant<n>(f);
#endif
}

/// Calls f(count) with `count` (from `least` to `most`) as a constant.
template <int least, int most, class F>
DSVL_FORCE_INLINE void with_count(int count, F&& f) noexcept {
  if constexpr (most > least) {
    if (count < most) return with_count<least, most - 1>(count, f);
  }
  f(std::integral_constant<int, most>{});
}
/// Cuts more than `few` rows into the fewest blocks of at most `most` rows and calls f(count, first) for each. Blocks
/// are as equal in height as possible: a low one at the end would load as many weights for fewer products.
template <int few, int most, class F>
DSVL_FORCE_INLINE void for_each_row_block(Index rows, F&& f) noexcept {
  // The lowest block: all of few + 1 rows, or the lower half of most + 1.
  constexpr int kLeast = few < most / 2 ? few + 1 : (most + 1) / 2;
  const Index blocks = ceil_div(rows, most);
  for (Index b = 0; b < blocks; ++b) {
    const Index first = rows * b / blocks;
    with_count<kLeast, most>(static_cast<int>(rows * (b + 1) / blocks - first), [&](auto count) { f(count, first); });
  }
}

}  // namespace DSVL_ISA
}  // namespace kernels
DSVL_END_NAMESPACE

#endif  // DSVL_KERNELS_LANES_UNROLL_HPP
