#include <doctest/doctest.h>

#include <algorithm>

#include "../support.hpp"

using namespace dsvl;
using namespace test;

namespace {

using InPlace = void (*)(float*, Index) noexcept;

/// Largest |f(x) - exact(x)| / max(|exact(x)|, floor) over a sweep of [-range, range].
template <class Exact>
double worst_error(InPlace f, Exact&& exact, double range, double floor) {
  double worst = 0;
  for (double x = -range; x < range; x += 0.00113) {
    float y = static_cast<float>(x);
    const double want = exact(static_cast<double>(y));
    f(&y, 1);
    worst = std::max(worst, std::abs(static_cast<double>(y) - want) / std::max(std::abs(want), floor));
  }
  return worst;
}

double exact_gelu(double x) { return x / 2 * std::erfc(-x / std::sqrt(2.0)); }
double exact_gelu_tanh(double x) {
  const double u = std::sqrt(2 / 3.14159265358979323846) * (x + 0.044715 * x * x * x);
  return x / (1 + std::exp(-2 * u));
}

}  // namespace

TEST_CASE("exact GELU is accurate relative to its value, far left of zero too") {
  const double near = worst_error(float_kernels().gelu_erf, exact_gelu, 5.0, 0),
               far = worst_error(float_kernels().gelu_erf, exact_gelu, 12.9, 1e-37);
  MESSAGE("gelu_erf: largest relative error " << near << " in [-5, 5], " << far << " in [-12.9, 12.9]");
  CHECK(near < 1e-6);
  CHECK(far < 3e-5);  // without hardware fma the tail loses the low part of x^2
  CHECK(worst_error(float_kernels().gelu_erf, exact_gelu, 5.0, 1.0) < 1.2e-7);
}

TEST_CASE("tanh GELU is accurate to float") {
  const double worst = worst_error(float_kernels().gelu_tanh, exact_gelu_tanh, 6.0, 1e-3);
  MESSAGE("gelu_tanh: largest relative error " << worst);
  CHECK(worst < 3e-6);
  CHECK(worst_error(float_kernels().gelu_tanh, exact_gelu_tanh, 6.0, 1.0) < 2e-7);
}

TEST_CASE("silu times up is accurate to float") {
  double worst = 0;
  for (double x = -80; x < 80; x += 0.00713) {
    float gate = static_cast<float>(x), up = 0.75f;
    const double v = static_cast<double>(gate), want = v / (1 + std::exp(-v)) * 0.75;
    float_kernels().silu_mul(&gate, &up, 1);
    worst = std::max(worst, std::abs(static_cast<double>(gate) - want) / std::max(std::abs(want), 1e-30));
  }
  MESSAGE("silu: largest relative error " << worst);
  CHECK(worst < 3e-7);
}

TEST_CASE("activations give an element the same bits wherever it stands, and agree with the reference") {
  const Kernels<float>& native = float_kernels();
  for (const Index n : kWidths) {
    CAPTURE(n);
    const auto x = noise(static_cast<std::size_t>(n), 17), up = noise(static_cast<std::size_t>(n), 18);
    for (int which = 0; which < 4; ++which) {
      CAPTURE(which);
      const auto run = [&](const auto& kernels, auto* v, const auto* u, Index count) {
        using T = std::remove_cvref_t<decltype(*v)>;
        if (which == 0) kernels.gelu_erf(v, count);
        if (which == 1) kernels.gelu_tanh(v, count);
        if (which == 2) kernels.silu_mul(v, u, count);
        if (which == 3) kernels.add_scaled(u, static_cast<T>(0.3f), v, count);
      };
      std::vector<float> got = x, alone = x;
      std::vector<double> want = widen(x);
      run(native, got.data(), up.data(), n);
      run(reference_kernels<double>(), want.data(), widen(up).data(), n);
      for (std::size_t i = 0; i < x.size(); ++i) run(native, &alone[i], &up[i], 1);
      CHECK(same_bits(got, alone));
      CHECK(relative_error(got, want) < 2e-7);
    }
  }
}

TEST_CASE("activations keep signed zeros and send infinities where the formulas do") {
  const auto apply = [](InPlace f, float x) { return f(&x, 1), x; };
  for (const InPlace f : {float_kernels().gelu_erf, float_kernels().gelu_tanh}) {
    CHECK(apply(f, 0.0f) == 0.0f);
    CHECK(std::signbit(apply(f, -0.0f)));
    CHECK(apply(f, INFINITY) == INFINITY);
    CHECK(apply(f, 1e30f) == 1e30f);
    CHECK(apply(f, -1e30f) == 0.0f);
    CHECK(std::isnan(apply(f, NAN)));
  }
  float gates[] = {-0.0f, INFINITY, -1e30f, NAN};
  const float ones[] = {1, 1, 1, 1};
  float_kernels().silu_mul(gates, ones, 4);
  CHECK(std::signbit(gates[0]));
  CHECK(gates[1] == INFINITY);
  CHECK(gates[2] == 0.0f);
  CHECK(std::isnan(gates[3]));
}
