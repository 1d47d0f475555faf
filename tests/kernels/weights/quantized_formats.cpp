#include <doctest/doctest.h>

#include <dsvl/kernels/weights/quantize.hpp>

#include <limits>

#include "../support.hpp"

using namespace dsvl;
using namespace test;
using kernels::kMaxBlockCols;
using kernels::scatter_block;
namespace block = kernels::block;

namespace {

/// Weights of any bytes: every code, every fine scale; the binary16 scales are finite.
std::vector<std::byte> any_weights(Format format, Index rows, Index cols, std::uint64_t seed) {
  const StoredBlock stored = stored_block(format);
  std::vector<std::byte> out(static_cast<std::size_t>(rows * row_bytes(format, cols)));
  const auto random = noise(out.size(), seed);
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::byte>(static_cast<int>(random[i] * 1000) & 255);
  std::byte block[kMaxBlockCols];
  for (Index group = 0; group < rows / kGroupRows; ++group)
    for (Index c = 0; c < cols / stored.cols; ++c)
      for (Index r = 0; r < kGroupRows; ++r) {
        std::byte* const at = out.data() + (group * (cols / stored.cols) + c) * stored.bytes;
        gather_block(format, at, r, block);
        const float size = 0.01f + 0.001f * static_cast<float>(r + c % 7);
        if (format == Format::q6_k) block::put_half(block + block::Q6_K::kScale.at, -size / 64);
        else block::put_half(block, format == Format::q8_0 ? size / 16 : size);
        if (format == Format::q4_k) block::put_half(block + block::Q4_K::kMin.at, size / 2);
        scatter_block(format, block, at, r);
      }
  return out;
}

/// What products with weights of that format take.
ActivationFormat x_format(Format format, Index cols) {
  return activation_format(ActivationPrecision::f32, format, cols);
}

/// Rows of x and what they become.
template <class T>
std::vector<std::byte> quantized_rows(const Kernels<T>& kernels, ActivationFormat kind, const std::vector<T>& x,
                                      Index rows, Index cols, Index stride) {
  std::vector<std::byte> out(static_cast<std::size_t>(rows * stride), std::byte{0xA5});
  for (Index r = 0; r < rows; ++r)
    kernels.quantize_activations(kind, x.data() + r * cols, cols, out.data() + r * stride);
  return out;
}

template <class T>
std::vector<T> multiply(const Kernels<T>& kernels, Format format, const std::byte* w, const std::byte* x, Index stride,
                        Index rows, Index cols, Index outputs, const float* bias = nullptr, bool add = false) {
  Scratch<T> scratch(kLinearScratch);
  std::vector<T> y(static_cast<std::size_t>(rows * outputs), T{0.25});
  LinearTile<T> tile;
  tile.rows = rows, tile.w = w, tile.format = format, tile.outputs = outputs, tile.cols = cols;
  tile.bias = bias, tile.y = y.data(), tile.y_stride = outputs, tile.add = add;
  tile.x_format = x_format(format, cols), tile.quantized_x = x, tile.quantized_x_stride = stride;
  kernels.linear(tile, scratch.data());
  return y;
}

}  // namespace

TEST_CASE("a block that went into a group comes out of it, and rows do not touch each other") {
  for (const Format format : kQuantized) {
    CAPTURE(name(format));
    const StoredBlock stored = stored_block(format);
    const auto bytes = static_cast<std::size_t>(stored.bytes / kGroupRows);
    std::vector<std::byte> group(static_cast<std::size_t>(stored.bytes));
    std::vector<std::vector<std::byte>> blocks;
    for (Index r = 0; r < kGroupRows; ++r) {
      blocks.emplace_back(bytes);
      for (std::size_t i = 0; i < bytes; ++i)
        blocks.back()[i] = static_cast<std::byte>((static_cast<std::size_t>(r) * 89 + i * 31) & 255);
      scatter_block(format, blocks.back().data(), group.data(), r);
    }
    for (Index r = 0; r < kGroupRows; ++r) {
      std::vector<std::byte> out(bytes);
      gather_block(format, group.data(), r, out.data());
      CHECK(out == blocks[static_cast<std::size_t>(r)]);
    }
  }
}

