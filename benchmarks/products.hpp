// The matrix products that occur in the released models, in every format of weights.
#ifndef DSVL_BENCHMARKS_PRODUCTS_HPP
#define DSVL_BENCHMARKS_PRODUCTS_HPP

#include <cmath>
#include <dsvl/kernels/weights/quantize.hpp>
#include <dsvl/nn/linear.hpp>
#include <dsvl/run/runner.hpp>

#include "bench.hpp"
#include "noise.hpp"

namespace bench {

using namespace dsvl;

struct Shape {
  const char* name;
  Index rows, outputs, cols;
};
// Rows: SigLIP 576, SAM 4096, the prompt of a picture and a question 640, a checked draft 8, one token.
inline constexpr Shape kShapes[] = {
    {"siglip qkv", 576, 3072, 1024},    {"siglip out", 576, 1024, 1024},     {"siglip fc1", 576, 4096, 1024},
    {"siglip fc2", 576, 1024, 4096},    {"sam qkv", 4096, 2304, 768},        {"sam fc1", 4096, 3072, 768},
    {"sam fc2", 4096, 768, 3072},       {"sam conv 3x3", 4096, 256, 2304},   {"1.3B q", 640, 2048, 2048},
    {"1.3B gate", 640, 5632, 2048},     {"1.3B down", 640, 2048, 5632},      {"7B q", 640, 4096, 4096},
    {"7B gate", 640, 11008, 4096},      {"7B down", 640, 4096, 11008},       {"1.3B q, draft", 8, 2048, 2048},
    {"1.3B q, token", 1, 2048, 2048},   {"1.3B gate, token", 1, 5632, 2048}, {"1.3B down, token", 1, 2048, 5632},
    {"1.3B head, token", 1, 102400, 2048}, {"7B gate, token", 1, 11008, 4096}, {"7B down, token", 1, 4096, 11008},
};

/// Weights and what is done to x.
struct Kind {
  const char* name;
  Format format;
  ActivationPrecision precision;
};
inline constexpr Kind kKinds[] = {
    {"f32", Format::f32, ActivationPrecision::f32},   {"bf16", Format::bf16, ActivationPrecision::f32},
    {"bf16 rounded", Format::bf16, ActivationPrecision::bf16},
    {"q8_0", Format::q8_0, ActivationPrecision::f32}, {"q4_0", Format::q4_0, ActivationPrecision::f32},
    {"q4_k", Format::q4_k, ActivationPrecision::f32}, {"q6_k", Format::q6_k, ActivationPrecision::f32},
};

/// Up to this many rows, reading the weights is a good part of a product's time.
inline constexpr Index kFewRows = 32;

/// Weights of one format, of noise: 64 rows that are made, and these again and again, which no product can tell.
class Weights {
 public:
  static constexpr Index kMade = 64;

  /// Several matrices where few rows meet them: those of a model are not in any cache.
  bool make(Format format, const Shape& s, Noise& noise) {
    format_ = format, outputs_ = s.outputs, cols_ = s.cols;
    const Index bytes = s.outputs * row_bytes(format, s.cols);
    copies_ = s.rows <= kFewRows ? std::max<Index>(1, (Index{1} << 29) / bytes) : 1;
    if (!memory_.resize(static_cast<std::size_t>(copies_ * bytes))) return false;
    std::vector<float> rows(static_cast<std::size_t>(kMade * s.cols));
    for (float& w : rows) w = noise.next();
    const Index made = kMade * row_bytes(format, s.cols);
    for (Index r = 0; r < kMade; r += quantized(format) ? kGroupRows : 1)
      store(rows.data() + r * s.cols, memory_.data() + r * row_bytes(format, s.cols));
    for (Index at = made; at < copies_ * bytes; at += made)
      std::memcpy(memory_.data() + at, memory_.data(), static_cast<std::size_t>(std::min<Index>(made, copies_ * bytes - at)));
    return true;
  }
  [[nodiscard]] Index copies() const { return copies_; }
  [[nodiscard]] double bytes() const { return static_cast<double>(outputs_ * row_bytes(format_, cols_)); }
  [[nodiscard]] Matrix matrix(Index copy) const {
    return Matrix(format_, memory_.data() + copy * outputs_ * row_bytes(format_, cols_), outputs_, cols_);
  }

 private:
  void store(const float* from, std::byte* to) const {
    if (quantized(format_)) return encode_group(format_, from, cols_, cols_, to);
    for (Index i = 0; i < cols_; ++i) {
      const bf16 half = to_bf16(from[i]);
      if (format_ == Format::f32) std::memcpy(to + 4 * i, from + i, 4);
      else std::memcpy(to + 2 * i, &half, 2);
    }
  }

