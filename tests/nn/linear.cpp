// Linear layers over stacked, misaligned weights of every format, against plain sums in double.
#include <dsvl/kernels/weights/quantize.hpp>
#include <dsvl/nn/linear.hpp>

#include "../oracle.hpp"

using namespace dsvl;
using test::Mat;
using test::Rows;

TEST_CASE("linear gives x W^T + b for every format, with rows of weights in three blocks at odd addresses") {
  struct Size { Index rows, in, out; };
  for (const Size s : {Size{1, 7, 5}, {2, 64, 33}, {5, 130, 100}, {70, 48, 144}, {3, 1100, 40}, {130, 20, 7}})
    for (const Format format : {Format::f32, Format::bf16, Format::f16}) {
      INFO(s.rows << " x " << s.in << " x " << s.out << " " << name(format));
      test::Weights weights(static_cast<std::uint64_t>(s.rows), format);
      Linear layer;
      layer.visit(weights, s.out, s.in);
      REQUIRE(layer.weight.block_count == 3);
      const Mat x = test::noise_mat(s.rows, s.in, 3), want = test::linear(x, weights["weight"], weights["bias"]);
      test::with_kernels([&](const auto& kernels) {
        using T = test::scalar_of<decltype(kernels)>;
        Immediate<T> on(kernels);
        Rows<T> in(x), out(s.rows, s.out);
        linear(on, in, layer, out);
        test::check_near("linear", out.view(), want, test::kNear<T>);
        linear_add(on, in, layer, out);
        test::check_near("linear_add", out.view(), test::plus(want, want), test::kNear<T>);
        CHECK(out.padding_untouched());
        CHECK(on.status().ok());
      });
    }
}

TEST_CASE("a projection is a linear layer without bias") {
  test::Weights weights(5);
  Projection layer;
  layer.visit(weights, 40, 24);
  const Mat x = test::noise_mat(6, 24, 3), want = test::linear(x, weights["weight"]);
  Immediate<float> on(active_kernels<float>());
  Rows<float> in(x), out(6, 40);
  linear(on, in, layer, out);
  test::check_near("projection", out.view(), want, 2e-6);
  linear_add(on, in, layer, out);
  test::check_near("projection, added", out.view(), test::plus(want, want), 2e-6);
}

TEST_CASE("a live row count decides how many rows are computed, and the others stay untouched") {
  test::Weights weights(6, Format::bf16);
  Linear layer;
  layer.visit(weights, 50, 32);
  const Mat x = test::noise_mat(100, 32, 3);
  Rows<float> in(x), all(100, 50);
  Immediate<float> on(active_kernels<float>());
  linear(on, in, layer, all);
  for (const Index live : {Index{0}, Index{1}, Index{2}, Index{63}, Index{64}, Index{65}, Index{100}}) {
    INFO(live);
    Rows<float> some(100, 50);
    on.rows({&live});
    linear(on, in, layer, some);
    CHECK(test::same_bits<float>(some.view().row_range(0, live), all.view().row_range(0, live)));
    for (Index r = live; r < 100; ++r) CHECK(std::isnan(some.view().row(r)[0]));
  }
}

TEST_CASE("how rows of weights are cut into blocks does not move a bit") {
  test::Weights weights(7, Format::bf16);
  Matrix blocks;
  weights.matrix("w", blocks, 200, 75);
  REQUIRE(blocks.block_count == 3);
  const Matrix whole(blocks.format, blocks.blocks[0].data, 200, 75);  // the blocks lie one behind the other
  for (const Index rows : {1, 2, 3, 70}) {
    Rows<float> in(test::noise_mat(rows, 75, 1)), a(rows, 200), b(rows, 200);
    Immediate<float> on(active_kernels<float>());
    linear(on, in, Projection{blocks}, a);
    linear(on, in, Projection{whole}, b);
    CHECK(test::same_bits<float>(a.view(), b.view()));
  }
}

TEST_CASE("rounded activations: bf16 weights meet x rounded to bf16, other weights and odd rows meet x as it is") {
  const auto check = [](Format format, Index in, bool rounds) {
    CAPTURE(name(format));
    CAPTURE(in);
    test::Weights weights(7, format);
    Projection layer;
    layer.visit(weights, 40, in);
    const Mat x = test::noise_mat(9, in, 3);
    Mat meets = x;
    if (rounds)
      for (double& value : meets.v) value = static_cast<double>(to_float(to_bf16(static_cast<float>(value))));
    for (const Index rows : {Index{1}, Index{2}, x.rows}) {
      Immediate<float> on(active_kernels<float>(), nullptr, nullptr, ActivationPrecision::bf16);
      Rows<float> some(x.lines(0, rows)), y(rows, 40);
      linear(on, some, layer, y);
      CHECK(on.status().ok());
      test::check_near("rounded", y.view(), test::linear(meets.lines(0, rows), weights["weight"]), 2e-6);
    }
  };
  check(Format::bf16, 96, true);
  check(Format::bf16, 2048, true);  // rows that would collide in the cache
  check(Format::bf16, 95, false);
  check(Format::f16, 96, false);
  check(Format::f32, 96, false);
}

TEST_CASE("quantised weights meet x in 8 bits: a row alone, a few and many, of several formats in one stack") {
  constexpr Index in = 512, each = 32, out = 3 * each;
  const auto numbers = test::noise(static_cast<std::size_t>(out * in), 9);
  std::vector<std::byte> bytes[3];
  Matrix stack;
  for (const Format format : {Format::q4_k, Format::q8_0, Format::q6_k}) {
    auto& here = bytes[stack.block_count];
    here.resize(static_cast<std::size_t>(each * row_bytes(format, in)));
    for (Index r = 0; r < each; r += kGroupRows)
      encode_group(format, numbers.data() + (stack.rows + r) * in, in, in, here.data() + r * row_bytes(format, in));
    REQUIRE(stack.stack(Matrix(format, here.data(), each, in)));
  }
  CHECK(!stack.stack(Matrix(Format::bf16, bytes[0].data(), 1, in)));
  Mat w(out, in);
  for (Index r = 0; r < out; ++r) decode_row(stack.row(r), 0, w.v.data() + r * in, in);

  const Mat x = test::noise_mat(300, in, 3);
  Mat meets = x;  // what becomes of x in 8 bits, with scales as wide as the widest format wants them
  for (std::size_t span = 0; span < x.v.size(); span += kInt8WideBlock) {
    std::int8_t eight[kInt8WideBlock];
    const float scale = quantize8(x.v.data() + span, kInt8WideBlock, eight, 1);
    for (Index i = 0; i < kInt8WideBlock; ++i)
      meets.v[span + static_cast<std::size_t>(i)] = static_cast<double>(scale) * eight[i];
  }
  Rows<float> all(x.rows, out);
  for (const Index rows : {x.rows, Index{1}, Index{2}, Index{8}, Index{9}}) {
    CAPTURE(rows);
    Immediate<float> on(active_kernels<float>());
    Rows<float> some(x.lines(0, rows)), y(rows, out);
    linear(on, some, Projection{stack}, y);
    CHECK(on.status().ok());
    test::check_near("quantised", y.view(), test::linear(meets.lines(0, rows), w), 2e-6);
    if (rows == x.rows) all = y;
    else CHECK(test::same_bits<float>(y.view(), all.view().row_range(0, rows)));
  }
}
