// AVX-512 (F; BW, DQ and VL): 16 floats. With VNNI and BF16 where the unit's flags have them.
#ifndef DSVL_KERNELS_LANES_AVX512_HPP
#define DSVL_KERNELS_LANES_AVX512_HPP

#include "portable.hpp"

#if defined(__AVX512F__)

#if defined(__GNUC__) && !defined(__clang__)  // GCC 12 warns about its own AVX-512 header (PR 105593)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

DSVL_BEGIN_NAMESPACE
namespace kernels {
inline namespace DSVL_ISA {

// --- floats --------------------------------------------------------------------------------------
DSVL_FORCE_INLINE Lanes load(const float* from, Index n) noexcept {
  return Lanes(_mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << n) - 1u), from));
}
DSVL_FORCE_INLINE void store(float* to, Lanes x, Index n) noexcept {
  _mm512_mask_storeu_ps(to, static_cast<__mmask16>((1u << n) - 1u), x);
}
DSVL_FORCE_INLINE Lanes keep_in_register(Lanes x) noexcept {
  __m512 kept = x;
  DSVL_KEEP_IN_REGISTER("v", kept);
  return Lanes(kept);
}

DSVL_FORCE_INLINE Lanes fma(Lanes a, Lanes b, Lanes c) noexcept {
  return Lanes(_mm512_fmadd_ps(a, b, c));  // xsimd 8.1 multiplies and adds here
}
DSVL_FORCE_INLINE Lanes larger(Lanes a, Lanes b) noexcept {
  return Lanes(_mm512_max_ps(b, a));  // returns its second operand for a NaN; the compiler does not see it in a select
}
DSVL_FORCE_INLINE float largest(Lanes x) noexcept { return _mm512_reduce_max_ps(x); }
DSVL_FORCE_INLINE std::uint32_t largest(Bits x) noexcept {
  return static_cast<std::uint32_t>(_mm512_reduce_max_epi32(x));
}

DSVL_FORCE_INLINE void transpose_4x4(const Lanes (&row)[4], Lanes* columns) noexcept {
  const __m512 a = _mm512_unpacklo_ps(row[0], row[1]), b = _mm512_unpackhi_ps(row[0], row[1]);
  const __m512 c = _mm512_unpacklo_ps(row[2], row[3]), d = _mm512_unpackhi_ps(row[2], row[3]);
  columns[0] = Lanes(_mm512_shuffle_ps(a, c, 0x44)), columns[1] = Lanes(_mm512_shuffle_ps(a, c, 0xEE));
  columns[2] = Lanes(_mm512_shuffle_ps(b, d, 0x44)), columns[3] = Lanes(_mm512_shuffle_ps(b, d, 0xEE));
}
template <int i>
DSVL_FORCE_INLINE Lanes splat_in_quads(const float* from) noexcept {
  return Lanes(_mm512_permute_ps(_mm512_loadu_ps(from), i * 0x55));
}
DSVL_FORCE_INLINE Lanes load_quads(const std::byte* from, Index stride) noexcept {
  const auto row = [&](int i) { return reinterpret_cast<const float*>(from + i * stride); };
  __m512 four = _mm512_castps128_ps512(_mm_loadu_ps(row(0)));
  four = _mm512_mask_broadcast_f32x4(four, 0x00F0, _mm_loadu_ps(row(1)));
  four = _mm512_mask_broadcast_f32x4(four, 0x0F00, _mm_loadu_ps(row(2)));
  return Lanes(_mm512_mask_broadcast_f32x4(four, 0xF000, _mm_loadu_ps(row(3))));
}

