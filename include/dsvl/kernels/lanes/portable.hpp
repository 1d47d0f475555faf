// The operations of contract.hpp by xsimd and plain loops, for families that have no instruction of their own.
#ifndef DSVL_KERNELS_LANES_PORTABLE_HPP
#define DSVL_KERNELS_LANES_PORTABLE_HPP

#include "contract.hpp"

DSVL_BEGIN_NAMESPACE
namespace kernels {
inline namespace DSVL_ISA {
namespace portable {

DSVL_FORCE_INLINE Lanes load(const float* from, Index n) noexcept {
  alignas(64) float part[kLanes] = {};
  std::memcpy(part, from, static_cast<std::size_t>(n) * sizeof(float));
  return kernels::load(part);
}
DSVL_FORCE_INLINE void store(float* to, Lanes x, Index n) noexcept {
  alignas(64) float part[kLanes];
  kernels::store(part, x);
  std::memcpy(to, part, static_cast<std::size_t>(n) * sizeof(float));
}

DSVL_FORCE_INLINE Lanes fma(Lanes a, Lanes b, Lanes c) noexcept { return xsimd::fma(a, b, c); }
DSVL_FORCE_INLINE Lanes larger(Lanes a, Lanes b) noexcept { return select(a < b, b, a); }
DSVL_FORCE_INLINE float largest(Lanes x) noexcept {
  return fold(x, [](float a, float b) { return a < b ? b : a; });
}
DSVL_FORCE_INLINE std::uint32_t largest(Bits x) noexcept {
  return fold(x, [](std::uint32_t a, std::uint32_t b) { return a < b ? b : a; });
}

/// Works for registers of one quad only; families with wider ones have their own.
template <class Vector>
DSVL_FORCE_INLINE void transpose_4x4(const Vector (&row)[4], Vector* columns) noexcept {
  static_assert(Vector::size == 4);
  const Vector a = xsimd::zip_lo(row[0], row[2]), b = xsimd::zip_hi(row[0], row[2]);
  const Vector c = xsimd::zip_lo(row[1], row[3]), d = xsimd::zip_hi(row[1], row[3]);
  columns[0] = xsimd::zip_lo(a, c), columns[1] = xsimd::zip_hi(a, c);
  columns[2] = xsimd::zip_lo(b, d), columns[3] = xsimd::zip_hi(b, d);
}

DSVL_FORCE_INLINE Lanes load_bf16(const std::byte* from) noexcept {
  alignas(64) std::uint32_t wide[kLanes];
  for (Index i = 0; i < kLanes; ++i) {
    std::uint16_t half;
    std::memcpy(&half, from + 2 * i, 2);
    wide[i] = std::uint32_t{half} << 16;
  }
  return from_bits(Bits::load_aligned(wide));
}

/// The exponent is moved up by arithmetic on the bits. What is subnormal in 16 bits is normalised by an exact
/// subtraction, so no subnormal float ever appears (a processor may flush those to zero).
DSVL_FORCE_INLINE Lanes widen_f16(Bits half) noexcept {
  const Bits sign = shift_left(half & splat_bits(0x8000u), 16), rest = shift_left(half & splat_bits(0x7FFFu), 13);
  const Lanes normal = from_bits(rest + splat_bits(112u << 23));
  const Lanes subnormal = from_bits(rest + splat_bits(113u << 23)) - from_bits(splat_bits(113u << 23));
  const Lanes special = from_bits(rest + splat_bits(224u << 23));  // infinity and NaN keep their mantissa
  const Lanes finite = select(normal < from_bits(splat_bits(113u << 23)), subnormal, normal);
  return from_bits(bits(select(normal < splat(65536.0f), finite, special)) | sign);
}
/// binary16 that were loaded as if they were bf16, that is into the high halves.
DSVL_FORCE_INLINE Lanes widen_high_f16(Lanes loaded) noexcept { return widen_f16(shift_right(bits(loaded), 16)); }

DSVL_FORCE_INLINE Lanes load_i8(const std::byte* from) noexcept {
  alignas(64) float wide[kLanes];
  for (Index i = 0; i < kLanes; ++i) wide[i] = static_cast<float>(static_cast<std::int8_t>(from[i]));
  return kernels::load(wide);
}
DSVL_FORCE_INLINE void store_low_halves(std::byte* to, Bits x) noexcept {
  alignas(64) std::uint32_t wide[kLanes];
  x.store_aligned(wide);
  for (Index i = 0; i < kLanes; ++i) {
    const auto narrow = static_cast<std::uint16_t>(wide[i]);
    std::memcpy(to + 2 * i, &narrow, 2);
  }
}
DSVL_FORCE_INLINE void store_low_bytes(std::byte* to, Bits x) noexcept {
  alignas(64) std::uint32_t wide[kLanes];
  x.store_aligned(wide);
  for (Index i = 0; i < kLanes; ++i) to[i] = static_cast<std::byte>(wide[i] & 0xFF);
}

/// The low (half = 0) or high bf16 of every lane as a float.
template <int half>
DSVL_FORCE_INLINE Lanes widen_bf16(Lanes pairs) noexcept {
  return from_bits(half == 0 ? shift_left(bits(pairs), 16) : bits(pairs) & splat_bits(0xFFFF0000u));
}
DSVL_FORCE_INLINE Lanes dot_bf16(Lanes a, Lanes b, Lanes sum) noexcept {
  return fma(widen_bf16<1>(a), widen_bf16<1>(b), fma(widen_bf16<0>(a), widen_bf16<0>(b), sum));
}

DSVL_FORCE_INLINE Bits dot_halves(Bits a, Bits b, Bits sum) noexcept {
  const auto low = [](Bits x) { return dsvl::bit_cast<Ints>(shift_left(x, 16)) >> 16; };
  const auto high = [](Bits x) { return dsvl::bit_cast<Ints>(x) >> 16; };
  return sum + dsvl::bit_cast<Bits>(low(a) * low(b) + high(a) * high(b));
}
/// Takes signed codes.
DSVL_FORCE_INLINE Bits dot_bytes(Bits codes, Bits numbers, Bits sum) noexcept {
  alignas(64) std::uint32_t c[kLanes], n[kLanes], sums[kLanes];
  codes.store_aligned(c), numbers.store_aligned(n), sum.store_aligned(sums);
  for (Index i = 0; i < kLanes; ++i)
    for (int at = 0; at < 32; at += 8)
      sums[i] += static_cast<std::uint32_t>(static_cast<std::int8_t>(c[i] >> at & 0xFF) *
                                            static_cast<std::int8_t>(n[i] >> at & 0xFF));
  return Bits::load_aligned(sums);
}

}  // namespace portable
}  // namespace DSVL_ISA
}  // namespace kernels
DSVL_END_NAMESPACE

#endif  // DSVL_KERNELS_LANES_PORTABLE_HPP
