// SigLIP: the low-resolution tower, a pre-norm transformer over patches with a final norm and no pooling.
//
//   picture (3, 384, 384) -> (576, 1024)          [released sizes; all come from the configuration]
//
// Its pooling head is never run: the aligner reads a row per patch.
// Source: arXiv:2303.15343; arXiv:2010.11929 for the block.
#ifndef DSVL_VISION_SIGLIP_HPP
#define DSVL_VISION_SIGLIP_HPP

#include <vector>

#include "../nn/attention.hpp"
#include "../nn/mlp.hpp"
#include "../nn/norm.hpp"
#include "patch_embed.hpp"

DSVL_BEGIN_NAMESPACE

/// Sizes of the tower. The defaults are those of both released models, SigLIP-L/16 at 384.
struct SiglipDims {
  PatchShape input = {384, 16, 3};               ///< picture and patches
  Index hidden = 1024;                           ///< width of the residual stream and of the features
  Index intermediate = 4096;                     ///< width inside the MLP
  Index layers = 24;                             ///< blocks
  Index heads = 16;                              ///< attention heads, each hidden / heads wide
  double eps = 1e-6;                             ///< of every LayerNorm
  GeluKind activation = GeluKind::erf;           ///< of the MLPs

  /// Rows of the output, one per patch.
  [[nodiscard]] constexpr Index tokens() const noexcept { return input.grid().tokens(); }
  /// Attention heads; queries, keys and values have the same number of them.
  [[nodiscard]] constexpr HeadShape head_shape() const noexcept { return {heads, heads, hidden / heads}; }
  constexpr bool operator==(const SiglipDims&) const noexcept = default;
};

/// Scratch of one block, shared by all blocks.
template <class T>
struct VitBuffers {
  View<T> normed;  ///< (tokens, hidden), output of a norm
  View<T> qkv;     ///< (tokens, 3 * hidden)
  View<T> inner;   ///< (tokens, intermediate), inside the MLP
  KvSpace<T> kv;   ///< keys and values of the picture, one sequence

  /// Declares the page table. It is written once, so it must lie outside every overlap().
  void carve_table(Arena& arena, HeadShape heads, Index tokens) noexcept { kv.carve_table(arena, heads, 1, tokens); }
  /// Declares the rest. Attention and MLP share memory, since a block runs one after the other.
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

/// One transformer block: x += out(attention(norm1(x))), then x += mlp(norm2(x)).
struct VitBlock {
  LayerNorm norm1;  ///< (hidden), before attention
  LayerNorm norm2;  ///< (hidden), before the MLP
  Linear qkv;   ///< (3 * hidden, hidden): q, k and v stacked into one product, even where a file keeps three tensors
  Linear out;   ///< (hidden, hidden)
  GeluMlp mlp;  ///< hidden -> intermediate -> hidden

  /// Shows every weight with its name and shape to the visitor; sets eps as well.
  template <class V>
  void visit(V& v, const SiglipDims& d) {
    norm1.eps = norm2.eps = d.eps;
    v.child("norm1", norm1, d.hidden);
    v.child("attn.qkv", qkv, Extent(d.hidden, d.hidden, d.hidden), d.hidden);
    v.child("attn.out", out, d.hidden, d.hidden);
    v.child("norm2", norm2, d.hidden);
    v.child("mlp", mlp, d.hidden, d.intermediate);
  }

  /// Updates x (tokens, hidden) in place.
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

/// Weights and forward pass of the tower.
struct Siglip {
  SiglipDims dims;               ///< sizes, set before visit()
  PatchEmbed embed;              ///< first layer
  std::vector<VitBlock> blocks;  ///< dims.layers of them once visit() has run
  LayerNorm norm;                ///< after the last block

  /// Shows every weight to the visitor. It also makes `blocks` as long as dims.layers, so it must run before forward().
  template <class V>
  void visit(V& v) {
    blocks.resize(static_cast<std::size_t>(dims.layers));
    norm.eps = dims.eps;
    embed.visit(v, dims.input, dims.hidden);
    for (std::size_t i = 0; i < blocks.size(); ++i) v.layer(i, blocks[i], dims);
    v.child("norm", norm, dims.hidden);
  }

  /// Scratch of one forward pass.
  template <class T>
  struct Buffers {
    View<T> patches;      ///< (tokens, elements of a patch), gone once the first block runs
    VitBuffers<T> block;  ///< shared by all blocks

    /// Declares the page table, outside every overlap().
    void carve_table(Arena& arena, const SiglipDims& d) noexcept {
      block.carve_table(arena, d.head_shape(), d.tokens());
    }
    /// Declares the rest; the patches share memory with the blocks' buffers.
    void carve(Arena& arena, const SiglipDims& d) noexcept {
      arena.overlap([&] { patches = arena.spread_view<T>("patches", d.tokens(), d.input.elements()); },
                    [&] { block.carve(arena, d.head_shape(), d.tokens(), d.intermediate); });
    }
  };

  /// x (tokens, hidden) = features of picture (3, image, image), which is already normalised.
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
