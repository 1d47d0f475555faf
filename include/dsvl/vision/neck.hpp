// The neck behind SAM's transformer, and the convolutions that reduce its map to SigLIP's grid.
//
//   (64 x 64, 768) -> neck -> (64 x 64, 256) -> bilinear 96 x 96 -> two stride-2 convolutions -> (24 x 24, 1024)
//
// The resize uses align_corners = false. The two convolutions have neither bias, norm nor activation between them. All
// maps are channels-last, so a convolution is an unfold followed by a matrix product.
// Source: arXiv:2304.02643 for the neck; deepseek-ai/DeepSeek-VL, deepseek_vl/models/sam.py for the rest.
#ifndef DSVL_VISION_NECK_HPP
#define DSVL_VISION_NECK_HPP

#include "../nn/conv.hpp"
#include "../nn/norm.hpp"

DSVL_BEGIN_NAMESPACE

/// Sizes behind SAM's transformer. The defaults are those of the released 7B.
struct DownsampleDims {
  Index neck = 256;         ///< channels of the neck
  Grid resized = {96, 96};  ///< what the map is resized to before it is halved twice
  Index middle = 512;       ///< channels after the first stride-2 convolution
  Index out = 1024;         ///< channels after the second, the width of the tower's features

  static constexpr ConvShape kNeck = {3, 1, 1};  ///< of the neck's second convolution: size, step, padding
  static constexpr ConvShape kDown = {3, 2, 1};  ///< of both stride-2 convolutions
  /// The grid of the tower's output, a quarter of `resized` along each side.
  [[nodiscard]] constexpr Grid grid() const noexcept { return kDown.output(kDown.output(resized)); }
  constexpr bool operator==(const DownsampleDims&) const noexcept = default;
};

/// Shape of the columns of a 3 x 3 convolution's weight with `in` input channels: in, ky, kx.
constexpr Extent kernel(Index in) noexcept { return {in, 3, 3}; }

/// y = norm2(conv3x3(norm1(conv1x1(x)))). The norms run over the channels of each pixel (LayerNorm2d).
struct Neck {
  Projection conv1;  ///< 1 x 1, a product per pixel
  LayerNorm norm1;   ///< (neck)
  Projection conv2;  ///< 3 x 3, padding 1
  LayerNorm norm2;   ///< (neck)

  /// Shows every weight with its name and shape to the visitor; sets eps as well.
  template <class V>
  void visit(V& v, Index hidden, const DownsampleDims& d) {
    norm1.eps = norm2.eps = 1e-6;  // LayerNorm2d's default; the configuration has no key for it
    v.child("conv1", conv1, d.neck, Extent(hidden, 1, 1));
    v.child("norm1", norm1, d.neck);
    v.child("conv2", conv2, d.neck, kernel(d.neck));
    v.child("norm2", norm2, d.neck);
  }

  /// y (tokens, neck) = neck of x (tokens, hidden), which has the shape of `grid`; `unfolded` (tokens, 9 * neck) is
  /// scratch. x and y must not overlap.
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

/// y = conv(conv(resize(x))): both convolutions are 3 x 3 with stride 2, and nothing stands between them.
struct Downsample {
  Projection conv1;  ///< (middle, neck * 9)
  Projection conv2;  ///< (out, middle * 9)

  /// Shows every weight with its name and shape to the visitor.
  template <class V>
  void visit(V& v, const DownsampleDims& d) {
    v.child("conv1", conv1, d.middle, kernel(d.neck));
    v.child("conv2", conv2, d.out, kernel(d.middle));
  }

  /// Scratch of one forward pass.
  template <class T>
  struct Buffers {
    View<T> resized;    ///< (resized tokens, neck)
    View<T> unfolded1;  ///< (a quarter of those, 9 * neck), input of conv1
    View<T> middle;     ///< (as many, middle), output of conv1
    View<T> unfolded2;  ///< (a quarter again, 9 * middle), input of conv2

    /// Declares the buffers; 46 MB in float at the released size, two thirds of it for the unfolded maps.
    void carve(Arena& arena, const DownsampleDims& d) noexcept {
      const Index half = DownsampleDims::kDown.output(d.resized).tokens();
      resized = arena.view<T>("resized map", d.resized.tokens(), d.neck);
      unfolded1 = arena.view<T>("unfolded map", half, d.neck * 9);
      middle = arena.view<T>("half map", half, d.middle);
      unfolded2 = arena.view<T>("unfolded half map", d.grid().tokens(), d.middle * 9);
    }
  };

  /// y (d.grid().tokens(), out) = x (grid.tokens(), neck) resized and convolved. x and y must not overlap.
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
