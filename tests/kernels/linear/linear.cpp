#include <doctest/doctest.h>

#include "../support.hpp"

using namespace dsvl;
using namespace test;

namespace {

/// One product; y starts as `before`. With `rounded` (bf16, rows rounded_stride apart) x is not looked at.
template <class T>
std::vector<T> multiply(const Kernels<T>& kernels, const std::vector<T>& x, Index rows, Index cols, Format format,
                        const std::byte* w, Index outputs, const float* bias, bool add, std::vector<T> before,
                        const std::byte* rounded = nullptr, Index rounded_stride = 0) {
  Scratch<T> scratch(kLinearScratch);
  LinearTile<T> tile;
  tile.x = x.data();
  tile.x_stride = cols;
  tile.rows = rows;
  tile.w = w;
  tile.format = format;
  tile.outputs = outputs;
  tile.cols = cols;
  tile.bias = bias;
  tile.y = before.data();
  tile.y_stride = outputs;
  tile.add = add;
  tile.x_format = rounded ? ActivationFormat::bf16 : ActivationFormat::f32;
  tile.quantized_x = rounded;
  tile.quantized_x_stride = rounded_stride;
  kernels.linear(tile, scratch.data());
  return before;
}

}  // namespace

TEST_CASE("linear agrees with the reference at every width, in every format, misaligned too") {
  for (const Format format : kAllFormats) {
    for (const Index cols : kWidths) {
      for (const Index rows : {1, 2, 3, 7}) {
        CAPTURE(name(format));
        CAPTURE(cols);
        CAPTURE(rows);
        const Index outputs = cols > 1000 ? 5 : 19, misaligned = cols % 4;
        const auto w = weights(format, outputs * cols, 11, misaligned);
        const auto x = noise(static_cast<std::size_t>(rows * cols), 5);
        const auto bias = noise(static_cast<std::size_t>(outputs), 6);
        const std::vector<float> y(static_cast<std::size_t>(rows * outputs), 0.25f);
        const bool add = cols % 2 == 0;
        const auto* const from = w.data() + misaligned;
        const auto want = multiply<double>(reference_kernels<double>(), widen(x), rows, cols, format, from, outputs,
                                           bias.data(), add, widen(y));
        const auto plain =
            multiply<float>(reference_kernels<float>(), x, rows, cols, format, from, outputs, bias.data(), add, y);
        const auto got = multiply<float>(float_kernels(), x, rows, cols, format, from, outputs, bias.data(), add, y);
        CHECK(relative_error(plain, want) < 2e-6);
        CHECK(relative_error(got, want) < 6e-7);  // four chains of 64: 2.4e-7 seen
      }
    }
  }
}

TEST_CASE("linear gives the bits of one row and one output at a time for every shape of tile") {
  const Index most_rows = 14, most_outputs = 35;
  for (const Format format : kAllFormats) {
    for (const Index cols : {1, 5, 16, 33, 100, 1024, 2048 + 19}) {
      CAPTURE(name(format));
      CAPTURE(cols);
      const auto w = weights(format, most_outputs * cols, 3, 2);
      const auto x = noise(static_cast<std::size_t>(most_rows * cols), 4);
      const auto bias = noise(static_cast<std::size_t>(most_outputs), 8);
      std::vector<float> alone(static_cast<std::size_t>(most_rows * most_outputs));
      for (Index r = 0; r < most_rows; ++r) {
        for (Index n = 0; n < most_outputs; ++n) {
          const std::vector<float> row(x.begin() + r * cols, x.begin() + (r + 1) * cols);
          alone[static_cast<std::size_t>(r * most_outputs + n)] =
              multiply<float>(float_kernels(), row, 1, cols, format, w.data() + 2 + n * row_bytes(format, cols), 1,
                              bias.data() + n, true, {0.5f})[0];
        }
      }
      int different = 0;
      for (Index rows = 1; rows <= most_rows; ++rows) {
        for (Index outputs = 1; outputs <= most_outputs; outputs += cols > 100 ? 3 : 1) {
          const std::vector<float> y(static_cast<std::size_t>(rows * outputs), 0.5f);
          const auto got =
              multiply<float>(float_kernels(), x, rows, cols, format, w.data() + 2, outputs, bias.data(), true, y);
          for (Index r = 0; r < rows; ++r)
            different += std::memcmp(&got[static_cast<std::size_t>(r * outputs)],
                                     &alone[static_cast<std::size_t>(r * most_outputs)],
                                     static_cast<std::size_t>(outputs) * sizeof(float)) != 0;
        }
      }
      CHECK(different == 0);
    }
  }
}

