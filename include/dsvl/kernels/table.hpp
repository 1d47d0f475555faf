// Kernels<T>: the one table of functions that everything above floor 1 calls.
//
// Pointers in, pointers out; a call covers one tile (a block of rows, outputs or queries) and runs on one thread. T is
// the activation scalar: float for use (native.hpp, vectorised), float and double for the oracle (reference.hpp).
//
// The promise behind every entry: an output element is a fixed function of its own inputs (for `linear`: of its row of
// x and its row of w). How work is cut into tiles, chunks, batches of rows or threads never moves a bit.
#ifndef DSVL_KERNELS_TABLE_HPP
#define DSVL_KERNELS_TABLE_HPP

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "../base/matrix.hpp"
#include "../base/precision.hpp"

DSVL_BEGIN_NAMESPACE

/// Tokens in one block of keys and values. Absolute: block b holds positions [64 b, 64 b + 64).
inline constexpr Index kKvBlock = 64;
/// Rows of V are padded to a multiple of this many elements, so that no kernel needs a tail loop along head_dim.
inline constexpr Index kKvPad = 16;

template <class T>
constexpr Index kv_element_bytes(KvFormat format) noexcept {
  return format == KvFormat::full ? static_cast<Index>(sizeof(T)) : format == KvFormat::bf16 ? 2 : 1;
}
/// Where in a block of one head the scales of q8 are: those of 64 keys, then those of 64 values.
constexpr Index kv_scales_offset(Index head_dim) noexcept { return kKvBlock * (head_dim + round_up(head_dim, kKvPad)); }
/// Bytes of one block of one head: K transposed (head_dim, 64), then V (64, head_dim padded), then scales.
template <class T>
constexpr Index kv_block_bytes(KvFormat format, Index head_dim) noexcept {
  const Index scales = format == KvFormat::q8 ? 2 * kKvBlock * static_cast<Index>(sizeof(float)) : 0;
  return kv_element_bytes<T>(format) * kKvBlock * (head_dim + round_up(head_dim, kKvPad)) + scales;
}

namespace kernels {
inline namespace DSVL_ISA {

/// n numbers in 8 bits, rounded to nearest even, to every `step`-th byte: x[i] is about q[i] * the scale returned, the
/// largest becomes 127. All arithmetic is in float, so that every table stores the same bytes.
template <class T>
float quantize8(const T* x, Index n, std::int8_t* q, Index step) noexcept {
  float largest = 0;
  for (Index i = 0; i < n; ++i) {
    const float size = std::fabs(static_cast<float>(x[i]));
    if (largest == largest && !(size <= largest)) largest = size;  // a NaN stays, and is seen in the scale
  }
  const float up = largest > 0 ? 127.0f / largest : 0.0f;
  for (Index i = 0; i < n; ++i) {
    const float scaled = static_cast<float>(x[i]) * up;  // at most a rounding above 127
    q[i * step] = static_cast<std::int8_t>(scaled >= -127.5f && scaled <= 127.5f ? std::nearbyint(scaled) : 0.0f);
  }
  return largest / 127.0f;
}

}  // namespace DSVL_ISA
}  // namespace kernels
using kernels::quantize8;

/// How products take a row of x: as it is, in pairs of bf16, or as an Int8Row, whose spans have a scale each or share
/// that of the kInt8Wide columns where they are.
enum class Inputs : unsigned char { floats, bf16, int8, int8_wide };

/// Columns of a span of x; weights of any quantised format have a multiple of it. The formats with scales for 256
/// columns need one of x for as many, as ggml does, and q4_0 takes it where its rows allow it: that saves a tenth of
/// the arithmetic, and what it costs is lost beside what these weights are off. (Logits of 1.3B in q6_k are off by
/// 6.1e-2, not 5.9e-2, in q4_0 by 0.26 either way.) In q8_0 it would be seen.
inline constexpr Index kInt8Span = 32, kInt8Wide = 256;

