// What an answer says it saw of its pictures.
#include "demo.hpp"

using namespace dsvl;

namespace {

/// A picture of one colour that is not in the model's folder.
struct Plain {
  std::vector<std::uint8_t> bytes;
  Index width, height;
  Plain(Index w, Index h, std::uint8_t level)
      : bytes(static_cast<std::size_t>(w * h * 3), level), width(w), height(h) {}
  [[nodiscard]] Picture picture() const { return Pixels{bytes.data(), width, height, PixelFormat::rgb, 0}; }
};

/// A JPEG file with EXIF data that name orientation 6: to be turned a quarter.
std::string photo_on_its_side() {
  std::string file = test::read_file(test::data("tiny-vl/jpeg/000.jpg"));
  static constexpr char kExif[] = "\xFF\xE1\x00\x22" "Exif\0\0" "MM\0\x2A\0\0\0\x08"
                                  "\0\x01" "\x01\x12\0\x03\0\0\0\x01\0\x06\0\0" "\0\0\0\0";
  return file.insert(2, kExif, sizeof kExif - 1);
}

using test::demo;

}  // namespace

TEST_CASE("an answer says of each picture how large it was, how it was scaled and padded, and its tokens") {
  Session session = test::open_session();
  const Plain wide(300, 100, 90), tall(50, 200, 200);
  Answer answer = session.ask(std::vector<Picture>{wide.picture(), tall.picture()}, "What are these?");
  REQUIRE_MESSAGE(answer.status().ok(), answer.status().text());
  const auto seen = answer.pictures();
  REQUIRE(seen.size() == 2);
  for (const SeenPicture& s : seen) {
    CHECK(s.done);
    CHECK(!s.recognised);
    CHECK(s.orientation == 1);
    CHECK(!s.turned);
    CHECK(s.tokens == test::tiny_model().info().image_tokens);
    CHECK(s.high.side == 256);
    CHECK(s.low.side == 128);
    CHECK(s.low_from_high);
    CHECK(s.low.content.width == 128);
    CHECK(s.low.content.height == 128);
  }
  CHECK(seen[0].width == 300);
  CHECK(seen[0].height == 100);
  CHECK(seen[0].high.content.width == 256);  // 300 x 100 in a square of 256
  CHECK(seen[0].high.content.height == 85);
  CHECK(seen[0].high.content.x == 0);
  CHECK(seen[0].high.content.y == 85);  // of 171 rows of margin the odd one is below
  CHECK(seen[1].high.content.width == 64);
  CHECK(seen[1].high.content.height == 256);
  CHECK(seen[1].high.content.x == 96);
}

TEST_CASE("a picture that was recognised is seen too, and said to be known") {
  Session session = test::open_session();
  const Plain plain(120, 80, 33);
  CHECK(!session.ask(plain.picture(), "What is this?").pictures()[0].recognised);
  Answer again = session.ask(plain.picture(), "And this?");
  REQUIRE(again.pictures().size() == 1);
  CHECK(again.pictures()[0].recognised);
  CHECK(again.pictures()[0].done);
  CHECK(again.pictures()[0].width == 120);
  CHECK(again.usage().encode == 0);
  Answer twice = session.ask(std::vector<Picture>{demo("001.png"), demo("001.png")}, "And these?");
  REQUIRE(twice.pictures().size() == 2);
  CHECK(!twice.pictures()[0].recognised);
  CHECK(twice.pictures()[1].recognised);
}

TEST_CASE("when a picture is the error, it is the last that was seen, and not done") {
  Session session = test::open_session();
  const std::string broken = test::read_file(demo("002.png")).substr(0, 900);
  const std::vector<Picture> pictures{demo("001.png"), std::as_bytes(std::span(broken)), demo("003.png")};
  Answer answer = session.ask(pictures, "What are these?");
  CHECK(answer.status().code() == Code::bad_file);
  REQUIRE(answer.pictures().size() == 2);
  CHECK(answer.pictures()[0].done);
  CHECK(!answer.pictures()[1].done);
  CHECK(answer.pictures()[1].width == 0);
}

TEST_CASE("a question without pictures, or one that is refused, has seen none") {
  Session session = test::open_session();
  CHECK(session.ask(demo("001.png"), "What is this?").pictures().size() == 1);
  CHECK(session.ask("And what colour is it?").pictures().empty());
  CHECK(session.ask(demo("001.png"), "What is this?").pictures().size() == 1);
  CHECK(session.ask(demo("001.png"), "\xFF").pictures().empty());
}

TEST_CASE("an answer says what a photo's EXIF data name, and whether it was turned so") {
  const std::string photo = photo_on_its_side();
  for (const bool upright : {false, true}) {
    SessionOptions options;
    options.apply_exif_orientation = upright;
    Session session = test::open_session(options);
    Answer answer = session.ask(Picture(std::as_bytes(std::span(photo))), "What is this?");
    REQUIRE_MESSAGE(answer.status().ok(), answer.status().text());
    CHECK(answer.pictures()[0].orientation == 6);
    CHECK(answer.pictures()[0].turned == upright);
    CHECK((answer.pictures()[0].width < answer.pictures()[0].height) == upright);
    CHECK(answer.pictures()[0].high.content.width == (upright ? 206 : 256));
  }
}
