// Dot products of bytes: four of them in every lane of 32 bits, exact whatever the bytes are.
#ifndef DSVL_KERNELS_LANES_INT8_HPP
#define DSVL_KERNELS_LANES_INT8_HPP

#include "lanes.hpp"

#if defined(__GNUC__) && !defined(__clang__)  // see lanes.hpp
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

DSVL_BEGIN_NAMESPACE
namespace kernels {
inline namespace DSVL_ISA {

/// The same bits as signed integers.
using Ints = xsimd::batch<std::int32_t>;

DSVL_FORCE_INLINE Bits load_bits(const std::byte* from) noexcept {
  return bits(load(reinterpret_cast<const float*>(from)));
}
DSVL_FORCE_INLINE void store_bits(std::byte* to, Bits x) noexcept { store(reinterpret_cast<float*>(to), from_bits(x)); }
/// Four bytes, to every lane.
DSVL_FORCE_INLINE Bits splat_unit(const std::byte* from) noexcept {
  std::uint32_t unit;
  std::memcpy(&unit, from, sizeof unit);
  return splat_bits(unit);
}
DSVL_FORCE_INLINE Bits hold(Bits x) noexcept { return bits(hold(from_bits(x))); }
/// Signed 32-bit integers as floats.
DSVL_FORCE_INLINE Lanes to_float(Bits x) noexcept { return xsimd::to_float(std::bit_cast<Ints>(x)); }

/// Of numbers below 2^31.
DSVL_FORCE_INLINE Bits larger(Bits a, Bits b) noexcept {
  return std::bit_cast<Bits>((xsimd::max)(std::bit_cast<Ints>(a), std::bit_cast<Ints>(b)));
}
DSVL_FORCE_INLINE std::uint32_t largest(Bits x) noexcept {
#if defined(__AVX512F__)
  return static_cast<std::uint32_t>(_mm512_reduce_max_epi32(x));
#else
  return fold(x, [](std::uint32_t a, std::uint32_t b) { return a < b ? b : a; });
#endif
}

/// Byte `i` of every lane, with its sign.
DSVL_FORCE_INLINE Bits signed_byte(Bits x, int i) noexcept {
  return std::bit_cast<Bits>(std::bit_cast<Ints>(shift_left(x, 24 - 8 * i)) >> 24);
}

/// In every lane: sum + the products of both signed halves of 16 bits. Nobody multiplies -32768 by itself twice.
DSVL_FORCE_INLINE Bits dot_pairs(Bits a, Bits b, Bits sum) noexcept {
#if defined(__AVX512VNNI__) && defined(__AVX512F__)
  return Bits(_mm512_dpwssd_epi32(sum, a, b));
#elif defined(__AVX512BW__)
  return Bits(_mm512_add_epi32(sum, _mm512_madd_epi16(a, b)));
#elif defined(__AVX2__)
  return Bits(_mm256_add_epi32(sum, _mm256_madd_epi16(a, b)));
#elif (defined(__SSE2__) || defined(_M_X64)) && !defined(__AVX__)
  return Bits(_mm_add_epi32(sum, _mm_madd_epi16(a, b)));
#else
  const auto low = [](Bits x) { return std::bit_cast<Ints>(shift_left(x, 16)) >> 16; };
  const auto high = [](Bits x) { return std::bit_cast<Ints>(x) >> 16; };
  return sum + std::bit_cast<Bits>(low(a) * low(b) + high(a) * high(b));
#endif
}

/// In every lane: sum + the four products of codes u (unsigned, below 2^bits) and numbers s (signed, -127 to 127).
///
/// Nothing saturates. Where products are added in pairs of 16 bits, codes have at most 7 bits; where they are added in
/// 32 bits, a lane takes 4 * 255 * 127 a step and the 8 steps of a block stay far from 2^31.
template <int bits>
DSVL_FORCE_INLINE Bits dot(Bits u, Bits s, Bits sum) noexcept {
  static_assert(bits >= 1 && bits <= 8);
  static_assert(bits > 7 || 2 * ((1 << bits) - 1) * 127 <= 32767);
  static_assert(8 * 4 * 255 * 127 < (1 << 30));
#if defined(__AVX512VNNI__) && defined(__AVX512F__)
  return Bits(_mm512_dpbusd_epi32(sum, u, s));
#elif defined(__AVXVNNI__) && defined(__AVX2__) && !defined(__AVX512F__)
  return Bits(_mm256_dpbusd_avx_epi32(sum, u, s));
#elif defined(__AVX512BW__)
  if constexpr (bits <= 7) {
    const __m512i pairs = _mm512_maddubs_epi16(u, s);
    return Bits(_mm512_add_epi32(sum, _mm512_madd_epi16(pairs, _mm512_set1_epi16(1))));
  } else {
    const __m512i even = _mm512_madd_epi16(_mm512_and_si512(u, _mm512_set1_epi16(0xFF)),
                                           _mm512_srai_epi16(_mm512_slli_epi16(s, 8), 8));
    const __m512i odd = _mm512_madd_epi16(_mm512_srli_epi16(u, 8), _mm512_srai_epi16(s, 8));
    return Bits(_mm512_add_epi32(sum, _mm512_add_epi32(even, odd)));
  }
#elif defined(__AVX2__)
  if constexpr (bits <= 7) {
    const __m256i pairs = _mm256_maddubs_epi16(u, s);
    return Bits(_mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1))));
  } else {
    const __m256i even = _mm256_madd_epi16(_mm256_and_si256(u, _mm256_set1_epi16(0xFF)),
                                           _mm256_srai_epi16(_mm256_slli_epi16(s, 8), 8));
    const __m256i odd = _mm256_madd_epi16(_mm256_srli_epi16(u, 8), _mm256_srai_epi16(s, 8));
    return Bits(_mm256_add_epi32(sum, _mm256_add_epi32(even, odd)));
  }
#elif (defined(__SSE2__) || defined(_M_X64)) && !defined(__AVX__)
  const __m128i even = _mm_madd_epi16(_mm_and_si128(u, _mm_set1_epi16(0xFF)), _mm_srai_epi16(_mm_slli_epi16(s, 8), 8));
  const __m128i odd = _mm_madd_epi16(_mm_srli_epi16(u, 8), _mm_srai_epi16(s, 8));
  return Bits(_mm_add_epi32(sum, _mm_add_epi32(even, odd)));
#else
  alignas(64) std::uint32_t codes[kLanes], numbers[kLanes], sums[kLanes];
  u.store_aligned(codes), s.store_aligned(numbers), sum.store_aligned(sums);
  for (Index i = 0; i < kLanes; ++i)
    for (int at = 0; at < 32; at += 8)
      sums[i] += static_cast<std::uint32_t>(static_cast<int>(codes[i] >> at & 0xFF) *
                                            static_cast<std::int8_t>(numbers[i] >> at & 0xFF));
  return Bits::load_aligned(sums);
#endif
}

}  // namespace DSVL_ISA
}  // namespace kernels
DSVL_END_NAMESPACE

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

#endif  // DSVL_KERNELS_LANES_INT8_HPP
