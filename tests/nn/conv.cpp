// Convolutions as unfold + linear against the definition of a convolution, and the bilinear resize against its formula.
#include <dsvl/nn/conv.hpp>

#include "../oracle.hpp"

using namespace dsvl;
using test::Mat;
using test::Rows;

TEST_CASE("unfold and linear are a convolution: strides 1 and 2, padding 0 and 1, odd maps") {
  struct Case { Grid grid; ConvShape shape; Index channels, out; };
  for (const Case& c : {Case{{7, 5}, {3, 1, 1}, 6, 9}, {{8, 8}, {3, 2, 1}, 16, 12}, {{9, 4}, {3, 2, 1}, 3, 5}, {{6, 6}, {1, 1, 0}, 4, 4},
                        {{5, 7}, {3, 1, 0}, 2, 3}, {{1, 1}, {3, 1, 1}, 5, 2}, {{40, 3}, {2, 2, 0}, 33, 4}}) {
    const Grid out = c.shape.output(c.grid);
    INFO(c.grid.height << " x " << c.grid.width << ", size " << c.shape.size << ", step " << c.shape.step);
    test::Weights w(4);
    Projection layer;
    layer.visit(w, c.out, c.channels * c.shape.size * c.shape.size);
    const Mat map = test::noise_mat(c.grid.tokens(), c.channels, 8);
    const Mat want = test::convolve(map, c.grid, w["weight"], c.shape.size, c.shape.step, c.shape.padding);
    REQUIRE(want.rows == out.tokens());
    test::with_kernels([&](const auto& kernels) {
      using T = test::scalar_of<decltype(kernels)>;
      Immediate<T> on(kernels);
      Rows<T> in(map), unfolded(out.tokens(), c.channels * c.shape.size * c.shape.size), y(out.tokens(), c.out);
      unfold(on, in, c.grid, c.shape, unfolded);
      linear(on, unfolded, layer, y);
      test::check_near("convolution", y.view(), want, test::kNear<T>);
      CHECK((unfolded.padding_untouched() && on.status().ok()));
    });
  }
}

TEST_CASE("unfold_patches cuts a channels-first picture into patches, row by row") {
  constexpr Index kHeight = 12, kWidth = 20, kPatch = 4;
  test::Weights w(4);
  Projection layer;
  layer.visit(w, Index{10}, 3 * kPatch * kPatch);
  const Mat picture = test::noise_mat(3, kHeight * kWidth, 8);
  const Mat want = test::convolve(test::transposed(picture), {kHeight, kWidth}, w["weight"], kPatch, kPatch, 0);
  test::with_kernels([&](const auto& kernels) {
    using T = test::scalar_of<decltype(kernels)>;
    std::vector<T> pixels(picture.v.begin(), picture.v.end());
    Immediate<T> on(kernels);
    Rows<T> patches(15, 48), y(15, 10);
    unfold_patches(on, Volume<const T>(pixels.data(), 3, kHeight, kWidth), kPatch, patches);
    linear(on, patches, layer, y);
    test::check_near("patches", y.view(), want, test::kNear<T>);
  });
}

TEST_CASE("resize_bilinear equals the formula: up, down, odd sizes, single rows") {
  struct Case { Grid from, to; };
  for (const Case& c : {Case{{64, 64}, {96, 96}}, {{20, 20}, {16, 16}}, {{7, 5}, {13, 9}}, {{13, 9}, {7, 5}}, {{1, 6}, {4, 3}}, {{5, 5}, {5, 5}},
                        {{3, 2}, {1, 1}}}) {
    INFO(c.from.height << " x " << c.from.width << " -> " << c.to.height << " x " << c.to.width);
    const Mat map = test::noise_mat(c.from.tokens(), 5, 8), want = test::resize_bilinear(map, c.from, c.to);
    test::with_kernels([&](const auto& kernels) {
      using T = test::scalar_of<decltype(kernels)>;
      std::vector<T> in(map.v.begin(), map.v.end()), out(static_cast<std::size_t>(c.to.tokens() * 5));
      Immediate<T> on(kernels);
      const View<T> y(out.data(), c.to.tokens(), 5);
      resize_bilinear(on, View<const T>(in.data(), c.from.tokens(), 5), c.from, c.to, y);
      // In float the positions themselves are rounded, as PyTorch's are: 96 positions up to 64 with 24 bits.
      test::check_near("resize", y, want, sizeof(T) == 4 ? 4e-6 : 1e-13);
    });
  }
}
