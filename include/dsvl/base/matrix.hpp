// Format and Matrix: weights as they lie in the checkpoint, read in place.
//
// A Matrix is a format tag, a shape and up to three blocks of rows. One block is the rule; three are a fused q/k/v that
// the file keeps as separate tensors. Nothing is copied and rows may be misaligned (safetensors does not promise more).
#ifndef DSVL_BASE_MATRIX_HPP
#define DSVL_BASE_MATRIX_HPP

#include <cstddef>
#include <string_view>

#include "view.hpp"

DSVL_BEGIN_NAMESPACE

/// How weights are stored. kernels/formats.hpp has one policy per entry; nothing above the kernels asks which it is.
enum class Format : unsigned char { f32, bf16, f16 };
inline constexpr int kFormats = 3;

constexpr std::string_view name(Format format) noexcept {
  switch (format) {
    case Format::f32: return "f32";
    case Format::bf16: return "bf16";
    case Format::f16: return "f16";
  }
  return "unknown";
}

/// Bytes of `cols` consecutive weights.
constexpr Index row_bytes(Format format, Index cols) noexcept { return cols * (format == Format::f32 ? 4 : 2); }

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
  };

  Format format = Format::f32;
  Index rows = 0, cols = 0;
  Block blocks[kMaxBlocks] = {};
  int block_count = 0;

  Matrix() noexcept = default;
  Matrix(Format f, const void* data, Index r, Index c) noexcept
      : format(f), rows(r), cols(c), blocks{{static_cast<const std::byte*>(data), r}}, block_count(1) {}

  [[nodiscard]] bool empty() const noexcept { return block_count == 0; }
  [[nodiscard]] Index bytes() const noexcept { return rows * row_bytes(format, cols); }

  /// First byte of row r.
  [[nodiscard]] const std::byte* row(Index r) const noexcept {
    int b = 0;
    while (r >= blocks[b].rows) r -= blocks[b++].rows;
    return blocks[b].data + r * row_bytes(format, cols);
  }

  /// Appends the rows of `below`; false when format, width or the number of blocks does not allow it.
  [[nodiscard]] bool stack(const Matrix& below) noexcept {
    if (empty()) return *this = below, true;
    if (below.format != format || below.cols != cols || block_count + below.block_count > kMaxBlocks) return false;
    for (int b = 0; b < below.block_count; ++b) blocks[block_count++] = below.blocks[b];
    rows += below.rows;
    return true;
  }
};

DSVL_END_NAMESPACE

#endif  // DSVL_BASE_MATRIX_HPP