constexpr Inputs inputs_of(Activations activations, Format weights, Index cols) noexcept {
  if (quantized(weights))
    return weights != Format::q8_0 && cols % kInt8Wide == 0 ? Inputs::int8_wide : Inputs::int8;
  return activations == Activations::rounded && weights == Format::bf16 && cols % 2 == 0 ? Inputs::bf16
                                                                                         : Inputs::floats;
}
/// Of a whole weight: spans of a wide row serve every quantised format.
constexpr Inputs inputs_of(Activations activations, const Matrix& weights) noexcept {
  Inputs inputs = Inputs::floats;
  for (int b = 0; b < weights.block_count; ++b)
    inputs = (std::max)(inputs, inputs_of(activations, weights.blocks[b].format, weights.cols));
  return inputs;
}
constexpr bool in_bytes(Inputs inputs) noexcept { return inputs == Inputs::int8 || inputs == Inputs::int8_wide; }

/// A row of x in 8 bits: `cols` numbers from -127 to 127, the scale of each span, and the negated sums of the numbers
/// of each span and of each half of one, which products with codes that have a zero begin with; those of spans in 16
/// bits as well, for pairs of mins.
struct Int8Row {
  std::byte* numbers;
  Index cols;

  Int8Row(std::byte* row, Index columns) noexcept : numbers(row), cols(columns) {}
  static constexpr Index scales_offset(Index cols) noexcept { return cols; }
  static constexpr Index sums_offset(Index cols) noexcept { return cols + cols / 8; }
  static constexpr Index half_sums_offset(Index cols) noexcept { return cols + cols / 4; }
  static constexpr Index pairs_offset(Index cols) noexcept { return cols + cols / 2; }
  static constexpr Index bytes(Index cols) noexcept { return round_up(pairs_offset(cols) + cols / 16, 4); }

  void set_scale(Index span, float scale) const noexcept {
    std::memcpy(numbers + scales_offset(cols) + span * 4, &scale, 4);
  }
  /// The sums of both halves of a span.
  void set_sums(Index span, std::int32_t first, std::int32_t second) const noexcept {
    const std::int32_t whole = -(first + second), halves[] = {-first, -second};
    std::memcpy(numbers + sums_offset(cols) + span * 4, &whole, 4);
    std::memcpy(numbers + half_sums_offset(cols) + span * 8, halves, 8);
    const auto narrow = static_cast<std::int16_t>(whole);  // 32 * 127 at most
    std::memcpy(numbers + pairs_offset(cols) + span * 2, &narrow, 2);
  }
};

/// Bytes of a row of x that is prepared, up to whole lines of the cache.
constexpr Index prepared_bytes(Inputs inputs, Index cols) noexcept {
  switch (inputs) {
    case Inputs::floats: return 0;
    case Inputs::bf16: return round_up(2 * cols, kCacheLine);
    case Inputs::int8:
    case Inputs::int8_wide: return round_up(Int8Row::bytes(cols), kCacheLine);
  }
  return 0;
}

/// y[r, n] = bias[n] + sum_k x[r, k] * w[n, k], or y[r, n] += that.
template <class T>
struct LinearTile {
  const T* x = nullptr;           ///< (rows, cols), rows x_stride apart
  Index x_stride = 0, rows = 0;
  const std::byte* w = nullptr;   ///< (outputs, cols) consecutive rows of `format`, any alignment; whole groups
  Format format = Format::f32;
  Index outputs = 0, cols = 0;
  const float* bias = nullptr;    ///< (outputs) or null
  T* y = nullptr;                 ///< (rows, outputs), rows y_stride apart; does not overlap x
  Index y_stride = 0;
  bool add = false;               ///< y += instead of y =
  /// With other inputs than floats, instead of x: its rows as `prepare` leaves them, aligned to 4 bytes.
  Inputs inputs = Inputs::floats;
  const std::byte* prepared = nullptr;
  Index prepared_stride = 0;      ///< bytes from one of these rows to the next, a multiple of 4
};
/// What `linear` works on at a time: rows, outputs whose sums wait, outputs that are packed (at most), and operands
/// (columns, or pairs of them where x is rounded) that are summed in one go; these alone are part of the result. Rows
/// of x are copied, if at all, at a pitch of their own.
inline constexpr Index kLinearRows = 320, kLinearGroup = 128, kLinearStrip = 64, kLinearDepth = 512;
inline constexpr Index kLinearPitch = kLinearDepth + 16;
/// Scratch that `linear` needs, in elements of T: sums, rows of x, packed weights; or a row alone.
inline constexpr Index kLinearScratch =
    kLinearRows * (kLinearGroup + kLinearPitch) + kLinearStrip * kLinearDepth;

