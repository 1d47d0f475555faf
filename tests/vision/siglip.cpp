// SigLIP on its own, as somebody uses it who needs only this tower.
#include "towers.hpp"

using namespace dsvl;
using test::Mat;
using test::Rows;

TEST_CASE("SigLIP alone equals its formulas: both activations, another eps, odd sizes") {
  for (const GeluKind activation : {GeluKind::erf, GeluKind::tanh}) {
    Siglip tower;
    tower.dims = {.input = {36, 4, 3}, .hidden = 30, .intermediate = 50, .layers = 3, .heads = 5, .eps = 1e-5, .activation = activation};
    test::Weights w(1, Format::bf16);
    tower.visit(w);
    const Mat picture = test::noise_mat(3, 36 * 36, 7);
    Mat want = test::patch_embed(w, picture, tower.dims.input);
    for (Index i = 0; i < 3; ++i) want = test::vit_block(w, std::to_string(i) + ".", tower.dims, want);
    want = test::norm(w, "norm.", want, 1e-5);
    test::with_kernels([&](const auto& kernels) {
      using T = test::scalar_of<decltype(kernels)>;
      std::vector<T> pixels(picture.v.begin(), picture.v.end());
      Siglip::Buffers<T> buffers;
      const auto memory = test::slab([&](Arena& a) {
        buffers.carve_table(a, tower.dims);
        buffers.carve(a, tower.dims);
      });
      Immediate<T> on(kernels);
      Rows<T> x(tower.dims.tokens(), tower.dims.hidden);
      tower.forward(on, Volume<const T>(pixels.data(), 3, 36, 36), buffers, x);
      test::check_near("SigLIP", x.view(), want, test::kNear<T>);
      CHECK((x.padding_untouched() && on.status().ok()));
    });
  }
}

TEST_CASE("the default sizes of SigLIP are those of the released towers, L/16 at 384") {
  constexpr SiglipDims d;
  CHECK(d.tokens() == 576);
  CHECK(d.head_shape().head_dim == 64);
  CHECK(d.layers == 24);
  CHECK(d.intermediate == 4096);
  CHECK(d.eps == 1e-6);
  CHECK(d.activation == GeluKind::erf);
}
