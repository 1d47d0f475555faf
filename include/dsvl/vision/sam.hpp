// SAM-B's image encoder (ViTDet): the transformer of the high-resolution tower.
//
//   picture (3, 1024, 1024) -> (4096, 768), a 64 x 64 map       [released size]
//
// Most blocks attend inside 14 x 14 windows, four over the whole map; all have decomposed relative positions. The
// output of the first global block is tapped for the side branch (vision/high_tower.hpp).
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
#include "relative_table.hpp"

DSVL_BEGIN_NAMESPACE

/// A few layer numbers below 64.
class LayerSet {
 public:
  constexpr LayerSet() noexcept = default;
  constexpr LayerSet(std::initializer_list<Index> layers) noexcept { add(layers.begin(), layers.end()); }
  /// False, and nothing added, when one of them is not in [0, 64).
  constexpr bool add(std::span<const Index> layers) noexcept {
    return add(layers.data(), layers.data() + layers.size());
  }
  [[nodiscard]] constexpr bool has(Index layer) const noexcept { return layer < 64 && (bits_ >> layer & 1) != 0; }
  /// 64 when there is none.
  [[nodiscard]] constexpr Index lowest() const noexcept { return std::countr_zero(bits_); }
  constexpr bool operator==(const LayerSet&) const noexcept = default;

 private:
  // Pointers, because the checked std::span of GCC 12 (_GLIBCXX_DEBUG) is not for constant expressions.
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

struct SamDims {
  PatchShape input = {1024, 16, 3};
  Index hidden = 768, intermediate = 3072, layers = 12, heads = 12;
  Index window = 14;
  LayerSet global_layers = {2, 5, 8, 11};
  Index tap = 2;  ///< the layer whose output feeds the side branch: the first global one
  double eps = 1e-6;
  GeluKind activation = GeluKind::erf;

  [[nodiscard]] constexpr Grid grid() const noexcept { return input.grid(); }
  [[nodiscard]] constexpr HeadShape head_shape() const noexcept { return {heads, heads, hidden / heads}; }
  [[nodiscard]] constexpr bool is_global(Index layer) const noexcept { return global_layers.has(layer); }
  [[nodiscard]] constexpr Windows windows(Index layer) const noexcept {
    return {grid(), is_global(layer) ? 0 : window};
  }
  constexpr bool operator==(const SamDims&) const noexcept = default;
};

/// SAM-B at 1024, as in the released 7B.
inline constexpr SamDims kSamBase1024{};

/// What one block works in, shared by all blocks and large enough for windowed and global ones.
template <class T>
struct SamBuffers {
  View<T> normed, windowed, qkv, inner;
  KvSpace<T> kv_windows, kv_map;

  void carve_table(Arena& arena, const SamDims& d) noexcept {
    const Windows windowed_layer{d.grid(), d.window}, global_layer{d.grid(), 0};
    kv_windows.carve_table(arena, d.head_shape(), windowed_layer.count(), windowed_layer.window().tokens());
    kv_map.carve_table(arena, d.head_shape(), 1, global_layer.tokens());
  }
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

/// x += unsplit(out(attention(split(norm1(x)))));  x += mlp(norm2(x)).
struct SamBlock {
  LayerNorm norm1, norm2;
  Linear qkv, out;
  RelativePositions relative;
  GeluMlp mlp;

  template <class V>
  void visit(V& v, const SamDims& d, Index layer) {
    const Grid window = d.windows(layer).window();
    const Index head_dim = d.head_shape().head_dim;
    norm1.eps = norm2.eps = d.eps;
    v.child("norm1", norm1, d.hidden);
    v.child("attn.qkv", qkv, Extent(d.hidden, d.hidden, d.hidden), d.hidden);
    v.child("attn.out", out, d.hidden, d.hidden);
    v.table("attn.relative_y", relative.y, 2 * window.height - 1, head_dim, resize_relative_table);
    v.table("attn.relative_x", relative.x, 2 * window.width - 1, head_dim, resize_relative_table);
    v.child("norm2", norm2, d.hidden);
    v.child("mlp", mlp, d.hidden, d.intermediate);
  }

  /// x (tokens, hidden), updated in place. Zeros are put into the windows' border after the norm.
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
      const View<Scalar<On>> projected = b.qkv.col_range(0, d.hidden);  // q, k and v are used up
      linear(on, b.windowed, out, projected);
      add_windows(on, projected, windows, x);
    }
    layer_norm(on, x, norm2, b.normed);
    mlp.forward(on, b.normed, d.activation, b.inner, x);
  }

 private:
  /// y = attention of the tokens h, window by window; y may be h.
  template <class On>
  void attend(On& on, const SamDims& d, const Windows& windows, View<const Scalar<On>> h, KvBlocks kv,
              View<Scalar<On>> qkv_rows, View<Scalar<On>> y) const noexcept {
    const View<Scalar<On>> rows = qkv_rows.row_range(0, windows.tokens());
    const HeadShape heads = d.head_shape();
    linear(on, h, qkv, rows);
    store_kv_sequences(on, rows.col_range(d.hidden, d.hidden), rows.col_range(2 * d.hidden, d.hidden), heads,
                       windows.window().tokens(), kv);
    map_attention(on, rows.col_range(0, d.hidden), heads, windows, relative, kv, y);
  }
};

struct Sam {
  SamDims dims;
  PatchEmbed embed;
  std::vector<SamBlock> blocks;

  template <class V>
  void visit(V& v) {
    blocks.resize(static_cast<std::size_t>(dims.layers));
    embed.visit(v, dims.input, dims.hidden);
    for (std::size_t i = 0; i < blocks.size(); ++i) v.layer(i, blocks[i], dims, static_cast<Index>(i));
  }

  template <class T>
  struct Buffers {
    View<T> patches;
    SamBuffers<T> block;

    void carve_table(Arena& arena, const SamDims& d) noexcept { block.carve_table(arena, d); }
    void carve(Arena& arena, const SamDims& d) noexcept {
      arena.overlap([&] { patches = arena.spread_view<T>("sam patches", d.grid().tokens(), d.input.elements()); },
                    [&] { block.carve(arena, d); });
    }
  };

  /// picture (3, image, image), already normalised; x (tokens, hidden). `after(layer)` is called behind every block
  /// while x holds its output: that is where the side branch takes its input.
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
