// SAM-B's image encoder (ViTDet): the transformer of the high-resolution tower.
//
//   picture (3, 1024, 1024) -> (4096, 768), a 64 x 64 map       [released size]
//
// Most blocks attend inside 14 x 14 windows, four attend over the whole map; all have decomposed relative positions.
// The output of the first global block is read by the side branch (vision/high_res_tower.hpp).
//
// Source: arXiv:2304.02643; arXiv:2203.16527.
#ifndef DSVL_VISION_SAM_HPP
#define DSVL_VISION_SAM_HPP

#include <bit>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <vector>

#include "../nn/map_attention.hpp"
#include "../nn/mlp.hpp"
#include "../nn/norm.hpp"
#include "patch_embed.hpp"
#include "rel_pos_table.hpp"

DSVL_BEGIN_NAMESPACE

/// A set of layer numbers below 64, one bit each, so that SamDims stays a literal type and compares by value.
class LayerSet {
 public:
  constexpr LayerSet() noexcept = default;
  /// Layers outside [0, 64) are not allowed here; use add() for numbers from a file.
  constexpr LayerSet(std::initializer_list<Index> layers) noexcept { add(layers.begin(), layers.end()); }
  /// Adds layers. Returns false, and adds nothing, when one of them is not in [0, 64).
  constexpr bool add(std::span<const Index> layers) noexcept {
    return add(layers.data(), layers.data() + layers.size());
  }
  /// True when `layer`, which is not negative, is in the set.
  [[nodiscard]] constexpr bool has(Index layer) const noexcept { return layer < 64 && (bits_ >> layer & 1) != 0; }
  /// The smallest layer of the set, or 64 when it is empty.
  [[nodiscard]] constexpr Index lowest() const noexcept { return std::countr_zero(bits_); }
  constexpr bool operator==(const LayerSet&) const noexcept = default;

 private:
  // It takes pointers: the checked std::span of GCC 12 (_GLIBCXX_DEBUG) does not work in a constant expression.
  constexpr bool add(const Index* first, const Index* last) noexcept {
    std::uint64_t more = 0;
    for (; first != last; ++first) {
      if (*first < 0 || *first >= 64) return false;
      more |= std::uint64_t{1} << *first;
    }
    bits_ |= more;
    return true;
  }

  std::uint64_t bits_ = 0;
};

/// Sizes of SAM's encoder. The defaults are SAM-B at 1024, as in the released 7B.
struct SamDims {
  PatchShape input = {1024, 16, 3};              ///< picture and patches
  Index hidden = 768;                            ///< width of the residual stream
  Index intermediate = 3072;                     ///< width inside the MLP
  Index layers = 12;                             ///< blocks
  Index heads = 12;                              ///< attention heads, each hidden / heads wide
  Index window = 14;                             ///< side of an attention window in patches
  LayerSet global_layers = {2, 5, 8, 11};        ///< blocks that attend over the whole map
  Index tap = 2;                                 ///< the block whose output feeds the side branch: the first global one
  double eps = 1e-6;                             ///< of every LayerNorm
  GeluKind activation = GeluKind::erf;           ///< of the MLPs

  /// The map of tokens that the picture becomes.
  [[nodiscard]] constexpr Grid grid() const noexcept { return input.grid(); }
  /// Attention heads; queries, keys and values have the same number of them.
  [[nodiscard]] constexpr HeadShape head_shape() const noexcept { return {heads, heads, hidden / heads}; }
  /// True for blocks that attend over the whole map.
  [[nodiscard]] constexpr bool is_global(Index layer) const noexcept { return global_layers.has(layer); }
  /// The windows that a block cuts the map into; side 0 for a block that attends over the whole map.
  [[nodiscard]] constexpr Windows windows(Index layer) const noexcept {
    return {grid(), is_global(layer) ? 0 : window};
  }
  constexpr bool operator==(const SamDims&) const noexcept = default;
};

/// Scratch of one block, shared by all blocks and large enough for windowed and global ones.
template <class T>
struct SamBuffers {
  View<T> normed;         ///< (tokens, hidden), output of a norm
  View<T> windowed;       ///< (tokens of all windows, hidden), normed tokens regrouped by window
  View<T> qkv;            ///< (tokens of all windows, 3 * hidden)
  View<T> inner;          ///< (tokens, intermediate), inside the MLP
  KvSpace<T> kv_windows;  ///< keys and values of a windowed block, a sequence per window
  KvSpace<T> kv_map;      ///< keys and values of a global block, one sequence

  /// Declares the page tables. They are written once, so they must lie outside every overlap().
  void carve_table(Arena& arena, const SamDims& d) noexcept {
    const Windows windowed_layer{d.grid(), d.window}, global_layer{d.grid(), 0};
    kv_windows.carve_table(arena, d.head_shape(), windowed_layer.count(), windowed_layer.window().tokens());
    kv_map.carve_table(arena, d.head_shape(), 1, global_layer.tokens());
  }
  /// Declares the rest. Attention and MLP share memory, since a block runs one after the other.
  void carve(Arena& arena, const SamDims& d) noexcept {
    const Index tokens = d.grid().tokens(), padded = Windows{d.grid(), d.window}.tokens();
    normed = arena.spread_view<T>("sam normed", tokens, d.hidden);
    arena.overlap(
        [&] {
          windowed = arena.view<T>("sam windows", padded, d.hidden);
          qkv = arena.view<T>("sam qkv", padded, 3 * d.hidden);
          arena.overlap([&] { kv_windows.carve_memory(arena); }, [&] { kv_map.carve_memory(arena); });
        },
        [&] { inner = arena.spread_view<T>("sam mlp", tokens, d.intermediate); });
  }
};

