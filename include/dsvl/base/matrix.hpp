// Matrix: a weight as it lies in the checkpoint, read in place.
//
// A Matrix is a format tag, a shape and up to three blocks of rows. One block is the rule; three are a fused q/k/v that
// the file keeps as separate tensors. Nothing is copied and rows may be misaligned (safetensors does not promise more).
//
// Quantised weights lie in groups of kGroupRows rows, interleaved so that a product reads one group as one stream and
// finds the same column of all its rows side by side (kernels/weights/blocks.hpp has the order of the bytes).
#ifndef DSVL_BASE_MATRIX_HPP
#define DSVL_BASE_MATRIX_HPP

#include <cstddef>

#include "format.hpp"

DSVL_BEGIN_NAMESPACE

/// A row of weights in memory: the `within`-th of the rows whose group begins at `group`.
struct WeightRow {
  Format format = Format::f32;
  const std::byte* group = nullptr;
  Index within = 0;
};

/// One side of a weight's shape. Rows may be stacked from several tensors (q, k, v), columns may be several dimensions
/// of one (a convolution's in, ky, kx); where a checkpoint keeps them apart, it has to agree part by part.
struct Extent {
  Index part[3] = {};
  int parts = 1;

  constexpr Extent(Index whole) noexcept : part{whole} {}  // NOLINT: implicit by design, one part is the rule
  constexpr Extent(Index a, Index b, Index c) noexcept : part{a, b, c}, parts(3) {}
  /// Rows of the stack.
  [[nodiscard]] constexpr Index sum() const noexcept { return part[0] + part[1] + part[2]; }
  /// Columns of the matrix that a convolution's weight is.
  [[nodiscard]] constexpr Index product() const noexcept { return parts == 1 ? part[0] : part[0] * part[1] * part[2]; }
};

/// A weight of shape (rows, cols), row-major, owned by whoever owns the bytes (a mapped file, the caller's memory).
struct Matrix {
  static constexpr int kMaxBlocks = 3;
  struct Block {
    const std::byte* data = nullptr;
    Index rows = 0;
    Format format = Format::f32;
  };

  Format format = Format::f32;  ///< of the first block; all are quantised or all have this one
  Index rows = 0, cols = 0;
  Block blocks[kMaxBlocks] = {};
  int block_count = 0;

  Matrix() noexcept = default;
  Matrix(Format f, const void* data, Index r, Index c) noexcept
      : format(f), rows(r), cols(c), blocks{{static_cast<const std::byte*>(data), r, f}}, block_count(1) {}

  [[nodiscard]] bool empty() const noexcept { return block_count == 0; }
  [[nodiscard]] Index bytes() const noexcept {
    Index sum = 0;
    for (int b = 0; b < block_count; ++b) sum += blocks[b].rows * row_bytes(blocks[b].format, cols);
    return sum;
  }

  [[nodiscard]] WeightRow row(Index r) const noexcept {
    int b = 0;
    while (r >= blocks[b].rows) r -= blocks[b++].rows;
    const Block& block = blocks[b];
    const Index within = r % stored_block(block.format).rows;
    return {block.format, block.data + (r - within) * row_bytes(block.format, cols), within};
  }

  /// Appends the rows of `below`. Returns false if format, width or the number of blocks does not allow it.
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
