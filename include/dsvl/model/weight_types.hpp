// WeightTypes: in which formats a file keeps its weights.
#ifndef DSVL_MODEL_WEIGHT_TYPES_HPP
#define DSVL_MODEL_WEIGHT_TYPES_HPP

#include "../base/matrix.hpp"

DSVL_BEGIN_NAMESPACE

/// In which formats the large matrices of a file are, by what they are for. Norms, biases and positions are f32;
/// convolutions stay as they were. What does not fit a format (rows in sixteens, columns in blocks) falls back: q4_k to
/// q4_0, q6_k to q8_0, and those to f16.
struct WeightTypes {
  Format decoder = Format::q8_0, embedding = Format::q8_0, head = Format::q8_0, vision = Format::q8_0;

  /// The usual mixture under the name of one format: below 8 bits, the towers and the table of tokens have 8, which
  /// costs little memory or time, and the head 6.
  static constexpr WeightTypes of(Format format) noexcept {
    const bool four_bits = format == Format::q4_0 || format == Format::q4_k;
    if (four_bits) return {format, Format::q8_0, Format::q6_k, Format::q8_0};
    if (format == Format::q6_k) return {format, Format::q8_0, format, Format::q8_0};
    return {format, format, format, format};
  }
};

/// The nearest format that can hold a weight of that shape.
constexpr Format fallback(Format wanted, Index rows, Index cols) noexcept {
  while (!fits(wanted, rows, cols)) wanted = row_of(wanted).fallback;
  return wanted;
}

DSVL_END_NAMESPACE

#endif  // DSVL_MODEL_WEIGHT_TYPES_HPP
