// Lanes: one vector register of floats, and the few operations that the kernels are written in.
//
// Kernels use nothing else of xsimd and none of the compiler's intrinsics. The width is that of the translation unit's
// flags: contract.hpp lists the operations, the files below define them, each for one family of instruction sets, and
// DSVL_ISA in the namespace keeps units of different widths apart. Here is what is built from them for all families.
#ifndef DSVL_KERNELS_LANES_LANES_HPP
#define DSVL_KERNELS_LANES_LANES_HPP

#include "contract.hpp"

// All but one are empty.
#include "avx.hpp"
#include "avx2.hpp"
#include "avx512.hpp"
#include "neon.hpp"
#include "sse2.hpp"

DSVL_BEGIN_NAMESPACE
namespace kernels {
inline namespace DSVL_ISA {

// --- a row, vector by vector ---------------------------------------------------------------------
/// kLanes elements from element i on: what for_each_vector hands to a loop's body.
struct FullVector {
  Index i;  ///< the first element
  DSVL_FORCE_INLINE Lanes load(const float* x) const noexcept { return kernels::load(x + i); }
  DSVL_FORCE_INLINE void store(float* x, Lanes value) const noexcept { kernels::store(x + i, value); }
};
/// The last n < kLanes elements.
struct PartialVector {
  Index i;  ///< the first element
  Index n;  ///< how many there are
  DSVL_FORCE_INLINE Lanes load(const float* x) const noexcept { return kernels::load(x + i, n); }
  DSVL_FORCE_INLINE void store(float* x, Lanes value) const noexcept { kernels::store(x + i, value, n); }
};

/// body(at) for n elements, one vector at a time. The tail runs the same body on a partial vector, so an element's
/// result does not depend on where it stands.
template <class Body>
DSVL_FORCE_INLINE void for_each_vector(Index n, Body&& body) noexcept {
  Index i = 0;
  for (; i + kLanes <= n; i += kLanes) body(FullVector{i});
  if (i < n) body(PartialVector{i, n - i});
}

/// 0, 1, 2, …
DSVL_FORCE_INLINE Lanes iota() noexcept {
  alignas(64) constexpr float kCount[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  static_assert(kLanes <= 16);
  return load(kCount);
}

// --- arithmetic ----------------------------------------------------------------------------------
/// -x, by its sign bit; of a NaN too.
DSVL_FORCE_INLINE Lanes negate(Lanes x) noexcept { return from_bits(bits(x) ^ splat_bits(0x80000000u)); }
/// All lanes added in the order of fold().
DSVL_FORCE_INLINE float sum(Lanes x) noexcept {
  return fold(x, [](float a, float b) { return a + b; });
}
/// x, but the compiler does not see where it comes from. So it cannot undo address arithmetic that was done in an order
/// of our choice.
DSVL_FORCE_INLINE Index opaque(Index x) noexcept {
  DSVL_KEEP_IN_REGISTER("r", x);
  return x;
}

// --- transposing ---------------------------------------------------------------------------------
/// Columns of a block of kLanes rows, `stride` bytes apart: lane i of columns[j] is the j-th float of row i.
DSVL_FORCE_INLINE void load_columns(const std::byte* block, Index stride, Lanes* columns) noexcept {
  unroll<kLanes / 4>([&](int c) DSVL_INLINED {
    const auto rows = [&](int i) { return load_quads(block + i * stride + c * 16, 4 * stride); };
    transpose_4x4({rows(0), rows(1), rows(2), rows(3)}, columns + 4 * c);
  });
}

// --- 16-bit floats -------------------------------------------------------------------------------
/// The low (half = 0) or high bf16 of every lane. Exact.
template <int half>
DSVL_FORCE_INLINE Lanes widen_bf16(Lanes pairs) noexcept {
  return portable::widen_bf16<half>(pairs);
}
/// The first n (0 < n < kLanes) of kLanes 16-bit weights, zeros behind them; `load_full` widens kLanes of them.
template <class Load>
DSVL_FORCE_INLINE Lanes load_partial16(const std::byte* from, Index n, Load&& load_full) noexcept {
  alignas(64) std::byte part[2 * kLanes] = {};
  std::memcpy(part, from, static_cast<std::size_t>(2 * n));
  return load_full(part);
}
/// Rounds to bf16 (nearest, ties to even; NaN stays NaN): the same bits as to_bf16. `to` may be misaligned.
DSVL_FORCE_INLINE void store_bf16(std::byte* to, Lanes x) noexcept {
  const Bits b = bits(x), upper = shift_right(b, 16);
  const Bits rounded = shift_right(b + splat_bits(0x7FFFu) + (upper & splat_bits(1u)), 16);
  // Not `x != x`: with AVX-512 xsimd 8.1 answers no for NaN.
  store_low_halves(to, bits(select(x == x, from_bits(rounded), from_bits(upper | splat_bits(0x40u)))));
}

}  // namespace DSVL_ISA
}  // namespace kernels
DSVL_END_NAMESPACE

#endif  // DSVL_KERNELS_LANES_LANES_HPP
