// Dot products of bytes: four of them in every lane of 32 bits, exact whatever the bytes are.
#ifndef DSVL_KERNELS_LANES_BYTES_HPP
#define DSVL_KERNELS_LANES_BYTES_HPP

#include <algorithm>

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
#elif defined(__AVX2__) && !defined(__AVX512F__)
  return Bits(_mm256_add_epi32(sum, _mm256_madd_epi16(a, b)));
#elif (defined(__SSE2__) || defined(_M_X64)) && !defined(__AVX__)
  return Bits(_mm_add_epi32(sum, _mm_madd_epi16(a, b)));
#else
  const auto low = [](Bits x) { return std::bit_cast<Ints>(shift_left(x, 16)) >> 16; };
  const auto high = [](Bits x) { return std::bit_cast<Ints>(x) >> 16; };
  return sum + std::bit_cast<Bits>(low(a) * low(b) + high(a) * high(b));
#endif
}

/// Whether the processor multiplies codes without a sign and adds all four products; else codes of 8 bits have a sign
/// (those of fewer have none either way), and some processors add products two by two, in 16 bits.
#if (defined(__AVX512VNNI__) && defined(__AVX512F__)) || (defined(__AVXVNNI__) && !defined(__AVX512F__))
inline constexpr bool kSignedCodes = false, kHasPairs = false;
#elif defined(__AVX512BW__) || (defined(__AVX2__) && !defined(__AVX512F__))
inline constexpr bool kSignedCodes = true, kHasPairs = true;
#else
inline constexpr bool kSignedCodes = true, kHasPairs = false;
#endif

/// In both halves of every lane: the sum of two products, exact. A code of 8 bits is multiplied by its size, and the
/// number gets its sign.
#if defined(__AVX512BW__)
template <int bits>
DSVL_FORCE_INLINE Bits multiply_pairs(Bits codes, Bits numbers) noexcept {
  static_assert(2 * (bits == 8 ? 128 : (1 << bits) - 1) * 127 <= 32767);
  if constexpr (bits < 8) {
    return Bits(_mm512_maddubs_epi16(codes, numbers));
  } else {
    const __m512i turned =
        _mm512_mask_sub_epi8(numbers, _mm512_movepi8_mask(codes), _mm512_setzero_si512(), numbers);
    return Bits(_mm512_maddubs_epi16(_mm512_abs_epi8(codes), turned));
  }
}
#elif defined(__AVX2__) && !defined(__AVX512F__)
template <int bits>
DSVL_FORCE_INLINE Bits multiply_pairs(Bits codes, Bits numbers) noexcept {
  static_assert(2 * (bits == 8 ? 128 : (1 << bits) - 1) * 127 <= 32767);
  if constexpr (bits < 8) return Bits(_mm256_maddubs_epi16(codes, numbers));
  else return Bits(_mm256_maddubs_epi16(_mm256_abs_epi8(codes), _mm256_sign_epi8(numbers, codes)));
}
#else
template <int bits>
Bits multiply_pairs(Bits codes, Bits numbers) noexcept = delete;
#endif
/// How many of them can be added in 16 bits, up to the eight units of a span.
template <int bits>
inline constexpr int kPairs = !kHasPairs || bits == 8 ? 1 : std::min<int>(8, 32767 / (2 * ((1 << bits) - 1) * 127));
DSVL_FORCE_INLINE Bits widen_pairs(Bits pairs, Bits sum) noexcept {
  return dot_pairs(pairs, splat_bits(0x00010001u), sum);
}

/// In every lane: sum + the four products of codes u (of `bits`, see kSignedCodes) and numbers s (-127 to 127).
///
/// Nothing saturates. Where products are added in 16 bits, see multiply_pairs and kPairs; where in 32, a lane takes
/// 4 * 255 * 127 a step, and the 8 steps of a span stay far from 2^31.
template <int bits>
DSVL_FORCE_INLINE Bits dot(Bits u, Bits s, Bits sum) noexcept {
  static_assert(bits >= 1 && bits <= 8);
  static_assert(8 * 4 * 255 * 127 < (1 << 30));
#if defined(__AVX512VNNI__) && defined(__AVX512F__)
  return Bits(_mm512_dpbusd_epi32(sum, u, s));
#elif defined(__AVXVNNI__) && !defined(__AVX512F__)
  return Bits(_mm256_dpbusd_avx_epi32(sum, u, s));
#elif defined(__AVX512BW__) || (defined(__AVX2__) && !defined(__AVX512F__))
  return widen_pairs(multiply_pairs<bits>(u, s), sum);
#elif (defined(__SSE2__) || defined(_M_X64)) && !defined(__AVX__)
  const auto even = [](__m128i x) { return _mm_srai_epi16(_mm_slli_epi16(x, 8), 8); };
  const auto odd = [](__m128i x) { return _mm_srai_epi16(x, 8); };
  return Bits(_mm_add_epi32(
      sum, _mm_add_epi32(_mm_madd_epi16(even(u), even(s)), _mm_madd_epi16(odd(u), odd(s)))));
#elif defined(__ARM_FEATURE_DOTPROD) && defined(__aarch64__)
  const int32x4_t dots = vdotq_s32(vreinterpretq_s32_u32(sum), vreinterpretq_s8_u32(u), vreinterpretq_s8_u32(s));
  return Bits(vreinterpretq_u32_s32(dots));
#elif defined(__aarch64__)
  const int8x16_t codes = vreinterpretq_s8_u32(u), numbers = vreinterpretq_s8_u32(s);
  const int32x4_t low = vpaddlq_s16(vmull_s8(vget_low_s8(codes), vget_low_s8(numbers)));
  const int32x4_t high = vpaddlq_s16(vmull_high_s8(codes, numbers));
  return sum + Bits(vreinterpretq_u32_s32(vpaddq_s32(low, high)));
#else
  alignas(64) std::uint32_t codes[kLanes], numbers[kLanes], sums[kLanes];
  u.store_aligned(codes), s.store_aligned(numbers), sum.store_aligned(sums);
  for (Index i = 0; i < kLanes; ++i)
    for (int at = 0; at < 32; at += 8)
      sums[i] += static_cast<std::uint32_t>(static_cast<std::int8_t>(codes[i] >> at & 0xFF) *
                                            static_cast<std::int8_t>(numbers[i] >> at & 0xFF));
  return Bits::load_aligned(sums);
#endif
}

/// The same for unit `unit` of a span, where kHasPairs: sums of pairs stay in 16 bits, in `pairs`, as long as they fit.
template <int bits, int unit>
DSVL_FORCE_INLINE void add_dot(Bits codes, Bits numbers, Bits& pairs, Bits& sum) noexcept {
  using Halves = xsimd::batch<std::uint16_t>;
  // Sums are held, since GCC would add them as trees, and spill those.
  const Bits two = multiply_pairs<bits>(codes, numbers);
  if constexpr (unit % kPairs<bits> == 0) pairs = two;
  else pairs = hold(std::bit_cast<Bits>(std::bit_cast<Halves>(pairs) + std::bit_cast<Halves>(two)));
  if constexpr (unit % kPairs<bits> == kPairs<bits> - 1) sum = hold(widen_pairs(pairs, sum));
}

}  // namespace DSVL_ISA
}  // namespace kernels
DSVL_END_NAMESPACE

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

#endif  // DSVL_KERNELS_LANES_BYTES_HPP
