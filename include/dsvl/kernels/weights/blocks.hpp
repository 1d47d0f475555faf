// Quantised weights as bytes: ggml's blocks, how sixteen rows of them are interleaved, and the numbers they stand for.
//
// A block holds 32 or 256 consecutive columns of a row. Sixteen rows form a group: their sixteen blocks are stored
// field by field, and within a field word by word, so that the same word of all rows fills a vector (or several) and a
// product reads each group from its first byte to its last. A group has exactly the bytes of its blocks. Source:
// ggml-common.h (block_q8_0, block_q4_0, block_q4_K, block_q6_K) and ggml-quants.c (dequantize_row_*).
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

/// Columns of the longest block, and more than the bytes of any.
inline constexpr Index kMaxBlockCols = 256;

/// Bytes [at, at + bytes) of a block. In a group, the same word (`word` bytes) of the sixteen rows lies side by side.
struct BlockField {
  Index at = 0, bytes = 0, word = 0;

  /// Offset in the group of byte `i` of a row's field.
  [[nodiscard]] constexpr Index place(Index i, Index row) const noexcept {
    return at * kGroupRows + (i / word * kGroupRows + row) * word + i % word;
  }
};

/// The fields of a block, in the order of ggml's struct.
struct BlockFields {
  BlockField field[4] = {};
  int count = 0;
};

namespace block {

/// The binary16 at any address.
inline float half_at(const std::byte* at) noexcept {
  f16 half;
  std::memcpy(&half, at, sizeof half);
  return to_float(half);
}
/// Byte i as a number from 0 to 255.
inline int byte_at(const std::byte* at, Index i) noexcept { return std::to_integer<int>(at[i]); }

// A type for each quantised format: its fields, and decode(), which turns a block into floats in ggml's arithmetic,
// equal to the bit. Scales are binary16, a word each. Words of codes have four bytes, what one lane of a dot product
// takes.

/// weight = scale * code, the code signed.
struct Q8_0 {
  static constexpr BlockField kScale{0, 2, 2}, kCodes{2, 32, 4};
  static constexpr BlockFields kFields{{kScale, kCodes}, 2};

  static void decode(const std::byte* b, float* y) noexcept {
    for (Index i = 0; i < 32; ++i)
      y[i] = static_cast<float>(static_cast<std::int8_t>(b[kCodes.at + i])) * half_at(b + kScale.at);
  }
};

/// weight = scale * (code - 8). Byte i has the codes of columns i and i + 16.
struct Q4_0 {
  static constexpr BlockField kScale{0, 2, 2}, kCodes{2, 16, 4};
  static constexpr BlockFields kFields{{kScale, kCodes}, 2};

  static void decode(const std::byte* b, float* y) noexcept {
    for (Index i = 0; i < 32; ++i) {
      const int code = byte_at(b, kCodes.at + i % 16) >> (i < 16 ? 0 : 4) & 15;
      y[i] = static_cast<float>(code - 8) * half_at(b + kScale.at);
    }
  }
};

/// weight = scale * s * code - min * m, with s and m for every 32 columns.
struct Q4_K {
  static constexpr BlockField kScale{0, 2, 2}, kMin{2, 2, 2}, kScales{4, 12, 4}, kCodes{16, 128, 4};
  static constexpr BlockFields kFields{{kScale, kMin, kScales, kCodes}, 4};

