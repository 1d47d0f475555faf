// The two-layer GELU feed-forward of vision transformers.
#ifndef DSVL_NN_MLP_HPP
#define DSVL_NN_MLP_HPP

#include "activation.hpp"
#include "linear.hpp"

DSVL_BEGIN_NAMESPACE

/// Adds fc2(gelu(fc1(h))) to x.
struct GeluMlp {
  Linear fc1, fc2;

  template <class V>
  void visit(V& v, Index hidden, Index intermediate) {
    v.child("fc1", fc1, intermediate, hidden);
    v.child("fc2", fc2, hidden, intermediate);
  }

  /// h, x (tokens, hidden); `inner` (tokens, intermediate) is scratch.
  template <class On>
  void forward(On& on, View<const Scalar<On>> h, GeluKind activation, View<Scalar<On>> inner,
               View<Scalar<On>> x) const noexcept {
    linear(on, h, fc1, inner);
    gelu(on, inner, activation);
    linear_add(on, inner, fc2, x);
  }
};

DSVL_END_NAMESPACE

#endif  // DSVL_NN_MLP_HPP