TEST_CASE("blocks decode to ggml's numbers") {
  std::byte b[kMaxBlockCols] = {};
  float y[kMaxBlockCols];
  SUBCASE("q8_0: scale times signed byte") {
    block::put_half(b, 0.5f);
    b[2] = std::byte{0x80}, b[3] = std::byte{0x7F}, b[33] = std::byte{0xFF};
    block::decode(Format::q8_0, b, y);
    CHECK(y[0] == -64.0f);
    CHECK(y[1] == 63.5f);
    CHECK(y[31] == -0.5f);
  }
  SUBCASE("q4_0: the low nibbles are the first half, and 8 is zero") {
    block::put_half(b, -2.0f);
    b[2] = std::byte{0xF0}, b[17] = std::byte{0x89};
    block::decode(Format::q4_0, b, y);
    CHECK(y[0] == 16.0f);
    CHECK(y[16] == -14.0f);
    CHECK(y[15] == -2.0f);
    CHECK(y[31] == 0.0f);
  }
  SUBCASE("q4_k: eight spans with scales and mins of six bits, packed in twelve bytes") {
    block::put_half(b, 0.25f), block::put_half(b + 2, 2.0f);
    b[4] = std::byte{0xC0 | 5}, b[8] = std::byte{0x40 | 7};  // span 0: scale 5, min 7; high bits of span 4: 3 and 1
    b[12] = std::byte{0x9A};                                 // span 4: low nibble of its scale 10, of its min 9
    b[16] = std::byte{0x3C};                                 // column 0 has the code 12, column 32 the code 3
    b[16 + 64] = std::byte{0x0E};                            // column 128, in span 4, has the code 14
    block::decode(Format::q4_k, b, y);
    CHECK(y[0] == 0.25f * 5 * 12 - 2.0f * 7);
    CHECK(y[1] == -2.0f * 7);
    CHECK(y[32] == 0.0f);  // span 1 has neither scale nor min
    CHECK(y[128] == 0.25f * (3 * 16 + 10) * 14 - 2.0f * (1 * 16 + 9));
  }
  SUBCASE("q6_k: four low bits, two high bits, 32 is zero, a signed scale for sixteen columns") {
    block::put_half(b + 208, 0.5f);
    b[192] = std::byte{0xFE};      // columns 0 to 15: scale -2
    b[192 + 6] = std::byte{3};     // columns 96 to 111: scale 3
    b[0] = std::byte{0x05};        // column 0: low 5
    b[32] = std::byte{0xB0};       // column 96: low 11
    b[128] = std::byte{0x80 | 3};  // column 0: high 3; column 96: high 2
    block::decode(Format::q6_k, b, y);
    CHECK(y[0] == 0.5f * -2 * (5 + 48 - 32));
    CHECK(y[1] == 0.5f * -2 * -32);
    CHECK(y[96] == 0.5f * 3 * (11 + 32 - 32));
  }
}

TEST_CASE("encoding: an error within half a step, and numbers that a block can hold come back") {
  const Index cols = 256;
  for (const Format format : kQuantized) {
    CAPTURE(name(format));
    const StoredBlock stored = stored_block(format);
    const auto x = noise(static_cast<std::size_t>(kGroupRows * cols), 3);
    std::vector<std::byte> group(static_cast<std::size_t>(kGroupRows * row_bytes(format, cols)));
    encode_group(format, x.data(), cols, cols, group.data());
    std::vector<float> y(x.size());
    for (Index r = 0; r < kGroupRows; ++r) decode_row({format, group.data(), r}, 0, y.data() + r * cols, cols);
    const double error = relative_error(y, x);  // measured: 0.0040, 0.089, 0.077, 0.019
    CHECK(error < (format == Format::q8_0 ? 0.005 : format == Format::q6_k ? 0.024 : 0.1));
    CHECK(error > 0.001);
    // What came out can be held, up to what binary16 does to scales.
    std::vector<std::byte> again(group.size());
    encode_group(format, y.data(), cols, cols, again.data());
    std::vector<float> z(x.size());
    for (Index r = 0; r < kGroupRows; ++r) decode_row({format, again.data(), r}, 0, z.data() + r * cols, cols);
    CHECK(relative_error(z, y) < (stored.cols == 32 ? 1e-3 : 0.02));
    const std::vector<float> nothing(x.size());
    encode_group(format, nothing.data(), cols, cols, group.data());
    decode_row({format, group.data(), 5}, 0, y.data(), cols);
    CHECK(std::all_of(y.begin(), y.begin() + cols, [](float value) { return value == 0; }));
  }
}

TEST_CASE("a row in 8 bits is the reference's byte for byte, also with zeros, ties, NaN and infinity") {
  struct Row { ActivationFormat kind; Index cols; };
  constexpr ActivationFormat k32 = ActivationFormat::int8_per_32, k256 = ActivationFormat::int8_per_256;
  for (const Row row : {Row{k32, 32}, {k32, 64}, {k32, 288}, {k32, 2048}, {k256, 256}, {k256, 2048}}) {
    const ActivationFormat kind = row.kind;
    const Index cols = row.cols;
    auto x = noise(static_cast<std::size_t>(cols), 17);
    for (const double special : {0.0, 1.0, 1e-30, 3e38, std::numeric_limits<double>::infinity(),
                                 -std::numeric_limits<double>::quiet_NaN()}) {
      INFO(cols << " columns");
      CAPTURE(special);
      if (special == 0.0) std::fill(x.begin(), x.begin() + 32, 0.0f);
      x[static_cast<std::size_t>(cols) - 20] = static_cast<float>(special);
      const Index stride = quantized_row_bytes(kind, cols);
      const auto got = quantized_rows(float_kernels(), kind, x, 1, cols, stride);
      const auto want = quantized_rows(reference_kernels<float>(), kind, x, 1, cols, stride);
      const auto bytes = static_cast<std::size_t>(Int8Row::bytes(cols));
      int different = 0;
      for (std::size_t i = 0; i < bytes; ++i) different += got[i] != want[i];
      if (std::isnan(special)) different = std::memcmp(got.data(), want.data(), static_cast<std::size_t>(cols)) != 0;
      CHECK(different == 0);
    }
  }
}

