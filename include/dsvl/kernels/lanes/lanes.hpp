// Lanes: one register of floats, and the few operations that the kernels are written in.
//
// What xsimd 8.1 lacks or what changed its name since (fixed-order sums, half loads, partial loads, bit casts) is
// covered here once; the kernels use nothing else of xsimd, and none of the compiler's intrinsics. The width is that of
// the translation unit's flags; DSVL_ISA keeps units of different widths apart.
#ifndef DSVL_KERNELS_LANES_LANES_HPP
#define DSVL_KERNELS_LANES_LANES_HPP

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>
#include <xsimd/xsimd.hpp>

#include "../../base/half.hpp"
#include "../../base/view.hpp"

#if defined(__GNUC__) && !defined(__clang__)  // GCC 12 warns about its own AVX-512 header (PR 105593)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

DSVL_BEGIN_NAMESPACE
namespace kernels {
inline namespace DSVL_ISA {

using Lanes = xsimd::batch<float>;
using Bits = xsimd::batch<std::uint32_t>;  ///< the same register as integers
using Mask = xsimd::batch_bool<float>;

inline constexpr Index kLanes = static_cast<Index>(Lanes::size);
/// Registers the compiler has: it decides how large a block of sums can be.
#if defined(__AVX512F__) || defined(__aarch64__) || defined(_M_ARM64)
inline constexpr int kRegisters = 32;
#else
inline constexpr int kRegisters = 16;
#endif

// A function rather than a lambda inside `unroll`: GCC would not always inline that, and the arrays would go to memory.
template <class F, int... i>
DSVL_FORCE_INLINE void call_each(F& f, std::integer_sequence<int, i...>) noexcept {
  (f(std::integral_constant<int, i>{}), ...);
}
/// Calls f(0), …, f(n - 1) with constants: the loop is gone at compile time, so that arrays of Lanes stay in registers.
template <int n, class F>
DSVL_FORCE_INLINE void unroll(F&& f) noexcept {
  call_each(f, std::make_integer_sequence<int, n>{});
}

/// f(count) with `count` (from 1 to `most`) as a constant.
template <int most, class F>
DSVL_FORCE_INLINE void with_count(int count, F&& f) noexcept {
  if constexpr (most > 1) {
    if (count < most) return with_count<most - 1>(count, f);
  }
  f(std::integral_constant<int, most>{});
}
/// f(count, first) for blocks of at most `most` rows, of equal height: a low one at the end would waste loads.
template <int most, class F>
DSVL_FORCE_INLINE void each_block(Index rows, F&& f) noexcept {
  const Index blocks = ceil_div(rows, most);
  for (Index b = 0; b < blocks; ++b) {
    const Index first = rows * b / blocks;
    with_count<most>(static_cast<int>(rows * (b + 1) / blocks - first), [&](auto count) { f(count, first); });
  }
}

// --- whole and partial registers -----------------------------------------------------------------
DSVL_FORCE_INLINE Lanes splat(float x) noexcept { return Lanes(x); }
DSVL_FORCE_INLINE Lanes load(const float* from) noexcept { return Lanes::load_unaligned(from); }
DSVL_FORCE_INLINE void store(float* to, Lanes x) noexcept { x.store_unaligned(to); }
/// 0, 1, 2, …
DSVL_FORCE_INLINE Lanes iota() noexcept {
  alignas(64) constexpr float kCount[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  static_assert(kLanes <= 16);
  return load(kCount);
}

#if defined(__AVX__) && !defined(__AVX512F__)
/// All bits of the first n lanes.
DSVL_FORCE_INLINE __m256i first_lanes(Index n) noexcept {
  alignas(64) static constexpr std::int32_t kOnes[16] = {-1, -1, -1, -1, -1, -1, -1, -1};
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(kOnes + 8 - n));
}
#endif

/// The first n lanes (0 < n < kLanes) from memory, the others zero; nothing behind the n is touched.
DSVL_FORCE_INLINE Lanes load(const float* from, Index n) noexcept {
#if defined(__AVX512F__)
  return Lanes(_mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << n) - 1u), from));
#elif defined(__AVX__)
  return Lanes(_mm256_maskload_ps(from, first_lanes(n)));
