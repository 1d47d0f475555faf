// NEON of 64-bit Arm: four floats. With the dot products of Armv8.2 where the unit's flags have them.
//
// Also what any other processor gets whose registers xsimd knows and that hold four floats.
#ifndef DSVL_KERNELS_LANES_NEON_HPP
#define DSVL_KERNELS_LANES_NEON_HPP

#include "portable.hpp"

#if !defined(__SSE2__) && !defined(_M_X64)

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
DSVL_FORCE_INLINE Lanes load_bf16(const std::byte* from) noexcept { return portable::load_bf16(from); }
DSVL_FORCE_INLINE Lanes load_f16(const std::byte* from) noexcept { return portable::widen_high_f16(load_bf16(from)); }
DSVL_FORCE_INLINE Lanes widen_f16(Bits half) noexcept { return portable::widen_f16(half); }
DSVL_FORCE_INLINE Lanes load_i8(const std::byte* from) noexcept { return portable::load_i8(from); }
DSVL_FORCE_INLINE void store_low_halves(std::byte* to, Bits x) noexcept { portable::store_low_halves(to, x); }
DSVL_FORCE_INLINE void store_low_bytes(std::byte* to, Bits x) noexcept { portable::store_low_bytes(to, x); }
DSVL_FORCE_INLINE Lanes dot_bf16(Lanes a, Lanes b, Lanes sum) noexcept { return portable::dot_bf16(a, b, sum); }

// --- dot products of bytes -----------------------------------------------------------------------
inline constexpr bool kSignedCodes = true, kHasMaddubs = false, kLongDot = false;
#if defined(__ARM_FEATURE_DOTPROD) && defined(__aarch64__)
template <int bits>
DSVL_FORCE_INLINE Bits dot_bytes(Bits codes, Bits numbers, Bits sum) noexcept {
  const int8x16_t c = vreinterpretq_s8_u32(codes), n = vreinterpretq_s8_u32(numbers);
  return Bits(vreinterpretq_u32_s32(vdotq_s32(vreinterpretq_s32_u32(sum), c, n)));
}
#elif defined(__aarch64__)
template <int bits>
DSVL_FORCE_INLINE Bits dot_bytes(Bits codes, Bits numbers, Bits sum) noexcept {
  const int8x16_t c = vreinterpretq_s8_u32(codes), n = vreinterpretq_s8_u32(numbers);
  const int32x4_t low = vpaddlq_s16(vmull_s8(vget_low_s8(c), vget_low_s8(n)));
  const int32x4_t high = vpaddlq_s16(vmull_high_s8(c, n));
  return sum + Bits(vreinterpretq_u32_s32(vpaddq_s32(low, high)));
}
#else  // MSVC, and other processors
template <int bits>
DSVL_FORCE_INLINE Bits dot_bytes(Bits codes, Bits numbers, Bits sum) noexcept {
  return portable::dot_bytes(codes, numbers, sum);
}
#endif
DSVL_FORCE_INLINE Bits dot_halves(Bits a, Bits b, Bits sum) noexcept { return portable::dot_halves(a, b, sum); }

}  // namespace DSVL_ISA
}  // namespace kernels
DSVL_END_NAMESPACE

#endif  // !defined(__SSE2__) && !defined(_M_X64)

#endif  // DSVL_KERNELS_LANES_NEON_HPP
