// quantize_activations: a row of x in the form that a product with bf16 or quantised weights reads.
//
// It runs once per row, in front of a product that reads the row once per output, so it costs little beside that.
#ifndef DSVL_KERNELS_LINEAR_QUANTIZE_ACTIVATIONS_HPP
#define DSVL_KERNELS_LINEAR_QUANTIZE_ACTIVATIONS_HPP

#include <algorithm>

#include "../lanes/bytes.hpp"
#include "../table.hpp"

DSVL_BEGIN_NAMESPACE
namespace kernels {
inline namespace DSVL_ISA {
namespace quantize_detail {

/// Rounds a row to bf16 and fills it up with zeros.
inline void to_bf16_row(const float* x, Index cols, std::byte* to) noexcept {
  for_each_vector(cols, [&](auto at) DSVL_INLINED { store_bf16(to + 2 * at.i, at.load(x)); });
  const Index written = 2 * round_up(cols, kLanes);
  std::memset(to + written, 0, static_cast<std::size_t>(quantized_row_bytes(ActivationFormat::bf16, cols) - written));
}

/// Quantises `width` numbers and returns their scale: quantize8, one vector at a time.
template <Index width>
DSVL_FORCE_INLINE float quantize_block(const float* x, std::byte* q) noexcept {
  const Lanes kRound = splat(12582912.0f);  // 1.5 * 2^23: adding it leaves the nearest integer in the low bits
  Bits sizes = splat_bits(0);  // compared as integers: the order is the same, and NaN is the largest
  for (Index i = 0; i < width; i += kLanes) sizes = larger(sizes, bits(abs(load(x + i))));
  const float size = dsvl::bit_cast<float>(largest(sizes));
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
  // The sums of as many blocks as fill a vector of bytes, or of one.
  constexpr Index kBlocks = std::max<Index>(1, kLanes * 4 / kInt8Block), kSteps = kBlocks * kInt8Block / (kLanes * 4);
  for (Index at = 0; at < cols; at += width) {
    const float scale = quantize_block<width>(x + at, to + at);
    for (Index b = at / kInt8Block; b < (at + width) / kInt8Block; ++b) row.set_scale(b, scale);
  }
  // A lane sums four values. What is read behind the last value is scales, whose sums are not used.
  for (Index block = 0; block < cols / kInt8Block; block += kBlocks) {
    alignas(64) std::int32_t fours[kBlocks * kInt8Block / 4];
    unroll<static_cast<int>(kSteps)>([&](int i) DSVL_INLINED {
      const Bits values = load_bits(to + block * kInt8Block + i * kLanes * 4);
      const Bits sums = dot_bytes<1>(splat_bits(0x01010101u), values, splat_bits(0));
      store_bits(reinterpret_cast<std::byte*>(fours + i * kLanes), sums);
    });
    for (Index b = 0; b < kBlocks && block + b < cols / kInt8Block; ++b) {
      const std::int32_t* const four = fours + b * (kInt8Block / 4);
      row.set_sums(block + b, four[0] + four[1] + four[2] + four[3], four[4] + four[5] + four[6] + four[7]);
    }
  }
}

}  // namespace quantize_detail

/// See Kernels::quantize_activations.
inline void quantize_activations(ActivationFormat format, const float* x, Index cols, std::byte* to) noexcept {
  switch (format) {
    case ActivationFormat::f32: return;
    case ActivationFormat::bf16: return quantize_detail::to_bf16_row(x, cols, to);
    case ActivationFormat::int8_per_32: return quantize_detail::to_int8_row<kInt8Block>(x, cols, to);
    case ActivationFormat::int8_per_256: return quantize_detail::to_int8_row<kInt8WideBlock>(x, cols, to);
  }
}

}  // namespace DSVL_ISA
}  // namespace kernels
DSVL_END_NAMESPACE

#endif  // DSVL_KERNELS_LINEAR_QUANTIZE_ACTIVATIONS_HPP