#else
  alignas(64) float part[kLanes] = {};
  std::memcpy(part, from, static_cast<std::size_t>(n) * sizeof(float));
  return load(part);
#endif
}
DSVL_FORCE_INLINE void store(float* to, Lanes x, Index n) noexcept {
#if defined(__AVX512F__)
  _mm512_mask_storeu_ps(to, static_cast<__mmask16>((1u << n) - 1u), x);
#elif defined(__AVX__)
  _mm256_maskstore_ps(to, first_lanes(n), x);
#else
  alignas(64) float part[kLanes];
  store(part, x);
  std::memcpy(to, part, static_cast<std::size_t>(n) * sizeof(float));
#endif
}

/// A whole register at element i, or its first n lanes: what `sweep` hands to a loop's body.
struct Whole {
  Index i;
  DSVL_FORCE_INLINE Lanes load(const float* x) const noexcept { return kernels::load(x + i); }
  DSVL_FORCE_INLINE void store(float* x, Lanes value) const noexcept { kernels::store(x + i, value); }
};
struct Part {
  Index i, n;
  DSVL_FORCE_INLINE Lanes load(const float* x) const noexcept { return kernels::load(x + i, n); }
  DSVL_FORCE_INLINE void store(float* x, Lanes value) const noexcept { kernels::store(x + i, value, n); }
};

/// body(at) for n elements, a register at a time. The tail runs the same body on a part of a register, so that an
/// element's result does not depend on where it stands.
template <class Body>
DSVL_FORCE_INLINE void sweep(Index n, Body&& body) noexcept {
  Index i = 0;
  for (; i + kLanes <= n; i += kLanes) body(Whole{i});
  if (i < n) body(Part{i, n - i});
}

/// The same value, in a register from here on: for what a loop reads several times.
DSVL_FORCE_INLINE Lanes hold(Lanes x) noexcept {
#if defined(__GNUC__) && defined(__AVX512F__)
  __m512 held = x;
  __asm__("" : "+v"(held));
  return Lanes(held);
#elif defined(__GNUC__) && defined(__AVX__)
  __m256 held = x;
  __asm__("" : "+x"(held));
  return Lanes(held);
#else
  return x;
#endif
}

/// The same number, opaque to the compiler: it can not take apart what was put together on purpose.
DSVL_FORCE_INLINE Index hold(Index x) noexcept {
#if defined(__GNUC__)
  __asm__("" : "+r"(x));
#endif
  return x;
}

// --- arithmetic ----------------------------------------------------------------------------------
/// a * b + c, rounded once where the hardware can. Written out wherever a product meets a sum: what the compiler would
/// contract on its own depends on the surrounding code.
DSVL_FORCE_INLINE Lanes fma(Lanes a, Lanes b, Lanes c) noexcept {
#if defined(__AVX512F__)
  return Lanes(_mm512_fmadd_ps(a, b, c));  // xsimd 8.1 multiplies and adds here
#else
  return xsimd::fma(a, b, c);
#endif
}
DSVL_FORCE_INLINE Lanes select(Mask where, Lanes yes, Lanes no) noexcept { return xsimd::select(where, yes, no); }
/// a < b ? b : a.
DSVL_FORCE_INLINE Lanes larger(Lanes a, Lanes b) noexcept {
#if defined(__AVX512F__)
  return Lanes(_mm512_max_ps(b, a));  // the second where there is no order; the compiler does not see it in a select
#elif defined(__AVX__)
  return Lanes(_mm256_max_ps(b, a));
#else
  return select(a < b, b, a);
#endif
}
DSVL_FORCE_INLINE Lanes abs(Lanes x) noexcept { return xsimd::abs(x); }
DSVL_FORCE_INLINE Bits bits(Lanes x) noexcept { return std::bit_cast<Bits>(x); }
DSVL_FORCE_INLINE Lanes from_bits(Bits x) noexcept { return std::bit_cast<Lanes>(x); }
DSVL_FORCE_INLINE Bits splat_bits(std::uint32_t x) noexcept { return Bits(x); }
DSVL_FORCE_INLINE Bits shift_left(Bits x, int by) noexcept { return x << by; }
DSVL_FORCE_INLINE Bits shift_right(Bits x, int by) noexcept { return x >> by; }  ///< zeros come in
DSVL_FORCE_INLINE Lanes negate(Lanes x) noexcept { return from_bits(bits(x) ^ splat_bits(0x80000000u)); }

