// SSE2, and SSE4.2: four floats. Every x86-64 processor has SSE2.
//
// Also what WebAssembly gets: emscripten's emmintrin.h makes its 128-bit instructions of these intrinsics, nearly all
// of them one for one.
#ifndef DSVL_KERNELS_LANES_SSE2_HPP
#define DSVL_KERNELS_LANES_SSE2_HPP

#include "portable.hpp"

#if (defined(__SSE2__) || defined(_M_X64)) && !defined(__AVX__)

DSVL_BEGIN_NAMESPACE
namespace kernels {
inline namespace DSVL_ISA {

// --- floats --------------------------------------------------------------------------------------
DSVL_FORCE_INLINE Lanes load(const float* from, Index n) noexcept { return portable::load(from, n); }
DSVL_FORCE_INLINE void store(float* to, Lanes x, Index n) noexcept { portable::store(to, x, n); }
DSVL_FORCE_INLINE Lanes keep_in_register(Lanes x) noexcept { return x; }

DSVL_FORCE_INLINE Lanes fma(Lanes a, Lanes b, Lanes c) noexcept { return portable::fma(a, b, c); }
DSVL_FORCE_INLINE Lanes larger(Lanes a, Lanes b) noexcept { return portable::larger(a, b); }
DSVL_FORCE_INLINE float largest(Lanes x) noexcept { return portable::largest(x); }
DSVL_FORCE_INLINE std::uint32_t largest(Bits x) noexcept { return portable::largest(x); }

DSVL_FORCE_INLINE void transpose_4x4(const Lanes (&row)[4], Lanes* columns) noexcept {
  portable::transpose_4x4(row, columns);
}
template <int i>
DSVL_FORCE_INLINE Lanes splat_in_quads(const float* from) noexcept {
  return splat(from[i]);
}
DSVL_FORCE_INLINE Lanes load_quads(const std::byte* from, Index) noexcept {
  return load(reinterpret_cast<const float*>(from));
}

// --- 16-bit floats and integers ------------------------------------------------------------------
DSVL_FORCE_INLINE Lanes load_bf16(const std::byte* from) noexcept {
  const __m128i half = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(from));
  return Lanes(_mm_castsi128_ps(_mm_unpacklo_epi16(_mm_setzero_si128(), half)));
}
DSVL_FORCE_INLINE Lanes load_f16(const std::byte* from) noexcept { return portable::widen_high_f16(load_bf16(from)); }
DSVL_FORCE_INLINE Lanes widen_f16(Bits half) noexcept { return portable::widen_f16(half); }
DSVL_FORCE_INLINE Lanes load_i8(const std::byte* from) noexcept { return portable::load_i8(from); }
DSVL_FORCE_INLINE void store_low_halves(std::byte* to, Bits x) noexcept { portable::store_low_halves(to, x); }
DSVL_FORCE_INLINE void store_low_bytes(std::byte* to, Bits x) noexcept { portable::store_low_bytes(to, x); }
DSVL_FORCE_INLINE Lanes dot_bf16(Lanes a, Lanes b, Lanes sum) noexcept { return portable::dot_bf16(a, b, sum); }

// --- dot products of bytes -----------------------------------------------------------------------
inline constexpr bool kSignedCodes = true, kHasMaddubs = false, kLongDot = true;
template <int bits>
DSVL_FORCE_INLINE Bits dot_bytes(Bits codes, Bits numbers, Bits sum) noexcept {
  const auto even = [](__m128i x) { return _mm_srai_epi16(_mm_slli_epi16(x, 8), 8); };
  const auto odd = [](__m128i x) { return _mm_srai_epi16(x, 8); };
  return Bits(_mm_add_epi32(
      sum, _mm_add_epi32(_mm_madd_epi16(even(codes), even(numbers)), _mm_madd_epi16(odd(codes), odd(numbers)))));
}
DSVL_FORCE_INLINE Bits dot_halves(Bits a, Bits b, Bits sum) noexcept {
  return Bits(_mm_add_epi32(sum, _mm_madd_epi16(a, b)));
}

}  // namespace DSVL_ISA
}  // namespace kernels
DSVL_END_NAMESPACE

#endif  // (defined(__SSE2__) || defined(_M_X64)) && !defined(__AVX__)

#endif  // DSVL_KERNELS_LANES_SSE2_HPP
