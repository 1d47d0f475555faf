#include <doctest/doctest.h>

#include <algorithm>

#include "../support.hpp"

using namespace dsvl;
using namespace test;

namespace {

template <class T>
std::vector<T> normalise(const Kernels<T>& kernels, bool layer, const std::vector<T>& x, Index rows, Index cols,
                         const std::vector<float>& weight, const std::vector<float>& bias, double eps = 1e-6) {
  std::vector<T> y(x.size());
  NormTile<T> tile;
  tile.x = x.data();
  tile.x_stride = tile.y_stride = tile.cols = cols;
  tile.rows = rows;
  tile.weight = weight.data();
  tile.bias = bias.data();
  tile.eps = static_cast<T>(eps);
  tile.y = y.data();
  layer ? kernels.layer_norm(tile) : kernels.rms_norm(tile);
  return y;
}

}  // namespace

TEST_CASE("norms agree with the double reference at every width") {
  double worst = 0;
  for (const bool layer : {true, false}) {
    for (const Index cols : kWidths) {
      for (const float offset : {0.0f, 1.5f}) {
        CAPTURE(layer);
        CAPTURE(cols);
        auto x = noise(static_cast<std::size_t>(3 * cols), 31);
        for (float& v : x) v += offset;
        const auto weight = noise(static_cast<std::size_t>(cols), 32), bias = noise(static_cast<std::size_t>(cols), 33);
        const auto want = normalise<double>(reference_kernels<double>(), layer, widen(x), 3, cols, weight, bias);
        const double error = relative_error(normalise<float>(float_kernels(), layer, x, 3, cols, weight, bias), want);
        worst = std::max(worst, error);
        CHECK(error < (cols < 4 && layer ? 3e-5 : 5e-7));  // two close values cancel in x - mean
        CHECK(relative_error(normalise<float>(reference_kernels<float>(), layer, x, 3, cols, weight, bias), want) <
              3e-5);
      }
    }
  }
  MESSAGE("norms: largest relative error " << worst);
}

TEST_CASE("norms give a row the same bits alone, among others and in place") {
  for (const bool layer : {true, false}) {
    for (const Index cols : {5, 16, 100, 1024 + 7}) {
      const auto x = noise(static_cast<std::size_t>(4 * cols), 3), weight = noise(static_cast<std::size_t>(cols), 4);
      const auto together = normalise<float>(float_kernels(), layer, x, 4, cols, weight, weight);
      for (Index r = 0; r < 4; ++r) {
        const std::vector<float> row(x.begin() + r * cols, x.begin() + (r + 1) * cols);
        const std::vector<float> part(together.begin() + r * cols, together.begin() + (r + 1) * cols);
        CHECK(same_bits(normalise<float>(float_kernels(), layer, row, 1, cols, weight, weight), part));
      }
      auto in_place = x;
      NormTile<float> tile;
      tile.x = in_place.data();
      tile.y = in_place.data();
      tile.x_stride = tile.y_stride = tile.cols = cols;
      tile.rows = 4;
      tile.weight = tile.bias = weight.data();
      tile.eps = 1e-6f;
      layer ? float_kernels().layer_norm(tile) : float_kernels().rms_norm(tile);
      CHECK(same_bits(in_place, together));
    }
  }
}

TEST_CASE("norms add eps inside the root") {
  const std::vector<float> x(64, 1e-3f), ones(64, 1.0f), zeros(64, 0.0f);
  const auto y = normalise<float>(float_kernels(), false, x, 1, 64, ones, zeros, 3e-6);
  CHECK(y[0] == doctest::Approx(0.5).epsilon(1e-6));  // 1e-3 / sqrt(1e-6 + 3e-6)
  const auto flat = normalise<float>(float_kernels(), true, x, 1, 64, ones, zeros, 1e-6);
  CHECK(std::abs(flat[0]) < 1e-6f);  // a constant row: variance 0, no NaN
}
