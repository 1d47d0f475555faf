// Activation functions: exact and tanh GELU, the gate of SwiGLU, and a scaled sum.
#ifndef DSVL_NN_ACTIVATION_HPP
#define DSVL_NN_ACTIVATION_HPP

#include "tiling.hpp"

DSVL_BEGIN_NAMESPACE

/// The GELU that a checkpoint was trained with. The released ones use the exact form; a SigLIP config without the key
/// means the tanh approximation.
enum class GeluKind : unsigned char {
  erf,   ///< x / 2 (1 + erf(x / sqrt 2))
  tanh,  ///< the tanh approximation
};

namespace ops {

/// GELU in place.
template <class T>
struct Gelu : RowWise {
  static constexpr const char* kName = "gelu";
  View<T> x;
  GeluKind kind;

  void run(const Worker<T>& on, Index tile) const noexcept {
    const Range r = range(tile);
    const auto gelu = kind == GeluKind::erf ? on.kernels.gelu_erf : on.kernels.gelu_tanh;
    for (Index i = r.first; i < r.first + r.count; ++i) gelu(x.row(i), cols);
  }
};

/// gate = silu(gate) * up.
template <class T>
struct SiluMul : RowWise {
  static constexpr const char* kName = "silu_mul";
  View<T> gate;
  View<const T> up;

  void run(const Worker<T>& on, Index tile) const noexcept {
    const Range r = range(tile);
    for (Index i = r.first; i < r.first + r.count; ++i) on.kernels.silu_mul(gate.row(i), up.row(i), cols);
  }
};

/// y += *scale * x.
template <class T>
struct AddScaled : RowWise {
  static constexpr const char* kName = "add_scaled";
  View<const T> x;
  const float* scale;
  View<T> y;

  void run(const Worker<T>& on, Index tile) const noexcept {
    const Range r = range(tile);
    for (Index i = r.first; i < r.first + r.count; ++i)
      on.kernels.add_scaled(x.row(i), static_cast<T>(*scale), y.row(i), cols);
  }
};

}  // namespace ops

/// x = GELU(x), in place. Source arXiv:1606.08415.
template <class On>
void gelu(On& on, View<Scalar<On>> x, GeluKind kind) noexcept {
  on(ops::Gelu<Scalar<On>>{{on.rows(), x.rows, x.cols}, x, kind});
}

/// gate = silu(gate) * up; both (tokens, intermediate). Source arXiv:2002.05202.
template <class On>
void silu_mul(On& on, View<const Scalar<On>> up, View<Scalar<On>> gate) noexcept {
  DSVL_ASSERT(up.rows == gate.rows && up.cols == gate.cols);
  on(ops::SiluMul<Scalar<On>>{{on.rows(), gate.rows, gate.cols}, gate, up});
}

/// y += *scale * x; same shapes. `scale` is a learned scalar.
template <class On>
void add_scaled(On& on, View<const Scalar<On>> x, const float* scale, View<Scalar<On>> y) noexcept {
  DSVL_ASSERT(x.rows == y.rows && x.cols == y.cols);
  on(ops::AddScaled<Scalar<On>>{{on.rows(), x.rows, x.cols}, x, scale, y});
}

DSVL_END_NAMESPACE

#endif  // DSVL_NN_ACTIVATION_HPP