// --- across lanes --------------------------------------------------------------------------------
/// All lanes to one, always in the order: lane i with lane (i + half), then quarters, then eighths, …
template <class T, class Join>
DSVL_FORCE_INLINE T fold(xsimd::batch<T> x, Join&& join) noexcept {
  alignas(64) T part[kLanes];
  x.store_aligned(part);
  for (Index half = kLanes / 2; half > 0; half /= 2)
    for (Index i = 0; i < half; ++i) part[i] = join(part[i], part[i + half]);
  return part[0];
}
DSVL_FORCE_INLINE float sum(Lanes x) noexcept {
  return fold(x, [](float a, float b) { return a + b; });
}
DSVL_FORCE_INLINE float largest(Lanes x) noexcept {
#if defined(__AVX512F__)
  return _mm512_reduce_max_ps(x);
#elif defined(__AVX__)
  const __m128 four = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
  const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_max_ss(two, _mm_shuffle_ps(two, two, 1)));
#else
  return fold(x, [](float a, float b) { return a < b ? b : a; });
#endif
}

// --- turning blocks ------------------------------------------------------------------------------
// A register is kQuarters quarters of four floats (16 bytes); shuffles within quarters are the cheap ones.
inline constexpr int kQuarters = static_cast<int>(kLanes) / 4;

/// Four rows turned within quarters: quarter q of turned[u] holds float 4 q + u of the four rows.
DSVL_FORCE_INLINE void turn_quarters(const Lanes (&row)[4], Lanes* turned) noexcept {
#if defined(__AVX512F__)
  const __m512 a = _mm512_unpacklo_ps(row[0], row[1]), b = _mm512_unpackhi_ps(row[0], row[1]);
  const __m512 c = _mm512_unpacklo_ps(row[2], row[3]), d = _mm512_unpackhi_ps(row[2], row[3]);
  turned[0] = Lanes(_mm512_shuffle_ps(a, c, 0x44)), turned[1] = Lanes(_mm512_shuffle_ps(a, c, 0xEE));
  turned[2] = Lanes(_mm512_shuffle_ps(b, d, 0x44)), turned[3] = Lanes(_mm512_shuffle_ps(b, d, 0xEE));
#elif defined(__AVX__)
  const __m256 a = _mm256_unpacklo_ps(row[0], row[1]), b = _mm256_unpackhi_ps(row[0], row[1]);
  const __m256 c = _mm256_unpacklo_ps(row[2], row[3]), d = _mm256_unpackhi_ps(row[2], row[3]);
  turned[0] = Lanes(_mm256_shuffle_ps(a, c, 0x44)), turned[1] = Lanes(_mm256_shuffle_ps(a, c, 0xEE));
  turned[2] = Lanes(_mm256_shuffle_ps(b, d, 0x44)), turned[3] = Lanes(_mm256_shuffle_ps(b, d, 0xEE));
#else
  static_assert(kLanes == 4);
  const Lanes a = xsimd::zip_lo(row[0], row[2]), b = xsimd::zip_hi(row[0], row[2]);
  const Lanes c = xsimd::zip_lo(row[1], row[3]), d = xsimd::zip_hi(row[1], row[3]);
  turned[0] = xsimd::zip_lo(a, c), turned[1] = xsimd::zip_hi(a, c);
  turned[2] = xsimd::zip_lo(b, d), turned[3] = xsimd::zip_hi(b, d);
#endif
}

/// Every quarter of kLanes floats filled with its own i-th.
template <int i>
DSVL_FORCE_INLINE Lanes splat_quarters(const float* from) noexcept {
#if defined(__AVX512F__)
  return Lanes(_mm512_permute_ps(_mm512_loadu_ps(from), i * 0x55));
#elif defined(__AVX__)
  return Lanes(_mm256_permute_ps(_mm256_loadu_ps(from), i * 0x55));
#else
  return splat(from[i]);
#endif
}

