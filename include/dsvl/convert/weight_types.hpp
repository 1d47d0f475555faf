// WeightTypes: the formats that a file keeps its weights in.
//
// The converter takes it from the user, and the list of tensors to write asks it for each weight.
#ifndef DSVL_CONVERT_WEIGHT_TYPES_HPP
#define DSVL_CONVERT_WEIGHT_TYPES_HPP

#include "../base/matrix.hpp"

DSVL_BEGIN_NAMESPACE

/// The formats of the large matrices of a file, by purpose. Norms, biases and positions are f32, and convolutions stay
/// as they were. A weight whose shape does not fit its format (rows in sixteens, columns in blocks) falls back: q4_k to
/// q4_0, q6_k to q8_0, and those to f16.
struct WeightTypes {
  Format decoder = Format::q8_0;    ///< the decoder's blocks
  Format embedding = Format::q8_0;  ///< the table of token embeddings
  Format head = Format::q8_0;       ///< the output matrix
  Format vision = Format::q8_0;     ///< towers and aligner

  /// The usual mixture under the name of one format. Below 8 bits, towers and embeddings keep 8, which costs little
  /// memory or time, and the head has 6.
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

#endif  // DSVL_CONVERT_WEIGHT_TYPES_HPP
