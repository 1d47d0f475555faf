// The mathematics of the components once more, as plain loops over doubles that share no code with the library: what the
// tests of nn, vision, language and the aligner compare with. And a visitor that gives any component weights.
//
// Written from the papers' formulas: rows are tokens, weights are (out, in), eps stands inside the root.
#ifndef DSVL_TESTS_ORACLE_HPP
#define DSVL_TESTS_ORACLE_HPP

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <deque>
#include <dsvl/base/half.hpp>
#include <dsvl/base/matrix.hpp>
#include <dsvl/kernels/dispatch.hpp>
#include <dsvl/run/runner.hpp>
#include <functional>
#include <map>

#include "support.hpp"

namespace test {

using dsvl::Format;
using dsvl::Grid;
using dsvl::Index;
using dsvl::Matrix;
using dsvl::View;

/// A dense matrix of doubles.
struct Mat {
  Index rows = 0, cols = 0;
  std::vector<double> v;

  Mat() = default;
  Mat(Index r, Index c) : rows(r), cols(c), v(static_cast<std::size_t>(r * c)) {}
  double& operator()(Index r, Index c) { return v[static_cast<std::size_t>(r * cols + c)]; }
  double operator()(Index r, Index c) const { return v[static_cast<std::size_t>(r * cols + c)]; }

