// What is done to every number of an activation, at sizes that occur: bound by memory, or by exp and erf.
#ifndef DSVL_BENCHMARKS_ELEMENTWISE_HPP
#define DSVL_BENCHMARKS_ELEMENTWISE_HPP

#include <cmath>
#include <dsvl/nn/activation.hpp>
#include <dsvl/nn/norm.hpp>
#include <dsvl/run/runner.hpp>

#include "bench.hpp"
#include "noise.hpp"

namespace bench {

using namespace dsvl;

/// Each in turn; false where a result is wrong.
inline bool time_elementwise(Executor& executor, Report& report, const std::string& only) {
  constexpr Index kCols = 5632;
  View<float> x, y;
  Buffer<std::byte> memory;
  if (!carve_slab(memory, [&](Arena& arena) {
        x = arena.spread_view<float>("x", 4096, kCols);
        y = arena.spread_view<float>("y", 4096, kCols);
      }))
    return std::fprintf(stderr, "no memory\n"), false;
  Noise noise(5);
  std::vector<float> weight(kCols), bias(kCols);
  for (float& w : weight) w = noise.next();
  for (float& b : bias) b = noise.next();
  Immediate<float> on(active_kernels<float>(), &executor);
  bool right = true;

  // `touched` floats are read or written for each number; want(row, i) is what stands there then.
  const auto line = [&](const std::string& name, Index rows, Index cols, double touched, auto&& run, auto&& want) {
    const std::string full = name + " " + std::to_string(rows) + "x" + std::to_string(cols);
    if (full.find(only) == std::string::npos) return;
    const View<float> in(x.data, rows, cols, x.stride), out(y.data, rows, cols, y.stride);
    const auto fill = [&] {
      Noise again(7);
      for (Index r = 0; r < rows; ++r)
        for (Index i = 0; i < cols; ++i) in.row(r)[i] = 3 * again.next(), out.row(r)[i] = again.next();
    };
    fill();
    const double took = seconds(9, [&] { run(in, out); });
    report.add({full, took, 0, 4.0 * touched * static_cast<double>(rows * cols)});
    fill();
    std::vector<double> expected;
    const Index step = cols / 61;
    for (Index i = 0; i < cols; i += step) expected.push_back(want(in.row(rows - 1), out.row(rows - 1), i));
    run(in, out);
    double worst = 0;
    for (Index i = 0; i < cols; i += step)
      worst = std::max<double>(worst, std::fabs(expected[static_cast<std::size_t>(i / step)] -
                                                static_cast<double>(out.row(rows - 1)[i])));
    if (worst < 1e-5) return;
    std::fprintf(stderr, "%s: differs from the definition by %.1e\n", full.c_str(), worst);
    right = false;
  };

  const auto mean_of = [](const float* row, Index cols, auto&& f) {
    double sum = 0;
    for (Index i = 0; i < cols; ++i) sum += f(static_cast<double>(row[i]));
    return sum / static_cast<double>(cols);
  };
  const LayerNorm layer{weight.data(), bias.data()};
  const RmsNorm rms{weight.data()};
  const auto at = [](const std::vector<float>& v, Index i) { return static_cast<double>(v[static_cast<std::size_t>(i)]); };
  for (const auto& [rows, cols] : {std::pair<Index, Index>{576, 1024}, {4096, 768}})
    line("layer_norm", rows, cols, 2, [&](auto in, auto out) { layer_norm(on, View<const float>(in), layer, out); },
         [&, n = cols](const float* row, const float*, Index i) {
           const double mean = mean_of(row, n, [](double v) { return v; });
           const double variance = mean_of(row, n, [&](double v) { return (v - mean) * (v - mean); });
           return (static_cast<double>(row[i]) - mean) / std::sqrt(variance + layer.eps) * at(weight, i) + at(bias, i);
         });
  line("rms_norm", 640, 2048, 2, [&](auto in, auto out) { rms_norm(on, View<const float>(in), rms, out); },
       [&](const float* row, const float*, Index i) {
         const double square = mean_of(row, 2048, [](double v) { return v * v; });
         return static_cast<double>(row[i]) / std::sqrt(square + rms.eps) * at(weight, i);
       });
  for (const auto& [rows, cols] : {std::pair<Index, Index>{576, 4096}, {4096, 3072}})
    line("gelu", rows, cols, 2, [&](auto, auto out) { gelu(on, out, GeluKind::erf); },
         [](const float*, const float* row, Index i) {
           const double v = static_cast<double>(row[i]);
           return 0.5 * v * (1 + std::erf(v / std::sqrt(2.0)));
         });
  line("silu_mul", 640, 5632, 3, [&](auto in, auto out) { silu_mul(on, View<const float>(in), out); },
       [](const float* up, const float* gate, Index i) {
         const double v = static_cast<double>(gate[i]);
         return v / (1 + std::exp(-v)) * static_cast<double>(up[i]);
       });
  return right;
}

}  // namespace bench

#endif  // DSVL_BENCHMARKS_ELEMENTWISE_HPP