/// Four floats of each of kQuarters rows, `stride` bytes apart, a quarter each. Loads put quarters in place for less
/// than moving them between registers costs.
DSVL_FORCE_INLINE Lanes load_quarters(const std::byte* from, Index stride) noexcept {
  const auto row = [&](int i) { return reinterpret_cast<const float*>(from + i * stride); };
#if defined(__AVX512F__)
  __m512 four = _mm512_castps128_ps512(_mm_loadu_ps(row(0)));
  four = _mm512_mask_broadcast_f32x4(four, 0x00F0, _mm_loadu_ps(row(1)));
  four = _mm512_mask_broadcast_f32x4(four, 0x0F00, _mm_loadu_ps(row(2)));
  return Lanes(_mm512_mask_broadcast_f32x4(four, 0xF000, _mm_loadu_ps(row(3))));
#elif defined(__AVX__)
  return Lanes(_mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(row(0))), _mm_loadu_ps(row(1)), 1));
#else
  return load(row(0));
#endif
}

/// Columns of a block of kLanes rows, `stride` bytes apart: lane i of columns[j] is the j-th float of row i.
DSVL_FORCE_INLINE void load_columns(const std::byte* block, Index stride, Lanes* columns) noexcept {
  unroll<kLanes / 4>([&](auto c) DSVL_INLINED {
    const auto rows = [&](int i) { return load_quarters(block + i * stride + c * 16, 4 * stride); };
    turn_quarters({rows(0), rows(1), rows(2), rows(3)}, columns + 4 * c);
  });
}

// --- halves --------------------------------------------------------------------------------------
/// kLanes bf16 from any address: exact.
DSVL_FORCE_INLINE Lanes load_bf16(const std::byte* from) noexcept {
#if defined(__AVX512F__)
  const __m256i half = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
  return Lanes(_mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(half), 16)));
#elif defined(__AVX2__)
  const __m128i half = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  return Lanes(_mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(half), 16)));
#elif defined(__AVX__)
  const __m128i half = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from)), zero = _mm_setzero_si128();
  const __m128i low = _mm_unpacklo_epi16(zero, half), high = _mm_unpackhi_epi16(zero, half);
  return Lanes(_mm256_insertf128_ps(_mm256_castps128_ps256(_mm_castsi128_ps(low)), _mm_castsi128_ps(high), 1));
#elif defined(__SSE2__) || defined(_M_X64)
  const __m128i half = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(from));
  return Lanes(_mm_castsi128_ps(_mm_unpacklo_epi16(_mm_setzero_si128(), half)));
#else
  alignas(64) std::uint32_t wide[kLanes];
  for (Index i = 0; i < kLanes; ++i) {
    std::uint16_t half;
    std::memcpy(&half, from + 2 * i, 2);
    wide[i] = std::uint32_t{half} << 16;
  }
  return from_bits(Bits::load_aligned(wide));
#endif
}

/// The low (half = 0) or high bf16 of every lane.
template <int half>
DSVL_FORCE_INLINE Lanes widen_bf16(Lanes pairs) noexcept {
  return from_bits(half == 0 ? shift_left(bits(pairs), 16) : bits(pairs) & splat_bits(0xFFFF0000u));
}

/// binary16 in the low halves of 32-bit lanes to float, without hardware help. The exponent is moved up by arithmetic
/// on the bits; what is subnormal there is normalised by an exact subtraction (no subnormal float ever appears).
DSVL_FORCE_INLINE Lanes widen_f16(Bits half) noexcept {
  const Bits sign = shift_left(half & splat_bits(0x8000u), 16), rest = shift_left(half & splat_bits(0x7FFFu), 13);
  const Lanes normal = from_bits(rest + splat_bits(112u << 23));
  const Lanes subnormal = from_bits(rest + splat_bits(113u << 23)) - from_bits(splat_bits(113u << 23));
  const Lanes special = from_bits(rest + splat_bits(224u << 23));  // infinity and NaN keep their mantissa
  const Lanes finite = select(normal < from_bits(splat_bits(113u << 23)), subnormal, normal);
  return from_bits(bits(select(normal < splat(65536.0f), finite, special)) | sign);
}

/// The same with the hardware's help, where it helps.
DSVL_FORCE_INLINE Lanes low_f16(Bits half) noexcept {
#if defined(__AVX512F__)
  return Lanes(_mm512_cvtph_ps(_mm512_cvtepi32_epi16(half)));
#else
  return widen_f16(half);
#endif
}