/// One transformer block: x += unsplit(out(attention(split(norm1(x))))), then x += mlp(norm2(x)).
struct SamBlock {
  LayerNorm norm1;            ///< (hidden), before attention
  LayerNorm norm2;            ///< (hidden), before the MLP
  Linear qkv;                 ///< (3 * hidden, hidden): q, k and v stacked, as the files have them
  Linear out;                 ///< (hidden, hidden)
  RelativePositions rel_pos;  ///< resized to the block's window or map when weights are bound
  GeluMlp mlp;                ///< hidden -> intermediate -> hidden

  /// Shows every weight of block `layer` with its name and shape to the visitor; sets eps as well.
  template <class V>
  void visit(V& v, const SamDims& d, Index layer) {
    const Grid window = d.windows(layer).window();
    const Index head_dim = d.head_shape().head_dim;
    norm1.eps = norm2.eps = d.eps;
    v.child("norm1", norm1, d.hidden);
    v.child("attn.qkv", qkv, Extent(d.hidden, d.hidden, d.hidden), d.hidden);
    v.child("attn.out", out, d.hidden, d.hidden);
    v.table("attn.rel_pos_h", rel_pos.y, 2 * window.height - 1, head_dim, resize_rel_pos_table);
    v.table("attn.rel_pos_w", rel_pos.x, 2 * window.width - 1, head_dim, resize_rel_pos_table);
    v.child("norm2", norm2, d.hidden);
    v.child("mlp", mlp, d.hidden, d.intermediate);
  }

  /// Updates x (tokens, hidden) in place. Windows that hang over the border are filled with zeros behind the norm, as
  /// in the original, so their keys are the bias of k.
  template <class On>
  void forward(On& on, const SamDims& d, Index layer, SamBuffers<Scalar<On>>& b, View<Scalar<On>> x) const noexcept {
    const Windows windows = d.windows(layer);
    layer_norm(on, x, norm1, b.normed);
    if (windows.side == 0) {
      attend(on, d, windows, b.normed, b.kv_map.blocks(), b.qkv, b.normed);
      linear_add(on, b.normed, out, x);
    } else {
      split_windows(on, b.normed, windows, b.windowed);
      attend(on, d, windows, b.windowed, b.kv_windows.blocks(), b.qkv, b.windowed);
      const View<Scalar<On>> projected = b.qkv.col_range(0, d.hidden);  // q, k and v are not read any more
      linear(on, b.windowed, out, projected);
      add_windows(on, projected, windows, x);
    }
    layer_norm(on, x, norm2, b.normed);
    mlp.forward(on, b.normed, d.activation, b.inner, x);
  }

 private:
  /// y = attention of the tokens h (windows.tokens(), hidden), window by window. y may be h.
  template <class On>
  void attend(On& on, const SamDims& d, const Windows& windows, View<const Scalar<On>> h, KvBlocks kv,
              View<Scalar<On>> qkv_rows, View<Scalar<On>> y) const noexcept {
    const View<Scalar<On>> rows = qkv_rows.row_range(0, windows.tokens());
    const HeadShape heads = d.head_shape();
    linear(on, h, qkv, rows);
    store_kv_sequences(on, rows.col_range(d.hidden, d.hidden), rows.col_range(2 * d.hidden, d.hidden), heads,
                       windows.window().tokens(), kv);
    map_attention(on, rows.col_range(0, d.hidden), heads, windows, rel_pos, kv, y);
  }
};

/// Weights and forward pass of the encoder.
struct Sam {
  SamDims dims;                  ///< sizes, set before visit()
  PatchEmbed embed;              ///< first layer
  std::vector<SamBlock> blocks;  ///< dims.layers of them once visit() has run

  /// Shows every weight to the visitor. It also makes `blocks` as long as dims.layers, so it must run before forward().
  template <class V>
  void visit(V& v) {
    blocks.resize(static_cast<std::size_t>(dims.layers));
    embed.visit(v, dims.input, dims.hidden);
    for (std::size_t i = 0; i < blocks.size(); ++i) v.layer(i, blocks[i], dims, static_cast<Index>(i));
  }

  /// Scratch of one forward pass.
  template <class T>
  struct Buffers {
    View<T> patches;      ///< (tokens, elements of a patch), gone once the first block runs
    SamBuffers<T> block;  ///< shared by all blocks

    /// Declares the page tables, outside every overlap().
    void carve_table(Arena& arena, const SamDims& d) noexcept { block.carve_table(arena, d); }
    /// Declares the rest; the patches share memory with the blocks' buffers.
    void carve(Arena& arena, const SamDims& d) noexcept {
      arena.overlap([&] { patches = arena.spread_view<T>("sam patches", d.grid().tokens(), d.input.elements()); },
                    [&] { block.carve(arena, d); });
    }
  };

  /// x (tokens, hidden) = encoded picture (3, image, image), which is already normalised. `after(layer)` is called
  /// behind every block while x holds its output; there the side branch records the operations that read it.
  ///
  /// Cost   966 GFLOP at the released size
  template <class On, class After>
  void forward(On& on, Volume<const Scalar<On>> picture, Buffers<Scalar<On>>& b, View<Scalar<On>> x,
               After&& after) const noexcept {
    on.part("sam");
    embed.forward(on, picture, dims.input, b.patches, x);
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      blocks[i].forward(on, dims, static_cast<Index>(i), b.block, x);
      after(static_cast<Index>(i));
    }
  }
};

DSVL_END_NAMESPACE

#endif  // DSVL_VISION_SAM_HPP
