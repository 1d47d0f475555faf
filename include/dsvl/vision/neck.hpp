// Behind SAM's transformer: the neck, and the way down to SigLIP's grid.
//
//   (64 x 64, 768) -> neck -> (64 x 64, 256) -> bilinear 96 x 96 -> two stride-2 convolutions -> (24 x 24, 1024)
//
// Source: arXiv:2304.02643 for the neck; model-spec of DeepSeek-VL's sam_b_downsample for the rest.
#ifndef DSVL_VISION_NECK_HPP
#define DSVL_VISION_NECK_HPP

#include "../nn/conv.hpp"
#include "../nn/norm.hpp"

DSVL_BEGIN_NAMESPACE

/// Sizes behind SAM's transformer: neck channels, the grid the map is resized to, channels of the two stride-2
/// convolutions.
struct DownsampleDims {
  Index neck = 256;
  Grid resized = {96, 96};
  Index middle = 512, out = 1024;

  static constexpr ConvShape kNeck = {3, 1, 1}, kDown = {3, 2, 1};
  [[nodiscard]] constexpr Grid grid() const noexcept { return kDown.output(kDown.output(resized)); }
  constexpr bool operator==(const DownsampleDims&) const noexcept = default;
};

/// Columns of a 3 x 3 convolution's weight.
constexpr Extent kernel(Index in) noexcept { return {in, 3, 3}; }

/// y = norm2(conv3x3(norm1(conv1x1(x)))): the norms run over the channels of each pixel.
struct Neck {
  Projection conv1, conv2;
  LayerNorm norm1, norm2;

  template <class V>
  void visit(V& v, Index hidden, const DownsampleDims& d) {
    norm1.eps = norm2.eps = 1e-6;  // LayerNorm2d's own constant, not the configuration's
    v.child("conv1", conv1, d.neck, Extent(hidden, 1, 1));
    v.child("norm1", norm1, d.neck);
    v.child("conv2", conv2, d.neck, kernel(d.neck));
    v.child("norm2", norm2, d.neck);
  }

  /// x (tokens, hidden), y (tokens, neck); `unfolded` (tokens, 9 * neck) is scratch.
  template <class On>
  void forward(On& on, View<const Scalar<On>> x, Grid grid, View<Scalar<On>> unfolded,
               View<Scalar<On>> y) const noexcept {
    linear(on, x, conv1, y);
    layer_norm(on, y, norm1, y);
    unfold(on, y, grid, DownsampleDims::kNeck, unfolded);
    linear(on, unfolded, conv2, y);
    layer_norm(on, y, norm2, y);
  }
};

/// y = conv(conv(resize(x))), both convolutions 3 x 3 with stride 2; nothing between them.
struct Downsample {
  Projection conv1, conv2;

  template <class V>
  void visit(V& v, const DownsampleDims& d) {
    v.child("conv1", conv1, d.middle, kernel(d.neck));
    v.child("conv2", conv2, d.out, kernel(d.middle));
  }

  template <class T>
  struct Buffers {
    View<T> resized, unfolded1, middle, unfolded2;

    void carve(Arena& arena, const DownsampleDims& d) noexcept {
      const Index half = DownsampleDims::kDown.output(d.resized).tokens();
      resized = arena.view<T>("resized map", d.resized.tokens(), d.neck);
      unfolded1 = arena.view<T>("unfolded map", half, d.neck * 9);
      middle = arena.view<T>("half map", half, d.middle);
      unfolded2 = arena.view<T>("unfolded half map", d.grid().tokens(), d.middle * 9);
    }
  };

  /// x (grid.tokens(), neck), y (d.grid().tokens(), out).
  template <class On>
  void forward(On& on, View<const Scalar<On>> x, Grid grid, const DownsampleDims& d, Buffers<Scalar<On>>& b,
               View<Scalar<On>> y) const noexcept {
    resize_bilinear(on, x, grid, d.resized, b.resized);
    unfold(on, b.resized, d.resized, DownsampleDims::kDown, b.unfolded1);
    linear(on, b.unfolded1, conv1, b.middle);
    unfold(on, b.middle, DownsampleDims::kDown.output(d.resized), DownsampleDims::kDown, b.unfolded2);
    linear(on, b.unfolded2, conv2, y);
  }
};

DSVL_END_NAMESPACE

#endif  // DSVL_VISION_NECK_HPP
