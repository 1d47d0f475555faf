// Quantised weights: ggml's blocks, how sixteen rows of them are interleaved, and what they mean as numbers.
//
// A block holds 32 or 256 consecutive columns of a row. Sixteen rows are a group: what ggml keeps as sixteen blocks
// stands field by field, and in a field unit by unit, so that a unit of all rows fills a register (or several) and a
// product reads each group from its first byte to its last. No byte is added, none is lost.
// Source: ggml-common.h (block_q8_0, block_q4_0, block_q4_K, block_q6_K) and ggml-quants.c (dequantize_row_*).
#ifndef DSVL_KERNELS_WEIGHTS_BLOCKS_HPP
#define DSVL_KERNELS_WEIGHTS_BLOCKS_HPP

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "../../base/half.hpp"
#include "../../base/matrix.hpp"

DSVL_BEGIN_NAMESPACE
namespace kernels {
inline namespace DSVL_ISA {

/// Columns of the longest block.
inline constexpr Index kMaxBlockCols = 256;

/// Bytes [at, at + bytes) of a block. In a group, the units of the sixteen rows are side by side.
struct BlockField {
  Index at = 0, bytes = 0, unit = 0;

  /// Where byte `i` of the field of a row is in the group's bytes.
  [[nodiscard]] constexpr Index place(Index i, Index row) const noexcept {
    return at * kGroupRows + (i / unit * kGroupRows + row) * unit + i % unit;
  }
};

/// The fields of a block, in ggml's order.
struct BlockFields {
  BlockField field[4] = {};
  int count = 0;
};

namespace block {
// Scales are binary16, numbers 4 or 6 bits; a unit of numbers is four columns' worth of a dot product.
inline constexpr BlockField kScale{0, 2, 2};
namespace q8_0 { inline constexpr BlockField kCodes{2, 32, 4}; }
namespace q4_0 { inline constexpr BlockField kCodes{2, 16, 4}; }
namespace q4_k { inline constexpr BlockField kMin{2, 2, 2}, kScales{4, 12, 4}, kCodes{16, 128, 4}; }
namespace q6_k {
inline constexpr BlockField kLow{0, 128, 4}, kHigh{128, 64, 4}, kScales{192, 16, 4}, kScale{208, 2, 2};
}
}  // namespace block

constexpr BlockFields block_fields(Format format) noexcept {
  switch (format) {
    case Format::q8_0: return {{block::kScale, block::q8_0::kCodes}, 2};
    case Format::q4_0: return {{block::kScale, block::q4_0::kCodes}, 2};
    case Format::q4_k: return {{block::kScale, block::q4_k::kMin, block::q4_k::kScales, block::q4_k::kCodes}, 4};
    case Format::q6_k:
      return {{block::q6_k::kLow, block::q6_k::kHigh, block::q6_k::kScales, block::q6_k::kScale}, 4};
    case Format::f32:
    case Format::bf16:
    case Format::f16: break;
  }
  return {};
}

/// One row's block out of a group (`group`: the group's bytes of these columns), and back.
inline void gather_block(Format format, const std::byte* group, Index row, std::byte* block) noexcept {
  const BlockFields f = block_fields(format);
  for (const BlockField* field = f.field; field != f.field + f.count; ++field)
    for (Index i = 0; i < field->bytes; i += field->unit)
      std::memcpy(block + field->at + i, group + field->place(i, row), static_cast<std::size_t>(field->unit));
}
inline void scatter_block(Format format, const std::byte* block, std::byte* group, Index row) noexcept {
  const BlockFields f = block_fields(format);
  for (const BlockField* field = f.field; field != f.field + f.count; ++field)
    for (Index i = 0; i < field->bytes; i += field->unit)
      std::memcpy(group + field->place(i, row), block + field->at + i, static_cast<std::size_t>(field->unit));
}

namespace block {

inline float half_at(const std::byte* at) noexcept {
  f16 half;
  std::memcpy(&half, at, sizeof half);
  return to_float(half);
}
inline int byte_at(const std::byte* at, Index i) noexcept { return std::to_integer<int>(at[i]); }

namespace q4_k {

/// Scale or minimum `i` of eight, of 6 bits each: four in the low bits of 4 bytes, four in nibbles and high bits.
struct Fine { int scale, min; };
inline Fine fine(const std::byte* scales, Index i) noexcept {
  if (i < 4) return {byte_at(scales, i) & 63, byte_at(scales, i + 4) & 63};
  return {(byte_at(scales, i + 4) & 15) | (byte_at(scales, i - 4) >> 6 << 4),
          (byte_at(scales, i + 4) >> 4) | (byte_at(scales, i) >> 6 << 4)};
}

}  // namespace q4_k

/// The numbers of one block of ggml's, in ggml's arithmetic, bit by bit.
inline void decode(Format format, const std::byte* b, float* y) noexcept {
  switch (format) {
    case Format::q8_0:
      for (Index i = 0; i < 32; ++i)
        y[i] = static_cast<float>(static_cast<std::int8_t>(b[q8_0::kCodes.at + i])) * half_at(b);
      return;
    case Format::q4_0:
      for (Index i = 0; i < 32; ++i) {
        const int code = byte_at(b, q4_0::kCodes.at + i % 16) >> (i < 16 ? 0 : 4) & 15;
        y[i] = static_cast<float>(code - 8) * half_at(b);
      }
      return;
    case Format::q4_k:
      for (Index i = 0; i < 256; ++i) {
        const q4_k::Fine fine = q4_k::fine(b + q4_k::kScales.at, i / 32);
        const float scale = half_at(b) * static_cast<float>(fine.scale);
        const float min = half_at(b + q4_k::kMin.at) * static_cast<float>(fine.min);
        const int code = byte_at(b, q4_k::kCodes.at + i / 64 * 32 + i % 32) >> (i % 64 < 32 ? 0 : 4) & 15;
        y[i] = scale * static_cast<float>(code) - min;  // 21 bits at most: exact before it is rounded, fused or not
      }
      return;
    case Format::q6_k:
      for (Index i = 0; i < 256; ++i) {
        const Index half = i / 128, quarter = i % 128 / 32, at = i % 32;
        const int low = byte_at(b, q6_k::kLow.at + half * 64 + quarter % 2 * 32 + at) >> (quarter < 2 ? 0 : 4) & 15;
        const int high = byte_at(b, q6_k::kHigh.at + half * 32 + at) >> (2 * quarter) & 3;
        const auto fine = static_cast<std::int8_t>(b[q6_k::kScales.at + i / 16]);
        const float scale = half_at(b + q6_k::kScale.at) * static_cast<float>(fine);
        y[i] = scale * static_cast<float>((low | high << 4) - 32);
      }
      return;
    case Format::f32:
    case Format::bf16:
    case Format::f16: return;
  }
}

}  // namespace block

/// Columns [first, first + n) of a row of quantised weights as numbers.
template <class T>
void decode_row(WeightRow row, Index first, T* y, Index n) noexcept {
  const StoredBlock stored = stored_block(row.format);
  std::byte one[kMaxBlockCols] = {};  // no block has more than a byte for each column
  float numbers[kMaxBlockCols];
  for (Index i = 0; i < n;) {
    const Index at = (first + i) % stored.cols, count = std::min<Index>(n - i, stored.cols - at);
    gather_block(row.format, row.group + (first + i) / stored.cols * stored.bytes, row.within, one);
    block::decode(row.format, one, numbers);
    for (Index k = 0; k < count; ++k) y[i + k] = static_cast<T>(numbers[at + k]);
    i += count;
  }
}

/// Rows as ggml keeps them, one behind the other, as groups. `rows` and `cols` fit the format.
inline void interleave(Format format, const std::byte* from, Index rows, Index cols, std::byte* to) noexcept {
  const StoredBlock stored = stored_block(format);
  const Index stride = row_bytes(format, cols), bytes = stored.bytes / stored.rows;
  for (Index r = 0; r < rows; ++r)
    for (Index c = 0; c < cols / stored.cols; ++c)
      scatter_block(format, from + r * stride + c * bytes,
                    to + (r - r % stored.rows) * stride + c * stored.bytes, r % stored.rows);
}

/// Whether no scale or min of groups is infinite or NaN. (What is made of finite ones is finite.)
inline bool finite_scales(Format format, const std::byte* groups, Index rows, Index cols) noexcept {
  const StoredBlock stored = stored_block(format);
  const BlockFields f = block_fields(format);
  unsigned largest_exponent = 0;
  for (Index b = 0; b < rows / stored.rows * (cols / stored.cols); ++b, groups += stored.bytes)
    for (const BlockField* field = f.field; field != f.field + f.count; ++field)
      for (Index r = 0; r < kGroupRows && field->unit == 2; ++r) {
        f16 half;
        std::memcpy(&half, groups + field->place(0, r), sizeof half);
        largest_exponent = std::max<unsigned>(largest_exponent, half.bits & 0x7C00u);
      }
  return largest_exponent < 0x7C00u;
}

}  // namespace DSVL_ISA
}  // namespace kernels
using kernels::decode_row;
using kernels::finite_scales;
using kernels::gather_block;
using kernels::interleave;
DSVL_END_NAMESPACE

#endif  // DSVL_KERNELS_WEIGHTS_BLOCKS_HPP
