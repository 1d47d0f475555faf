// Attention over two-dimensional maps with decomposed relative positions, whole or in windows (SAM's ViTDet).
//
// A windowed map is regrouped so that the tokens of a window follow one another; windows that hang over the border are
// filled with zeros. The zeros are put in after the norm, and the keys they give (the bias of k) are not masked.
//
// Source: arXiv:2203.16527 (windows), arXiv:2112.01526 (decomposed relative positions); model-spec of SAM's image
// encoder.
#ifndef DSVL_NN_MAP_ATTENTION_HPP
#define DSVL_NN_MAP_ATTENTION_HPP

#include "attention.hpp"

DSVL_BEGIN_NAMESPACE

/// A map cut into square windows of `side` tokens, row-major; side 0 means one window, the whole map.
struct Windows {
  Grid map;
  Index side = 0;

  [[nodiscard]] constexpr Grid window() const noexcept { return side ? Grid{side, side} : map; }
  [[nodiscard]] constexpr Index across() const noexcept { return side ? ceil_div(map.width, side) : 1; }
  [[nodiscard]] constexpr Index down() const noexcept { return side ? ceil_div(map.height, side) : 1; }
  [[nodiscard]] constexpr Index count() const noexcept { return across() * down(); }
  /// Tokens of all windows, the zero border included.
  [[nodiscard]] constexpr Index tokens() const noexcept { return count() * window().tokens(); }
  /// Row of the map that windowed token t stands for, or -1 in the border.
  [[nodiscard]] constexpr Index map_row(Index t) const noexcept {
    const Grid w = window();
    const Index n = t / w.tokens(), in = t % w.tokens();
    const Index y = n / across() * w.height + in / w.width, x = n % across() * w.width + in % w.width;
    return y < map.height && x < map.width ? y * map.width + x : -1;
  }
};

/// Tables of one block: row d of `y` belongs to key coordinate − query coordinate = d − (side − 1); (2 side − 1,
/// head_dim). The model keeps them resized to the map and turned round (checkpoints count query − key), so that the
/// rows one query meets for keys 0, 1, … follow one another.
struct RelativePositions {
  const float* y = nullptr;
  const float* x = nullptr;
};

namespace ops {

template <class T>
struct SplitWindows : RowWise {
  static constexpr const char* kName = "split_windows";
  Windows windows;
  View<const T> x;
  View<T> y;

  void run(const Worker<T>&, Index tile) const noexcept {
    const Range r = range(tile);
    for (Index t = r.first; t < r.first + r.count; ++t) {
      const Index from = windows.map_row(t);
      if (from < 0) std::fill_n(y.row(t), cols, T(0));
      else std::copy_n(x.row(from), cols, y.row(t));
    }
  }
};

template <class T>
struct AddWindows : RowWise {
  static constexpr const char* kName = "add_windows";
  Windows windows;
  View<const T> x;
  View<T> y;

  void run(const Worker<T>& on, Index tile) const noexcept {
    const Range r = range(tile);
    for (Index t = r.first; t < r.first + r.count; ++t)
      if (const Index to = windows.map_row(t); to >= 0) on.kernels.add_scaled(x.row(t), T(1), y.row(to), cols);
  }
};

/// One tile: some queries of one row of one window, one head.
template <class T>
struct AttendMap {
  static constexpr const char* kName = "map_attention";
  View<const T> q;
  HeadShape shape;
  T scale;
  Windows windows;
  RelativePositions relative;
  KvBlocks from;
  View<T> y;

  static constexpr Index kQueries = 16;
  [[nodiscard]] Index keys() const noexcept { return windows.window().tokens(); }
  [[nodiscard]] Index across() const noexcept { return ceil_div(windows.window().width, kQueries); }
  [[nodiscard]] Index bias_stride() const noexcept {
    return round_up(std::max<Index>(windows.window().height, windows.window().width), kKvPad);
  }
  [[nodiscard]] Index tiles() const noexcept {
    return windows.count() * windows.window().height * across() * shape.heads;
  }
  [[nodiscard]] Index scratch() const noexcept {
    return 2 * kQueries * bias_stride() +
           std::max<Index>(attend_scratch(kQueries, shape.head_dim), kLinearScratch);
  }
  [[nodiscard]] double cost() const noexcept {
    return 4.0 * static_cast<double>(windows.tokens() * shape.width()) * static_cast<double>(keys());
  }

