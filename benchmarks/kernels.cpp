// The matrix products that occur in the released models, held against what this machine can do at most.
//
//   bench_kernels [THREADS [NAME]]      NAME: only lines whose name contains it
//
// Each with exact and with rounded activations. Many rows are bound by arithmetic, one row by reading the weights: those
// of one-row lines lie in memory much larger than any cache, as a model's do. Checks itself against the scalar reference
// in double.
#include <cmath>
#include <dsvl/base/thread_pool.hpp>
#include <dsvl/kernels/dispatch.hpp>
#include <dsvl/nn/linear.hpp>
#include <dsvl/run/runner.hpp>
#include <string>

#include "bench.hpp"

using namespace dsvl;

namespace {

struct Shape {
  const char* name;
  Index rows, outputs, cols;
};
// Rows: SigLIP 576, SAM 4096, 256 tokens of a prompt, one token.
constexpr Shape kShapes[] = {
    {"siglip qkv", 576, 3072, 1024},     {"siglip out", 576, 1024, 1024},    {"siglip fc1", 576, 4096, 1024},
    {"siglip fc2", 576, 1024, 4096},     {"sam qkv", 4096, 2304, 768},       {"sam fc1", 4096, 3072, 768},
    {"sam fc2", 4096, 768, 3072},        {"sam conv 3x3", 4096, 256, 2304},  {"1.3B q", 256, 2048, 2048},
    {"1.3B gate", 256, 5504, 2048},      {"1.3B down", 256, 2048, 5504},     {"7B q", 256, 4096, 4096},
    {"7B gate", 256, 11008, 4096},       {"7B down", 256, 4096, 11008},      {"1.3B q, 8 rows", 8, 2048, 2048},
    {"1.3B q, token", 1, 2048, 2048},    {"1.3B gate, token", 1, 5504, 2048}, {"1.3B down, token", 1, 2048, 5504},
    {"1.3B head, token", 1, 102400, 2048}, {"7B gate, token", 1, 11008, 4096}, {"7B down, token", 1, 4096, 11008},
};

/// Numbers in [-1, 1), one after another.
class Noise {
 public:
  explicit Noise(std::uint32_t seed) : state_(seed) {}
  float next() {
    state_ = state_ * 1664525u + 1013904223u;
    return static_cast<float>(state_ >> 8) / 8388608.0f - 1.0f;
  }

 private:
  std::uint32_t state_;
};

/// Largest difference of some outputs from those of the reference in double, relative to their mean size.
double error(const Shape& s, View<const float> x, const Matrix& w, const std::vector<float>& y) {
  Immediate<double> on(reference_kernels<double>());
  double worst = 0, size = 0;
  const Index step = std::max<Index>(1, s.outputs / 37);
  int count = 0;
  for (const Index r : {Index{0}, s.rows / 2, s.rows - 1})
    for (Index n = 0; n < s.outputs; n += step, ++count) {
      const std::vector<double> row(x.row(r), x.row(r) + s.cols);
      double want = 0;
      Projection one{Matrix(w.format, w.row(n).group, 1, s.cols)};
      linear(on, View<const double>(row.data(), 1, s.cols), one, View<double>(&want, 1, 1));
      const double got = static_cast<double>(y[static_cast<std::size_t>(r * s.outputs + n)]);
      worst = std::max<double>(worst, std::fabs(want - got));
      size += std::fabs(want);
    }
  return worst / (size / count);
}

}  // namespace

int main(int argc, char** argv) {
  ThreadPool pool(argc > 1 ? std::atoi(argv[1]) : 0);
  const std::string only = argc > 2 ? argv[2] : "";
  const bench::Ceilings ceilings = bench::Ceilings::measure(pool);
  bench::print_machine(ceilings, pool);
  // One stretch of bf16 weights that all shapes read from.
  constexpr Index kWeights = Index{1} << 28;
  Buffer<bf16> weights;
  if (!weights.resize(kWeights)) return report(fail(Code::out_of_memory, "no memory for the weights"));
  Noise noise(1);
  for (bf16& w : weights) w = to_bf16(noise.next());
  bool right = true;
  bench::print_header();
  for (const Shape& s : kShapes) {
    if (std::string(s.name).find(only) == std::string::npos) continue;
    Buffer<std::byte> memory;
    View<float> x;  // as a model's buffers are
    if (!carve_slab(memory, [&](Arena& arena) { x = arena.spread_view<float>("x", s.rows, s.cols); }))
      return report(fail(Code::out_of_memory, "no memory for x"));
    for (Index r = 0; r < s.rows; ++r) std::generate_n(x.row(r), s.cols, [&] { return noise.next(); });
    // What the product makes of x when it rounds, to check against.
    std::vector<float> seen(static_cast<std::size_t>(s.rows * s.cols));
    std::vector<float> y(static_cast<std::size_t>(s.rows * s.outputs));
    const Index size = s.outputs * s.cols, copies = kWeights / size;
    const auto matrix = [&](Index copy) {
      return Matrix(Format::bf16, weights.data() + copy * size, s.outputs, s.cols);
    };
    const double flops = 2.0 * static_cast<double>(s.rows * size);
    const int repeat = std::max(1, static_cast<int>((s.rows == 1 ? 2e8 : 5e9) / flops));
    for (const Activations activations : {Activations::exact, Activations::rounded}) {
      const bool rounded = activations == Activations::rounded;
      Immediate<float> on(active_kernels<float>(), &pool, nullptr, activations);
      const auto multiply = [&](Index copy) {
        linear(on, View<const float>(x), Projection{matrix(copy)}, View<float>(y.data(), s.rows, s.outputs));
      };
      Index copy = 0;
      const double took = bench::seconds(7, [&] {
        for (int i = 0; i < repeat; ++i) multiply(copy = (copy + 1) % copies);
      }) / repeat;
      const std::string name = std::string(s.name) + (rounded ? " rounded" : "") + " " + std::to_string(s.rows) + "x" +
                               std::to_string(s.cols) + "x" + std::to_string(s.outputs);
      bench::print({name.c_str(), took, flops, s.rows <= 8 ? 2.0 * static_cast<double>(size) : 0}, ceilings);
      multiply(0);
      for (Index r = 0; r < s.rows; ++r)
        std::transform(x.row(r), x.row(r) + s.cols, seen.begin() + r * s.cols,
                       [&](float value) { return rounded ? to_float(to_bf16(value)) : value; });
      if (const double e = error(s, {seen.data(), s.rows, s.cols}, matrix(0), y); !(e < 2e-5)) {
        std::printf("%s: differs from the reference by %.1e\n", s.name, e);
        right = false;
      }
    }
  }
  std::printf("check: agrees with the double reference: %s\n", right ? "yes" : "NO");
  return right ? 0 : 1;
}
