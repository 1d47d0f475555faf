// Linear:  y = x W^T + b.  The weight is read in place, in whatever format the file keeps it. The form in which x
// enters the product follows from that format (kernels/linear/activation_format.hpp).
#ifndef DSVL_NN_LINEAR_HPP
#define DSVL_NN_LINEAR_HPP

#include <algorithm>

#include "tiling.hpp"

DSVL_BEGIN_NAMESPACE

/// A fully connected layer's weights: weight (out, in), bias (out) or null.
struct Linear {
  Matrix weight;
  const float* bias = nullptr;

  template <class V>
  void visit(V& v, const Extent& out, const Extent& in) {
    v.matrix("weight", weight, out, in);
    v.vector("bias", bias, out);
  }
};

/// A fully connected layer without a bias.
struct Projection {
  Matrix weight;

  template <class V>
  void visit(V& v, const Extent& out, const Extent& in) {
    v.matrix("weight", weight, out, in);
  }
};

namespace ops {

/// Rounds or quantises the rows of x into the shared memory, for the product that follows. With a single row the
/// product does it: an operation of its own would take longer than the work.
template <class T>
struct QuantizeActivations : RowWise {
  static constexpr const char* kName = "quantize";
  View<const T> x;
  ActivationFormat format;

  QuantizeActivations(RowCount live, View<const T> from, ActivationFormat to) noexcept
      : RowWise{live, from.rows, from.cols}, x(from), format(to) {}
  /// Bytes from one quantised row to the next.
  [[nodiscard]] static constexpr Index stride(ActivationFormat format, Index cols) noexcept {
    return spread(quantized_row_bytes(format, cols));
  }
  [[nodiscard]] Index tiles() const noexcept { return live_rows() > 1 ? RowWise::tiles() : 0; }
  [[nodiscard]] Index shared() const noexcept { return rows * stride(format, cols); }
  void run(const Worker<T>& on, Index tile) const noexcept {
    DSVL_ASSERT(on.shared);
    const Range part = range(tile);
    for (Index r = part.first; r < part.first + part.count; ++r)
      on.kernels.quantize_activations(format, x.row(r), cols, on.shared + r * stride(format, cols));
  }
};

/// One matrix product. Tiles are blocks of rows times blocks of outputs; a block of outputs never crosses the border
/// between two row blocks of the weight, whose formats may differ.
template <class T>
struct Product {
  static constexpr const char* kName = "linear";
  RowCount count;
  View<const T> x;
  Matrix w;
  const float* bias;
  View<T> y;
  bool add;
  ActivationFormat x_format;

  // A product does far more arithmetic per second than other operations, so its tiles hold more of it: a core with
  // AVX-512 takes 0.2 ms for one, and with 8-bit activations a tile may be 2.5 times as large.
  static constexpr double kProductFlops = 5 * kTileFlops;
  static constexpr Index kNarrow = 32;          // the fewest outputs that are worth a tile
  static constexpr Index kBytes = 1024 * 1024;  // the most bytes of weights: with few rows, reading them takes the time

  // A tile takes as many rows as the kernel does, so that a packed panel serves them all; fewer if even kNarrow outputs
  // would then take too long. Tiles are of equal height. Outputs fill the tile up to kProductFlops or kBytes.
  [[nodiscard]] Index row_step() const noexcept {
    const double per_row = 2.0 * static_cast<double>(kNarrow * w.cols);
    const Index most = std::clamp<Index>(static_cast<Index>(flops() / per_row), kNarrow, kLinearRows);
    const Index rows = std::max<Index>(count.of(x.rows), 1);
    return ceil_div(rows, ceil_div(rows, most));
  }
  [[nodiscard]] Index output_step() const noexcept {
    const double per_output = 2.0 * static_cast<double>(row_step() * w.cols);
    const Index most = std::min<Index>(static_cast<Index>(flops() / per_output),
                                       kBytes / row_bytes(w.format, w.cols));
    return std::max<Index>(most / kNarrow * kNarrow, kNarrow);
  }
  [[nodiscard]] Index row_tiles() const noexcept { return ceil_div(count.of(x.rows), row_step()); }
  [[nodiscard]] Index output_tiles() const noexcept {
    Index tiles = 0;
    for (int b = 0; b < w.block_count; ++b) tiles += ceil_div(w.blocks[b].rows, output_step());
    return tiles;
  }

  [[nodiscard]] Index tiles() const noexcept { return row_tiles() * output_tiles(); }
  [[nodiscard]] Index scratch() const noexcept { return kLinearScratch + row_room(); }
  [[nodiscard]] double cost() const noexcept { return 2.0 * static_cast<double>(count.of(x.rows) * w.rows * w.cols); }

