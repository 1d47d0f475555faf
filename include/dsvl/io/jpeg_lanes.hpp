// Eight 16-bit integers in a register, with the operations that decoding JPEG needs.
//
// The results of jpeg_dct.hpp, jpeg_upsample.hpp and jpeg_colors.hpp are fixed to the bit, so the three implementations
// (SSE2, NEON, plain) give the same numbers: sums wrap, products are exact in 32 bits, narrowing saturates. Eight lanes
// are a row of a JPEG block, and every x86-64 and 64-bit Arm processor has them. kernels/lanes/lanes.hpp, which has as
// many lanes as the processor, serves the floats of a model.
//
//   load              eight int16, or eight bytes widened to int16; at any address
//   store             eight int16, or eight bytes clamped to 0..255; at any address
//   splat             one number in all lanes
//   shift_right       arithmetic shift of each lane by kBits
//   scale(a, k)       (a * k + 2^15) >> 16 without loss; 2 * a has to fit 16 bits
//   weigh(a, b, …)    a * ka + b * kb in 32 bits; both factors fit 16 bits
//   widen_by_13       a * 2^13 in 32 bits
//   narrow            (a + 2^(kBits - 1)) >> kBits, clamped to 16 bits
//   store_zipped      sixteen bytes: a0 b0 a1 b1 …, clamped to 0..255
//   store_pixels      eight pixels of r, g, b, clamped; writes 26 bytes, the last two of which are garbage
//   transpose         rows of an 8 x 8 block become columns
#ifndef DSVL_IO_JPEG_LANES_HPP
#define DSVL_IO_JPEG_LANES_HPP

#include <cstdint>
#include <cstring>

#include "../base/config.hpp"

// Both instruction sets are part of the base of their processors, so nothing has to be detected when the program runs.
#if !DSVL_SCALAR && (defined(__SSE2__) || defined(_M_X64))
#include <emmintrin.h>
#define DSVL_JPEG_SSE2
#elif !DSVL_SCALAR && (defined(__ARM_NEON) || defined(_M_ARM64))
#include <arm_neon.h>
#define DSVL_JPEG_NEON
#endif