  [[nodiscard]] Mat columns(Index first, Index count) const {
    Mat out(rows, count);
    for (Index r = 0; r < rows; ++r)
      for (Index c = 0; c < count; ++c) out(r, c) = (*this)(r, first + c);
    return out;
  }
  [[nodiscard]] Mat lines(Index first, Index count) const {
    Mat out(count, cols);
    for (Index r = 0; r < count; ++r)
      for (Index c = 0; c < cols; ++c) out(r, c) = (*this)(first + r, c);
    return out;
  }
};

inline Mat noise_mat(Index rows, Index cols, std::uint64_t seed, double scale = 1) {
  Mat out(rows, cols);
  const auto values = noise(out.v.size(), seed);
  for (std::size_t i = 0; i < out.v.size(); ++i) out.v[i] = static_cast<double>(static_cast<float>(scale * static_cast<double>(values[i])));
  return out;
}
inline Mat plus(Mat a, const Mat& b, double scale = 1) {
  for (std::size_t i = 0; i < a.v.size(); ++i) a.v[i] += scale * b.v[i];
  return a;
}

// --- the formulas ---------------------------------------------------------------------------------------------------------

inline Mat linear(const Mat& x, const Mat& w, const Mat& bias = {}) {
  Mat y(x.rows, w.rows);
  for (Index r = 0; r < x.rows; ++r)
    for (Index n = 0; n < w.rows; ++n) {
      double sum = bias.v.empty() ? 0 : bias.v[static_cast<std::size_t>(n)];
      for (Index k = 0; k < w.cols; ++k) sum += x(r, k) * w(n, k);
      y(r, n) = sum;
    }
  return y;
}
inline Mat layer_norm(const Mat& x, const Mat& weight, const Mat& bias, double eps) {
  Mat y(x.rows, x.cols);
  for (Index r = 0; r < x.rows; ++r) {
    double mean = 0, variance = 0;
    for (Index c = 0; c < x.cols; ++c) mean += x(r, c) / static_cast<double>(x.cols);
    for (Index c = 0; c < x.cols; ++c) variance += (x(r, c) - mean) * (x(r, c) - mean) / static_cast<double>(x.cols);
    for (Index c = 0; c < x.cols; ++c)
      y(r, c) = (x(r, c) - mean) / std::sqrt(variance + eps) * weight.v[static_cast<std::size_t>(c)] + bias.v[static_cast<std::size_t>(c)];
  }
  return y;
}
inline Mat rms_norm(const Mat& x, const Mat& weight, double eps) {
  Mat y(x.rows, x.cols);
  for (Index r = 0; r < x.rows; ++r) {
    double square = 0;
    for (Index c = 0; c < x.cols; ++c) square += x(r, c) * x(r, c) / static_cast<double>(x.cols);
    for (Index c = 0; c < x.cols; ++c) y(r, c) = x(r, c) / std::sqrt(square + eps) * weight.v[static_cast<std::size_t>(c)];
  }
  return y;
}
inline double gelu_erf(double x) { return x / 2 * (1 + std::erf(x / std::sqrt(2.0))); }
inline double gelu_tanh(double x) {
  return x / 2 * (1 + std::tanh(std::sqrt(2 / 3.14159265358979323846) * (x + 0.044715 * x * x * x)));
}
inline double silu(double x) { return x / (1 + std::exp(-x)); }
inline Mat each(Mat x, double (*f)(double)) {
  for (double& e : x.v) e = f(e);
  return x;
}

/// softmax over each row.
inline Mat softmax(Mat x) {
  for (Index r = 0; r < x.rows; ++r) {
    double top = -INFINITY, total = 0;
    for (Index c = 0; c < x.cols; ++c) top = std::max(top, x(r, c));
    for (Index c = 0; c < x.cols; ++c) total += x(r, c) = std::exp(x(r, c) - top);
    for (Index c = 0; c < x.cols; ++c) x(r, c) /= total;
  }
  return x;
}

/// One head: rows of q against rows of k and v. `bias(i, j)` is added to the scaled score; -infinity masks.
inline Mat attend(const Mat& q, const Mat& k, const Mat& v, const std::function<double(Index, Index)>& bias) {
  Mat s(q.rows, k.rows), y(q.rows, v.cols);
  for (Index i = 0; i < q.rows; ++i)
    for (Index j = 0; j < k.rows; ++j) {
      double dot = 0;
      for (Index d = 0; d < q.cols; ++d) dot += q(i, d) * k(j, d);
      s(i, j) = dot / std::sqrt(static_cast<double>(q.cols)) + bias(i, j);
    }
  s = softmax(s);
  for (Index i = 0; i < q.rows; ++i)
    for (Index j = 0; j < k.rows; ++j)
      for (Index d = 0; d < v.cols; ++d) y(i, d) += s(i, j) * v(j, d);
  return y;
}
/// All heads, side by side in the columns; head h reads keys and values of head h / (heads / kv_heads).
inline Mat attend_heads(const Mat& q, const Mat& k, const Mat& v, Index heads, Index kv_heads,
                        const std::function<double(Index, Index)>& bias) {
  const Index dim = q.cols / heads, share = heads / kv_heads;
  Mat y(q.rows, q.cols);
  for (Index h = 0; h < heads; ++h) {
    const Index from = h / share * dim;
    const Mat one = attend(q.columns(h * dim, dim), k.columns(from, dim), v.columns(from, dim), bias);
    for (Index i = 0; i < y.rows; ++i)
      for (Index d = 0; d < dim; ++d) y(i, h * dim + d) = one(i, d);
  }
  return y;
}
/// The mask of a causal decoder whose first query stands at `start`.
inline std::function<double(Index, Index)> causal(Index start) {
  return [start](Index i, Index j) { return j <= start + i ? 0.0 : -INFINITY; };
}

/// Half rotation of every head at positions start, start + 1, …
inline Mat rope(Mat x, Index head_dim, Index start, double theta) {
  for (Index t = 0; t < x.rows; ++t)
    for (Index h = 0; h < x.cols / head_dim; ++h)
      for (Index j = 0; j < head_dim / 2; ++j) {
        const double angle = static_cast<double>(start + t) * std::pow(theta, -2.0 * static_cast<double>(j) / static_cast<double>(head_dim));
        double &a = x(t, h * head_dim + j), &b = x(t, h * head_dim + head_dim / 2 + j);
        const double a0 = a, b0 = b;
        a = a0 * std::cos(angle) - b0 * std::sin(angle);
        b = b0 * std::cos(angle) + a0 * std::sin(angle);
      }
  return x;
}

/// A convolution, straight from its definition. map (height * width, channels), w (out, channels * size * size).
inline Mat convolve(const Mat& map, Grid grid, const Mat& w, Index size, Index step, Index padding) {
  const Index height = (grid.height + 2 * padding - size) / step + 1, width = (grid.width + 2 * padding - size) / step + 1;
  Mat y(height * width, w.rows);
  for (Index oy = 0; oy < height; ++oy)
    for (Index ox = 0; ox < width; ++ox)
      for (Index o = 0; o < w.rows; ++o)
        for (Index c = 0; c < map.cols; ++c)
          for (Index ky = 0; ky < size; ++ky)
            for (Index kx = 0; kx < size; ++kx) {
              const Index iy = oy * step + ky - padding, ix = ox * step + kx - padding;
              if (iy < 0 || ix < 0 || iy >= grid.height || ix >= grid.width) continue;
              y(oy * width + ox, o) += map(iy * grid.width + ix, c) * w(o, (c * size + ky) * size + kx);
            }
  return y;
}
/// A channels-first picture (one row per channel) as a channels-last map.
inline Mat transposed(const Mat& m) {
  Mat out(m.cols, m.rows);
  for (Index r = 0; r < m.rows; ++r)
    for (Index c = 0; c < m.cols; ++c) out(c, r) = m(r, c);
  return out;
}

inline Mat resize_bilinear(const Mat& map, Grid from, Grid to) {
  const auto axis = [](Index i, Index n, Index m, Index& low, Index& high) {
    const double s = std::max(0.0, (static_cast<double>(i) + 0.5) * static_cast<double>(n) / static_cast<double>(m) - 0.5);
    low = std::min<Index>(static_cast<Index>(std::floor(s)), n - 1);
    high = std::min<Index>(low + 1, n - 1);
    return s - static_cast<double>(low);
  };
  Mat y(to.tokens(), map.cols);
  for (Index oy = 0; oy < to.height; ++oy)
    for (Index ox = 0; ox < to.width; ++ox) {
      Index y0, y1, x0, x1;
      const double v = axis(oy, from.height, to.height, y0, y1), h = axis(ox, from.width, to.width, x0, x1);
      for (Index c = 0; c < map.cols; ++c)
        y(oy * to.width + ox, c) = (1 - v) * ((1 - h) * map(y0 * from.width + x0, c) + h * map(y0 * from.width + x1, c)) +
                                   v * ((1 - h) * map(y1 * from.width + x0, c) + h * map(y1 * from.width + x1, c));
    }
  return y;
}

/// A table of relative positions at another length: 1-d linear, align_corners = false.
inline Mat resize_table(const Mat& table, Index rows) {
  return resize_bilinear(table, {table.rows, 1}, {rows, 1});
}

/// q, k, v of one window or map of `grid`; the tables count query - key, row (grid - 1) being 0; q meets them unscaled.
inline Mat attend_map(const Mat& q, const Mat& k, const Mat& v, Index heads, Grid grid, const Mat& table_y, const Mat& table_x) {
  const Index dim = q.cols / heads;
  Mat y(q.rows, q.cols);
  for (Index h = 0; h < heads; ++h) {
    const Mat qh = q.columns(h * dim, dim);
    const auto bias = [&](Index i, Index j) {
      double sum = 0;
      for (Index d = 0; d < dim; ++d)
        sum += qh(i, d) * (table_y(i / grid.width - j / grid.width + grid.height - 1, d) +
                           table_x(i % grid.width - j % grid.width + grid.width - 1, d));
      return sum;
    };
    const Mat one = attend(qh, k.columns(h * dim, dim), v.columns(h * dim, dim), bias);
    for (Index i = 0; i < y.rows; ++i)
      for (Index d = 0; d < dim; ++d) y(i, h * dim + d) = one(i, d);
  }
  return y;
}

// --- weights for any component ----------------------------------------------------------------------------------------------

/// A visitor that gives every leaf numbers: matrices in `format`, at odd addresses, cut into three blocks of rows where they
/// are high enough. values("attn.qkv.weight") are those numbers as they are stored.
class Weights {
 public:
  explicit Weights(std::uint64_t seed, Format format = Format::f32) : seed_(seed), format_(format) {}