TEST_CASE("quantised products agree with the reference in every format, whatever the bytes") {
  for (const Format format : kQuantized) {
    for (const Index blocks : {1, 2, 9, 16}) {
      for (const Index rows : {1, 2, 4, 5, 7, 30}) {
        const Index cols = blocks * stored_block(format).cols, outputs = 48;
        CAPTURE(name(format));
        CAPTURE(cols);
        CAPTURE(rows);
        const auto w = any_weights(format, outputs, cols, 5);
        const auto x = noise(static_cast<std::size_t>(rows * cols), 6);
        const auto bias = noise(static_cast<std::size_t>(outputs), 8);
        const Index stride = quantized_row_bytes(ActivationFormat::int8_per_32, cols) + 64;
        const auto in = quantized_rows(float_kernels(), x_format(format, cols), x, rows, cols, stride);
        const bool add = rows % 2 == 0;
        const auto got = multiply<float>(float_kernels(), format, w.data(), in.data(), stride, rows, cols, outputs,
                                         bias.data(), add);
        const auto want = multiply<double>(reference_kernels<double>(), format, w.data(), in.data(), stride, rows, cols,
                                           outputs, bias.data(), add);
        CHECK(relative_error(got, want) < 1e-6);
      }
    }
  }
}

TEST_CASE("quantised products give the bits of one row and one group at a time for every shape of tile") {
  const Index most_rows = 13, most_outputs = 80;
  struct Weights { Format format; Index cols; };
  for (const Weights weights : {Weights{Format::q8_0, 32 * 37}, {Format::q4_0, 32 * 37}, {Format::q4_0, 256 * 5},
                                {Format::q4_k, 256 * 5}, {Format::q6_k, 256 * 5}}) {
    const Format format = weights.format;
    const Index cols = weights.cols;
    INFO(name(format) << ", " << cols << " columns");
    const auto w = any_weights(format, most_outputs, cols, 15);
    const auto x = noise(static_cast<std::size_t>(most_rows * cols), 16);
    const auto bias = noise(static_cast<std::size_t>(most_outputs), 8);
    const Index stride = quantized_row_bytes(ActivationFormat::int8_per_32, cols);
    const auto in = quantized_rows(float_kernels(), x_format(format, cols), x, most_rows, cols, stride);
    const auto group = static_cast<std::size_t>(kGroupRows * row_bytes(format, cols));
    std::vector<float> alone(static_cast<std::size_t>(most_rows * most_outputs));
    for (Index r = 0; r < most_rows; ++r)
      for (Index g = 0; g < most_outputs / kGroupRows; ++g) {
        const auto one = multiply<float>(float_kernels(), format, w.data() + static_cast<std::size_t>(g) * group,
                                         in.data() + r * stride, stride, 1, cols, kGroupRows,
                                         bias.data() + g * kGroupRows, true);
        std::copy(one.begin(), one.end(), alone.begin() + r * most_outputs + g * kGroupRows);
      }
    int different = 0;
    for (Index rows = 1; rows <= most_rows; ++rows)
      for (Index outputs = kGroupRows; outputs <= most_outputs; outputs += kGroupRows) {
        const auto got = multiply<float>(float_kernels(), format, w.data(), in.data(), stride, rows, cols, outputs,
                                         bias.data(), true);
        for (Index r = 0; r < rows; ++r)
          different += std::memcmp(got.data() + r * outputs, alone.data() + r * most_outputs,
                                   static_cast<std::size_t>(outputs) * sizeof(float)) != 0;
      }
    CHECK(different == 0);
  }
}

