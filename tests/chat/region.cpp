// Parts of pictures as pictures of their own.
#include <dsvl/model/config.hpp>

#include "demo.hpp"

using namespace dsvl;

namespace {

using test::demo;

/// The bytes of a part of a picture, cut out by hand.
std::vector<std::uint8_t> cut_out(const Image& from, const Rect& part) {
  std::vector<std::uint8_t> out;
  for (Index y = part.y; y < part.y + part.height; ++y) {
    const std::uint8_t* const row = from.rgb.data() + 3 * (y * from.width + part.x);
    out.insert(out.end(), row, row + 3 * part.width);
  }
  return out;
}

std::vector<float> first_logits(Session& session, const Picture& picture) {
  Answer answer = session.ask(picture, "What is in the image?");
  REQUIRE_MESSAGE(answer.status().ok(), answer.status().text());
  std::vector<float> out(answer.logits().begin(), answer.logits().end());
  return out;
}

}  // namespace

TEST_CASE("a region is seen as the part of the picture, cut out, would be: of a file, its bytes and pixels") {
  const std::filesystem::path path = demo("002.png");
  const std::string file = test::read_file(path);
  const auto image = read_image(path);
  REQUIRE(image);
  const Rect part{10, 20, 90, 50};
  const auto bytes = cut_out(*image, part);
  Session cut = test::open_session();
  const auto want = first_logits(cut, Pixels{bytes.data(), part.width, part.height});
  for (const Picture& whole : {Picture(path), Picture(std::as_bytes(std::span(file))), Picture(image->pixels())}) {
    Session session = test::open_session();
    CHECK(first_logits(session, whole.region(part)) == want);
    CHECK(first_logits(cut, whole) != want);
  }
}

TEST_CASE("an answer says which part of which picture it saw, and finds tokens by places in the whole one") {
  Session session = test::open_session();
  const Picture whole = demo("002.png");
  Answer answer = session.ask({whole, whole.region({64, 32, 64, 64})}, "What is in the image?");
  REQUIRE_MESSAGE(answer.status().ok(), answer.status().text());
  const auto seen = answer.pictures();
  REQUIRE(seen.size() == 2);
  CHECK(seen[0].region.x == 0);
  CHECK(seen[0].region.width == seen[0].width);
  CHECK(seen[1].width == seen[0].width);
  CHECK(seen[1].height == seen[0].height);
  CHECK(seen[1].region.x == 64);
  CHECK(seen[1].region.y == 32);
  CHECK(seen[1].region.width == 64);
  CHECK(seen[1].high.content.width == 256);
  CHECK(seen[1].high.scale == doctest::Approx(4));
  CHECK(seen[1].grid == Grid{8, 8});
  CHECK(seen[0].high.background == test::tiny_model().config().preprocess.high.background);
  CHECK(seen[1].map().token_at(64, 32) == 0);
  CHECK(seen[1].map().token_at(127.9, 95.9) == 63);
  CHECK(!seen[1].map().token_at(63, 40));
  const Box last = seen[1].map().box_of(63);
  CHECK(last.x + last.width == doctest::Approx(128));
  CHECK(last.y + last.height == doctest::Approx(96));
}

TEST_CASE("a region that is not within the picture is the answer's error, and names both") {
  Session session = test::open_session();
  Answer answer = session.ask(Picture(demo("002.png")).region({0, 0, 5000, 2}), "What is this?");
  CHECK(answer.status().code() == Code::bad_argument);
  CHECK(std::string(answer.status().text()).find("5000 x 2 pixels at (0, 0)") != std::string::npos);
  REQUIRE(answer.pictures().size() == 1);
  CHECK(!answer.pictures()[0].done);
  CHECK(session.ask(demo("002.png"), "What is this?").status().ok());
}

TEST_CASE("a region of a region is a part of the source, and a region that was seen is known again") {
  Session session = test::open_session();
  const Picture part = Picture(demo("002.png")).region({1, 2, 30, 40});
  CHECK(part.region({60, 70, 20, 10}).part()->x == 60);
  CHECK(!session.ask(part, "What is this?").pictures()[0].recognised);
  CHECK(session.ask(part, "And this?").pictures()[0].recognised);
  CHECK(!session.ask(demo("002.png"), "And this?").pictures()[0].recognised);
}
