// Pictures as the towers get them, to look at.
#include <dsvl/chat/prepared_picture.hpp>

#include "demo.hpp"

using namespace dsvl;

TEST_CASE("a prepared picture has the levels that the preprocessor makes, and tells what the answer tells") {
  const std::filesystem::path path = test::data("tiny-vl/jpeg/000.jpg");
  const Picture picture = Picture(path).region({3, 5, 90, 61});
  const Model& model = test::tiny_model();
  const PreprocessConfig& config = model.config().preprocess;
  const auto shown = prepare_picture(model, picture);
  REQUIRE_MESSAGE(shown, shown.error().text());

  const auto image = read_image(path);
  REQUIRE(image);
  Rect part{3, 5, 90, 61};
  const auto pixels = crop(image->pixels(), part);
  REQUIRE(pixels);
  std::vector<float> low(static_cast<std::size_t>(3 * config.low.side * config.low.side)),
      high(static_cast<std::size_t>(3 * config.high.side * config.high.side));
  Preprocessor work;
  REQUIRE(work.prepare(*pixels, config, {low.data(), 3, config.low.side, config.low.side},
                       {high.data(), 3, config.high.side, config.high.side}).ok());
  std::vector<std::byte> scratch(work.scratch_bytes() + 64);
  auto* const aligned = reinterpret_cast<std::byte*>((reinterpret_cast<std::uintptr_t>(scratch.data()) + 63) / 64 * 64);
  for (int s = 0; s < work.steps(); ++s)
    for (Index t = 0; t < work.tiles(s); ++t) work.run(s, t, aligned);
  const auto planes = work.high_pixels();
  REQUIRE(shown->high);
  REQUIRE(shown->high->width == config.high.side);
  bool equal = true;
  for (Index c = 0; c < 3; ++c)
    for (Index i = 0; i < config.high.side * config.high.side; ++i)
      equal = equal && shown->high->rgb[static_cast<std::size_t>(3 * i + c)] == planes.row(c, 0)[i];
  CHECK(equal);
  CHECK(shown->low.width == config.low.side);
  CHECK(&shown->sharpest() == &*shown->high);

  Session session = test::open_session();
  Answer answer = session.ask(picture, "What is this?");
  REQUIRE(answer.pictures().size() == 1);
  const SeenPicture &a = shown->seen, &b = answer.pictures()[0];
  CHECK(a.width == b.width);
  CHECK(a.region.x == b.region.x);
  CHECK(a.high.content.y == b.high.content.y);
  CHECK(a.tokens == b.tokens);
  CHECK(a.grid == b.grid);
  CHECK(a.map().token_at(40, 40) == b.map().token_at(40, 40));
  CHECK(!a.done);
}

TEST_CASE("a picture that cannot be prepared says why") {
  const Model& model = test::tiny_model();
  CHECK(prepare_picture(model, Picture::file("no/such.png")).error().code() == Code::not_found);
  CHECK(prepare_picture(model, Pixels()).error().code() == Code::bad_argument);
  CHECK(prepare_picture(model, Picture(test::data("tiny-vl/jpeg/000.jpg")).region({0, 0, 9999, 1})).error().code() ==
        Code::bad_argument);
}
