// Activations against their formulas; the two GELUs are told apart.
#include <dsvl/nn/activation.hpp>
#include <dsvl/nn/mlp.hpp>

#include "../oracle.hpp"

using namespace dsvl;
using test::Mat;
using test::Rows;

TEST_CASE("gelu_erf is the exact GELU, gelu_tanh the approximation, and they differ by more than either's error") {
  const Mat x = test::noise_mat(9, 111, 2, 5);
  const Mat exact = test::each(x, test::gelu_erf), approximate = test::each(x, test::gelu_tanh);
  CHECK(test::relative_error(std::span<const double>(exact.v), std::span<const double>(approximate.v)) > 5e-5);
  test::with_kernels([&](const auto& kernels) {
    using T = test::scalar_of<decltype(kernels)>;
    Immediate<T> on(kernels);
    Rows<T> a(x), b(x);
    gelu(on, a, GeluKind::erf);
    gelu(on, b, GeluKind::tanh);
    test::check_near("gelu_erf", a.view(), exact, test::kNear<T>);
    test::check_near("gelu_tanh", b.view(), approximate, test::kNear<T>);
    CHECK((a.padding_untouched() && b.padding_untouched()));
  });
}

TEST_CASE("silu_mul and add_scaled equal their formulas") {
  const Mat gate = test::noise_mat(9, 111, 2, 8), up = test::noise_mat(9, 111, 3);
  Mat want = test::each(gate, test::silu);
  for (std::size_t i = 0; i < want.v.size(); ++i) want.v[i] *= up.v[i];
  test::with_kernels([&](const auto& kernels) {
    using T = test::scalar_of<decltype(kernels)>;
    Immediate<T> on(kernels);
    Rows<T> g(gate), u(up);
    silu_mul(on, u, g);
    test::check_near("silu_mul", g.view(), want, test::kNear<T>);
    const float alpha = 0.375f;
    add_scaled(on, u, &alpha, g);
    test::check_near("add_scaled", g.view(), test::plus(want, up, 0.375), test::kNear<T>);
  });
}

TEST_CASE("the feed-forward of a vision transformer adds fc2(gelu(fc1(h)))") {
  test::Weights w(3);
  GeluMlp mlp;
  mlp.visit(w, Index{24}, Index{56});
  const Mat h = test::noise_mat(10, 24, 1), x = test::noise_mat(10, 24, 2);
  for (const bool tanh : {false, true}) {
    const Mat inner = test::each(test::linear(h, w["fc1.weight"], w["fc1.bias"]), tanh ? test::gelu_tanh : test::gelu_erf);
    const Mat want = test::plus(x, test::linear(inner, w["fc2.weight"], w["fc2.bias"]));
    test::with_kernels([&](const auto& kernels) {
      using T = test::scalar_of<decltype(kernels)>;
      Immediate<T> on(kernels);
      Rows<T> in(h), scratch(10, 56), out(x);
      mlp.forward(on, in, tanh ? GeluKind::tanh : GeluKind::erf, scratch, out);
      test::check_near("gelu mlp", out.view(), want, test::kNear<T>);
    });
  }
}