/// kLanes binary16 from any address: exact.
DSVL_FORCE_INLINE Lanes load_f16(const std::byte* from) noexcept {
#if defined(__AVX512F__)
  return Lanes(_mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from))));
#elif defined(__AVX2__) && (defined(__F16C__) || defined(_MSC_VER))  // MSVC has no macro; AVX2 processors have it
  return Lanes(_mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from))));
#else
  return widen_f16(shift_right(bits(load_bf16(from)), 16));  // the same bytes, seen as integers
#endif
}

/// The first n (0 < n < kLanes) of kLanes 16-bit weights, zero behind them.
template <class Load>
DSVL_FORCE_INLINE Lanes load_part16(const std::byte* from, Index n, Load&& load_whole) noexcept {
  alignas(64) std::byte part[2 * kLanes] = {};
  std::memcpy(part, from, static_cast<std::size_t>(2 * n));
  return load_whole(part);
}

/// Rounds to bf16 (nearest, ties to even; NaN stays NaN): the same bits as to_bf16. `to` may be misaligned.
DSVL_FORCE_INLINE void store_bf16(std::byte* to, Lanes x) noexcept {
  const Bits b = bits(x), upper = shift_right(b, 16);
  const Bits rounded = shift_right(b + splat_bits(0x7FFFu) + (upper & splat_bits(1u)), 16);
  // Not `x != x`: with AVX-512 xsimd 8.1 answers no for NaN.
  const Bits half = bits(select(x == x, from_bits(rounded), from_bits(upper | splat_bits(0x40u))));
#if defined(__AVX512F__)
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm512_cvtepi32_epi16(half));
#elif defined(__AVX2__)
  const __m256i packed = _mm256_permute4x64_epi64(_mm256_packus_epi32(half, half), 0x08);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm256_castsi256_si128(packed));
#else
  alignas(64) std::uint32_t wide[kLanes];
  half.store_aligned(wide);
  for (Index i = 0; i < kLanes; ++i) {
    const auto narrow = static_cast<std::uint16_t>(wide[i]);
    std::memcpy(to + 2 * i, &narrow, 2);
  }
#endif
}

/// sum + the products of both bf16 that a lane of a and b holds. The processor's own instruction, where it has one,
/// takes subnormals for zero; in which order it adds is its own affair.
DSVL_FORCE_INLINE Lanes dot_bf16(Lanes a, Lanes b, Lanes sum) noexcept {
#if defined(__AVX512BF16__) && defined(__AVX512F__)
  const __m512 x = a, w = b;
  return Lanes(_mm512_dpbf16_ps(sum, std::bit_cast<__m512bh>(x), std::bit_cast<__m512bh>(w)));
#else
  return fma(widen_bf16<1>(a), widen_bf16<1>(b), fma(widen_bf16<0>(a), widen_bf16<0>(b), sum));
#endif
}

/// kLanes signed bytes from any address, as floats.
DSVL_FORCE_INLINE Lanes load_i8(const std::byte* from) noexcept {
#if defined(__AVX512F__)
  return Lanes(_mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)))));
#elif defined(__AVX2__)
  return Lanes(_mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(from)))));
#else
  alignas(64) float wide[kLanes];
  for (Index i = 0; i < kLanes; ++i) wide[i] = static_cast<float>(static_cast<std::int8_t>(from[i]));
  return load(wide);
#endif
}

/// Asks for the cache line at `at`, which need not exist, into the second-level cache. As assembly, since GCC takes a
/// function that only prefetches for one without effect, and drops its calls.
DSVL_FORCE_INLINE void prefetch(const void* at) noexcept {
#if defined(__GNUC__) && defined(__x86_64__)
  __asm__ volatile("prefetcht1 %0" : : "m"(*static_cast<const char*>(at)));
#elif defined(__SSE2__) || defined(_M_X64)
  _mm_prefetch(static_cast<const char*>(at), _MM_HINT_T1);
#elif defined(__GNUC__)
  __builtin_prefetch(at, 0, 2);
#else
  (void)at;
#endif
}

}  // namespace DSVL_ISA
}  // namespace kernels
DSVL_END_NAMESPACE

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

#endif  // DSVL_KERNELS_LANES_LANES_HPP
