// SAM's transformer on its own: windows that do not divide the map, global blocks, tables of other lengths.
#include "towers.hpp"

using namespace dsvl;
using test::Mat;
using test::Rows;

namespace {

Sam small_sam(Index image, Index window) {
  Sam sam;
  sam.dims.input = {image, 4, 3};
  sam.dims.hidden = 24, sam.dims.intermediate = 40, sam.dims.layers = 3, sam.dims.heads = 3;
  sam.dims.window = window;
  sam.dims.global_layers = {1};
  return sam;
}

}  // namespace

TEST_CASE("SAM alone equals its formulas, whether or not the window divides the map, and with resized tables") {
  struct Case { Index image, window, table_rows_more; };
  for (const Case& c : {Case{40, 4, 0}, {40, 5, 0}, {28, 14, 0}, {36, 7, 6}, {40, 4, -3}}) {
    INFO("image " << c.image << ", window " << c.window << ", tables longer by " << c.table_rows_more);
    Sam sam = small_sam(c.image, c.window);
    test::Weights w(1, Format::bf16);
    w.table_rows_more = c.table_rows_more;
    sam.visit(w);
    const Mat picture = test::noise_mat(3, c.image * c.image, 7);
    std::vector<Mat> want = {test::patch_embed(w, picture, sam.dims.input)};
    for (Index i = 0; i < 3; ++i) want.push_back(test::sam_block(w, std::to_string(i) + ".", sam.dims, i, want.back()));
    test::with_kernels([&](const auto& kernels) {
      using T = test::scalar_of<decltype(kernels)>;
      std::vector<T> pixels(picture.v.begin(), picture.v.end());
      Sam::Buffers<T> buffers;
      const auto memory = test::slab([&](Arena& a) {
        buffers.carve_table(a, sam.dims);
        buffers.carve(a, sam.dims);
      });
      Immediate<T> on(kernels);
      Rows<T> x(sam.dims.grid().tokens(), sam.dims.hidden);
      Index seen = 0;
      sam.forward(on, Volume<const T>(pixels.data(), 3, c.image, c.image), buffers, x, [&](Index layer) {
        CHECK(layer == seen++);
        // A resized table is float once more on our side, double in the oracle.
        const double tolerance = c.table_rows_more != 0 ? 2e-6 : test::kNear<T>;
        test::check_near("SAM block", x.view(), want[static_cast<std::size_t>(layer) + 1], tolerance);
      });
      CHECK((seen == 3 && x.padding_untouched() && on.status().ok()));
    });
  }
}

TEST_CASE("the keys of a window's border count: their k and v are the bias alone") {
  // A map of one token in a window of 2 x 2: without the border its attention would be its own v.
  Sam sam = small_sam(4, 2);
  sam.dims.global_layers = {};
  test::Weights w(1);
  sam.visit(w);
  const Mat x = test::noise_mat(1, 24, 3);
  const Mat want = test::sam_block(w, "0.", sam.dims, 0, x);
  sam.dims.window = 1;  // the same weights without a border
  const Mat alone = test::plus(x, test::sam_window(w, "0.", 3, test::norm(w, "0.norm1.", x, 1e-6), {1, 1}));
  sam.dims.window = 2;
  SamBuffers<double> buffers;
  const auto memory = test::slab([&](Arena& a) {
    buffers.carve_table(a, sam.dims);
    buffers.carve(a, sam.dims);
  });
  Immediate<double> on(reference_kernels<double>());
  Rows<double> y(x);
  sam.blocks[0].forward(on, sam.dims, 0, buffers, y);
  test::check_near("bordered block", y.view(), want, 1e-13);
  const Mat masked = test::plus(alone, test::mlp(w, "0.mlp.", test::norm(w, "0.norm2.", alone, 1e-6), GeluKind::erf));
  CHECK(test::relative_error(std::span<const double>(want.v), std::span<const double>(masked.v)) > 1e-2);
}
