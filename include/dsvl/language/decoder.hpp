// The LLaMA decoder: embeddings in, logits out, and a cache of keys and values beside it.
//
//   (tokens, hidden) -> blocks -> norm -> head -> (rows, vocab)
//
// One recorded forward pass serves a prefill chunk of any length and every decoded token, of one sequence or of
// several: the number of rows and their places are read from DecoderState when it runs, not when it is recorded.
//
// Source: arXiv:2302.13971; transformers modeling_llama.py for the details the paper leaves open.
#ifndef DSVL_LANGUAGE_DECODER_HPP
#define DSVL_LANGUAGE_DECODER_HPP

#include <algorithm>
#include <vector>

#include "../nn/activation.hpp"
#include "../nn/attention_maps.hpp"
#include "../nn/embedding.hpp"
#include "../nn/linear.hpp"
#include "../nn/norm.hpp"
#include "../nn/rope.hpp"
#include "kv_cache.hpp"

DSVL_BEGIN_NAMESPACE

/// Sizes of the decoder. The defaults are those of LLaMA, which the configurations leave out.
struct DecoderDims {
  Index hidden = 4096;                       ///< width of the residual stream
  Index intermediate = 11008;                ///< width inside the MLP
  Index layers = 32;                         ///< blocks
  HeadShape heads = {32, 32, 128};           ///< query heads, key and value heads, width of each
  Index vocab = 32000;                       ///< tokens, and logits of a row
  double eps = 1e-6;                         ///< of every RMSNorm
  double rope_theta = 10000.0;               ///< base of the rotary frequencies
  bool tied = false;                         ///< the head is the embedding table
  RotaryPairs rotary = RotaryPairs::halves;  ///< which elements of q and k turn together, by kind of file

  constexpr bool operator==(const DecoderDims&) const noexcept = default;
};

/// The facts that change from one run of the recorded pass to the next. The pass holds a pointer to them, so they must
/// stay at their address.
struct DecoderState {
  Index rows = 0;         ///< tokens of this run, at most the chunk that was carved
  SequenceRows places;    ///< of each token: the pages of its sequence, and its position
  Index logits_from = 0;  ///< first row whose logits are wanted
  Index logits_rows = 0;  ///< number of rows whose logits are wanted; 0 skips norm and head
};

/// Memory of a forward pass over at most `chunk` tokens.
template <class T>
struct DecoderBuffers {
  View<T> x;             ///< (chunk, hidden), the residual stream
  View<T> normed;        ///< (chunk, max(hidden, heads * head_dim)), output of a norm or of attention
  View<T> qkv;           ///< (chunk, (heads + 2 * kv_heads) * head_dim)
  View<T> gate;          ///< (chunk, intermediate)
  View<T> up;            ///< (chunk, intermediate)
  View<T> last;          ///< (rows, hidden), the rows whose logits are wanted
  View<T> logits;        ///< (rows, vocab), the result
  RopeAngles<T> angles;  ///< cosines and sines of the chunk's positions, shared by all layers
  AttentionMaps<T> maps;  ///< of the rows whose logits are wanted; none unless carve_maps() declared them

  /// Declares what stays valid when a forward pass is over: logits for up to `rows` of its tokens. They are read until
  /// the next pass, so they must not overlap with carve().
  void carve_logits(Arena& arena, const DecoderDims& d, Index rows) noexcept {
    last = arena.view<T>("last hidden", rows, d.hidden);
    logits = arena.view<T>("logits", rows, d.vocab);
  }
  /// Declares attention maps of up to `rows` tokens whose logits are wanted, in a context of `context` tokens. A
  /// forward pass recorded with them leaves them beside the logits, which have the same bits. `state` is that of the
  /// pass.
  void carve_maps(Arena& arena, const DecoderDims& d, Index rows, Index context, const DecoderState& state) noexcept {
    maps.carve(arena, d.heads.heads, rows, context, &state.logits_from);
  }
  /// Declares the scratch of a forward pass over up to `chunk` tokens. Attention and MLP share memory.
  void carve(Arena& arena, const DecoderDims& d, Index chunk) noexcept {
    x = arena.view<T>("residual stream", chunk, d.hidden);
    normed = arena.spread_view<T>("normed", chunk, std::max<Index>(d.hidden, d.heads.width()));
    angles.carve(arena, chunk, d.heads.head_dim);
    arena.overlap([&] { qkv = arena.view<T>("qkv", chunk, d.heads.width() + 2 * d.heads.kv_width()); },
                  [&] {
                    gate = arena.spread_view<T>("gate", chunk, d.intermediate);
                    up = arena.view<T>("up", chunk, d.intermediate);
                  });
  }
};

/// The MLP: x += down(silu(gate(h)) * up(h)). Source arXiv:2002.05202.
struct SwiGlu {
  Projection gate;  ///< (intermediate, hidden)
  Projection up;    ///< (intermediate, hidden)
  Projection down;  ///< (hidden, intermediate)

  /// Shows the three weights with their shapes to the visitor.
  template <class V>
  void visit(V& v, const DecoderDims& d) {
    v.child("gate", gate, d.intermediate, d.hidden);
    v.child("up", up, d.intermediate, d.hidden);
    v.child("down", down, d.hidden, d.intermediate);
  }