DSVL_BEGIN_NAMESPACE
namespace jpeg {

#if defined(DSVL_JPEG_SSE2)

// --- SSE2 --------------------------------------------------------------------------------------

struct Int16x8 { __m128i v; };          ///< eight 16-bit integers
struct Int32x8 { __m128i low, high; };  ///< eight 32-bit integers: lanes 0 to 3, and 4 to 7

DSVL_FORCE_INLINE Int16x8 load(const std::int16_t* from) noexcept {
  return {_mm_loadu_si128(reinterpret_cast<const __m128i*>(from))};
}
DSVL_FORCE_INLINE void store(std::int16_t* to, Int16x8 a) noexcept {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), a.v);
}
DSVL_FORCE_INLINE Int16x8 load(const std::uint8_t* from) noexcept {
  return {_mm_unpacklo_epi8(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(from)), _mm_setzero_si128())};
}
DSVL_FORCE_INLINE Int16x8 splat(int x) noexcept { return {_mm_set1_epi16(static_cast<short>(x))}; }
DSVL_FORCE_INLINE Int16x8 operator+(Int16x8 a, Int16x8 b) noexcept { return {_mm_add_epi16(a.v, b.v)}; }
DSVL_FORCE_INLINE Int16x8 operator-(Int16x8 a, Int16x8 b) noexcept { return {_mm_sub_epi16(a.v, b.v)}; }
template <int kBits>
DSVL_FORCE_INLINE Int16x8 shift_right(Int16x8 a) noexcept { return {_mm_srai_epi16(a.v, kBits)}; }
/// The high half of 2 * a * k is a * k >> 15, so that rounding needs one addition and a shift.
DSVL_FORCE_INLINE Int16x8 scale(Int16x8 a, int k) noexcept {
  return shift_right<1>(Int16x8{_mm_mulhi_epi16(_mm_add_epi16(a.v, a.v), splat(k).v)} + splat(1));
}
/// Interleaving a and b lets one instruction multiply both and add the products.
DSVL_FORCE_INLINE Int32x8 weigh(Int16x8 a, Int16x8 b, int ka, int kb) noexcept {
  const auto pair = static_cast<std::uint32_t>(kb & 0xFFFF) << 16 | static_cast<std::uint32_t>(ka & 0xFFFF);
  const __m128i k = _mm_set1_epi32(static_cast<int>(pair));
  return {_mm_madd_epi16(_mm_unpacklo_epi16(a.v, b.v), k), _mm_madd_epi16(_mm_unpackhi_epi16(a.v, b.v), k)};
}
/// Interleaving with zeros gives a * 2^16; the arithmetic shift takes it to a * 2^13.
DSVL_FORCE_INLINE Int32x8 widen_by_13(Int16x8 a) noexcept {
  const __m128i zero = _mm_setzero_si128();
  return {_mm_srai_epi32(_mm_unpacklo_epi16(zero, a.v), 3), _mm_srai_epi32(_mm_unpackhi_epi16(zero, a.v), 3)};
}
DSVL_FORCE_INLINE Int32x8 operator+(Int32x8 a, Int32x8 b) noexcept {
  return {_mm_add_epi32(a.low, b.low), _mm_add_epi32(a.high, b.high)};
}
DSVL_FORCE_INLINE Int32x8 operator-(Int32x8 a, Int32x8 b) noexcept {
  return {_mm_sub_epi32(a.low, b.low), _mm_sub_epi32(a.high, b.high)};
}
template <int kBits>
DSVL_FORCE_INLINE Int16x8 narrow(Int32x8 a) noexcept {
  const __m128i half = _mm_set1_epi32(1 << (kBits - 1));
  return {_mm_packs_epi32(_mm_srai_epi32(_mm_add_epi32(a.low, half), kBits),
                          _mm_srai_epi32(_mm_add_epi32(a.high, half), kBits))};
}
DSVL_FORCE_INLINE void store(std::uint8_t* to, Int16x8 a) noexcept {
  _mm_storel_epi64(reinterpret_cast<__m128i*>(to), _mm_packus_epi16(a.v, a.v));
}
DSVL_FORCE_INLINE void store_zipped(std::uint8_t* to, Int16x8 a, Int16x8 b) noexcept {
  const __m128i bytes_a = _mm_packus_epi16(a.v, a.v), bytes_b = _mm_packus_epi16(b.v, b.v);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm_unpacklo_epi8(bytes_a, bytes_b));
}
/// SSE2 has no byte shuffle, so pixels are packed from four bytes to three in 64-bit registers, two at a time.
DSVL_FORCE_INLINE void store_pixels(std::uint8_t* to, Int16x8 r, Int16x8 g, Int16x8 b) noexcept {
  const __m128i rg = _mm_unpacklo_epi8(_mm_packus_epi16(r.v, r.v), _mm_packus_epi16(g.v, g.v));
  const __m128i b0 = _mm_unpacklo_epi8(_mm_packus_epi16(b.v, b.v), _mm_setzero_si128());
  const __m128i four[2] = {_mm_unpacklo_epi16(rg, b0), _mm_unpackhi_epi16(rg, b0)};
  for (int i = 0; i < 2; ++i, to += 12) {
    std::uint64_t two[2];  // each holds two pixels of four bytes
    std::memcpy(two, &four[i], sizeof two);
    for (int j = 0; j < 2; ++j) {
      const std::uint64_t packed = (two[j] & 0xFFFFFFu) | (two[j] >> 8 & 0xFFFFFF000000u);
      std::memcpy(to + 6 * j, &packed, sizeof packed);
    }
  }
}
/// Three rounds of interleaving: pairs of lanes, then of twos, then of fours.
DSVL_FORCE_INLINE void transpose(Int16x8 (&r)[8]) noexcept {
  __m128i a[8], b[8];
  for (int i = 0; i < 4; ++i) {
    a[2 * i] = _mm_unpacklo_epi16(r[2 * i].v, r[2 * i + 1].v);
    a[2 * i + 1] = _mm_unpackhi_epi16(r[2 * i].v, r[2 * i + 1].v);
  }
  for (int i = 0; i < 2; ++i)
    for (int j = 0; j < 2; ++j) {
      b[4 * i + 2 * j] = _mm_unpacklo_epi32(a[4 * i + j], a[4 * i + j + 2]);
      b[4 * i + 2 * j + 1] = _mm_unpackhi_epi32(a[4 * i + j], a[4 * i + j + 2]);
    }
  for (int i = 0; i < 4; ++i) {
    r[2 * i].v = _mm_unpacklo_epi64(b[i], b[i + 4]);
    r[2 * i + 1].v = _mm_unpackhi_epi64(b[i], b[i + 4]);
  }
}

#elif defined(DSVL_JPEG_NEON)

// --- NEON --------------------------------------------------------------------------------------

struct Int16x8 { int16x8_t v; };          ///< eight 16-bit integers
struct Int32x8 { int32x4_t low, high; };  ///< eight 32-bit integers: lanes 0 to 3, and 4 to 7