TEST_CASE("every finite 16-bit weight reaches a product exactly, in every column, of a row alone and among others") {
  const Index cols = 32, outputs = 65536 / cols;
  for (const Format format : {Format::bf16, Format::f16}) {
    const std::uint16_t special = format == Format::bf16 ? 0x7F80 : 0x7C00;  // infinity and NaN would spoil the others
    std::vector<std::uint16_t> halves(65536);
    for (std::size_t i = 0; i < halves.size(); ++i) {
      const auto value = static_cast<std::uint16_t>(i * 40503u);  // odd: takes each value once
      halves[i] = (value & special) == special ? 0 : value;
    }
    const auto* const w = reinterpret_cast<const std::byte*>(halves.data());
    std::vector<float> identity(static_cast<std::size_t>(cols * cols));
    for (Index c = 0; c < cols; ++c) identity[static_cast<std::size_t>(c * cols + c)] = 1;
    const std::vector<float> nothing(static_cast<std::size_t>(cols * outputs));
    const auto all =
        multiply<float>(float_kernels(), identity, cols, cols, format, w, outputs, nullptr, false, nothing);
    int different = 0;
    for (Index c = 0; c < cols; ++c) {
      const std::vector<float> row(identity.begin() + c * cols, identity.begin() + (c + 1) * cols);
      const auto alone = multiply<float>(float_kernels(), row, 1, cols, format, w, outputs, nullptr, false,
                                         std::vector<float>(static_cast<std::size_t>(outputs)));
      for (Index n = 0; n < outputs; ++n) {
        const auto half = halves[static_cast<std::size_t>(n * cols + c)];
        const float want = format == Format::bf16 ? to_float(bf16{half}) : to_float(f16{half});
        different += alone[static_cast<std::size_t>(n)] != want;
        different += all[static_cast<std::size_t>(c * outputs + n)] != want;
      }
    }
    CHECK(different == 0);
  }
}

TEST_CASE("rounded rows are those of to_bf16, and give what the reference makes of them") {
  for (const Index cols : {2, 6, 62, 64, 66, 514, 2048 + 30}) {
    for (const Index rows : {Index{1}, Index{2}, Index{5}, cols == 66 ? kLinearRows + 3 : Index{30}}) {
      CAPTURE(cols);
      CAPTURE(rows);
      const Index outputs = 37, stride = quantized_row_bytes(ActivationFormat::bf16, cols) + 64, misaligned = 2;
      const auto w = weights(Format::bf16, outputs * cols, 13, misaligned);
      const auto x = noise(static_cast<std::size_t>(rows * cols), 7);
      const auto bias = noise(static_cast<std::size_t>(outputs), 6);
      const auto rounded = [&](const auto& kernels, const auto& from) {
        std::vector<std::byte> to(static_cast<std::size_t>(rows * stride), std::byte{0xFF});
        for (Index r = 0; r < rows; ++r)
          kernels.quantize_activations(ActivationFormat::bf16, from.data() + r * cols, cols, to.data() + r * stride);
        return to;
      };
      const auto values = rounded(float_kernels(), x);
      CHECK(values == rounded(reference_kernels<double>(), widen(x)));
      const auto product = [&]<class T>(const Kernels<T>& kernels, Index first, Index count) {
        return multiply<T>(kernels, {}, count, cols, Format::bf16, w.data() + misaligned, outputs, bias.data(), true,
                           std::vector<T>(static_cast<std::size_t>(count * outputs), T(0.25)),
                           values.data() + first * stride, stride);
      };
      const auto got = product(float_kernels(), 0, rows);
      CHECK(relative_error(got, product(reference_kernels<double>(), 0, rows)) < 6e-7);
      for (Index r = 0; r < rows; ++r) {  // a row alone gives the bits of the row among others
        const auto alone = product(float_kernels(), r, 1);
        CHECK(std::memcmp(alone.data(), got.data() + r * outputs, alone.size() * sizeof(float)) == 0);
      }
    }
  }
}

