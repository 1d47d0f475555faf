// The LLaMA decoder: embeddings in, logits out, a cache of keys and values beside it.
//
//   (tokens, hidden) -> blocks -> norm -> head -> (rows, vocab)
//
// One recorded forward pass serves a prefill chunk of any length and every decoded token: where it stands and how many
// rows it has are read from DecoderState when it runs.
//
// Source: arXiv:2302.13971; transformers modeling_llama.py for the details the paper leaves open.
#ifndef DSVL_LANGUAGE_DECODER_HPP
#define DSVL_LANGUAGE_DECODER_HPP

#include <algorithm>
#include <vector>

#include "../nn/activation.hpp"
#include "../nn/embedding.hpp"
#include "../nn/linear.hpp"
#include "../nn/norm.hpp"
#include "../nn/rope.hpp"
#include "kv_cache.hpp"

DSVL_BEGIN_NAMESPACE

struct DecoderDims {
  Index hidden = 4096, intermediate = 11008, layers = 32;
  HeadShape heads = {32, 32, 128};
  Index vocab = 32000;
  double eps = 1e-6, rope_theta = 10000.0;
  bool tied = false;  ///< the head is the embedding table
  RotaryPairs rotary = RotaryPairs::halves;

  constexpr bool operator==(const DecoderDims&) const noexcept = default;
};

/// What changes from one run of the recorded pass to the next.
struct DecoderState {
  Index rows = 0;         ///< tokens of this run, at most the chunk
  Index start = 0;        ///< position of the first
  Index logits_from = 0;  ///< first row whose logits are wanted
  Index logits_rows = 0;  ///< how many; 0 skips norm and head
};

template <class T>
struct DecoderBuffers {
  View<T> x, normed, qkv, gate, up, last, logits;
  RopeAngles<T> angles;

  /// What stays good when a forward pass is over: logits for up to `rows` of its tokens.
  void carve_logits(Arena& arena, const DecoderDims& d, Index rows) noexcept {
    last = arena.view<T>("last hidden", rows, d.hidden);
    logits = arena.view<T>("logits", rows, d.vocab);
  }
  /// What a forward pass over up to `chunk` tokens works in.
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

/// x += down(silu(gate(h)) * up(h)).
struct SwiGlu {
  Projection gate, up, down;

  template <class V>
  void visit(V& v, const DecoderDims& d) {
    v.child("gate", gate, d.intermediate, d.hidden);
    v.child("up", up, d.intermediate, d.hidden);
    v.child("down", down, d.hidden, d.intermediate);
  }

  template <class On>
  void forward(On& on, View<const Scalar<On>> h, DecoderBuffers<Scalar<On>>& b, View<Scalar<On>> x) const noexcept {
    linear(on, h, gate, b.gate);
    linear(on, h, up, b.up);
    silu_mul(on, b.up, b.gate);
    linear_add(on, b.gate, down, x);
  }
};

/// x += out(attention(norm1(x)));  x += mlp(norm2(x)).
struct DecoderBlock {
  RmsNorm norm1, norm2;
  Projection qkv, out;  // q, k, v stacked: the file's three tensors as one product
  SwiGlu mlp;

  template <class V>
  void visit(V& v, const DecoderDims& d) {
    norm1.eps = norm2.eps = d.eps;
    v.child("norm1", norm1, d.hidden);
    v.child("attn.qkv", qkv, Extent(d.heads.width(), d.heads.kv_width(), d.heads.kv_width()), d.hidden);
    v.child("attn.out", out, d.hidden, d.heads.width());
    v.child("norm2", norm2, d.hidden);
    v.child("mlp", mlp, d);
  }

  /// x (rows, hidden), updated in place; `start` is the position of row 0.
  template <class On>
  void forward(On& on, const DecoderDims& d, const Index* start, KvBlocks kv, DecoderBuffers<Scalar<On>>& b,
               View<Scalar<On>> x) const noexcept {
    using Rows = View<Scalar<On>>;
    const Index width = d.heads.width(), kv_width = d.heads.kv_width();
    const Rows q = b.qkv.col_range(0, width), k = b.qkv.col_range(width, kv_width);
    const Rows v = b.qkv.col_range(width + kv_width, kv_width);
    const Rows normed = b.normed.col_range(0, d.hidden), attended = b.normed.col_range(0, width);
    rms_norm(on, x, norm1, normed);
    linear(on, normed, qkv, b.qkv);
    rope(on, q, d.heads.head_dim, b.angles, d.rotary);
    rope(on, k, d.heads.head_dim, b.angles, d.rotary);
    store_kv(on, k, v, d.heads, start, kv);
    causal_attention(on, q, d.heads, kv, start, attended);
    linear_add(on, attended, out, x);
    rms_norm(on, x, norm2, normed);
    mlp.forward(on, normed, b, x);
  }
};

struct Decoder {
  DecoderDims dims;
  Embedding embedding;
  std::vector<DecoderBlock> blocks;
  RmsNorm norm;
  Projection head;

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

  /// Runs state.rows inputs through the blocks, extends the cache at state.start, and leaves the logits of the wanted
  /// rows in b.logits. `inputs` has at least state.rows entries, with ids inside the vocabulary.
  ///
  /// Cost   2 * parameters * rows operations, plus 4 * layers * width * positions per row for attention
  template <class On>
  void forward(On& on, const TokenInput<Scalar<On>>* inputs, const DecoderState& state,
               const KvCache<Scalar<On>>& cache, DecoderBuffers<Scalar<On>>& b) const noexcept {
    on.rows({&state.rows});
    on.part("decoder");
    embed(on, inputs, embedding, b.x);
    rope_angles(on, &state.start, dims.rope_theta, b.angles);
    for (std::size_t i = 0; i < blocks.size(); ++i)
      blocks[i].forward(on, dims, &state.start, cache.layer(static_cast<Index>(i)), b, b.x);
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
