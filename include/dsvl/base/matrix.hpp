// Format and Matrix: weights as they are stored in the checkpoint, read in place.
//
// A Matrix is a format tag, a shape and up to three blocks of rows. One block is the rule; three are a fused q/k/v that
// the file keeps as separate tensors. Nothing is copied, and rows may be misaligned (safetensors promises no
// alignment).
//
// Quantised weights are stored in groups of kGroupRows rows, interleaved so that a product reads one group as one
// stream and finds the same column of all its rows side by side. kernels/weights/blocks.hpp has the order of the bytes.
#ifndef DSVL_BASE_MATRIX_HPP
#define DSVL_BASE_MATRIX_HPP

#include <cstddef>
#include <string_view>

#include "view.hpp"

DSVL_BEGIN_NAMESPACE

/// The storage format of a weight. kernels/weights/ has one policy per entry, and no code above the kernels depends on
/// which it is. The quantised ones are those of ggml.
enum class Format : unsigned char {
  f32,   ///< IEEE binary32
  bf16,  ///< bfloat16
  f16,   ///< IEEE binary16
  q8_0,  ///< 8 bits and an f16 scale per 32 columns: 8.5 bits per weight
  q4_0,  ///< 4 bits and an f16 scale per 32 columns: 4.5 bits per weight
  q4_k,  ///< 4 bits, a scale and a minimum per 256 columns with 6-bit ones per 32: 4.5 bits per weight
  q6_k,  ///< 6 bits, a scale per 256 columns with 8-bit ones per 16: 6.5625 bits per weight
};
/// Number of formats.
inline constexpr int kFormats = 7;

/// Rows of quantised weights that are interleaved.
inline constexpr Index kGroupRows = 16;

/// The smallest piece of a weight that can be stored: `rows` by `cols` weights in `bytes`. A weight is a multiple of
/// it.
struct StoredBlock {
  std::string_view name;    ///< of the format
  Index rows, cols, bytes;  ///< of the piece
};
/// The piece of a format.
constexpr StoredBlock stored_block(Format format) noexcept {
  switch (format) {
    case Format::f32: return {"f32", 1, 1, 4};
    case Format::bf16: return {"bf16", 1, 1, 2};
    case Format::f16: return {"f16", 1, 1, 2};
    case Format::q8_0: return {"q8_0", kGroupRows, 32, kGroupRows * 34};
    case Format::q4_0: return {"q4_0", kGroupRows, 32, kGroupRows * 18};
    case Format::q4_k: return {"q4_k", kGroupRows, 256, kGroupRows * 144};
    case Format::q6_k: return {"q6_k", kGroupRows, 256, kGroupRows * 210};
  }
  return {"unknown", 1, 1, 1};
}

/// The format's name, as ggml spells it.
constexpr std::string_view name(Format format) noexcept { return stored_block(format).name; }
/// True for the formats whose rows are interleaved.
constexpr bool quantized(Format format) noexcept { return stored_block(format).rows > 1; }
/// True when weights of that shape can be stored in `format`.
constexpr bool fits(Format format, Index rows, Index cols) noexcept {
  return rows % stored_block(format).rows == 0 && cols % stored_block(format).cols == 0;
}
/// Bytes of `cols` consecutive weights. For quantised ones it is the share that a row has in its group.
constexpr Index row_bytes(Format format, Index cols) noexcept {
  const StoredBlock b = stored_block(format);
  return cols / b.cols * (b.bytes / b.rows);
}

/// The address of a row: it is row `within` of the group of interleaved rows that begins at `group`.
struct WeightRow {
  Format format = Format::f32;       ///< of the row's block
  const std::byte* group = nullptr;  ///< first byte of the group
  Index within = 0;                  ///< 0 where rows are not interleaved
};

/// One side of a weight's shape. Rows may be stacked from several tensors (q, k, v), columns may be several dimensions
/// of one (a convolution's in, ky, kx). A checkpoint that keeps them apart has to agree part by part.
struct Extent {
  Index part[3] = {};  ///< sizes, unused ones 0
  int parts = 1;       ///< 1 or 3

  /// A side that is one size.
  constexpr Extent(Index whole) noexcept : part{whole} {}  // NOLINT: implicit by design, one part is the rule
  /// A side that has three parts.
  constexpr Extent(Index a, Index b, Index c) noexcept : part{a, b, c}, parts(3) {}
  /// Rows of the stack.
  [[nodiscard]] constexpr Index sum() const noexcept { return part[0] + part[1] + part[2]; }
  /// Columns of the matrix that a convolution's weight is.
  [[nodiscard]] constexpr Index product() const noexcept { return parts == 1 ? part[0] : part[0] * part[1] * part[2]; }
};

/// A weight of shape (rows, cols), row-major. It does not own its bytes, which are in a mapped file, in memory that the
/// file was read into, or in the caller's memory.
struct Matrix {
  static constexpr int kMaxBlocks = 3;  ///< q, k and v
  /// Rows that are stored together.
  struct Block {
    const std::byte* data = nullptr;  ///< at any alignment
    Index rows = 0;                   ///< number of rows
    Format format = Format::f32;      ///< blocks of one weight may differ in it
  };

  Format format = Format::f32;    ///< of the first block; either all blocks are quantised or all have this format
  Index rows = 0, cols = 0;       ///< of all blocks together
  Block blocks[kMaxBlocks] = {};  ///< from top to bottom
  int block_count = 0;            ///< 0 for a weight that is not bound

  /// A weight that is not bound.
  Matrix() noexcept = default;
  /// A weight of one block.
  Matrix(Format f, const void* data, Index r, Index c) noexcept
      : format(f), rows(r), cols(c), blocks{{static_cast<const std::byte*>(data), r, f}}, block_count(1) {}

  /// True while the weight is not bound.
  [[nodiscard]] bool empty() const noexcept { return block_count == 0; }
  /// Bytes of all blocks.
  [[nodiscard]] Index bytes() const noexcept {
    Index sum = 0;
    for (int b = 0; b < block_count; ++b) sum += blocks[b].rows * row_bytes(blocks[b].format, cols);
    return sum;
  }

  /// The address of row r.
  [[nodiscard]] WeightRow row(Index r) const noexcept {
    int b = 0;
    while (r >= blocks[b].rows) r -= blocks[b++].rows;
    const Block& block = blocks[b];
    const Index within = r % stored_block(block.format).rows;
    return {block.format, block.data + (r - within) * row_bytes(block.format, cols), within};
  }

  /// Appends the rows of `below`. False when format, width or the number of blocks does not allow it.
  [[nodiscard]] bool stack(const Matrix& below) noexcept {
    if (empty()) return *this = below, true;
    const bool alike = below.format == format || (quantized(below.format) && quantized(format));
    if (!alike || below.cols != cols || block_count + below.block_count > kMaxBlocks) return false;
    for (int b = 0; b < below.block_count; ++b) blocks[block_count++] = below.blocks[b];
    rows += below.rows;
    return true;
  }
};

DSVL_END_NAMESPACE

#endif  // DSVL_BASE_MATRIX_HPP