  Format format_ = Format::f32;
  Index outputs_ = 0, cols_ = 0, copies_ = 0;
  Buffer<std::byte> memory_;
};

/// Row r of x as the product takes it.
inline std::vector<double> seen_row(const float* x, Index cols, ActivationFormat x_format) {
  std::vector<double> out(x, x + cols);
  if (x_format == ActivationFormat::bf16)
    for (Index i = 0; i < cols; ++i) out[static_cast<std::size_t>(i)] = static_cast<double>(to_float(to_bf16(x[i])));
  const Index width = x_format == ActivationFormat::int8_per_32 ? kInt8Block : kInt8WideBlock;
  for (Index i = 0; i < cols && is_int8(x_format); i += width) {
    std::int8_t eight[kInt8WideBlock];
    const double scale = static_cast<double>(quantize8(x + i, width, eight, 1));
    for (Index k = 0; k < width; ++k) out[static_cast<std::size_t>(i + k)] = scale * eight[k];
  }
  return out;
}

/// Largest difference of some outputs from the definition in double, relative to their mean size.
inline double product_error(const Shape& s, View<const float> x, const Matrix& w, ActivationFormat x_format,
                            View<const float> y) {
  double worst = 0, size = 0;
  const Index step = std::max<Index>(1, s.outputs / 37);
  int count = 0;
  std::vector<double> weights(static_cast<std::size_t>(s.cols));
  for (const Index r : {Index{0}, s.rows / 2, s.rows - 1}) {
    const std::vector<double> row = seen_row(x.row(r), s.cols, x_format);
    for (Index n = 0; n < s.outputs; n += step, ++count) {
      reference_kernels<double>().unpack(w.row(n), weights.data(), s.cols);
      double want = 0;
      for (std::size_t i = 0; i < row.size(); ++i) want += row[i] * weights[i];
      worst = std::max<double>(worst, std::fabs(want - static_cast<double>(y.row(r)[n])));
      size += std::fabs(want);
    }
  }
  return worst / (size / count);
}

/// A product, timed: `bytes` are those of its weights, `error` is product_error's. No seconds where memory ran out.
struct TimedProduct {
  double seconds = 0, operations = 0, bytes = 0, error = 0;
  Unit unit = Unit::fma;
};

/// Times a product, the median of `runs` runs of at least `least` operations each.
inline TimedProduct time_product(const Shape& s, const Kind& kind, Executor& executor, int runs, double least) {
  Noise noise(1);
  Weights weights;
  Buffer<std::byte> memory;
  View<float> x, y;  // as a model's buffers are
  if (!weights.make(kind.format, s, noise) || !carve_slab(memory, [&](Arena& arena) {
        x = arena.spread_view<float>("x", s.rows, s.cols);
        y = arena.spread_view<float>("y", s.rows, s.outputs);
      }))
    return {};
  for (Index r = 0; r < s.rows; ++r) std::generate_n(x.row(r), s.cols, [&] { return noise.next(); });
  const double flops = 2.0 * static_cast<double>(s.rows * s.outputs * s.cols);
  const ActivationFormat x_format = activation_format(kind.precision, kind.format, s.cols);
  Immediate<float> on(active_kernels<float>(), &executor, nullptr, kind.precision);
  Index copy = 0;
  const int repeat = std::max(1, static_cast<int>(least / flops));
  const double took = seconds(runs, [&] {
    for (int i = 0; i < repeat; ++i) {
      copy = (copy + 1) % weights.copies();
      linear(on, View<const float>(x), Projection{weights.matrix(copy)}, y);
    }
  }) / repeat;
  return {took, flops, weights.bytes(), product_error(s, x, weights.matrix(copy), x_format, y), unit_of(x_format)};
}
/// Whether a product was timed and is right; says on stderr what is not.
inline bool is_right(const std::string& name, const TimedProduct& product) {
  if (product.seconds > 0 && product.error < 2e-5) return true;
  if (product.seconds > 0)
    std::fprintf(stderr, "%s: differs from the definition by %.1e\n", name.c_str(), product.error);
  else std::fprintf(stderr, "%s: no memory\n", name.c_str());
  return false;
}

/// One line; false where the result is wrong.
inline bool report_product(const Shape& s, const Kind& kind, Executor& executor, Report& report) {
  const TimedProduct p = time_product(s, kind, executor, 7, s.rows <= kFewRows ? 4e8 : 8e9);
  const std::string name = std::string(s.name) + ", " + kind.name + " " + std::to_string(s.rows) + "x" +
                           std::to_string(s.cols) + "x" + std::to_string(s.outputs);
  report.add({name, p.seconds, p.operations, s.rows <= kFewRows ? p.bytes : 0, p.unit});
  return is_right(name, p);
}

}  // namespace bench

#endif  // DSVL_BENCHMARKS_PRODUCTS_HPP
