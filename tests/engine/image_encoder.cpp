// The picture encoder alone: what it makes of pixels, without a session.
#include <dsvl/base/thread_pool.hpp>
#include <dsvl/engine/image_encoder.hpp>

#include "../chat/demo.hpp"
#include "../chat/memory.hpp"

using namespace dsvl;

namespace {

Image picture(const char* name) {
  auto image = read_image(test::tiny_vl() / "demo" / name);
  if (!image) FAIL(image.error().text());
  return std::move(*image);
}

std::vector<float> copy(View<const float> rows) { return {rows.data, rows.data + rows.rows * rows.cols}; }

}  // namespace

TEST_CASE("an encoder that is used alone gives the rows of the towers and the aligner, for any number of workers") {
  const DeepseekVl& net = test::tiny_model().network();
  const PreprocessConfig& preprocess = test::tiny_model().config().preprocess;
  const Image image = picture("000.png");

  DeepseekVl::VisionBuffers<float> b;
  View<float> want;
  Buffer<std::byte> memory;
  REQUIRE(carve_slab(memory, [&](Arena& arena) {
    want = arena.view<float>("rows", net.siglip.dims.tokens(), net.decoder.dims.hidden);
    b.carve_table(arena, net), b.carve(arena, net);
  }));
  REQUIRE(dsvl::preprocess(image.pixels(), preprocess, b.low, b.high).ok());
  Immediate<float> on(active_kernels<float>());
  net.encode(on, b, want);

  for (const int workers : {1, 3}) {
    ThreadPool pool(workers);
    ImageEncoder encoder(net, preprocess, Limits(), pool.workers(), nullptr);
    REQUIRE(encoder.open().ok());
    for (int again = 0; again < 2; ++again) {
      const auto rows = encoder.encode(image.pixels(), pool);
      REQUIRE_MESSAGE(rows, rows.error().text());
      CHECK((rows->rows == net.siglip.dims.tokens() && rows->cols == net.decoder.dims.hidden));
      CHECK(copy(*rows) == copy(want));
    }
  }
}

TEST_CASE("an encoder says what is wrong with pixels, that it was cancelled, or that there is no memory, and goes on") {
  test::CountingAllocator memory;
  InlineExecutor here;
  const Image image = picture("001.png");
  {
    ImageEncoder encoder(test::tiny_model().network(), test::tiny_model().config().preprocess, Limits(), 1, &memory);
    memory.refuse_from = 0;
    CHECK(encoder.open().code() == Code::out_of_memory);
    memory.refuse_from = -1;
    REQUIRE(encoder.open().ok());
    const auto rows = encoder.encode(image.pixels(), here);
    REQUIRE(rows);
    const std::vector<float> before = copy(*rows);

    Pixels nothing = image.pixels();
    nothing.width = 0;
    CHECK(encoder.encode(nothing, here).error().code() == Code::bad_argument);
    CancelToken cancel;
    cancel.cancel();
    CHECK(encoder.encode(image.pixels(), here, {&cancel}).error().code() == Code::cancelled);
    const Control late{nullptr, {}, Clock::now()};
    CHECK(encoder.encode(image.pixels(), here, late).error().code() == Code::cancelled);
    CHECK_FALSE(encoder.busy());

    const auto again = encoder.encode(image.pixels(), here);
    REQUIRE(again);
    CHECK(copy(*again) == before);
  }
  CHECK(memory.live == 0);
}