  /// Adds the MLP of h (rows, hidden) to x (rows, hidden). h and x must not overlap.
  template <class On>
  void forward(On& on, View<const Scalar<On>> h, DecoderBuffers<Scalar<On>>& b, View<Scalar<On>> x) const noexcept {
    linear(on, h, gate, b.gate);
    linear(on, h, up, b.up);
    silu_mul(on, b.up, b.gate);
    linear_add(on, b.gate, down, x);
  }
};

/// One transformer block: x += out(attention(norm1(x))), then x += mlp(norm2(x)).
struct DecoderBlock {
  RmsNorm norm1;   ///< (hidden), before attention
  RmsNorm norm2;   ///< (hidden), before the MLP
  Projection qkv;  ///< q, k and v stacked, so that the file's three tensors are one product
  Projection out;  ///< (hidden, heads * head_dim)
  SwiGlu mlp;      ///< hidden -> intermediate -> hidden

  /// Shows every weight with its name and shape to the visitor; sets eps as well.
  template <class V>
  void visit(V& v, const DecoderDims& d) {
    norm1.eps = norm2.eps = d.eps;
    v.child("norm1", norm1, d.hidden);
    v.child("attn.qkv", qkv, Extent(d.heads.width(), d.heads.kv_width(), d.heads.kv_width()), d.hidden);
    v.child("attn.out", out, d.hidden, d.heads.width());
    v.child("norm2", norm2, d.hidden);
    v.child("mlp", mlp, d);
  }

  /// Updates x (rows, hidden) in place and stores the keys and values of its rows at their places, in the blocks of
  /// this layer, whose number is `layer`. `places` is read when the pass runs.
  template <class On>
  void forward(On& on, const DecoderDims& d, Index layer, const SequenceRows* places, KvBlocks kv,
               DecoderBuffers<Scalar<On>>& b, View<Scalar<On>> x) const noexcept {
    using Rows = View<Scalar<On>>;
    const Index width = d.heads.width(), kv_width = d.heads.kv_width();
    const Rows q = b.qkv.col_range(0, width), k = b.qkv.col_range(width, kv_width);
    const Rows v = b.qkv.col_range(width + kv_width, kv_width);
    const Rows normed = b.normed.col_range(0, d.hidden), attended = b.normed.col_range(0, width);
    rms_norm(on, x, norm1, normed);
    linear(on, normed, qkv, b.qkv);
    rope(on, q, d.heads.head_dim, b.angles, d.rotary);
    rope(on, k, d.heads.head_dim, b.angles, d.rotary);
    store_kv(on, k, v, d.heads, places, kv);
    causal_attention(on, q, d.heads, kv, places, attended, b.maps.weights);
    if (b.maps.weights) add_to_maps(on, places, layer, d.layers, b.maps);
    linear_add(on, attended, out, x);
    rms_norm(on, x, norm2, normed);
    mlp.forward(on, normed, b, x);
  }
};

/// Weights and forward pass of the decoder.
struct Decoder {
  DecoderDims dims;                  ///< sizes, set before visit()
  Embedding embedding;               ///< (vocab, hidden)
  std::vector<DecoderBlock> blocks;  ///< dims.layers of them once visit() has run
  RmsNorm norm;                      ///< (hidden), after the last block
  Projection head;                   ///< (vocab, hidden), the embedding table itself where dims.tied

  /// Shows every weight to the visitor. It also makes `blocks` as long as dims.layers, so it must run before forward().
  template <class V>
  void visit(V& v) {
    blocks.resize(static_cast<std::size_t>(dims.layers));
    norm.eps = dims.eps;
    v.child("embed", embedding, dims.vocab, dims.hidden);
    for (std::size_t i = 0; i < blocks.size(); ++i) v.layer(i, blocks[i], dims);
    v.child("norm", norm, dims.hidden);
    if (dims.tied) head.weight = embedding.weight;
    else v.child("head", head, dims.vocab, dims.hidden);
  }

  /// Runs state.rows inputs through the blocks, stores their keys and values at the places that `state` has for them,
  /// in pages of that layout, and leaves the logits of the wanted rows in b.logits. `inputs` has at least state.rows
  /// entries, with ids inside the vocabulary; it and `state` are read when the pass runs and must stay at their
  /// addresses.
  ///
  /// Cost   2 * parameters * rows operations, plus 4 * layers * width * positions per row for attention
  template <class On>
  void forward(On& on, const TokenInput<Scalar<On>>* inputs, const DecoderState& state,
               const KvLayout& kv, DecoderBuffers<Scalar<On>>& b) const noexcept {
    on.rows({&state.rows});
    on.part("decoder");
    embed(on, inputs, embedding, b.x);
    rope_angles(on, &state.places, dims.rope_theta, b.angles);
    for (Index i = 0; i < std::ssize(blocks); ++i)
      blocks[static_cast<std::size_t>(i)].forward(on, dims, i, &state.places, kv.layer(i), b, b.x);
    on.rows({&state.logits_rows});
    on.part("head");
    copy_rows(on, b.x, &state.logits_from, b.last);
    rms_norm(on, b.last, norm, b.last);
    linear(on, b.last, head, b.logits);
    on.rows({});
  }
};

DSVL_END_NAMESPACE

#endif  // DSVL_LANGUAGE_DECODER_HPP