TEST_CASE("a scale for 256 columns serves every format in a stack where one needs it") {
  const Index rows = 7, cols = 512, outputs = 48;
  const Index stride = quantized_row_bytes(ActivationFormat::int8_per_256, cols);
  const auto x = noise(static_cast<std::size_t>(rows * cols), 6);
  const auto in = quantized_rows(float_kernels(), ActivationFormat::int8_per_256, x, rows, cols, stride);
  for (const Format format : {Format::q8_0, Format::q4_0}) {
    CAPTURE(name(format));
    const auto w = any_weights(format, outputs, cols, 5);
    const auto got = multiply<float>(float_kernels(), format, w.data(), in.data(), stride, rows, cols, outputs);
    const auto want = multiply<double>(reference_kernels<double>(), format, w.data(), in.data(), stride, rows, cols,
                                       outputs);
    CHECK(relative_error(got, want) < 1e-6);
  }
  CHECK(x_format(Format::q4_0, 256 + 32) == ActivationFormat::int8_per_32);
  Matrix mixed(Format::q8_0, nullptr, 16, 512);
  CHECK(activation_format(ActivationPrecision::f32, mixed) == ActivationFormat::int8_per_32);
  CHECK(mixed.stack(Matrix(Format::q6_k, nullptr, 16, 512)));
  CHECK(activation_format(ActivationPrecision::f32, mixed) == ActivationFormat::int8_per_256);
}

TEST_CASE("more rows than a product takes at a time are the same rows") {
  const Index rows = kLinearRows + 7, cols = 64, outputs = 32;
  const Index stride = quantized_row_bytes(ActivationFormat::int8_per_32, cols);
  const auto w = any_weights(Format::q8_0, outputs, cols, 2);
  const auto x = noise(static_cast<std::size_t>(rows * cols), 3);
  const auto in = quantized_rows(float_kernels(), ActivationFormat::int8_per_32, x, rows, cols, stride);
  const auto all = multiply<float>(float_kernels(), Format::q8_0, w.data(), in.data(), stride, rows, cols, outputs);
  const auto last = multiply<float>(float_kernels(), Format::q8_0, w.data(), in.data() + (rows - 1) * stride, stride, 1,
                                    cols, outputs);
  CHECK(std::equal(last.begin(), last.end(), all.end() - outputs));
}

TEST_CASE("nothing saturates: the largest codes times the largest numbers are exact") {
  // With a scale of 1 and x of 127 times 1, every sum is an integer that float holds.
  for (const Format format : kQuantized) {
    for (const int sign : {1, -1}) {
      for (const int fill : {0x00, 0x7F, 0x80, 0xFF}) {
        for (const Index rows : {1, 9}) {
          CAPTURE(name(format));
          CAPTURE(sign);
          CAPTURE(fill);
          const StoredBlock stored = stored_block(format);
          const Index cols = 256, outputs = kGroupRows;
          std::vector<std::byte> w(static_cast<std::size_t>(outputs * row_bytes(format, cols)));
          std::byte block[kMaxBlockCols];
          std::fill(block, block + stored.bytes / kGroupRows, static_cast<std::byte>(fill));
          if (format == Format::q6_k) block::put_half(block + block::Q6_K::kScale.at, 1);
          else block::put_half(block, 1);
          if (format == Format::q4_k) block::put_half(block + block::Q4_K::kMin.at, 1);
          for (Index c = 0; c < cols / stored.cols; ++c)
            for (Index r = 0; r < kGroupRows; ++r) scatter_block(format, block, w.data() + c * stored.bytes, r);
          const std::vector<float> x(static_cast<std::size_t>(rows * cols), 127.0f * static_cast<float>(sign));
          const Index stride = quantized_row_bytes(ActivationFormat::int8_per_32, cols);
          const auto in = quantized_rows(float_kernels(), x_format(format, cols), x, rows, cols, stride);
          const auto got = multiply<float>(float_kernels(), format, w.data(), in.data(), stride, rows, cols, outputs);
          float weights[kMaxBlockCols];
          decode_row({format, w.data(), 3}, 0, weights, cols);
          double want = 0;
          for (const float weight : weights) want += 127.0 * sign * static_cast<double>(weight);
          int different = 0;
          for (const float value : got) different += static_cast<double>(value) != want;
          CHECK(different == 0);
        }
      }
    }
  }
}

TEST_CASE("unpack and add_unpacked read any row of a group at every width") {
  for (const Format format : kQuantized) {
    const Index cols = 512, rows = 2 * kGroupRows;
    const auto bytes = any_weights(format, rows, cols, 4);
    const Matrix w(format, bytes.data(), rows, cols);
    for (const Index n : {1, 17, 32, 255, 257, 512}) {
      for (const Index r : {0, 15, 16, 31}) {
        CAPTURE(name(format));
        CAPTURE(n);
        std::vector<float> got(static_cast<std::size_t>(n), 0.5f), want = got;
        float_kernels().add_unpacked(w.row(r), got.data(), n);
        reference_kernels<float>().add_unpacked(w.row(r), want.data(), n);
        CHECK(same_bits(got, want));
        float_kernels().unpack(w.row(r), got.data(), n);
        reference_kernels<float>().unpack(w.row(r), want.data(), n);
        CHECK(same_bits(got, want));
      }
    }
  }
}
