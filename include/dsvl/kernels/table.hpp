// Kernels<T>: the one table of functions that everything above floor 1 calls.
//
// Pointers go in, pointers come out. A call covers one tile (a block of rows, outputs or queries) and runs on one
// thread. T is the activation scalar: float for use (native.hpp, vectorised), float and double for the oracle
// (reference.hpp).
//
// Every entry keeps one promise: an output element is a fixed function of its own inputs (for `linear`: of its row of x
// and its row of w). So cutting work into other tiles, chunks, batches of rows or threads never changes a bit.
#ifndef DSVL_KERNELS_TABLE_HPP
#define DSVL_KERNELS_TABLE_HPP

#include "../base/matrix.hpp"
#include "attention/kv_layout.hpp"
#include "linear/activation_format.hpp"

DSVL_BEGIN_NAMESPACE

/// y[r, n] = bias[n] + sum_k x[r, k] * w[n, k], or y[r, n] += that.
template <class T>
struct LinearTile {
  const T* x = nullptr;           ///< (rows, cols), rows x_stride apart; read only where x_format is f32
  Index x_stride = 0, rows = 0;
  const std::byte* w = nullptr;   ///< (outputs, cols) consecutive rows of `format`, any alignment; whole groups
  Format format = Format::f32;
  Index outputs = 0, cols = 0;
  const float* bias = nullptr;    ///< (outputs) or null
  T* y = nullptr;                 ///< (rows, outputs), rows y_stride apart; does not overlap x
  Index y_stride = 0;
  bool add = false;               ///< y += instead of y =
  ActivationFormat x_format = ActivationFormat::f32;
  /// Replaces x in any other form than f32: the rows that `quantize_activations` wrote, aligned to 4 bytes.
  const std::byte* quantized_x = nullptr;
  Index quantized_x_stride = 0;   ///< bytes from one of these rows to the next, a multiple of 4
};
/// Blocking of `linear`: M, N, the widest packed panel of w, and K. Only K (kLinearDepth: columns, or pairs of them in
/// bf16, that are summed in one go) is part of the numeric contract; the others are free to tune.
inline constexpr Index kLinearRows = 320, kLinearOutputs = 128, kLinearPanel = 64, kLinearDepth = 512;
/// Floats from one row of x to the next where rows are copied to scratch: rows 512 floats apart would share cache sets.
inline constexpr Index kLinearPitch = kLinearDepth + 16;
/// Scratch that `linear` needs, in elements of T: sums of M x N, M rows of x, a packed panel. (Or a single row of x.)
inline constexpr Index kLinearScratch =
    kLinearRows * (kLinearOutputs + kLinearPitch) + kLinearPanel * kLinearDepth;

/// Normalises rows of x into y, which may be the same memory.
template <class T>
struct NormTile {
  const T* x = nullptr;
  Index x_stride = 0, rows = 0, cols = 0;
  const float* weight = nullptr;  ///< (cols)
  const float* bias = nullptr;    ///< (cols); not read by rms_norm
  T eps = 0;                      ///< added to the variance (layer_norm) or the mean square (rms_norm)
  T* y = nullptr;
  Index y_stride = 0;
};

/// Keys and values of `rows` consecutive tokens of one head, on their way into one block of the cache.
template <class T>
struct KvTile {
  const T* k = nullptr;  ///< (rows, head_dim), rows k_stride apart
  const T* v = nullptr;  ///< (rows, head_dim), rows v_stride apart
  Index k_stride = 0, v_stride = 0, rows = 0, head_dim = 0;
  KvFormat format = KvFormat::full;
  std::byte* block = nullptr;  ///< kv_block_bytes(format, head_dim)
  Index slot = 0;              ///< the first token's place in the block; slot + rows <= 64
};

/// A row of a pass over one or more sequences: the page table of its sequence, and its position in it.
struct SequenceRow {
  std::byte* const* pages = nullptr;
  Index position = 0;

  /// The row `n` positions behind this one.
  [[nodiscard]] constexpr SequenceRow behind(Index n) const noexcept { return {pages, position + n}; }
  constexpr bool operator==(const SequenceRow&) const noexcept = default;
};

/// y[r] = sum_j softmax_j(scale * q[r] . k[j] + bias[r, j]) v[j] over the keys that row r sees.
template <class T>
struct AttendTile {
  const T* q = nullptr;               ///< (rows, head_dim), rows q_stride apart
  Index q_stride = 0, rows = 0, head_dim = 0;
  T scale = 0;
  const std::byte* const* pages = nullptr;  ///< block b of this head starts at pages[b] + offset
  Index offset = 0;
  KvFormat format = KvFormat::full;
  Index keys = 0;                     ///< every row sees the keys [0, keys)
  /// Causal: row r sees the keys [0, places[r].position] of its own pages. Null: `pages` and `keys` are those of all.
  const SequenceRow* places = nullptr;
  /// Decomposed relative positions, both or neither, and not with places of several sequences. Key j is place j of a
  /// map `map_width` wide, row r is place `place` + r, and the key at (y, x) adds bias_y[r, y - y of r] + bias_x[r, x
  /// - x of r] to the score. The pointers stand at distance 0 of row 0; rows are bias_stride apart, and each has the
  /// distances to all keys of the last row.
  const T* bias_y = nullptr;
  const T* bias_x = nullptr;
  Index bias_stride = 0, map_width = 0, place = 0;
  T* y = nullptr;                     ///< (rows, head_dim), rows y_stride apart
  Index y_stride = 0;
  /// Rows from `weights_from` on leave their softmax weights behind: that of key j for row weights_from + i at
  /// weights[i * weights_stride + j]. A row has room for whole blocks; what lies behind its keys is overwritten with
  /// anything. Null: no row does, and nothing of the kind is computed.
  T* weights = nullptr;
  Index weights_from = 0, weights_stride = 0;

