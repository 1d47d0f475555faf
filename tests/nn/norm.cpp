// Norms against the formulas, and their eps against inputs that are about as small as eps is.
#include <dsvl/nn/norm.hpp>

#include "../oracle.hpp"

using namespace dsvl;
using test::Mat;
using test::Rows;

namespace {

struct Norms {
  test::Weights weights{9};
  LayerNorm layer;
  RmsNorm rms;
  explicit Norms(Index dim) {
    weights.child("layer", layer, dim);
    weights.child("rms", rms, dim);
  }
  [[nodiscard]] Mat layer_of(const Mat& x, double eps) const {
    return test::layer_norm(x, weights["layer.weight"], weights["layer.bias"], eps);
  }
  [[nodiscard]] Mat rms_of(const Mat& x, double eps) const { return test::rms_norm(x, weights["rms.weight"], eps); }
};

}  // namespace

TEST_CASE("layer_norm and rms_norm equal their formulas, also in place") {
  for (const Index dim : {1, 3, 16, 40, 257, 2048}) {
    INFO(dim);
    const Norms n(dim);
    Mat x = test::noise_mat(7, dim, 4, 3);
    for (double& e : x.v) e = static_cast<double>(static_cast<float>(e + 1.5));  // a mean that is not near zero
    test::with_kernels([&](const auto& kernels) {
      using T = test::scalar_of<decltype(kernels)>;
      Immediate<T> on(kernels);
      Rows<T> in(x), out(7, dim), in_place(x);
      layer_norm(on, in, n.layer, out);
      if (dim > 1) test::check_near("layer_norm", out.view(), n.layer_of(x, 1e-6), test::kNear<T>);
      layer_norm(on, in_place, n.layer, in_place);
      CHECK(test::same_bits<T>(in_place.view(), out.view()));
      rms_norm(on, in, n.rms, out);
      test::check_near("rms_norm", out.view(), n.rms_of(x, 1e-6), test::kNear<T>);
      CHECK(out.padding_untouched());
    });
  }
}

TEST_CASE("the eps of a norm is the one that was set, inside the root: 1e-6 unless a configuration says otherwise") {
  const Norms n(64);
  const Mat x = test::noise_mat(4, 64, 5, 2e-3);  // variance about 1e-6: the right eps halves it, 1e-5 would take a third
  CHECK(test::relative_error(std::span<const double>(n.layer_of(x, 1e-5).v), std::span<const double>(n.layer_of(x, 1e-6).v)) > 0.1);
  CHECK(test::relative_error(std::span<const double>(n.rms_of(x, 1e-5).v), std::span<const double>(n.rms_of(x, 1e-6).v)) > 0.1);
  test::with_kernels([&](const auto& kernels) {
    using T = test::scalar_of<decltype(kernels)>;
    Immediate<T> on(kernels);
    Rows<T> in(x), out(4, 64);
    layer_norm(on, in, n.layer, out);
    test::check_near("layer_norm, default eps", out.view(), n.layer_of(x, 1e-6), test::kNear<T>);
    rms_norm(on, in, n.rms, out);
    test::check_near("rms_norm, default eps", out.view(), n.rms_of(x, 1e-6), test::kNear<T>);
    LayerNorm other = n.layer;
    other.eps = 1e-5;
    layer_norm(on, in, other, out);
    test::check_near("layer_norm, 1e-5", out.view(), n.layer_of(x, 1e-5), test::kNear<T>);
    RmsNorm another = n.rms;
    another.eps = 1e-5;
    rms_norm(on, in, another, out);
    test::check_near("rms_norm, 1e-5", out.view(), n.rms_of(x, 1e-5), test::kNear<T>);
  });
}
