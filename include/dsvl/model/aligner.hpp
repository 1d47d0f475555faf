// The aligner: vision features to the decoder's width.
//
//   one tower   x -> linear -> (gelu -> linear) * (depth - 1)
//   two towers  [linear(high), linear(low)] side by side -> (gelu -> linear) * (depth - 1)
//
// High comes first, then low; GELU is exact. Identity has no layers.
// Source: model-spec of DeepSeek-VL's MlpProjector.
#ifndef DSVL_MODEL_ALIGNER_HPP
#define DSVL_MODEL_ALIGNER_HPP

#include <utility>
#include <vector>

#include "../nn/activation.hpp"
#include "../nn/embedding.hpp"
#include "../nn/linear.hpp"

DSVL_BEGIN_NAMESPACE

enum class AlignerKind : unsigned char { identity, linear, mlp_gelu, low_high_hybrid_split_mlp_gelu };

struct AlignerDims {
  AlignerKind kind = AlignerKind::mlp_gelu;
  Index depth = 2;
  Index low = 1024, high = 1024;  ///< widths of the towers; `high` is not read without a second tower
  Index hidden = 2048;            ///< the decoder's width

  constexpr bool operator==(const AlignerDims&) const noexcept = default;
};

struct Aligner {
  AlignerDims dims;
  Linear first;       ///< of the only tower; or
  Linear high, low;   ///< of each tower, into half the width
  std::vector<Linear> rest;

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

  template <class T>
  struct Buffers {
    View<T> inner;
    void carve(Arena& arena, const AlignerDims& d, Index tokens) noexcept {
      inner = arena.spread_view<T>("aligner", tokens, d.hidden);
    }
  };

  /// x_low (tokens, low), x_high (tokens, high; ignored without a second tower), y (tokens, hidden).
  template <class On>
  void forward(On& on, View<const Scalar<On>> x_low, View<const Scalar<On>> x_high, Buffers<Scalar<On>>& b,
               View<Scalar<On>> y) const noexcept {
    on.part("aligner");
    // The layers alternate between two buffers so that the last one writes y.
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
