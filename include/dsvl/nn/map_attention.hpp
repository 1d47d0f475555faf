// Attention over two-dimensional maps with decomposed relative positions, whole or in windows (SAM's ViTDet).
//
// A windowed map is regrouped so that the tokens of a window follow one another; windows that hang over the border are
// filled with zeros. As in the reference implementation, the zeros are put in after the norm, and their keys (which are
// the bias of k) take part in the softmax.
//
// Source: arXiv:2203.16527 (windows), arXiv:2112.01526 (decomposed relative positions); the image encoder of
// facebookresearch/segment-anything.
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
  /// The row of the map that token t of the windows stands for, or -1 in the border.
  [[nodiscard]] constexpr Index map_row(Index t) const noexcept {
    const Grid w = window();
    const Index n = t / w.tokens(), in = t % w.tokens();
    const Index y = n / across() * w.height + in / w.width, x = n % across() * w.width + in % w.width;
    return y < map.height && x < map.width ? y * map.width + x : -1;
  }
};

/// The relative position tables of one block, (2 side − 1, head_dim) each, both or neither. Row d belongs to key
/// coordinate − query coordinate = d − (side − 1). The model keeps them resized to the map and reversed (checkpoints
/// count query − key), so that the rows which one query needs for keys 0, 1, … follow one another.
struct RelativePositions {
  const float* y = nullptr;
  const float* x = nullptr;
};

namespace ops {

/// Regroups tokens by window.
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

/// Adds tokens back to their places in the map.
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

/// One tile: some queries of one head of a window.
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

  static constexpr Index kMaxRows = 32;
  [[nodiscard]] Index keys() const noexcept { return windows.window().tokens(); }
  /// Tiles for one head of a window.
  [[nodiscard]] Index parts() const noexcept { return ceil_div(keys(), kMaxRows); }
  /// Queries of a tile, as equal as can be. In a window of 14 x 14 a tile is two lines.
  [[nodiscard]] Index row_step() const noexcept { return ceil_div(keys(), parts()); }
  [[nodiscard]] Index bias_stride() const noexcept {
    return round_up(2 * std::max<Index>(windows.window().height, windows.window().width) - 1, kKvPad);
  }
  [[nodiscard]] Index tiles() const noexcept { return windows.count() * shape.heads * parts(); }
  [[nodiscard]] Index scratch() const noexcept {
    return 2 * kMaxRows * bias_stride() + std::max<Index>(attend_scratch(kMaxRows, shape.head_dim), kLinearScratch);
  }
  [[nodiscard]] double cost() const noexcept {
    return 4.0 * static_cast<double>(windows.tokens() * shape.width()) * static_cast<double>(keys());
  }

  /// All tiles of a head come before the next head's, so that its keys and values stay in the caches.
  void run(const Worker<T>& on, Index tile) const noexcept {
    const Grid window = windows.window();
    const Index part = tile % parts(), head = tile / parts() % shape.heads, n = tile / parts() / shape.heads;
    const Range r = tile_range(part, row_step(), keys());
    const Index first = n * keys() + r.first, at = head * shape.head_dim;
    const View<const T> queries = q.row_range(first, r.count).col_range(at, shape.head_dim);
    T* const bias_y = on.scratch;
    T* const bias_x = bias_y + kMaxRows * bias_stride();
    T* const rest = bias_x + kMaxRows * bias_stride();
    AttendTile<T> attend{.q = queries.data, .q_stride = q.stride, .rows = r.count, .head_dim = shape.head_dim,
                         .scale = scale, .pages = from.pages + n * ceil_div(keys(), kKvBlock),
                         .offset = from.head_offset(head), .format = from.format, .keys = keys(),
                         .y = y.row(first) + at, .y_stride = y.stride};
    DSVL_ASSERT(!relative.y == !relative.x);
    if (relative.y) {
      const Index top = r.first / window.width, bottom = (r.first + r.count - 1) / window.width;
      const Range lines{top, bottom - top + 1};
      const Range columns = lines.count == 1 ? Range{r.first % window.width, r.count} : Range{0, window.width};
      attend.bias_y = relate(on, queries, relative.y, window.height, lines, bias_y, rest);
      attend.bias_x = relate(on, queries, relative.x, window.width, columns, bias_x, rest);
      attend.bias_stride = bias_stride();
      attend.map_width = window.width;
      attend.place = r.first;
    }
    on.kernels.attend(attend, rest);
  }

 private:
  /// Computes bias[i, d] = q[i] . table[d + side - 1] for the distances d from queries at the coordinates `at` to all
  /// keys; q is not scaled. Returns where distance 0 stands in the first row.
  const T* relate(const Worker<T>& on, View<const T> queries, const float* table, Index side, Range at, T* bias,
                  T* scratch_left) const noexcept {
    const Index farthest = at.first + at.count - 1;
    on.kernels.linear({.x = queries.data, .x_stride = queries.stride, .rows = queries.rows,
                       .w = reinterpret_cast<const std::byte*>(table + (side - 1 - farthest) * shape.head_dim),
                       .format = Format::f32, .outputs = side + at.count - 1, .cols = shape.head_dim, .bias = nullptr,
                       .y = bias, .y_stride = bias_stride(), .add = false},
                      scratch_left);
    return bias + farthest;
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
