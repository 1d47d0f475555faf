// Reference kernels: every entry of the table as plain scalar loops in the obvious order.
//
// They are the oracle that the vectorised kernels are tested against, and the way to run a model in double. T is float
// or double; with double everything is double (weights are read exactly, `full` blocks of keys and values store T).
// Sources: the formulas stand at the entries of table.hpp.
#ifndef DSVL_KERNELS_REFERENCE_HPP
#define DSVL_KERNELS_REFERENCE_HPP

#include <cmath>
#include <cstring>

#include "../base/strict_math.hpp"
#include "small/quantize8.hpp"
#include "small/sample.hpp"
#include "table.hpp"
#include "weights/blocks.hpp"

DSVL_BEGIN_NAMESPACE
namespace kernels {
inline namespace DSVL_ISA {
namespace reference {

/// Element i of memory that may be misaligned.
template <class Stored>
Stored load(const std::byte* from, Index i) noexcept {
  Stored x;
  std::memcpy(&x, from + i * static_cast<Index>(sizeof(Stored)), sizeof(Stored));
  return x;
}
template <class Stored>
void store(std::byte* to, Index i, Stored x) noexcept {
  std::memcpy(to + i * static_cast<Index>(sizeof(Stored)), &x, sizeof(Stored));
}

/// Weights [first, first + n) of a row, widened exactly.
template <class T>
void weights(WeightRow w, Index first, T* y, Index n) noexcept {
  if (quantized(w.format)) return decode_row(w, first, y, n);
  for (Index i = 0; i < n; ++i) {
    const Index at = first + i;
    y[i] = static_cast<T>(w.format == Format::f32    ? load<float>(w.group, at)
                          : w.format == Format::bf16 ? to_float(load<bf16>(w.group, at))
                                                   : to_float(load<f16>(w.group, at)));
  }
}

/// Element k of row r of x, in the value that the product uses.
template <class T>
T input(const LinearTile<T>& t, Index r, Index k) noexcept {
  const std::byte* const row = t.quantized_x + r * t.quantized_x_stride;
  switch (t.x_format) {
    case ActivationFormat::f32: return t.x[r * t.x_stride + k];
    case ActivationFormat::bf16: return static_cast<T>(to_float(load<bf16>(row, k)));
    case ActivationFormat::int8_per_32:
    case ActivationFormat::int8_per_256:
      return static_cast<T>(load<std::int8_t>(row, k)) *
             static_cast<T>(load<float>(row + Int8Row::scales_offset(t.cols), k / kInt8Block));
  }
  return 0;
}

template <class T>
void linear(const LinearTile<T>& t, T* /*scratch*/) noexcept {
  const Matrix w(t.format, t.w, t.outputs, t.cols);
  T chunk[kMaxBlockCols];
  for (Index r = 0; r < t.rows; ++r) {
    for (Index n = 0; n < t.outputs; ++n) {
      T sum = 0;
      for (Index k = 0; k < t.cols; k += kMaxBlockCols) {
        const Index count = t.cols - k < kMaxBlockCols ? t.cols - k : kMaxBlockCols;
        weights(w.row(n), k, chunk, count);
        for (Index i = 0; i < count; ++i) sum += input(t, r, k + i) * chunk[i];
      }
      if (t.bias) sum += static_cast<T>(t.bias[n]);
      T& y = t.y[r * t.y_stride + n];
      y = t.add ? y + sum : sum;
    }
  }
}

template <class T>
void quantize_activations(ActivationFormat format, const T* x, Index cols, std::byte* to) noexcept {
  if (format == ActivationFormat::bf16)
    for (Index i = 0; i < quantized_row_bytes(format, cols) / 2; ++i)
      store(to, i, to_bf16(i < cols ? static_cast<float>(x[i]) : 0.0f));
  if (!is_int8(format)) return;
  const Int8Row row(to, cols);
  const Index width = format == ActivationFormat::int8_per_32 ? kInt8Block : kInt8WideBlock;
  float scale = 0;
  for (Index at = 0; at < cols; at += kInt8Block) {
    auto* const values = reinterpret_cast<std::int8_t*>(to) + at;
    if (at % width == 0) scale = quantize8(x + at, width, values, 1);
    std::int32_t half[2] = {};
    for (Index i = 0; i < kInt8Block; ++i) half[i / (kInt8Block / 2)] += values[i];
    row.set_scale(at / kInt8Block, scale);
    row.set_sums(at / kInt8Block, half[0], half[1]);
  }
}

template <class T>
void layer_norm(const NormTile<T>& t) noexcept {
  for (Index r = 0; r < t.rows; ++r) {
    const T* const x = t.x + r * t.x_stride;
    T mean = 0, variance = 0;
    for (Index c = 0; c < t.cols; ++c) mean += x[c];
    mean /= static_cast<T>(t.cols);
    for (Index c = 0; c < t.cols; ++c) variance += (x[c] - mean) * (x[c] - mean);
    variance /= static_cast<T>(t.cols);
    const T factor = 1 / std::sqrt(variance + t.eps);
    for (Index c = 0; c < t.cols; ++c)
      t.y[r * t.y_stride + c] = (x[c] - mean) * factor * static_cast<T>(t.weight[c]) + static_cast<T>(t.bias[c]);
  }
}

template <class T>
void rms_norm(const NormTile<T>& t) noexcept {
  for (Index r = 0; r < t.rows; ++r) {
    const T* const x = t.x + r * t.x_stride;
    T squares = 0;
    for (Index c = 0; c < t.cols; ++c) squares += x[c] * x[c];
    const T factor = 1 / std::sqrt(squares / static_cast<T>(t.cols) + t.eps);
    for (Index c = 0; c < t.cols; ++c) t.y[r * t.y_stride + c] = x[c] * factor * static_cast<T>(t.weight[c]);
  }
}

template <class T>
void gelu_erf(T* x, Index n) noexcept {
  const T root_half = static_cast<T>(0.70710678118654752440);
  for (Index i = 0; i < n; ++i) x[i] = x[i] / 2 * (1 + std::erf(x[i] * root_half));
}

template <class T>
void gelu_tanh(T* x, Index n) noexcept {
  const T root_2_over_pi = static_cast<T>(0.79788456080286535588), cubic = static_cast<T>(0.044715);
  for (Index i = 0; i < n; ++i) x[i] = x[i] / 2 * (1 + std::tanh(root_2_over_pi * (x[i] + cubic * x[i] * x[i] * x[i])));
}

template <class T>
void silu_mul(T* gate, const T* up, Index n) noexcept {
  for (Index i = 0; i < n; ++i) gate[i] = gate[i] / (1 + std::exp(-gate[i])) * up[i];
}

template <class T>
void add_scaled(const T* x, T scale, T* y, Index n) noexcept {
  for (Index i = 0; i < n; ++i) y[i] += scale * x[i];
}

template <class T>
void unpack(WeightRow w, T* y, Index n) noexcept {
  weights(w, 0, y, n);
}
template <class T>
void add_unpacked(WeightRow w, T* y, Index n) noexcept {
  for (Index i = 0; i < n; ++i) {
    T weight;
    weights(w, i, &weight, 1);
    y[i] += weight;
  }
}

template <class T>
void rope(T* x, Index heads, Index head_dim, const T* cos, const T* sin) noexcept {
  const Index half = head_dim / 2;
  for (Index h = 0; h < heads; ++h, x += head_dim) {
    for (Index i = 0; i < half; ++i) {
      const T a = x[i], b = x[half + i];
      x[i] = a * cos[i] - b * sin[i];
      x[half + i] = b * cos[i] + a * sin[i];
    }
  }
}

/// Element i of a block of keys and values. `scale` is the index of its q8 scale: the slot of a key, 64 + that of a
/// value.
template <class T>
T kv(KvFormat format, const std::byte* block, Index i, Index head_dim, Index scale) noexcept {
  switch (format) {
    case KvFormat::full: return load<T>(block, i);
    case KvFormat::bf16: return static_cast<T>(to_float(load<bf16>(block, i)));
    case KvFormat::q8: break;
  }
  return static_cast<T>(load<std::int8_t>(block, i)) *
         static_cast<T>(load<float>(block + kv_scales_offset(head_dim), scale));
}
template <class T>
void put_kv(KvFormat format, std::byte* block, Index i, T x) noexcept {
  if (format == KvFormat::full) store(block, i, x);
  else store(block, i, to_bf16(static_cast<float>(x)));
}

template <class T>
void store_kv(const KvTile<T>& t) noexcept {
  const Index head_dim = t.head_dim, padded = round_up(head_dim, kKvPad);
  for (Index r = 0; r < t.rows; ++r) {
    const T *const k = t.k + r * t.k_stride, *const v = t.v + r * t.v_stride;
    const Index slot = t.slot + r, row = head_dim * kKvBlock + slot * padded;
    if (t.format == KvFormat::q8) {
      auto* const to = reinterpret_cast<std::int8_t*>(t.block);
      const Index scales = kv_scales_offset(head_dim) / 4;
      store(t.block, scales + slot, quantize8(k, head_dim, to + slot, kKvBlock));
      store(t.block, scales + kKvBlock + slot, quantize8(v, head_dim, to + row, 1));
      for (Index d = head_dim; d < padded; ++d) to[row + d] = 0;
      continue;
    }
    for (Index d = 0; d < head_dim; ++d) put_kv(t.format, t.block, d * kKvBlock + slot, k[d]);
    for (Index d = 0; d < padded; ++d) put_kv(t.format, t.block, row + d, d < head_dim ? v[d] : T(0));
  }
}

/// scale * q[r] . k[j] + bias[r, j].
template <class T>
T score(const AttendTile<T>& t, Index r, Index j) noexcept {
  const std::byte* const block = t.block_of(r, j / kKvBlock);
  T dot = 0;
  for (Index d = 0; d < t.head_dim; ++d)
    dot += t.q[r * t.q_stride + d] * kv<T>(t.format, block, d * kKvBlock + j % kKvBlock, t.head_dim, j % kKvBlock);
  dot *= t.scale;
  if (t.bias_y) {
    const Index at = t.place + r;
    dot += t.bias_y[r * t.bias_stride + j / t.map_width - at / t.map_width] +
           t.bias_x[r * t.bias_stride + j % t.map_width - at % t.map_width];
  }
  return dot;
}

/// Takes two passes over the keys, one for the largest score and one for the weighted sum, and computes scores twice.
template <class T>
void attend(const AttendTile<T>& t, T* scratch) noexcept {
  const Index padded = round_up(t.head_dim, kKvPad);
  for (Index r = 0; r < t.rows; ++r) {
    const Index keys = t.keys_of(r);
    T largest = 0, total = 0;
    for (Index j = 0; j < keys; ++j) {
      const T s = score(t, r, j);
      if (j == 0 || s > largest) largest = s;
    }
    for (Index d = 0; d < t.head_dim; ++d) scratch[d] = 0;
    for (Index j = 0; j < keys; ++j) {
      const std::byte* const block = t.block_of(r, j / kKvBlock);
      const Index row = t.head_dim * kKvBlock + j % kKvBlock * padded;
      const T p = std::exp(score(t, r, j) - largest);
      total += p;
      for (Index d = 0; d < t.head_dim; ++d)
        scratch[d] += p * kv<T>(t.format, block, row + d, t.head_dim, kKvBlock + j % kKvBlock);
    }
    for (Index d = 0; d < t.head_dim; ++d) t.y[r * t.y_stride + d] = keys > 0 ? scratch[d] / total : T(0);
    if (T* const to = t.weights_of(r))
      for (Index j = 0; j < keys; ++j) to[j] = std::exp(score(t, r, j) - largest) / total;
  }
}

template <class T>
void unfold(const UnfoldTile<T>& t) noexcept {
  for (Index p = 0; p < t.count; ++p) {
    const Index top = (t.first + p) / t.out_width * t.step - t.padding;
    const Index left = (t.first + p) % t.out_width * t.step - t.padding;
    T* y = t.y + p * t.y_stride;
    for (Index c = 0; c < t.channels; ++c) {
      for (Index ky = top; ky < top + t.size; ++ky) {
        for (Index kx = left; kx < left + t.size; ++kx, ++y) {
          const bool inside = ky >= 0 && ky < t.height && kx >= 0 && kx < t.width;
          *y = inside ? t.map[c * t.channel_stride + ky * t.row_stride + kx * t.pixel_stride] : T(0);
        }
      }
    }
  }
}

template <class T>
void resize(const ResizeTile<T>& t) noexcept {
  for (Index row = t.first; row < t.first + t.count; ++row) {
    const Sample<T> v = sample<T>(row, t.from.height, t.to.height);
    for (Index column = 0; column < t.to.width; ++column) {
      const Sample<T> h = sample<T>(column, t.from.width, t.to.width);
      const auto at = [&](Index y, Index x, Index c) { return t.map[(y * t.from.width + x) * t.channels + c]; };
      for (Index c = 0; c < t.channels; ++c) {
        const T low = (1 - h.weight) * at(v.low, h.low, c) + h.weight * at(v.low, h.high, c);
        const T high = (1 - h.weight) * at(v.high, h.low, c) + h.weight * at(v.high, h.high, c);
        t.y[(row * t.to.width + column) * t.channels + c] = (1 - v.weight) * low + v.weight * high;
      }
    }
  }
}

/// The table of these functions.
template <class T>
inline constexpr Kernels<T> kTable = {
    .name = "reference",
    .linear = linear<T>,
    .quantize_activations = quantize_activations<T>,
    .layer_norm = layer_norm<T>,
    .rms_norm = rms_norm<T>,
    .gelu_erf = gelu_erf<T>,
    .gelu_tanh = gelu_tanh<T>,
    .silu_mul = silu_mul<T>,
    .add_scaled = add_scaled<T>,
    .unpack = unpack<T>,
    .add_unpacked = add_unpacked<T>,
    .rope = rope<T>,
    .store_kv = store_kv<T>,
    .attend = attend<T>,
    .unfold = unfold<T>,
    .resize = resize<T>,
};

}  // namespace reference

/// The scalar table, T = float or double.
template <class T>
const Kernels<T>& reference_kernels() noexcept {
  return reference::kTable<T>;
}

}  // namespace DSVL_ISA
}  // namespace kernels
using kernels::reference_kernels;
DSVL_END_NAMESPACE

#endif  // DSVL_KERNELS_REFERENCE_HPP
