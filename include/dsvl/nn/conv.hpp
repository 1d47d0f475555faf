// Convolutions as matrix products (im2col): the neighbourhoods are unfolded into rows, then `linear` runs. Also the
// bilinear resize between them.
//
// Maps are channels-last, (height * width, channels); a picture is channels-first, (3, height, width). A convolution's
// weight (out, in, k, k) is the matrix (out, in * k * k) exactly as the file stores it.
#ifndef DSVL_NN_CONV_HPP
#define DSVL_NN_CONV_HPP

#include "linear.hpp"

DSVL_BEGIN_NAMESPACE

/// Geometry of a square convolution.
struct ConvShape {
  Index size = 3, step = 1, padding = 1;
  [[nodiscard]] constexpr Grid output(Grid in) const noexcept {
    return {(in.height + 2 * padding - size) / step + 1, (in.width + 2 * padding - size) / step + 1};
  }
};

namespace ops {

/// Neighbourhoods into rows, some output pixels per tile.
template <class T>
struct Unfold {
  static constexpr const char* kName = "unfold";
  UnfoldTile<T> whole;  // first = 0, count = all output pixels

  [[nodiscard]] Index step() const noexcept { return rows_per_tile(whole.y_stride); }
  [[nodiscard]] Index tiles() const noexcept { return ceil_div(whole.count, step()); }
  [[nodiscard]] Index scratch() const noexcept { return 0; }
  [[nodiscard]] double cost() const noexcept { return 4.0 * static_cast<double>(whole.count * whole.y_stride); }
  void run(const Worker<T>& on, Index tile) const noexcept {
    const Range r = tile_range(tile, step(), whole.count);
    UnfoldTile<T> part = whole;
    part.first = r.first;
    part.count = r.count;
    part.y = whole.y + r.first * whole.y_stride;
    on.kernels.unfold(part);
  }
};

/// Bilinear resize, some rows of the output per tile.
template <class T>
struct Resize {
  static constexpr const char* kName = "resize";
  ResizeTile<T> whole;  // all rows of the output

  [[nodiscard]] Index step() const noexcept { return rows_per_tile(4 * whole.to.width * whole.channels); }
  [[nodiscard]] Index tiles() const noexcept { return ceil_div(whole.to.height, step()); }
  [[nodiscard]] Index scratch() const noexcept { return 0; }
  [[nodiscard]] double cost() const noexcept { return 8.0 * static_cast<double>(whole.to.tokens() * whole.channels); }
  void run(const Worker<T>& on, Index tile) const noexcept {
    const Range r = tile_range(tile, step(), whole.to.height);
    ResizeTile<T> part = whole;
    part.first = r.first;
    part.count = r.count;
    on.kernels.resize(part);
  }
};

}  // namespace ops

/// Neighbourhoods of a channels-last map: y[(oy, ox)] = (c, ky, kx) values around it, zero outside.
///
/// map (grid.tokens(), channels), y (shape.output(grid).tokens(), channels * size * size)
template <class On>
void unfold(On& on, View<const Scalar<On>> map, Grid grid, ConvShape shape, View<Scalar<On>> y) noexcept {
  const Grid out = shape.output(grid);
  DSVL_ASSERT(map.rows == grid.tokens() && y.rows == out.tokens() && y.cols == map.cols * shape.size * shape.size);
  on(ops::Unfold<Scalar<On>>{{.map = map.data,
                              .channel_stride = 1,
                              .row_stride = grid.width * map.stride,
                              .pixel_stride = map.stride,
                              .channels = map.cols,
                              .height = grid.height,
                              .width = grid.width,
                              .size = shape.size,
                              .step = shape.step,
                              .padding = shape.padding,
                              .out_width = out.width,
                              .first = 0,
                              .count = out.tokens(),
                              .y = y.data,
                              .y_stride = y.stride}});
}

/// The patches of a channels-first picture: y[(py, px)] = (c, ky, kx) values of that patch.
///
/// picture (channels, height, width), y (patches, channels * patch * patch)
template <class On>
void unfold_patches(On& on, Volume<const Scalar<On>> picture, Index patch, View<Scalar<On>> y) noexcept {
  DSVL_ASSERT(y.cols == picture.channels * patch * patch);
  on(ops::Unfold<Scalar<On>>{{.map = picture.data,
                              .channel_stride = picture.height * picture.width,
                              .row_stride = picture.width,
                              .pixel_stride = 1,
                              .channels = picture.channels,
                              .height = picture.height,
                              .width = picture.width,
                              .size = patch,
                              .step = patch,
                              .padding = 0,
                              .out_width = picture.width / patch,
                              .first = 0,
                              .count = (picture.height / patch) * (picture.width / patch),
                              .y = y.data,
                              .y_stride = y.stride}});
}

/// Bilinear resize of a channels-last map, align_corners = false, no antialias.
///
/// x (from.tokens(), channels), y (to.tokens(), channels), both contiguous
/// Source torch.nn.functional.interpolate(mode="bilinear")
template <class On>
void resize_bilinear(On& on, View<const Scalar<On>> x, Grid from, Grid to, View<Scalar<On>> y) noexcept {
  DSVL_ASSERT(x.rows == from.tokens() && y.rows == to.tokens() && x.cols == y.cols);
  on(ops::Resize<Scalar<On>>{
      {.map = x.data, .from = from, .to = to, .channels = x.cols, .first = 0, .count = to.height, .y = y.data}});
}

DSVL_END_NAMESPACE

#endif  // DSVL_NN_CONV_HPP