  Index table_rows_more = 0;  ///< stored relative tables are longer than the map by this; may be negative

  template <class Component, class... Sizes>
  void child(std::string_view name, Component& component, const Sizes&... sizes) {
    group(name, [&] { component.visit(*this, sizes...); });
  }
  template <class Component, class... Sizes>
  void layer(std::size_t i, Component& component, const Sizes&... sizes) {
    child(std::to_string(i), component, sizes...);
  }
  template <class Body>
  void group(std::string_view name, Body&& body) {
    const std::string before = path_;
    path_ += std::string(name) + ".";
    body();
    path_ = before;
  }
  void matrix(std::string_view leaf, Matrix& field, const dsvl::Extent& rows, const dsvl::Extent& cols) {
    field = stored(leaf, rows.sum(), cols.product(), std::sqrt(3.0 / static_cast<double>(cols.product())), true);
  }
  void vector(std::string_view leaf, const float*& field, const dsvl::Extent& n) {
    Mat& m = values_[path_ + std::string(leaf)] = noise_mat(1, n.sum(), ++seed_, 0.3);
    if (leaf == "weight") for (double& x : m.v) x = static_cast<double>(static_cast<float>(1 + x));
    auto& floats = floats_.emplace_back(m.v.begin(), m.v.end());
    field = floats.data();
  }
  void table(std::string_view leaf, const float*& field, Index rows, Index cols,
             void (*convert)(const Matrix& stored, Index rows, float* out) noexcept) {
    const Matrix from = stored(leaf, rows + table_rows_more, cols, 0.4, false);
    auto& floats = floats_.emplace_back(static_cast<std::size_t>(rows * cols));
    convert(from, rows, floats.data());
    field = floats.data();
  }