// --- 16-bit floats and integers ------------------------------------------------------------------
DSVL_FORCE_INLINE Lanes load_bf16(const std::byte* from) noexcept {
  const __m256i half = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
  return Lanes(_mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(half), 16)));
}
DSVL_FORCE_INLINE Lanes load_f16(const std::byte* from) noexcept {
  return Lanes(_mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from))));
}
DSVL_FORCE_INLINE Lanes widen_f16(Bits half) noexcept { return Lanes(_mm512_cvtph_ps(_mm512_cvtepi32_epi16(half))); }
DSVL_FORCE_INLINE Lanes load_i8(const std::byte* from) noexcept {
  return Lanes(_mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)))));
}
DSVL_FORCE_INLINE void store_low_halves(std::byte* to, Bits x) noexcept {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm512_cvtepi32_epi16(x));
}
DSVL_FORCE_INLINE void store_low_bytes(std::byte* to, Bits x) noexcept {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm512_maskz_cvtepi32_epi8(0xFFFF, x));  // GCC warns without mask
}
#if defined(__AVX512BF16__)
DSVL_FORCE_INLINE Lanes dot_bf16(Lanes a, Lanes b, Lanes sum) noexcept {
  const __m512 x = a, w = b;
  return Lanes(_mm512_dpbf16_ps(sum, dsvl::bit_cast<__m512bh>(x), dsvl::bit_cast<__m512bh>(w)));
}
#else
DSVL_FORCE_INLINE Lanes dot_bf16(Lanes a, Lanes b, Lanes sum) noexcept {
  using portable::widen_bf16;
  return fma(widen_bf16<1>(a), widen_bf16<1>(b), fma(widen_bf16<0>(a), widen_bf16<0>(b), sum));
}
#endif

// --- dot products of bytes -----------------------------------------------------------------------
#if defined(__AVX512VNNI__)
inline constexpr bool kSignedCodes = false, kHasMaddubs = false, kLongDot = false;
template <int bits>
DSVL_FORCE_INLINE Bits dot_bytes(Bits codes, Bits numbers, Bits sum) noexcept {
  return Bits(_mm512_dpbusd_epi32(sum, codes, numbers));
}
DSVL_FORCE_INLINE Bits dot_halves(Bits a, Bits b, Bits sum) noexcept { return Bits(_mm512_dpwssd_epi32(sum, a, b)); }
#elif defined(__AVX512BW__)
inline constexpr bool kSignedCodes = true, kHasMaddubs = true, kLongDot = false;
DSVL_FORCE_INLINE Bits maddubs(Bits codes, Bits numbers) noexcept {
  return Bits(_mm512_maddubs_epi16(codes, numbers));
}
template <int bits>
DSVL_FORCE_INLINE Bits dot_bytes(Bits codes, Bits numbers, Bits sum) noexcept {
  static_assert(bits < 8, "a signed code needs magnitudes() and its sign moved to the number");
  return dot_halves(maddubs(codes, numbers), ones16(), sum);
}
DSVL_FORCE_INLINE Bits magnitudes(Bits bytes) noexcept { return Bits(_mm512_abs_epi8(bytes)); }
DSVL_FORCE_INLINE Bits negative_bytes(Bits bytes) noexcept {
  return Bits(_mm512_movm_epi8(_mm512_movepi8_mask(bytes)));
}
DSVL_FORCE_INLINE Bits subtract_bytes(Bits a, Bits b) noexcept { return Bits(_mm512_sub_epi8(a, b)); }
DSVL_FORCE_INLINE Bits dot_halves(Bits a, Bits b, Bits sum) noexcept {
  return Bits(_mm512_add_epi32(sum, _mm512_madd_epi16(a, b)));
}
#else  // Knights Landing
inline constexpr bool kSignedCodes = true, kHasMaddubs = false, kLongDot = true;
template <int bits>
DSVL_FORCE_INLINE Bits dot_bytes(Bits codes, Bits numbers, Bits sum) noexcept {
  return portable::dot_bytes(codes, numbers, sum);
}
DSVL_FORCE_INLINE Bits dot_halves(Bits a, Bits b, Bits sum) noexcept { return portable::dot_halves(a, b, sum); }
#endif

}  // namespace DSVL_ISA
}  // namespace kernels
DSVL_END_NAMESPACE

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

#endif  // defined(__AVX512F__)

#endif  // DSVL_KERNELS_LANES_AVX512_HPP
