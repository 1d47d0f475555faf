// AVX without AVX2: eight floats, but integers no wider than SSE's.
#ifndef DSVL_KERNELS_LANES_AVX_HPP
#define DSVL_KERNELS_LANES_AVX_HPP

#include "avx_floats.hpp"

#if defined(__AVX__) && !defined(__AVX2__) && !defined(__AVX512F__)

DSVL_BEGIN_NAMESPACE
namespace kernels {
inline namespace DSVL_ISA {

// --- 16-bit floats and integers ------------------------------------------------------------------
DSVL_FORCE_INLINE Lanes load_bf16(const std::byte* from) noexcept {
  const __m128i half = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from)), zero = _mm_setzero_si128();
  const __m128i low = _mm_unpacklo_epi16(zero, half), high = _mm_unpackhi_epi16(zero, half);
  return Lanes(_mm256_insertf128_ps(_mm256_castps128_ps256(_mm_castsi128_ps(low)), _mm_castsi128_ps(high), 1));
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
  return portable::dot_bytes(codes, numbers, sum);
}
DSVL_FORCE_INLINE Bits dot_halves(Bits a, Bits b, Bits sum) noexcept { return portable::dot_halves(a, b, sum); }

}  // namespace DSVL_ISA
}  // namespace kernels
DSVL_END_NAMESPACE

#endif  // defined(__AVX__) && !defined(__AVX2__) && !defined(__AVX512F__)

#endif  // DSVL_KERNELS_LANES_AVX_HPP
