// Matrix: a weight as it is stored in the checkpoint, read in place.
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

#include "format.hpp"

DSVL_BEGIN_NAMESPACE

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
  Index rows = 0;                 ///< of all blocks together
  Index cols = 0;                 ///< of each block
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
