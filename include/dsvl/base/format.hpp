// Format: how weights are stored, with one row of facts for each.
//
// The quantised formats are ggml's: q8_0 and q4_0 have a scale for 32 columns, q4_k and q6_k for 256, with finer ones
// for sub-blocks. To add a format: a row here, its block in kernels/weights/blocks.hpp and quantize.hpp (if it is
// quantised), and a policy in kernels/weights/dense_formats.hpp or quantized_formats.hpp.
#ifndef DSVL_BASE_FORMAT_HPP
#define DSVL_BASE_FORMAT_HPP

#include <cstdint>
#include <initializer_list>
#include <string_view>

#include "view.hpp"

DSVL_BEGIN_NAMESPACE

/// How weights are stored. Above the kernels nothing asks which it is.
enum class Format : unsigned char {
  f32,   ///< IEEE binary32
  bf16,  ///< bfloat16
  f16,   ///< IEEE binary16
  q8_0,  ///< 8 bits and an f16 scale per 32 columns: 8.5 bits per weight
  q4_0,  ///< 4 bits and an f16 scale per 32 columns: 4.5 bits per weight
  q4_k,  ///< 4 bits, a scale and a minimum per 256 columns with 6-bit ones per 32: 4.5 bits per weight
  q6_k,  ///< 6 bits, a scale per 256 columns with 8-bit ones per 16: 6.5625 bits per weight
};
/// How many there are.
inline constexpr int kFormats = 7;

/// Rows of quantised weights that are interleaved: a group.
inline constexpr Index kGroupRows = 16;

/// The smallest piece of a weight that can be stored. A weight is a multiple of it.
struct StoredBlock {
  Index rows;   ///< of weights: more than one where rows are interleaved
  Index cols;   ///< that share a scale
  Index bytes;  ///< that it takes
};

/// What is to be known of a format outside the kernels.
struct FormatRow {
  std::string_view name;    ///< ours, in options and reports
  std::string_view dtype;   ///< in files: safetensors' and ggml's spelling, see io/ggml_types.hpp for ggml's numbers
  StoredBlock block;        ///< the smallest piece
  std::uint32_t file_type;  ///< llama.cpp's `general.file_type` of a GGUF file that is mostly of this format
  Format fallback;          ///< for weights whose shape this format cannot hold
};

/// The table.
constexpr FormatRow row_of(Format format) noexcept {
  constexpr Index g = kGroupRows;
  switch (format) {
    case Format::f32: return {"f32", "F32", {1, 1, 4}, 0, Format::f32};
    case Format::bf16: return {"bf16", "BF16", {1, 1, 2}, 32, Format::bf16};
    case Format::f16: return {"f16", "F16", {1, 1, 2}, 1, Format::f16};
    case Format::q8_0: return {"q8_0", "Q8_0", {g, 32, g * 34}, 7, Format::f16};
    case Format::q4_0: return {"q4_0", "Q4_0", {g, 32, g * 18}, 2, Format::f16};
    case Format::q4_k: return {"q4_k", "Q4_K", {g, 256, g * 144}, 14, Format::q4_0};
    case Format::q6_k: return {"q6_k", "Q6_K", {g, 256, g * 210}, 18, Format::q8_0};
  }
  return {"unknown", "unknown", {1, 1, 1}, 0, format};
}

/// True for the formats that products are compiled for.
constexpr bool is_compiled(Format format) noexcept {
  using enum Format;
  for (const Format compiled : {DSVL_FORMATS})
    if (compiled == format) return true;
  return false;
}
/// Their names, for messages.
inline constexpr const char* kCompiledFormats = DSVL_TEXT(DSVL_FORMATS);

constexpr std::string_view name(Format format) noexcept { return row_of(format).name; }
/// Its spelling in files.
constexpr std::string_view dtype(Format format) noexcept { return row_of(format).dtype; }
/// Its smallest piece.
constexpr StoredBlock stored_block(Format format) noexcept { return row_of(format).block; }
/// True for the formats whose rows are stored in groups.
constexpr bool quantized(Format format) noexcept { return stored_block(format).rows > 1; }
/// True if weights of that shape can be stored in `format`.
constexpr bool fits(Format format, Index rows, Index cols) noexcept {
  return rows % stored_block(format).rows == 0 && cols % stored_block(format).cols == 0;
}
/// Bytes of `cols` consecutive weights; with a quantised format, those that a row has in its group.
constexpr Index row_bytes(Format format, Index cols) noexcept {
  const StoredBlock b = stored_block(format);
  return cols / b.cols * (b.bytes / b.rows);
}

DSVL_END_NAMESPACE

#endif  // DSVL_BASE_FORMAT_HPP
