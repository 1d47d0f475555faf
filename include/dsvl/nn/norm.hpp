// LayerNorm and RmsNorm of each row.
#ifndef DSVL_NN_NORM_HPP
#define DSVL_NN_NORM_HPP

#include "tiling.hpp"

DSVL_BEGIN_NAMESPACE

/// weight and bias (dim). eps is added to the variance; 1e-6 in every released DeepSeek-VL.
struct LayerNorm {
  const float* weight = nullptr;
  const float* bias = nullptr;
  double eps = 1e-6;

  template <class V>
  void visit(V& v, Index dim) {
    v.vector("weight", weight, dim);
    v.vector("bias", bias, dim);
  }
};

/// weight (dim). eps is added to the mean square, not to the root.
struct RmsNorm {
  const float* weight = nullptr;
  double eps = 1e-6;

  template <class V>
  void visit(V& v, Index dim) {
    v.vector("weight", weight, dim);
  }
};

namespace ops {

/// LayerNorm or RMSNorm of each row.
template <class T>
struct Normalise : RowWise {
  static constexpr const char* kName = "norm";
  View<const T> x;
  View<T> y;
  const float* weight;
  const float* bias;
  T eps;
  bool rms;

  void run(const Worker<T>& on, Index tile) const noexcept {
    const Range r = range(tile);
    (rms ? on.kernels.rms_norm : on.kernels.layer_norm)({x.row(r.first), x.stride, r.count, cols, weight, bias, eps,
                                                         y.row(r.first), y.stride});
  }
};

}  // namespace ops

/// y[t] = (x[t] - mean) / sqrt(var + eps) * weight + bias, biased variance over the columns.
///
/// x, y   (tokens, dim); may be the same memory
/// Source arXiv:1607.06450; torch.nn.LayerNorm
template <class On>
void layer_norm(On& on, View<const Scalar<On>> x, const LayerNorm& n, View<Scalar<On>> y) noexcept {
  DSVL_ASSERT(x.rows == y.rows && x.cols == y.cols);
  on(ops::Normalise<Scalar<On>>{
      {on.rows(), x.rows, x.cols}, x, y, n.weight, n.bias, static_cast<Scalar<On>>(n.eps), false});
}

/// y[t] = x[t] / sqrt(mean(x[t]^2) + eps) * weight.
///
/// x, y   (tokens, dim); may be the same memory
/// Source arXiv:1910.07467 eq. 4; transformers LlamaRMSNorm
template <class On>
void rms_norm(On& on, View<const Scalar<On>> x, const RmsNorm& n, View<Scalar<On>> y) noexcept {
  DSVL_ASSERT(x.rows == y.rows && x.cols == y.cols);
  on(ops::Normalise<Scalar<On>>{
      {on.rows(), x.rows, x.cols}, x, y, n.weight, nullptr, static_cast<Scalar<On>>(n.eps), true});
}

DSVL_END_NAMESPACE

#endif  // DSVL_NN_NORM_HPP