  const Mat& operator[](const std::string& path) const {
    const auto found = values_.find(path);
    REQUIRE_MESSAGE(found != values_.end(), path);
    return found->second;
  }

 private:
  Matrix stored(std::string_view leaf, Index rows, Index cols, double scale, bool in_blocks) {
    Mat& m = values_[path_ + std::string(leaf)] = noise_mat(rows, cols, ++seed_, scale);
    auto& bytes = bytes_.emplace_back(static_cast<std::size_t>(1 + dsvl::row_bytes(format_, rows * cols)));
    std::byte* to = bytes.data() + 1;
    for (double& x : m.v) {
      const float f = static_cast<float>(x);
      const auto half = format_ == Format::bf16 ? dsvl::to_bf16(f).bits : dsvl::to_f16(f).bits;
      if (format_ == Format::f32) std::memcpy(to, &f, 4);
      else std::memcpy(to, &half, 2);
      if (format_ == Format::bf16) x = static_cast<double>(dsvl::to_float(dsvl::to_bf16(f)));
      if (format_ == Format::f16) x = static_cast<double>(dsvl::to_float(dsvl::to_f16(f)));
      to += dsvl::row_bytes(format_, 1);
    }
    if (!in_blocks || rows < 3) return {format_, bytes.data() + 1, rows, cols};
    Matrix out;
    for (Index at = 0, rest = rows; rest > 0;) {
      const Index take = out.block_count == 2 ? rest : std::max<Index>(1, rest / 2 - 1);
      REQUIRE(out.stack({format_, bytes.data() + 1 + dsvl::row_bytes(format_, at * cols), take, cols}));
      at += take, rest -= take;
    }
    return out;
  }

