// The forms in which `linear` receives its left factor x: floats, or rows that were rounded or quantised beforehand.
#ifndef DSVL_KERNELS_LINEAR_ACTIVATION_FORMAT_HPP
#define DSVL_KERNELS_LINEAR_ACTIVATION_FORMAT_HPP

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "../../base/matrix.hpp"
#include "../../base/precision.hpp"

DSVL_BEGIN_NAMESPACE

/// The form of a row of x in a product. int8_per_256 is not below int8_per_32: activation_format takes the maximum.
enum class ActivationFormat : unsigned char {
  f32,           ///< float, read in place
  bf16,          ///< pairs of bf16
  int8_per_32,   ///< an Int8Row with one scale per kInt8Block columns
  int8_per_256,  ///< an Int8Row whose scales are equal within kInt8WideBlock columns
};

/// Columns of an activation block, which share a scale. Quantised weights have a multiple of kInt8Block columns.
inline constexpr Index kInt8Block = 32, kInt8WideBlock = 256;

/// The form that products with weights of one format take, `cols` columns wide.
///
/// The formats that have a scale for 256 columns need one of x for as many, as in ggml. q4_0 takes it where its rows
/// allow it: that saves a tenth of the arithmetic, and the loss is far below what 4-bit weights are off. In q8_0 the
/// loss would be seen.
constexpr ActivationFormat activation_format(ActivationPrecision precision, Format weights, Index cols) noexcept {
  if (quantized(weights))
    return weights != Format::q8_0 && cols % kInt8WideBlock == 0 ? ActivationFormat::int8_per_256
                                                                 : ActivationFormat::int8_per_32;
  return precision == ActivationPrecision::bf16 && weights == Format::bf16 && cols % 2 == 0 ? ActivationFormat::bf16
                                                                                            : ActivationFormat::f32;
}
/// The form for a whole weight, whose row blocks may differ in format: scales per 256 columns serve every quantised
/// one.
constexpr ActivationFormat activation_format(ActivationPrecision precision, const Matrix& weights) noexcept {
  ActivationFormat widest = ActivationFormat::f32;
  for (int b = 0; b < weights.block_count; ++b)
    widest = (std::max)(widest, activation_format(precision, weights.blocks[b].format, weights.cols));
  return widest;
}
/// True for the two 8-bit forms.
constexpr bool is_int8(ActivationFormat format) noexcept {
  return format == ActivationFormat::int8_per_32 || format == ActivationFormat::int8_per_256;
}

/// One activation row in int8, five consecutive arrays:
///
/// values     (cols) from -127 to 127
/// scales     (cols / 32) floats
/// sums       (cols / 32) int32, the negated sum of each block
/// half sums  (cols / 16) int32, the negated sum of each half of a block
/// pairs      (cols / 32) int16, the sums again, for the dot product with the mins of q4_k
///
/// The sums are where integer sums start if weight codes have a zero point z: sum x (q - z) = sum x q - z sum x.
struct Int8Row {
  std::byte* values;
  Index cols;

  Int8Row(std::byte* row, Index columns) noexcept : values(row), cols(columns) {}
  static constexpr Index scales_offset(Index cols) noexcept { return cols; }
  static constexpr Index sums_offset(Index cols) noexcept { return cols + cols / 8; }
  static constexpr Index half_sums_offset(Index cols) noexcept { return cols + cols / 4; }
  static constexpr Index pairs_offset(Index cols) noexcept { return cols + cols / 2; }
  /// Bytes of the whole row.
  static constexpr Index bytes(Index cols) noexcept { return round_up(pairs_offset(cols) + cols / 16, 4); }

  void set_scale(Index block, float scale) const noexcept {
    std::memcpy(values + scales_offset(cols) + block * 4, &scale, 4);
  }
  /// Stores what follows from the sums of both halves of a block.
  void set_sums(Index block, std::int32_t first, std::int32_t second) const noexcept {
    const std::int32_t whole = -(first + second), halves[] = {-first, -second};
    std::memcpy(values + sums_offset(cols) + block * 4, &whole, 4);
    std::memcpy(values + half_sums_offset(cols) + block * 8, halves, 8);
    const auto narrow = static_cast<std::int16_t>(whole);  // at most 32 * 127
    std::memcpy(values + pairs_offset(cols) + block * 2, &narrow, 2);
  }
};

/// Bytes of a row that `quantize_activations` writes, rounded up to cache lines; 0 for f32, which is read in place.
constexpr Index quantized_row_bytes(ActivationFormat format, Index cols) noexcept {
  switch (format) {
    case ActivationFormat::f32: return 0;
    case ActivationFormat::bf16: return round_up(2 * cols, kCacheLine);
    case ActivationFormat::int8_per_32:
    case ActivationFormat::int8_per_256: return round_up(Int8Row::bytes(cols), kCacheLine);
  }
  return 0;
}

DSVL_END_NAMESPACE

#endif  // DSVL_KERNELS_LINEAR_ACTIVATION_FORMAT_HPP