TEST_CASE("linear reads and writes nothing outside its tile") {
  for (const Format format : kAllFormats) {
    for (const Index rows : {1, 2, 4, 7}) {
      const Index cols = 21, outputs = 18, x_stride = 24, y_stride = 23;
      CAPTURE(rows);
      std::vector<float> x(static_cast<std::size_t>(rows * x_stride), NAN);
      const auto values = noise(x.size(), 1);
      for (Index r = 0; r < rows; ++r)
        for (Index k = 0; k < cols; ++k)
          x[static_cast<std::size_t>(r * x_stride + k)] = values[static_cast<std::size_t>(k)];
      const auto w = weights(format, outputs * cols, 2);  // NaN behind
      std::vector<float> y(static_cast<std::size_t>(rows * y_stride), 7.0f);
      Scratch<float> scratch(kLinearScratch);
      LinearTile<float> tile;
      tile.x = x.data();
      tile.x_stride = x_stride;
      tile.rows = rows;
      tile.w = w.data();
      tile.format = format;
      tile.outputs = outputs;
      tile.cols = cols;
      tile.y = y.data();
      tile.y_stride = y_stride;
      float_kernels().linear(tile, scratch.data());
      for (Index r = 0; r < rows; ++r) {
        for (Index n = 0; n < y_stride; ++n) {
          const float value = y[static_cast<std::size_t>(r * y_stride + n)];
          if (n < outputs) CHECK(std::abs(value) < 100.0f);
          else CHECK(value == 7.0f);
        }
      }
    }
  }
}

TEST_CASE("linear lets NaN and infinity through to the outputs that depend on them, and to no other") {
  const Index cols = 40, outputs = 6, rows = 4;
  auto x = noise(rows * cols, 1);
  x[static_cast<std::size_t>(1 * cols + 39)] = NAN;
  x[static_cast<std::size_t>(2 * cols + 3)] = INFINITY;
  std::vector<float> w(static_cast<std::size_t>(outputs * cols), 0.5f);
  const auto y =
      multiply<float>(float_kernels(), x, rows, cols, Format::f32, reinterpret_cast<const std::byte*>(w.data()),
                      outputs, nullptr, false, std::vector<float>(static_cast<std::size_t>(rows * outputs)));
  for (Index n = 0; n < outputs; ++n) {
    CHECK(std::isfinite(y[static_cast<std::size_t>(n)]));
    CHECK(std::isnan(y[static_cast<std::size_t>(outputs + n)]));
    CHECK(y[static_cast<std::size_t>(2 * outputs + n)] == INFINITY);
    CHECK(std::isfinite(y[static_cast<std::size_t>(3 * outputs + n)]));
  }
}

TEST_CASE("a row's bits are the same alone and among hundreds, over any number of blocks of columns") {
  const Index rows = 2 * kLinearRows + 5, outputs = 21;
  for (const Format format : kAllFormats)
    for (const Index cols : {kLinearDepth, 2 * kLinearDepth + 77}) {
      CAPTURE(name(format));
      CAPTURE(cols);
      const auto w = weights(format, outputs * cols, 8);
      const auto x = noise(static_cast<std::size_t>(rows * cols), 9);
      const std::vector<float> y(static_cast<std::size_t>(rows * outputs), 0.5f);
      const auto all = multiply<float>(float_kernels(), x, rows, cols, format, w.data(), outputs, nullptr, true, y);
      for (const Index r : {Index{0}, Index{6}, kLinearRows - 1, kLinearRows, rows - 1}) {
        const std::vector<float> row(x.begin() + r * cols, x.begin() + (r + 1) * cols);
        const auto alone = multiply<float>(float_kernels(), row, 1, cols, format, w.data(), outputs, nullptr, true,
                                           std::vector<float>(static_cast<std::size_t>(outputs), 0.5f));
        CHECK(std::memcmp(all.data() + r * outputs, alone.data(), alone.size() * sizeof(float)) == 0);
      }
    }
}
