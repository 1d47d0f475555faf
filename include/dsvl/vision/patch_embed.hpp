// Patch embedding: a picture becomes a row per patch, plus its learned position.
#ifndef DSVL_VISION_PATCH_EMBED_HPP
#define DSVL_VISION_PATCH_EMBED_HPP

#include "../nn/conv.hpp"
#include "../nn/embedding.hpp"

DSVL_BEGIN_NAMESPACE

/// What a tower takes: a square picture cut into square patches.
struct PatchShape {
  Index image = 384, patch = 16, channels = 3;
  [[nodiscard]] constexpr Grid grid() const noexcept { return {image / patch, image / patch}; }
  [[nodiscard]] constexpr Index elements() const noexcept { return channels * patch * patch; }
  constexpr bool operator==(const PatchShape&) const noexcept = default;
};

/// tokens = unfold(picture) W^T + b + positions. The convolution's weight (hidden, 3, patch, patch) is used as it is
/// stored.
struct PatchEmbed {
  Linear projection;
  Embedding position;

  template <class V>
  void visit(V& v, const PatchShape& shape, Index hidden) {
    v.child("patch", projection, hidden, Extent(shape.channels, shape.patch, shape.patch));
    v.matrix("position", position.weight, shape.grid().tokens(), hidden);
  }

  /// picture (channels, image, image); `patches` (tokens, elements) is scratch; x (tokens, hidden).
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
