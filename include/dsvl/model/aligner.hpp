// The aligner: it projects vision features to the decoder's width.
//
//   one tower   x -> linear -> (gelu -> linear) * (depth - 1)
//   two towers  [linear(high), linear(low)] side by side -> (gelu -> linear) * (depth - 1)
//
// With two towers each fills half of the width, the high-resolution one first. GELU is the exact form (erf), whatever
// the towers use. An identity aligner has no layers and passes the features on.
// Source: deepseek-ai/DeepSeek-VL, deepseek_vl/models/projector.py (MlpProjector).
#ifndef DSVL_MODEL_ALIGNER_HPP
#define DSVL_MODEL_ALIGNER_HPP

#include <utility>
#include <vector>

#include "../nn/activation.hpp"
#include "../nn/embedding.hpp"
#include "../nn/linear.hpp"

DSVL_BEGIN_NAMESPACE

/// The forms that MlpProjector knows, in its own names. The released models use the last two.
enum class AlignerKind : unsigned char {
  identity,  ///< no layers; the tower is as wide as the decoder
  linear,    ///< one linear layer
  mlp_gelu,  ///< `depth` linear layers with GELU between them (1.3B)
  low_high_hybrid_split_mlp_gelu,  ///< a first layer per tower, then as mlp_gelu (7B)
};

/// Sizes of the aligner. The defaults are those of the released 1.3B.
struct AlignerDims {
  AlignerKind kind = AlignerKind::mlp_gelu;  ///< decides which layers there are
  Index depth = 2;      ///< linear layers that a feature passes through
  Index low = 1024;     ///< width of the low-resolution tower
  Index high = 1024;    ///< width of the high-resolution tower; not read without one
  Index hidden = 2048;  ///< width of the decoder

  constexpr bool operator==(const AlignerDims&) const noexcept = default;
};

/// Weights and forward pass of the aligner.
struct Aligner {
  AlignerDims dims;          ///< sizes, set before visit()
  Linear first;              ///< (hidden, low), the first layer of a model with one tower
  Linear high;               ///< (hidden / 2, high), the first layer of a hybrid model for its high-resolution tower
  Linear low;                ///< (hidden / 2, low), and for its low-resolution one
  std::vector<Linear> rest;  ///< depth - 1 of (hidden, hidden) once visit() has run

  /// Shows the weights that dims.kind has to the visitor. It also makes `rest` as long as needed, so it must run before
  /// forward().
  template <class V>
  void visit(V& v) {
    const auto deeper = [&](std::size_t from) {
      rest.resize(static_cast<std::size_t>(dims.depth - 1));
      for (std::size_t i = 0; i < rest.size(); ++i) v.layer(i + from, rest[i], dims.hidden, dims.hidden);
    };
    switch (dims.kind) {
      case AlignerKind::identity: break;
      case AlignerKind::linear: v.child("linear", first, dims.hidden, dims.low); break;
      case AlignerKind::mlp_gelu:
        v.group("mlp", [&] {
          v.layer(0, first, dims.hidden, dims.low);
          deeper(1);
        });
        break;
      case AlignerKind::low_high_hybrid_split_mlp_gelu:
        v.child("high", high, dims.hidden / 2, dims.high);
        v.child("low", low, dims.hidden / 2, dims.low);
        v.group("split", [&] { deeper(0); });
        break;
    }
  }

  /// Scratch of one forward pass.
  template <class T>
  struct Buffers {
    View<T> inner;  ///< (tokens, hidden)
    /// Declares the buffer.
    void carve(Arena& arena, const AlignerDims& d, Index tokens) noexcept {
      inner = arena.spread_view<T>("aligner", tokens, d.hidden);
    }
  };

  /// y (tokens, hidden) = projected features x_low (tokens, low) and x_high (tokens, high), of which the second is
  /// ignored without a second tower. y must not overlap with either.
  template <class On>
  void forward(On& on, View<const Scalar<On>> x_low, View<const Scalar<On>> x_high, Buffers<Scalar<On>>& b,
               View<Scalar<On>> y) const noexcept {
    on.part("aligner");
    // The layers alternate between two buffers so that the last one writes y.
    // With an even number of them the first layer writes y already.
    View<Scalar<On>> now = rest.size() % 2 ? b.inner : y, next = rest.size() % 2 ? y : b.inner;
    switch (dims.kind) {
      case AlignerKind::identity: copy_rows(on, x_low, nullptr, now); break;
      case AlignerKind::linear:
      case AlignerKind::mlp_gelu: linear(on, x_low, first, now); break;
      case AlignerKind::low_high_hybrid_split_mlp_gelu:
        linear(on, x_high, high, now.col_range(0, dims.hidden / 2));
        linear(on, x_low, low, now.col_range(dims.hidden / 2, dims.hidden / 2));
        break;
    }
    for (const Linear& layer : rest) {
      gelu(on, now, GeluKind::erf);
      linear(on, now, layer, next);
      std::swap(now, next);
    }
  }
};

DSVL_END_NAMESPACE

#endif  // DSVL_MODEL_ALIGNER_HPP