  /// The integer scale and min of one of the eight sub-blocks, 6 bits each.
  struct SubScales {
    int scale, min;
  };
  /// Sub-blocks 0 to 3 have the low 6 bits of a byte each. Those of 4 to 7 are put together from a nibble of the last
  /// four bytes and the top 2 bits of the first eight.
  static SubScales sub_scales(const std::byte* scales, Index i) noexcept {
    if (i < 4) return {byte_at(scales, i) & 63, byte_at(scales, i + 4) & 63};
    return {(byte_at(scales, i + 4) & 15) | (byte_at(scales, i - 4) >> 6 << 4),
            (byte_at(scales, i + 4) >> 4) | (byte_at(scales, i) >> 6 << 4)};
  }
  static void decode(const std::byte* b, float* y) noexcept {
    for (Index i = 0; i < 256; ++i) {
      const SubScales sub = sub_scales(b + kScales.at, i / 32);
      const float scale = half_at(b + kScale.at) * static_cast<float>(sub.scale);
      const float min = half_at(b + kMin.at) * static_cast<float>(sub.min);
      const int code = byte_at(b, kCodes.at + i / 64 * 32 + i % 32) >> (i % 64 < 32 ? 0 : 4) & 15;
      y[i] = scale * static_cast<float>(code) - min;  // 21 bits at most: exact before it is rounded, fused or not
    }
  }
};

/// weight = scale * s * (code - 32), with a signed s for every 16 columns.
struct Q6_K {
  static constexpr BlockField kLow{0, 128, 4}, kHigh{128, 64, 4}, kScales{192, 16, 4}, kScale{208, 2, 2};
  static constexpr BlockFields kFields{{kLow, kHigh, kScales, kScale}, 4};

  static void decode(const std::byte* b, float* y) noexcept {
    for (Index i = 0; i < 256; ++i) {
      const Index half = i / 128, quarter = i % 128 / 32, at = i % 32;
      const int low = byte_at(b, kLow.at + half * 64 + quarter % 2 * 32 + at) >> (quarter < 2 ? 0 : 4) & 15;
      const int high = byte_at(b, kHigh.at + half * 32 + at) >> (2 * quarter) & 3;
      const auto sub = static_cast<std::int8_t>(b[kScales.at + i / 16]);
      const float scale = half_at(b + kScale.at) * static_cast<float>(sub);
      y[i] = scale * static_cast<float>((low | high << 4) - 32);
    }
  }
};

/// Calls f(block type) for a quantised format; the only place where one becomes such a type.
template <class Call>
constexpr void with_block(Format format, Call&& f) noexcept {
  switch (format) {
    case Format::q8_0: return f(Q8_0{});
    case Format::q4_0: return f(Q4_0{});
    case Format::q4_k: return f(Q4_K{});
    case Format::q6_k: return f(Q6_K{});
    case Format::f32:
    case Format::bf16:
    case Format::f16: return;
  }
}

/// The fields of a format's block; none for a dense format.
constexpr BlockFields fields(Format format) noexcept {
  BlockFields found;
  with_block(format, [&]<class B>(B) DSVL_INLINED { found = B::kFields; });
  return found;
}
/// Decodes one of ggml's blocks to floats.
inline void decode(Format format, const std::byte* b, float* y) noexcept {
  with_block(format, [&]<class B>(B) DSVL_INLINED { B::decode(b, y); });
}

}  // namespace block

/// Copies one row's block out of a group (`group`: the group's bytes of these columns).
inline void gather_block(Format format, const std::byte* group, Index row, std::byte* block) noexcept {
  const BlockFields f = block::fields(format);
  for (const BlockField* field = f.field; field != f.field + f.count; ++field)
    for (Index i = 0; i < field->bytes; i += field->word)
      std::memcpy(block + field->at + i, group + field->place(i, row), static_cast<std::size_t>(field->word));
}
/// Copies one row's block into a group.
inline void scatter_block(Format format, const std::byte* block, std::byte* group, Index row) noexcept {
  const BlockFields f = block::fields(format);
  for (const BlockField* field = f.field; field != f.field + f.count; ++field)
    for (Index i = 0; i < field->bytes; i += field->word)
      std::memcpy(group + field->place(i, row), block + field->at + i, static_cast<std::size_t>(field->word));
}

/// Decodes columns [first, first + n) of a row of quantised weights.
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

}  // namespace DSVL_ISA
}  // namespace kernels
using kernels::decode_row;
using kernels::gather_block;
DSVL_END_NAMESPACE

#endif  // DSVL_KERNELS_WEIGHTS_BLOCKS_HPP