/// Rows of x normalised into y (may be the same memory).
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

/// Keys and values of `rows` tokens of one head, for the slots from `slot` on of a block; slot + rows <= 64.
template <class T>
struct KvTile {
  const T* k = nullptr;  ///< (rows, head_dim), rows k_stride apart
  const T* v = nullptr;
  Index k_stride = 0, v_stride = 0, rows = 0, head_dim = 0;
  KvFormat format = KvFormat::full;
  std::byte* block = nullptr;
  Index slot = 0;
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
  Index keys = 0;                     ///< row r sees the keys [0, keys + r * keys_step)
  Index keys_step = 0;                ///< 0: all rows see the same; 1: causal
  /// Biases by distance, both or neither: key j is place j of a map `map_width` wide, row r is place `place` + r, and
  /// the key at (y, x) adds bias_y[r, y - y of r] + bias_x[r, x - x of r]. Rows are bias_stride apart, the pointers at
  /// distance 0 of row 0; every row has the distances to all keys of the last row.
  const T* bias_y = nullptr;
  const T* bias_x = nullptr;
  Index bias_stride = 0, map_width = 0, place = 0;
  T* y = nullptr;                     ///< (rows, head_dim), rows y_stride apart
  Index y_stride = 0;
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

template <class T>
struct Kernels {
  const char* name = "";  ///< the instruction set, for reports

  /// `scratch`: kLinearScratch elements, aligned to 64 bytes.
  void (*linear)(const LinearTile<T>&, T* scratch) noexcept = nullptr;
  /// x (cols) rounded to bf16 (nearest, ties to even), with zeros behind, or quantised by quantize8 to an Int8Row, span
  /// by span or kInt8Wide columns at a time; into prepared_bytes(inputs, cols).
  void (*prepare)(Inputs inputs, const T* x, Index cols, std::byte* to) noexcept = nullptr;
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
  /// y[i] = w[i], or y[i] += w[i] (positions), for the first n weights of a row.
  void (*unpack)(WeightRow w, T* y, Index n) noexcept = nullptr;
  void (*add_unpacked)(WeightRow w, T* y, Index n) noexcept = nullptr;
  /// Half rotation of `heads` consecutive heads in place: (a, b) -> (a cos - b sin, b cos + a sin), a the first and b
  /// the second half of a head; cos and sin have head_dim / 2 elements.
  void (*rope)(T* x, Index heads, Index head_dim, const T* cos, const T* sin) noexcept = nullptr;
  /// Writes consecutive tokens of one head into a block.
  void (*store_kv)(const KvTile<T>&) noexcept = nullptr;
  /// `scratch`: attend_scratch(rows, head_dim) elements, aligned to 64 bytes.
  void (*attend)(const AttendTile<T>&, T* scratch) noexcept = nullptr;
  void (*unfold)(const UnfoldTile<T>&) noexcept = nullptr;
  void (*resize)(const ResizeTile<T>&) noexcept = nullptr;
};

DSVL_END_NAMESPACE

#endif  // DSVL_KERNELS_TABLE_HPP
