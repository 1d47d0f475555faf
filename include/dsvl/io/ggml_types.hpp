// The types of a GGUF file's tensors: how many elements a block has, and how many bytes.
//
// The reader and the writer of GGUF share this one table. It also has types that dsvl cannot compute with, so that the
// size of their tensors can be checked and an error can name them.
// Source: ggml/include/ggml.h, enum ggml_type; the sizes are those of ggml/src/ggml-common.h.
#ifndef DSVL_IO_GGML_TYPES_HPP
#define DSVL_IO_GGML_TYPES_HPP

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "../base/checked.hpp"
#include "../base/format.hpp"

DSVL_BEGIN_NAMESPACE

/// A type of tensor. A block is the smallest piece of a row that can be stored.
struct GgmlType {
  std::string_view name;       ///< GGML's own, in capitals; the same as safetensors' for F32, F16 and BF16
  std::uint32_t number = 0;    ///< in the file
  std::uint32_t elements = 0;  ///< of one block
  std::uint32_t bytes = 0;     ///< of one block
};

/// All types. Numbers that are missing here belonged to types that were removed, which files may no longer have.
inline constexpr GgmlType kGgmlTypes[] = {
    {"F32", 0, 1, 4},         {"F16", 1, 1, 2},         {"Q4_0", 2, 32, 18},      {"Q4_1", 3, 32, 20},
    {"Q5_0", 6, 32, 22},      {"Q5_1", 7, 32, 24},      {"Q8_0", 8, 32, 34},      {"Q8_1", 9, 32, 36},
    {"Q2_K", 10, 256, 84},    {"Q3_K", 11, 256, 110},   {"Q4_K", 12, 256, 144},   {"Q5_K", 13, 256, 176},
    {"Q6_K", 14, 256, 210},   {"Q8_K", 15, 256, 292},   {"IQ2_XXS", 16, 256, 66}, {"IQ2_XS", 17, 256, 74},
    {"IQ3_XXS", 18, 256, 98}, {"IQ1_S", 19, 256, 50},   {"IQ4_NL", 20, 32, 18},   {"IQ3_S", 21, 256, 110},
    {"IQ2_S", 22, 256, 82},   {"IQ4_XS", 23, 256, 136}, {"I8", 24, 1, 1},         {"I16", 25, 1, 2},
    {"I32", 26, 1, 4},        {"I64", 27, 1, 8},        {"F64", 28, 1, 8},        {"IQ1_M", 29, 256, 56},
    {"BF16", 30, 1, 2},       {"TQ1_0", 34, 256, 54},   {"TQ2_0", 35, 256, 66},   {"MXFP4", 39, 32, 17},
    {"NVFP4", 40, 64, 36},    {"Q1_0", 41, 128, 18},
};

/// The type with that number in the file; null when there is none.
constexpr const GgmlType* find_ggml_type(std::uint32_t number) noexcept {
  for (const GgmlType& type : kGgmlTypes)
    if (type.number == number) return &type;
  return nullptr;
}
/// The type with that name; null when there is none.
constexpr const GgmlType* find_ggml_type(std::string_view name) noexcept {
  for (const GgmlType& type : kGgmlTypes)
    if (type.name == name) return &type;
  return nullptr;
}

/// The rows of our formats (base/format.hpp) and of this table agree. (Pointers to rows would be no constants for GCC
/// with -fsanitize=undefined.)
constexpr bool agrees_with_formats() noexcept {
  int agree = 0;
  for (int f = 0; f < kFormats; ++f) {
    const FormatRow row = row_of(static_cast<Format>(f));
    for (const GgmlType& type : kGgmlTypes)
      agree += type.name == row.dtype && static_cast<Index>(type.elements) == row.block.cols &&
               static_cast<Index>(type.bytes) * row.block.rows == row.block.bytes;
  }
  return agree == kFormats;
}
static_assert(agrees_with_formats());

/// Bytes of a tensor of that shape (outer-first, no negative dimension, rows of whole blocks). Nothing when its bytes
/// or elements are too many for an Index; a dimension of 0 does not hide others whose product is too large.
constexpr std::optional<std::uint64_t> ggml_bytes(const GgmlType& type, std::span<const Index> shape) noexcept {
  std::uint64_t bytes = type.bytes, nonzero = (std::max)(type.bytes, type.elements);
  for (std::size_t d = 0; d < shape.size(); ++d) {
    const auto dim = static_cast<std::uint64_t>(shape[d]) / (d + 1 == shape.size() ? type.elements : 1);
    const auto product = checked_multiply(nonzero, (std::max<std::uint64_t>)(dim, 1));
    if (!product || !std::in_range<Index>(*product)) return std::nullopt;
    nonzero = *product;
    bytes *= dim;
  }
  return bytes;
}

DSVL_END_NAMESPACE

#endif  // DSVL_IO_GGML_TYPES_HPP
