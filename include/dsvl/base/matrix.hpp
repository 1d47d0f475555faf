// Format and Matrix: weights as they lie in the checkpoint, read in place.
//
// A Matrix is a format tag, a shape and up to three blocks of rows. One block is the rule; three are a fused q/k/v that
// the file keeps as separate tensors. Nothing is copied and rows may be misaligned (safetensors does not promise more).
//
// Quantised weights lie in groups of kGroupRows rows, interleaved so that a product reads one group as one stream and
// finds the same column of all its rows side by side (kernels/weights/blocks.hpp has the order of the bytes).
#ifndef DSVL_BASE_MATRIX_HPP
#define DSVL_BASE_MATRIX_HPP

#include <cstddef>
#include <string_view>

#include "view.hpp"

DSVL_BEGIN_NAMESPACE

/// How weights are stored. kernels/weights/ has one policy per entry; nothing above the kernels
/// asks which it is. The quantised ones are those of ggml: q8_0 and q4_0 have a scale for 32 columns, q4_k and q6_k for
/// 256, with finer ones within.
enum class Format : unsigned char { f32, bf16, f16, q8_0, q4_0, q4_k, q6_k };
inline constexpr int kFormats = 7;

/// Rows of quantised weights that are interleaved.
inline constexpr Index kGroupRows = 16;

/// The smallest piece of a weight that can be stored: `rows` by `cols` in `bytes`. A weight is a multiple of it.
struct StoredBlock {
  std::string_view name;
  Index rows, cols, bytes;
};
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

constexpr std::string_view name(Format format) noexcept { return stored_block(format).name; }
constexpr bool quantized(Format format) noexcept { return stored_block(format).rows > 1; }
/// Whether weights of that shape can be stored in `format`.
constexpr bool fits(Format format, Index rows, Index cols) noexcept {
  return rows % stored_block(format).rows == 0 && cols % stored_block(format).cols == 0;
}
/// Bytes of `cols` consecutive weights; of quantised ones, the part that a row has in its group.
constexpr Index row_bytes(Format format, Index cols) noexcept {
  const StoredBlock b = stored_block(format);
  return cols / b.cols * (b.bytes / b.rows);
}

/// Where a row lies: the `within`-th of the rows that begin together at `group`.
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

  /// Appends the rows of `below`; false when format, width or the number of blocks does not allow it.
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
