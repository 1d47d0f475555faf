// AVX2: eight floats, and integers as wide. With FMA, F16C and AVX-VNNI where the unit's flags have them.
#ifndef DSVL_KERNELS_LANES_AVX2_HPP
#define DSVL_KERNELS_LANES_AVX2_HPP

#include "avx_floats.hpp"

#if defined(__AVX2__) && !defined(__AVX512F__)

DSVL_BEGIN_NAMESPACE
namespace kernels {
inline namespace DSVL_ISA {

// --- 16-bit floats and integers ------------------------------------------------------------------
DSVL_FORCE_INLINE Lanes load_bf16(const std::byte* from) noexcept {
  const __m128i half = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  return Lanes(_mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(half), 16)));
}
#if defined(__F16C__) || defined(_MSC_VER)  // MSVC has no macro for F16C; every processor with AVX2 has it
DSVL_FORCE_INLINE Lanes load_f16(const std::byte* from) noexcept {
  return Lanes(_mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from))));
}
#else
DSVL_FORCE_INLINE Lanes load_f16(const std::byte* from) noexcept { return portable::widen_high_f16(load_bf16(from)); }
#endif
DSVL_FORCE_INLINE Lanes widen_f16(Bits half) noexcept { return portable::widen_f16(half); }
DSVL_FORCE_INLINE Lanes load_i8(const std::byte* from) noexcept {
  return Lanes(_mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(from)))));
}
DSVL_FORCE_INLINE void store_low_halves(std::byte* to, Bits x) noexcept {
  const __m256i packed = _mm256_permute4x64_epi64(_mm256_packus_epi32(x, x), 0x08);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm256_castsi256_si128(packed));
}
DSVL_FORCE_INLINE void store_low_bytes(std::byte* to, Bits x) noexcept { portable::store_low_bytes(to, x); }
DSVL_FORCE_INLINE Lanes dot_bf16(Lanes a, Lanes b, Lanes sum) noexcept { return portable::dot_bf16(a, b, sum); }

// --- dot products of bytes -----------------------------------------------------------------------
DSVL_FORCE_INLINE Bits dot_halves(Bits a, Bits b, Bits sum) noexcept {
  return Bits(_mm256_add_epi32(sum, _mm256_madd_epi16(a, b)));
}
#if defined(__AVXVNNI__)
inline constexpr bool kSignedCodes = false, kHasMaddubs = false, kLongDot = false;
template <int bits>
DSVL_FORCE_INLINE Bits dot_bytes(Bits codes, Bits numbers, Bits sum) noexcept {
  return Bits(_mm256_dpbusd_avx_epi32(sum, codes, numbers));
}
#else
inline constexpr bool kSignedCodes = true, kHasMaddubs = true, kLongDot = false;
DSVL_FORCE_INLINE Bits maddubs(Bits codes, Bits numbers) noexcept {
  return Bits(_mm256_maddubs_epi16(codes, numbers));
}
template <int bits>
DSVL_FORCE_INLINE Bits dot_bytes(Bits codes, Bits numbers, Bits sum) noexcept {
  static_assert(bits < 8, "a signed code needs magnitudes() and its sign moved to the number");
  return dot_halves(maddubs(codes, numbers), ones16(), sum);
}
DSVL_FORCE_INLINE Bits magnitudes(Bits bytes) noexcept { return Bits(_mm256_abs_epi8(bytes)); }
DSVL_FORCE_INLINE Bits negative_bytes(Bits bytes) noexcept {
  return Bits(_mm256_cmpgt_epi8(_mm256_setzero_si256(), bytes));
}
DSVL_FORCE_INLINE Bits subtract_bytes(Bits a, Bits b) noexcept { return Bits(_mm256_sub_epi8(a, b)); }
#endif

}  // namespace DSVL_ISA
}  // namespace kernels
DSVL_END_NAMESPACE

#endif  // defined(__AVX2__) && !defined(__AVX512F__)

#endif  // DSVL_KERNELS_LANES_AVX2_HPP
