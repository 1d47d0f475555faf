// Rows of x as products take them where they do not take floats: rounded to bf16, or in bytes.
#ifndef DSVL_KERNELS_LINEAR_PREPARE_HPP
#define DSVL_KERNELS_LINEAR_PREPARE_HPP

#include <algorithm>

#include "../lanes/bytes.hpp"
#include "../table.hpp"

DSVL_BEGIN_NAMESPACE
namespace kernels {
inline namespace DSVL_ISA {
namespace prepare_detail {

inline void to_bf16_row(const float* x, Index cols, std::byte* to) noexcept {
  for_each_vector(cols, [&](auto at) DSVL_INLINED { store_bf16(to + 2 * at.i, at.load(x)); });
  const Index written = 2 * round_up(cols, kLanes);
  std::memset(to + written, 0, static_cast<std::size_t>(prepared_bytes(Inputs::bf16, cols) - written));
}

/// `width` numbers with one scale: quantize8, a register at a time. The scale.
template <Index width>
DSVL_FORCE_INLINE float quantize(const float* x, std::byte* q) noexcept {
  const Lanes kRound = splat(12582912.0f);  // 1.5 * 2^23: adding it leaves the nearest integer in the low bits
  Bits sizes = splat_bits(0);  // as integers sizes are in the same order, and NaN is the largest
  for (Index i = 0; i < width; i += kLanes) sizes = larger(sizes, bits(abs(load(x + i))));
  const float size = std::bit_cast<float>(largest(sizes));
  const Lanes up = splat(size > 0 ? 127.0f / size : 0.0f);
  for (Index i = 0; i < width; i += kLanes) {
    const Lanes scaled = load(x + i) * up;
    const Lanes kept = select(abs(scaled) <= splat(127.5f), scaled, splat(0.0f));
    store_low_bytes(q + i, bits(kept + kRound));
  }
  return size / 127.0f;
}

template <Index width>
void to_int8_row(const float* x, Index cols, std::byte* to) noexcept {
  const Int8Row row(to, cols);
  constexpr Index kSpans = std::max<Index>(1, kLanes * 4 / kInt8Span), kSteps = kSpans * kInt8Span / (kLanes * 4);
  for (Index at = 0; at < cols; at += width) {
    const float scale = quantize<width>(x + at, to + at);
    for (Index span = at / kInt8Span; span < (at + width) / kInt8Span; ++span) row.set_scale(span, scale);
  }
  // Four numbers in every lane. What is read behind the last number is scales, and not used.
  for (Index span = 0; span < cols / kInt8Span; span += kSpans) {
    alignas(64) std::int32_t fours[kSpans * kInt8Span / 4];
    unroll<static_cast<int>(kSteps)>([&](auto i) {
      const Bits numbers = load_bits(to + span * kInt8Span + i * kLanes * 4);
      const Bits sums = dot_bytes<1>(splat_bits(0x01010101u), numbers, splat_bits(0));
      store_bits(reinterpret_cast<std::byte*>(fours + i * kLanes), sums);
    });
    for (Index s = 0; s < kSpans && span + s < cols / kInt8Span; ++s) {
      const std::int32_t* const four = fours + s * (kInt8Span / 4);
      row.set_sums(span + s, four[0] + four[1] + four[2] + four[3], four[4] + four[5] + four[6] + four[7]);
    }
  }
}

}  // namespace prepare_detail

/// See Kernels::prepare.
inline void prepare(Inputs inputs, const float* x, Index cols, std::byte* to) noexcept {
  switch (inputs) {
    case Inputs::floats: return;
    case Inputs::bf16: return prepare_detail::to_bf16_row(x, cols, to);
    case Inputs::int8: return prepare_detail::to_int8_row<kInt8Span>(x, cols, to);
    case Inputs::int8_wide: return prepare_detail::to_int8_row<kInt8Wide>(x, cols, to);
  }
}

}  // namespace DSVL_ISA
}  // namespace kernels
DSVL_END_NAMESPACE

#endif  // DSVL_KERNELS_LINEAR_PREPARE_HPP