  void run(const Worker<T>& on, Index tile) const noexcept {
    auto [part, left] = place(tile);
    const Range rows = tile_range(part, row_step(), count.of(x.rows));
    Index first_output = 0;
    for (int b = 0; b < w.block_count; ++b) {
      const Matrix::Block& block = w.blocks[b];
      const Index here = ceil_div(block.rows, output_step());
      if (left < here) {
        const Range outputs = tile_range(left, output_step(), block.rows);
        const Index n = first_output + outputs.first;
        const Index stride = QuantizeActivations<T>::stride(x_format, w.cols);
        const std::byte* const quantized =
            x_format == ActivationFormat::f32 ? nullptr : quantized_x(on) + rows.first * stride;
        on.kernels.linear({.x = x.row(rows.first), .x_stride = x.stride, .rows = rows.count,
                           .w = block.data + outputs.first * row_bytes(block.format, w.cols), .format = block.format,
                           .outputs = outputs.count, .cols = w.cols, .bias = bias ? bias + n : nullptr,
                           .y = y.row(rows.first) + n, .y_stride = y.stride, .add = add, .x_format = x_format,
                           .quantized_x = quantized, .quantized_x_stride = stride},
                          on.scratch + row_room());
        return;
      }
      left -= here;
      first_output += block.rows;
    }
  }

 private:
  /// A tile's block of rows and of outputs.
  struct Place {
    Index rows, outputs;
  };
  /// Up to six blocks of rows take turns at the same weights, which then come from memory once for all of them. More
  /// blocks would push each other's rows out of the cache.
  [[nodiscard]] Place place(Index tile) const noexcept {
    constexpr Index kTurns = 6;
    const Index down = row_tiles(), turns = ceil_div(down, ceil_div(down, kTurns));
    const Index each = turns * output_tiles(), first = tile / each * turns, here = std::min<Index>(turns, down - first);
    return {first + tile % each % here, tile % each / here};
  }
  /// Arithmetic of a tile.
  [[nodiscard]] double flops() const noexcept { return is_int8(x_format) ? 2.5 * kProductFlops : kProductFlops; }
  /// Elements of scratch for a single quantised row, which every tile makes for itself.
  [[nodiscard]] Index row_room() const noexcept {
    return ceil_div(quantized_row_bytes(x_format, w.cols), static_cast<Index>(sizeof(T)));
  }
  /// The rows that QuantizeActivations left in the shared memory, or the only one, quantised here.
  [[nodiscard]] const std::byte* quantized_x(const Worker<T>& on) const noexcept {
    if (count.of(x.rows) > 1) return on.shared;
    auto* const row = reinterpret_cast<std::byte*>(on.scratch);
    on.kernels.quantize_activations(x_format, x.row(0), w.cols, row);
    return row;
  }
};

/// Records a product and, in front of it, what makes its activations. Weights were checked when they were bound; the
/// assertion is about the caller's own wiring.
template <class On>
void multiply(On& on, View<const Scalar<On>> x, const Matrix& w, const float* bias, View<Scalar<On>> y,
              bool add) noexcept {
  DSVL_ASSERT(x.cols == w.cols && y.cols == w.rows && x.rows == y.rows);
  const ActivationFormat format = activation_format(on.activations(), w);
  if (format != ActivationFormat::f32) on(QuantizeActivations<Scalar<On>>(on.rows(), x, format));
  on(Product<Scalar<On>>{on.rows(), x, w, bias, y, add, format});
}

}  // namespace ops

/// y = x W^T + b.
///
/// x (tokens, in), y (tokens, out); they must not overlap
/// Cost   2 * tokens * in * out operations; for few tokens bound by reading W once
template <class On>
void linear(On& on, View<const Scalar<On>> x, const Linear& w, View<Scalar<On>> y) noexcept {
  ops::multiply(on, x, w.weight, w.bias, y, false);
}
template <class On>
void linear(On& on, View<const Scalar<On>> x, const Projection& w, View<Scalar<On>> y) noexcept {
  ops::multiply(on, x, w.weight, nullptr, y, false);
}

/// y += x W^T + b: the residual form.
template <class On>
void linear_add(On& on, View<const Scalar<On>> x, const Linear& w, View<Scalar<On>> y) noexcept {
  ops::multiply(on, x, w.weight, w.bias, y, true);
}
template <class On>
void linear_add(On& on, View<const Scalar<On>> x, const Projection& w, View<Scalar<On>> y) noexcept {
  ops::multiply(on, x, w.weight, nullptr, y, true);
}

DSVL_END_NAMESPACE

#endif  // DSVL_NN_LINEAR_HPP
