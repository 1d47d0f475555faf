// Eight floats in 256 bits: what AVX and AVX2 have in common.
#ifndef DSVL_KERNELS_LANES_AVX_FLOATS_HPP
#define DSVL_KERNELS_LANES_AVX_FLOATS_HPP

#include "portable.hpp"

#if defined(__AVX__) && !defined(__AVX512F__)

DSVL_BEGIN_NAMESPACE
namespace kernels {
inline namespace DSVL_ISA {

/// All bits of the first n lanes.
DSVL_FORCE_INLINE __m256i first_lanes(Index n) noexcept {
  alignas(64) static constexpr std::int32_t kOnes[16] = {-1, -1, -1, -1, -1, -1, -1, -1};
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(kOnes + 8 - n));
}
DSVL_FORCE_INLINE Lanes load(const float* from, Index n) noexcept {
  return Lanes(_mm256_maskload_ps(from, first_lanes(n)));
}
DSVL_FORCE_INLINE void store(float* to, Lanes x, Index n) noexcept { _mm256_maskstore_ps(to, first_lanes(n), x); }
DSVL_FORCE_INLINE Lanes keep_in_register(Lanes x) noexcept {
  __m256 kept = x;
  DSVL_KEEP_IN_REGISTER("x", kept);
  return Lanes(kept);
}

DSVL_FORCE_INLINE Lanes fma(Lanes a, Lanes b, Lanes c) noexcept { return portable::fma(a, b, c); }
DSVL_FORCE_INLINE Lanes larger(Lanes a, Lanes b) noexcept { return Lanes(_mm256_max_ps(b, a)); }  // see avx512.hpp
DSVL_FORCE_INLINE float largest(Lanes x) noexcept {
  const __m128 four = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
  const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_max_ss(two, _mm_shuffle_ps(two, two, 1)));
}
DSVL_FORCE_INLINE std::uint32_t largest(Bits x) noexcept { return portable::largest(x); }

DSVL_FORCE_INLINE void transpose_4x4(const Lanes (&row)[4], Lanes* columns) noexcept {
  const __m256 a = _mm256_unpacklo_ps(row[0], row[1]), b = _mm256_unpackhi_ps(row[0], row[1]);
  const __m256 c = _mm256_unpacklo_ps(row[2], row[3]), d = _mm256_unpackhi_ps(row[2], row[3]);
  columns[0] = Lanes(_mm256_shuffle_ps(a, c, 0x44)), columns[1] = Lanes(_mm256_shuffle_ps(a, c, 0xEE));
  columns[2] = Lanes(_mm256_shuffle_ps(b, d, 0x44)), columns[3] = Lanes(_mm256_shuffle_ps(b, d, 0xEE));
}
template <int i>
DSVL_FORCE_INLINE Lanes splat_in_quads(const float* from) noexcept {
  return Lanes(_mm256_permute_ps(_mm256_loadu_ps(from), i * 0x55));
}
DSVL_FORCE_INLINE Lanes load_quads(const std::byte* from, Index stride) noexcept {
  const auto row = [&](int i) { return reinterpret_cast<const float*>(from + i * stride); };
  return Lanes(_mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(row(0))), _mm_loadu_ps(row(1)), 1));
}

}  // namespace DSVL_ISA
}  // namespace kernels
DSVL_END_NAMESPACE

#endif  // defined(__AVX__) && !defined(__AVX512F__)

#endif  // DSVL_KERNELS_LANES_AVX_FLOATS_HPP