  std::uint64_t seed_;
  Format format_;
  std::string path_;
  std::map<std::string, Mat> values_;
  std::deque<std::vector<std::byte>> bytes_;
  std::deque<std::vector<float>> floats_;
};

// --- the library's side -----------------------------------------------------------------------------------------------------

/// Activations of scalar T, with a stride larger than their width and NaN in between, so that reading there is noticed.
template <class T>
class Rows {
 public:
  Rows(Index rows, Index cols) : rows_(rows), cols_(cols), v_(static_cast<std::size_t>(rows * (cols + 3)), T(NAN)) {}
  explicit Rows(const Mat& m) : Rows(m.rows, m.cols) {
    for (Index r = 0; r < rows_; ++r)
      for (Index c = 0; c < cols_; ++c) view().row(r)[c] = static_cast<T>(m(r, c));
  }
  View<T> view() { return {v_.data(), rows_, cols_, cols_ + 3}; }
  operator View<T>() { return view(); }        // NOLINT: implicit by design
  operator View<const T>() { return view(); }  // NOLINT
  [[nodiscard]] bool padding_untouched() const {
    for (std::size_t i = 0; i < v_.size(); ++i)
      if (static_cast<Index>(i) % (cols_ + 3) >= cols_ && !std::isnan(v_[i])) return false;
    return true;
  }

 private:
  Index rows_, cols_;
  std::vector<T> v_;
};

template <class T>
Mat mat_of(View<T> x) {
  Mat out(x.rows, x.cols);
  for (Index r = 0; r < x.rows; ++r)
    for (Index c = 0; c < x.cols; ++c) out(r, c) = static_cast<double>(x.row(r)[c]);
  return out;
}
template <class T>
std::vector<T> elements(View<T> x) {
  std::vector<T> out;
  for (Index r = 0; r < x.rows; ++r) out.insert(out.end(), x.row(r), x.row(r) + x.cols);
  return out;
}
template <class T>
bool same_bits(View<T> a, View<T> b) {
  const auto x = elements(a), y = elements(b);
  return x.size() == y.size() && (x.empty() || std::memcmp(x.data(), y.data(), x.size() * sizeof(T)) == 0);
}

/// Checks and, with DSVL_TEST_VERBOSE set, prints how far a result is from the oracle's.
inline void check_near(const char* what, const Mat& got, const Mat& want, double tolerance) {
  const double error = got.rows == want.rows && got.cols == want.cols
                           ? relative_error(std::span<const double>(got.v), std::span<const double>(want.v)) : NAN;
  INFO(what << ": " << error);
  CHECK(error < tolerance);
  if (std::getenv("DSVL_TEST_VERBOSE")) std::printf("    %-60s %.2e\n", what, error);
}
template <class T>
void check_near(const char* what, View<T> got, const Mat& want, double tolerance) {
  check_near(what, mat_of(got), want, tolerance);
}

/// Float rounding in another order; double against double, where only weights and eps pass through float.
template <class T>
inline constexpr double kNear = sizeof(T) == 4 ? 2e-6 : 1e-13;

/// Memory for whatever carves itself from an arena, filled with NaN.
template <class Carve>
dsvl::Buffer<std::byte> slab(Carve&& carve) {
  dsvl::Arena measure;
  carve(measure);
  dsvl::Buffer<std::byte> memory;
  REQUIRE(memory.resize(measure.peak()));
  std::memset(memory.data(), 0xFF, memory.size());
  dsvl::Arena arena(memory.span());
  carve(arena);
  REQUIRE(arena.peak() == measure.peak());
  return memory;
}

/// Runs a check with every set of kernels: vectors in float, scalars in float and in double.
template <class Check>
void with_kernels(Check&& check) {
  const auto with = [&](const auto& kernels) {
    INFO("kernels: " << kernels.name);
    check(kernels);
  };
  with(dsvl::active_kernels<float>());
  with(dsvl::reference_kernels<float>());
  with(dsvl::reference_kernels<double>());
}
template <class Kernels>
struct ScalarOf;
template <class T>
struct ScalarOf<dsvl::Kernels<T>> {
  using type = T;
};
/// The scalar of a `const auto& kernels`.
template <class Kernels>
using scalar_of = typename ScalarOf<std::remove_cvref_t<Kernels>>::type;

}  // namespace test

#endif  // DSVL_TESTS_ORACLE_HPP