  void run(const Worker<T>& on, Index tile) const noexcept {
    const Grid window = windows.window();
    const Index head = tile % shape.heads, part = tile / shape.heads % across();
    const Index line = tile / shape.heads / across();  // row of a window, counted over all windows
    const Index n = line / window.height, qy = line % window.height;
    const Range qx = tile_range(part, kQueries, window.width);
    const Index first = line * window.width + qx.first, at = head * shape.head_dim;
    T* const bias_y = on.scratch;
    T* const bias_x = bias_y + kQueries * bias_stride();
    T* const rest = bias_x + kQueries * bias_stride();
    if (relative.y)
      relate(on, q.row(first) + at, qx.count, relative.y + (window.height - 1 - qy) * shape.head_dim, window.height,
             bias_y, rest);
    if (relative.x)
      for (Index i = 0; i < qx.count; ++i)
        relate(on, q.row(first + i) + at, 1, relative.x + (window.width - 1 - qx.first - i) * shape.head_dim,
               window.width, bias_x + i * bias_stride(), rest);
    on.kernels.attend({.q = q.row(first) + at, .q_stride = q.stride, .rows = qx.count, .head_dim = shape.head_dim,
                       .scale = scale, .pages = from.pages + n * ceil_div(keys(), kKvBlock),
                       .offset = from.head_offset(head), .format = from.format, .keys = keys(), .keys_step = 0,
                       .bias_y = relative.y ? bias_y : nullptr, .bias_x = relative.x ? bias_x : nullptr,
                       .bias_stride = bias_stride(), .map_width = window.width, .y = y.row(first) + at,
                       .y_stride = y.stride},
                      rest);
  }

 private:
  /// bias[i, key] = q[i] . table[key]; q is not scaled.
  void relate(const Worker<T>& on, const T* queries, Index rows, const float* table, Index side, T* bias,
              T* scratch_left) const noexcept {
    on.kernels.linear({.x = queries, .x_stride = q.stride, .rows = rows, .w = reinterpret_cast<const std::byte*>(table),
                       .format = Format::f32, .outputs = side, .cols = shape.head_dim, .bias = nullptr, .y = bias,
                       .y_stride = bias_stride(), .add = false},
                      scratch_left);
  }
};

}  // namespace ops

/// y = the tokens of x (map.tokens(), dim) regrouped by window, zeros in the border: (windows.tokens(), dim).
template <class On>
void split_windows(On& on, View<const Scalar<On>> x, const Windows& windows, View<Scalar<On>> y) noexcept {
  on(ops::SplitWindows<Scalar<On>>{{on.rows(), windows.tokens(), x.cols}, windows, x, y});
}

/// y (map.tokens(), dim) += the tokens of x (windows.tokens(), dim), the border dropped.
template <class On>
void add_windows(On& on, View<const Scalar<On>> x, const Windows& windows, View<Scalar<On>> y) noexcept {
  on(ops::AddWindows<Scalar<On>>{{on.rows(), windows.tokens(), x.cols}, windows, x, y});
}

/// y = softmax(q k^T / sqrt(head_dim) + q Ry^T + q Rx^T) v inside each window.
///
/// q, y   (windows.tokens(), heads * head_dim); keys and values were stored window by window
/// Cost   4 * tokens * tokens of a window * width operations
template <class On>
void map_attention(On& on, View<const Scalar<On>> q, HeadShape shape, const Windows& windows,
                   RelativePositions relative, KvBlocks from, View<Scalar<On>> y) noexcept {
  const double scale = 1.0 / std::sqrt(static_cast<double>(shape.head_dim));
  on(ops::AttendMap<Scalar<On>>{q, shape, static_cast<Scalar<On>>(scale), windows, relative, from, y});
}

DSVL_END_NAMESPACE

#endif  // DSVL_NN_MAP_ATTENTION_HPP