DSVL_FORCE_INLINE Int16x8 load(const std::int16_t* from) noexcept { return {vld1q_s16(from)}; }
DSVL_FORCE_INLINE void store(std::int16_t* to, Int16x8 a) noexcept { vst1q_s16(to, a.v); }
DSVL_FORCE_INLINE Int16x8 load(const std::uint8_t* from) noexcept {
  return {vreinterpretq_s16_u16(vmovl_u8(vld1_u8(from)))};
}
DSVL_FORCE_INLINE Int16x8 splat(int x) noexcept { return {vdupq_n_s16(static_cast<std::int16_t>(x))}; }
DSVL_FORCE_INLINE Int16x8 operator+(Int16x8 a, Int16x8 b) noexcept { return {vaddq_s16(a.v, b.v)}; }
DSVL_FORCE_INLINE Int16x8 operator-(Int16x8 a, Int16x8 b) noexcept { return {vsubq_s16(a.v, b.v)}; }
template <int kBits>
DSVL_FORCE_INLINE Int16x8 shift_right(Int16x8 a) noexcept { return {vshrq_n_s16(a.v, kBits)}; }
DSVL_FORCE_INLINE Int16x8 scale(Int16x8 a, int k) noexcept {
  return shift_right<1>(Int16x8{vqdmulhq_n_s16(a.v, static_cast<std::int16_t>(k))} + splat(1));
}
DSVL_FORCE_INLINE Int32x8 weigh(Int16x8 a, Int16x8 b, int ka, int kb) noexcept {
  const auto x = static_cast<std::int16_t>(ka), y = static_cast<std::int16_t>(kb);
  return {vmlal_n_s16(vmull_n_s16(vget_low_s16(a.v), x), vget_low_s16(b.v), y),
          vmlal_n_s16(vmull_n_s16(vget_high_s16(a.v), x), vget_high_s16(b.v), y)};
}
DSVL_FORCE_INLINE Int32x8 widen_by_13(Int16x8 a) noexcept {
  return {vshll_n_s16(vget_low_s16(a.v), 13), vshll_n_s16(vget_high_s16(a.v), 13)};
}
DSVL_FORCE_INLINE Int32x8 operator+(Int32x8 a, Int32x8 b) noexcept {
  return {vaddq_s32(a.low, b.low), vaddq_s32(a.high, b.high)};
}
DSVL_FORCE_INLINE Int32x8 operator-(Int32x8 a, Int32x8 b) noexcept {
  return {vsubq_s32(a.low, b.low), vsubq_s32(a.high, b.high)};
}
template <int kBits>
DSVL_FORCE_INLINE Int16x8 narrow(Int32x8 a) noexcept {
  // The half is added separately, because a rounding shift would not wrap like the other implementations.
  const int32x4_t half = vdupq_n_s32(1 << (kBits - 1));
  return {vcombine_s16(vqmovn_s32(vshrq_n_s32(vaddq_s32(a.low, half), kBits)),
                       vqmovn_s32(vshrq_n_s32(vaddq_s32(a.high, half), kBits)))};
}
DSVL_FORCE_INLINE void store(std::uint8_t* to, Int16x8 a) noexcept { vst1_u8(to, vqmovun_s16(a.v)); }
DSVL_FORCE_INLINE void store_zipped(std::uint8_t* to, Int16x8 a, Int16x8 b) noexcept {
  vst2_u8(to, uint8x8x2_t{{vqmovun_s16(a.v), vqmovun_s16(b.v)}});
}
DSVL_FORCE_INLINE void store_pixels(std::uint8_t* to, Int16x8 r, Int16x8 g, Int16x8 b) noexcept {
  vst3_u8(to, uint8x8x3_t{{vqmovun_s16(r.v), vqmovun_s16(g.v), vqmovun_s16(b.v)}});
}
DSVL_FORCE_INLINE void transpose(Int16x8 (&r)[8]) noexcept {
  int32x4x2_t pairs[4];  // interleaves twos of rows 0 and 2, 1 and 3, 4 and 6, 5 and 7
  int16x8x2_t twos[4];
  for (int i = 0; i < 4; ++i) twos[i] = vtrnq_s16(r[2 * i].v, r[2 * i + 1].v);
  for (int i = 0; i < 2; ++i)
    for (int j = 0; j < 2; ++j)
      pairs[2 * i + j] =
          vtrnq_s32(vreinterpretq_s32_s16(twos[2 * i].val[j]), vreinterpretq_s32_s16(twos[2 * i + 1].val[j]));
  for (int j = 0; j < 2; ++j)
    for (int k = 0; k < 2; ++k) {
      const int32x4_t top = pairs[j].val[k], bottom = pairs[2 + j].val[k];
      r[2 * k + j].v = vreinterpretq_s16_s32(vcombine_s32(vget_low_s32(top), vget_low_s32(bottom)));
      r[2 * k + j + 4].v = vreinterpretq_s16_s32(vcombine_s32(vget_high_s32(top), vget_high_s32(bottom)));
    }
}

#else

// --- plain C++ ---------------------------------------------------------------------------------

struct Int16x8 { std::int16_t v[8]; };   ///< eight 16-bit integers
struct Int32x8 { std::uint32_t v[8]; };  ///< eight 32-bit integers; unsigned, because sums wrap

