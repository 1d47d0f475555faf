// SigLIP: the low-resolution tower. Pre-norm transformer over patches, final norm, no pooling.
//
//   picture (3, 384, 384) -> (576, 1024)          [released sizes; all come from the configuration]
//
// Source: arXiv:2303.15343; arXiv:2010.11929 for the block.
#ifndef DSVL_VISION_SIGLIP_HPP
#define DSVL_VISION_SIGLIP_HPP

#include <vector>

#include "../nn/attention.hpp"
#include "../nn/mlp.hpp"
#include "../nn/norm.hpp"
#include "patch_embed.hpp"

DSVL_BEGIN_NAMESPACE

struct SiglipDims {
  PatchShape input = {384, 16, 3};
  Index hidden = 1024, intermediate = 4096, layers = 24, heads = 16;
  double eps = 1e-6;
  GeluKind activation = GeluKind::erf;

  [[nodiscard]] constexpr Index tokens() const noexcept { return input.grid().tokens(); }
  [[nodiscard]] constexpr HeadShape head_shape() const noexcept { return {heads, heads, hidden / heads}; }
  constexpr bool operator==(const SiglipDims&) const noexcept = default;
};

/// SigLIP-L/16 at 384, as in both released sizes.
inline constexpr SiglipDims kSiglipLarge384{};

/// What one block works in, shared by all blocks.
template <class T>
struct VitBuffers {
  View<T> normed, qkv, inner;
  KvSpace<T> kv;

  void carve_table(Arena& arena, HeadShape heads, Index tokens) noexcept { kv.carve_table(arena, heads, 1, tokens); }
  void carve(Arena& arena, HeadShape heads, Index tokens, Index intermediate) noexcept {
    normed = arena.spread_view<T>("normed", tokens, heads.width());
    arena.overlap(
        [&] {
          qkv = arena.view<T>("qkv", tokens, 3 * heads.width());
          kv.carve_memory(arena);
        },
        [&] { inner = arena.spread_view<T>("mlp", tokens, intermediate); });
  }
};

/// x += out(attention(norm1(x)));  x += mlp(norm2(x)).
struct VitBlock {
  LayerNorm norm1, norm2;
  Linear qkv, out;  // q, k, v stacked: one product whether the file fuses them or not
  GeluMlp mlp;

  template <class V>
  void visit(V& v, const SiglipDims& d) {
    norm1.eps = norm2.eps = d.eps;
    v.child("norm1", norm1, d.hidden);
    v.child("attn.qkv", qkv, Extent(d.hidden, d.hidden, d.hidden), d.hidden);
    v.child("attn.out", out, d.hidden, d.hidden);
    v.child("norm2", norm2, d.hidden);
    v.child("mlp", mlp, d.hidden, d.intermediate);
  }

  /// x (tokens, hidden), updated in place.
  template <class On>
  void forward(On& on, const SiglipDims& d, VitBuffers<Scalar<On>>& b, View<Scalar<On>> x) const noexcept {
    const HeadShape heads = d.head_shape();
    layer_norm(on, x, norm1, b.normed);
    linear(on, b.normed, qkv, b.qkv);
    store_kv(on, b.qkv.col_range(d.hidden, d.hidden), b.qkv.col_range(2 * d.hidden, d.hidden), heads, nullptr,
             b.kv.blocks());
    attention(on, b.qkv.col_range(0, d.hidden), heads, b.kv.blocks(), x.rows, b.normed);
    linear_add(on, b.normed, out, x);
    layer_norm(on, x, norm2, b.normed);
    mlp.forward(on, b.normed, d.activation, b.inner, x);
  }
};

struct Siglip {
  SiglipDims dims;
  PatchEmbed embed;
  std::vector<VitBlock> blocks;
  LayerNorm norm;

  template <class V>
  void visit(V& v) {
    blocks.resize(static_cast<std::size_t>(dims.layers));
    norm.eps = dims.eps;
    embed.visit(v, dims.input, dims.hidden);
    for (std::size_t i = 0; i < blocks.size(); ++i) v.layer(i, blocks[i], dims);
    v.child("norm", norm, dims.hidden);
  }

  template <class T>
  struct Buffers {
    View<T> patches;
    VitBuffers<T> block;

    void carve_table(Arena& arena, const SiglipDims& d) noexcept {
      block.carve_table(arena, d.head_shape(), d.tokens());
    }
    void carve(Arena& arena, const SiglipDims& d) noexcept {
      arena.overlap([&] { patches = arena.spread_view<T>("patches", d.tokens(), d.input.elements()); },
                    [&] { block.carve(arena, d.head_shape(), d.tokens(), d.intermediate); });
    }
  };

  /// picture (3, image, image), already normalised; x (tokens, hidden).
  ///
  /// Cost   381 GFLOP at the released size
  template <class On>
  void forward(On& on, Volume<const Scalar<On>> picture, Buffers<Scalar<On>>& b, View<Scalar<On>> x) const noexcept {
    on.part("siglip");
    embed.forward(on, picture, dims.input, b.patches, x);
    for (const VitBlock& block : blocks) block.forward(on, dims, b.block, x);
    layer_norm(on, x, norm, x);
  }
};

DSVL_END_NAMESPACE

#endif  // DSVL_VISION_SIGLIP_HPP