  /// Where row r leaves its weights; null when it does not.
  [[nodiscard]] constexpr T* weights_of(Index r) const noexcept {
    return weights && r >= weights_from ? weights + (r - weights_from) * weights_stride : nullptr;
  }
  /// Row r sees the keys [0, keys_of(r)).
  [[nodiscard]] constexpr Index keys_of(Index r) const noexcept { return places ? places[r].position + 1 : keys; }
  /// Where block b of row r's sequence is.
  [[nodiscard]] constexpr const std::byte* block_of(Index r, Index b) const noexcept {
    return (places ? places[r].pages[b] : pages[b]) + offset;
  }
};
/// Scratch that `attend` needs, in elements of T.
constexpr Index attend_scratch(Index rows, Index head_dim) noexcept {
  return rows * (2 * round_up(head_dim, kKvPad) + kKvBlock + kKvPad) + 3 * round_up(rows, kKvPad);
}

/// Gathers the k x k neighbourhoods of `count` output pixels of a map into rows: the product of a row with a
/// convolution's weight (out, channels * k * k) is that pixel's output. Outside the map is zero.
template <class T>
struct UnfoldTile {
  const T* map = nullptr;  ///< element (c, y, x) is map[c * channel_stride + y * row_stride + x * pixel_stride]
  Index channel_stride = 0, row_stride = 0, pixel_stride = 0;
  Index channels = 0, height = 0, width = 0;
  Index size = 1, step = 1, padding = 0;  ///< k, stride, zero border
  Index out_width = 0;                ///< output pixel p is at (p / out_width, p % out_width)
  Index first = 0, count = 0;         ///< output pixels of this tile
  T* y = nullptr;                     ///< (count, channels * k * k), element order c, ky, kx; rows y_stride apart
  Index y_stride = 0;
};

/// Bilinear resize (align_corners = false, no antialias) of a channels-last map: rows [first, first + count) of the
/// output.
template <class T>
struct ResizeTile {
  const T* map = nullptr;  ///< (from.height, from.width, channels) contiguous
  Grid from, to;
  Index channels = 0, first = 0, count = 0;
  T* y = nullptr;          ///< (to.height, to.width, channels) contiguous
};

/// The functions of one instruction set.
template <class T>
struct Kernels {
  const char* name = "";  ///< the instruction set, for reports

  /// A matrix product. `scratch`: kLinearScratch elements, aligned to 64 bytes.
  void (*linear)(const LinearTile<T>&, T* scratch) noexcept = nullptr;
  /// Rounds a row x (cols) to bf16 (nearest, ties to even) with zeros behind, or quantises it with quantize8 to an
  /// Int8Row, one block of columns at a time. Writes quantized_row_bytes(format, cols) bytes; nothing for f32.
  void (*quantize_activations)(ActivationFormat format, const T* x, Index cols, std::byte* to) noexcept = nullptr;
  /// (x - mean) / sqrt(var + eps) * weight + bias, biased variance.
  void (*layer_norm)(const NormTile<T>&) noexcept = nullptr;
  /// x / sqrt(mean(x^2) + eps) * weight.
  void (*rms_norm)(const NormTile<T>&) noexcept = nullptr;
  /// x[i] = x[i] / 2 * (1 + erf(x[i] / sqrt 2)), in place.
  void (*gelu_erf)(T* x, Index n) noexcept = nullptr;
  /// x[i] = x[i] / 2 * (1 + tanh(sqrt(2 / pi) * (x[i] + 0.044715 x[i]^3))), in place.
  void (*gelu_tanh)(T* x, Index n) noexcept = nullptr;
  /// gate[i] = gate[i] / (1 + exp(-gate[i])) * up[i].
  void (*silu_mul)(T* gate, const T* up, Index n) noexcept = nullptr;
  /// y[i] += scale * x[i].
  void (*add_scaled)(const T* x, T scale, T* y, Index n) noexcept = nullptr;
  /// y[i] = w[i] for the first n weights of a row: a token's embedding.
  void (*unpack)(WeightRow w, T* y, Index n) noexcept = nullptr;
  /// y[i] += w[i]: learned positions.
  void (*add_unpacked)(WeightRow w, T* y, Index n) noexcept = nullptr;
  /// Half rotation of `heads` consecutive heads in place: (a, b) -> (a cos - b sin, b cos + a sin), a the first and b
  /// the second half of a head; cos and sin have head_dim / 2 elements.
  void (*rope)(T* x, Index heads, Index head_dim, const T* cos, const T* sin) noexcept = nullptr;
  /// Writes consecutive tokens of one head into a block.
  void (*store_kv)(const KvTile<T>&) noexcept = nullptr;
  /// Attention of some queries of one head. `scratch`: attend_scratch(rows, head_dim) elements, aligned to 64 bytes.
  void (*attend)(const AttendTile<T>&, T* scratch) noexcept = nullptr;
  /// The neighbourhoods that a convolution's product reads (im2col).
  void (*unfold)(const UnfoldTile<T>&) noexcept = nullptr;
  void (*resize)(const ResizeTile<T>&) noexcept = nullptr;
};

DSVL_END_NAMESPACE

#endif  // DSVL_KERNELS_TABLE_HPP
