// The whole high-resolution tower: which block is tapped, what the branches share, and the learned alpha between them.
#include "towers.hpp"

using namespace dsvl;
using test::Mat;
using test::Rows;

TEST_CASE("the high tower is down(neck(sam)) + alpha down(side_neck(first global block))") {
  for (const std::vector<Index>& global : {std::vector<Index>{1, 2}, {2, 1}, {0}}) {
    HighResTower tower;
    SamDims& d = tower.sam.dims;
    d.global_layers = {};
    d.input = {40, 4, 3};
    d.hidden = 24, d.intermediate = 40, d.layers = 3, d.heads = 3, d.window = 4;
    d.global_layers.add(global);
    d.tap = global.front();
    d.eps = 1e-5;  // the neck's own stays 1e-6
    tower.dims = {.neck = 7, .resized = {16, 16}, .middle = 10, .out = 18};
    CHECK(tower.dims.grid() == Grid{4, 4});
    test::Weights w(1, Format::bf16);
    tower.visit(w);
    const Mat picture = test::noise_mat(3, 40 * 40, 7);
    Mat x = test::patch_embed(w, picture, d.input), tapped;
    for (Index i = 0; i < 3; ++i) {
      x = test::sam_block(w, std::to_string(i) + ".", d, i, x);
      if (i == global.front()) tapped = x;
    }
    const Mat main = test::downsample(w, test::neck(w, "neck.", x, d.grid()), d.grid(), tower.dims);
    const Mat side = test::downsample(w, test::neck(w, "side_neck.", tapped, d.grid()), d.grid(), tower.dims);
    const Mat want = test::plus(main, side, w["alpha"].v[0]);
    test::with_kernels([&](const auto& kernels) {
      using T = test::scalar_of<decltype(kernels)>;
      std::vector<T> pixels(picture.v.begin(), picture.v.end());
      HighResTower::Buffers<T> buffers;
      const auto memory = test::slab([&](Arena& a) {
        buffers.carve_table(a, tower);
        buffers.carve(a, tower);
      });
      Immediate<T> on(kernels);
      Rows<T> y(16, 18);
      tower.forward(on, Volume<const T>(pixels.data(), 3, 40, 40), buffers, y);
      test::check_near("high tower", y.view(), want, sizeof(T) == 4 ? 5e-6 : 1e-12);
      test::check_near("side branch", buffers.side, side, sizeof(T) == 4 ? 5e-6 : 1e-12);
      CHECK(on.status().ok());
    });
  }
}
