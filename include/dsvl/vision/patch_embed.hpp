// Patch embedding: each patch of a picture becomes a row of `hidden` numbers, and its learned position is added.
//
// It is the first layer of both towers. A convolution whose stride is its size reads each pixel once, so it is one
// matrix product over the unfolded patches.
// Source: arXiv:2010.11929, section 3.1.
#ifndef DSVL_VISION_PATCH_EMBED_HPP
#define DSVL_VISION_PATCH_EMBED_HPP

#include "../nn/conv.hpp"
#include "../nn/embedding.hpp"

DSVL_BEGIN_NAMESPACE

/// The input of a tower: a square picture that is cut into square patches.
struct PatchShape {
  Index image = 384;   ///< side of the picture in pixels, a multiple of `patch`
  Index patch = 16;    ///< side of a patch in pixels
  Index channels = 3;  ///< RGB
  /// Patches down and across.
  [[nodiscard]] constexpr Grid grid() const noexcept { return {image / patch, image / patch}; }
  /// Numbers in a patch.
  [[nodiscard]] constexpr Index elements() const noexcept { return channels * patch * patch; }
  constexpr bool operator==(const PatchShape&) const noexcept = default;
};

/// tokens = unfold(picture) W^T + b + positions. The convolution's weight (hidden, channels, patch, patch) is used as
/// it is stored.
struct PatchEmbed {
  Linear projection;   ///< (hidden, elements)
  Embedding position;  ///< (tokens, hidden), added to every picture alike

  /// Shows both weights with their shapes to the visitor.
  template <class V>
  void visit(V& v, const PatchShape& shape, Index hidden) {
    v.child("patch", projection, hidden, Extent(shape.channels, shape.patch, shape.patch));
    v.matrix("position", position.weight, shape.grid().tokens(), hidden);
  }

  /// x (tokens, hidden) = embedded patches of picture (channels, image, image); `patches` (tokens, elements) is
  /// scratch.
  template <class On>
  void forward(On& on, Volume<const Scalar<On>> picture, const PatchShape& shape, View<Scalar<On>> patches,
               View<Scalar<On>> x) const noexcept {
    unfold_patches(on, picture, shape.patch, patches);
    linear(on, patches, projection, x);
    add_positions(on, position, x);
  }
};

DSVL_END_NAMESPACE

#endif  // DSVL_VISION_PATCH_EMBED_HPP