/// Lanes made one by one.
template <class Make>
DSVL_FORCE_INLINE Int16x8 each(const Make& make) noexcept {
  Int16x8 out;
  for (int i = 0; i < 8; ++i) out.v[i] = static_cast<std::int16_t>(make(i));
  return out;
}
/// Lanes of 32 bits made one by one.
template <class Make>
DSVL_FORCE_INLINE Int32x8 each_wide(const Make& make) noexcept {
  Int32x8 out;
  for (int i = 0; i < 8; ++i) out.v[i] = make(i);
  return out;
}
/// Clamps to 0..255.
DSVL_FORCE_INLINE std::uint8_t to_byte(int x) noexcept {
  return static_cast<std::uint8_t>(x < 0 ? 0 : x > 255 ? 255 : x);
}

DSVL_FORCE_INLINE Int16x8 load(const std::int16_t* from) noexcept { return each([&](int i) { return from[i]; }); }
DSVL_FORCE_INLINE void store(std::int16_t* to, Int16x8 a) noexcept { std::memcpy(to, a.v, sizeof a.v); }
DSVL_FORCE_INLINE Int16x8 load(const std::uint8_t* from) noexcept { return each([&](int i) { return from[i]; }); }
DSVL_FORCE_INLINE Int16x8 splat(int x) noexcept { return each([&](int) { return x; }); }
DSVL_FORCE_INLINE Int16x8 operator+(Int16x8 a, Int16x8 b) noexcept {
  return each([&](int i) { return a.v[i] + b.v[i]; });
}
DSVL_FORCE_INLINE Int16x8 operator-(Int16x8 a, Int16x8 b) noexcept {
  return each([&](int i) { return a.v[i] - b.v[i]; });
}
template <int kBits>
DSVL_FORCE_INLINE Int16x8 shift_right(Int16x8 a) noexcept { return each([&](int i) { return a.v[i] >> kBits; }); }
DSVL_FORCE_INLINE Int16x8 scale(Int16x8 a, int k) noexcept {
  return each([&](int i) { return (a.v[i] * k + (1 << 15)) >> 16; });
}
DSVL_FORCE_INLINE Int32x8 weigh(Int16x8 a, Int16x8 b, int ka, int kb) noexcept {
  const auto times = [](std::int16_t x, int k) { return static_cast<std::uint32_t>(x * k); };
  return each_wide([&](int i) { return times(a.v[i], ka) + times(b.v[i], kb); });
}
DSVL_FORCE_INLINE Int32x8 widen_by_13(Int16x8 a) noexcept {
  return each_wide([&](int i) { return static_cast<std::uint32_t>(a.v[i] * (1 << 13)); });
}
DSVL_FORCE_INLINE Int32x8 operator+(Int32x8 a, Int32x8 b) noexcept {
  return each_wide([&](int i) { return a.v[i] + b.v[i]; });
}
DSVL_FORCE_INLINE Int32x8 operator-(Int32x8 a, Int32x8 b) noexcept {
  return each_wide([&](int i) { return a.v[i] - b.v[i]; });
}
template <int kBits>
DSVL_FORCE_INLINE Int16x8 narrow(Int32x8 a) noexcept {
  return each([&](int i) {
    const std::int32_t x = static_cast<std::int32_t>(a.v[i] + (1u << (kBits - 1))) >> kBits;
    return x < -32768 ? -32768 : x > 32767 ? 32767 : x;
  });
}
DSVL_FORCE_INLINE void store(std::uint8_t* to, Int16x8 a) noexcept {
  for (int i = 0; i < 8; ++i) to[i] = to_byte(a.v[i]);
}
DSVL_FORCE_INLINE void store_zipped(std::uint8_t* to, Int16x8 a, Int16x8 b) noexcept {
  for (int i = 0; i < 8; ++i) to[2 * i] = to_byte(a.v[i]), to[2 * i + 1] = to_byte(b.v[i]);
}
DSVL_FORCE_INLINE void store_pixels(std::uint8_t* to, Int16x8 r, Int16x8 g, Int16x8 b) noexcept {
  for (int i = 0; i < 8; ++i, to += 3) to[0] = to_byte(r.v[i]), to[1] = to_byte(g.v[i]), to[2] = to_byte(b.v[i]);
}
DSVL_FORCE_INLINE void transpose(Int16x8 (&r)[8]) noexcept {
  for (int i = 0; i < 8; ++i)
    for (int j = 0; j < i; ++j) {
      const std::int16_t x = r[i].v[j];
      r[i].v[j] = r[j].v[i];
      r[j].v[i] = x;
    }
}

#endif

}  // namespace jpeg
DSVL_END_NAMESPACE

#undef DSVL_JPEG_SSE2
#undef DSVL_JPEG_NEON

#endif  // DSVL_IO_JPEG_LANES_HPP
