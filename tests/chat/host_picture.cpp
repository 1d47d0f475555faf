// Pictures that the application decodes.
#include "demo.hpp"

using namespace dsvl;

namespace {

/// A decoder of files that begin with "MINE": it gives `pixels`, or the error it is told to give.
struct Mine {
  std::vector<std::uint8_t> bgra;
  Pixels pixels;
  Status error;
  bool silent = false;
  int calls = 0;
  std::string kind;

  explicit Mine(const Image& image) {
    for (std::size_t i = 0; i < image.rgb.size(); i += 3)
      bgra.insert(bgra.end(), {image.rgb[i + 2], image.rgb[i + 1], image.rgb[i], 0});
    pixels = Pixels{bgra.data(), image.width, image.height, PixelFormat::bgra, 0};
  }
  [[nodiscard]] PictureDecoder decoder() {
    return {[](void* user, std::span<const std::byte> file, std::string_view name, PictureDecoder::Give give) -> Status {
              Mine& self = *static_cast<Mine*>(user);
              ++self.calls;
              self.kind = name;
              if (file[0] != std::byte{'M'}) return fail(Code::unsupported, "not mine");
              if (!self.error.ok() || self.silent) return self.error;
              const Status taken = give(self.pixels);
              std::fill(self.bgra.begin(), self.bgra.end(), std::uint8_t{0});  // nobody may look at them any more
              return taken;
            },
            this};
  }
};

Image demo_image() {
  auto image = read_image(test::tiny_vl() / "demo" / "000.png");
  if (!image) FAIL(image.error().text());
  return std::move(*image);
}
using test::bytes_of;

const std::string kFile = "MINE, all mine";
const char* const kQuestion = "Which bar is the tallest?";

}  // namespace

TEST_CASE("a picture of the application's own format is answered as its pixels are, and they are not kept") {
  const Image image = demo_image();
  Session plain = test::open_session();
  const std::string expected(plain.ask(Picture(image.pixels()), kQuestion).text());
  Mine mine(image);
  SessionOptions options;
  options.host.decode_picture = mine.decoder();
  Session session = test::open_session(options);
  Answer answer = session.ask(Picture::bytes(bytes_of(kFile)), kQuestion);
  REQUIRE_MESSAGE(answer.status().ok(), answer.status().text());
  CHECK(std::string(answer.text()) == expected);
  CHECK(mine.calls == 1);
  CHECK(mine.kind.empty());
  CHECK(answer.pictures()[0].width == image.width);
}

TEST_CASE("PNG and JPEG files do not reach the application's decoder, and the model's is the session's") {
  Mine mine(demo_image());
  LoadOptions load;
  load.host.decode_picture = mine.decoder();
  auto model = Model::load(test::tiny_vl(), load);
  REQUIRE(model);
  Session session = test::open_session({}, *model);
  CHECK(session.ask(test::tiny_vl() / "demo" / "000.png", kQuestion).status().ok());
  CHECK(session.ask(test::data("tiny-vl/jpeg/004.jpg"), kQuestion).status().ok());
  CHECK(mine.calls == 0);
  CHECK(session.ask(Picture::bytes(bytes_of(kFile)), kQuestion).status().ok());
  CHECK(mine.calls == 1);
}

TEST_CASE("a session's background lies behind the alpha of a decoder's pixels, and pixels that are handed over name their own") {
  const Image image = demo_image();
  Mine mine(image);
  for (std::size_t i = 3; i < mine.bgra.size() / 2; i += 4) mine.bgra[i] = 255;  // the lower half stays transparent
  const std::vector<std::uint8_t> kept = mine.bgra;
  Pixels pixels = mine.pixels;
  pixels.data = kept.data();
  const auto logits = [](Session& session, const Picture& picture) {
    const Answer answer = session.ask(picture, kQuestion);
    return std::vector<float>(answer.logits().begin(), answer.logits().end());
  };
  SessionOptions options;
  options.host.decode_picture = mine.decoder();
  Session plain = test::open_session(options);
  pixels.background = {{10, 20, 30}};
  const std::vector<float> upon = logits(plain, pixels);
  pixels.background.reset();
  const std::vector<float> dropped = logits(plain, pixels);
  CHECK(upon != dropped);
  options.background = {{10, 20, 30}};
  Session session = test::open_session(options);
  CHECK(logits(session, Picture::bytes(bytes_of(kFile))) == upon);
  CHECK(logits(session, pixels) == dropped);
  CHECK(logits(plain, Picture::bytes(bytes_of(kFile))) != upon);
}

TEST_CASE("what the application's decoder says is the answer's error, and the session goes on") {
  Mine mine(demo_image());
  SessionOptions options;
  options.host.decode_picture = mine.decoder();
  options.limits.picture_pixels = 200 * 200;
  Session session = test::open_session(options);
  const auto error = [&](const std::string& file) {
    Answer answer = session.ask(Picture::bytes(bytes_of(file)), kQuestion);
    CHECK(!answer.status().ok());
    return std::string(name(answer.status().code())) + ": " + answer.status().text();
  };
  const auto has = [](const std::string& text, std::string_view part) {
    if (text.find(part) == std::string::npos) MESSAGE(text);
    return text.find(part) != std::string::npos;
  };
  mine.error = fail(Code::bad_file, "mine, but torn");
  CHECK(error(kFile) == "bad_file: picture: mine, but torn");
  mine.error = Status();
  mine.silent = true;
  CHECK(has(error(kFile), "gave no picture"));
  mine.silent = false;
  mine.pixels.stride = 3;
  CHECK(has(error(kFile), "a stride of 3 bytes"));
  mine.pixels.stride = 0;
  CHECK(has(error(kFile), "limit: picture: 256 x 206 pixels are more than is accepted"));
  CHECK(has(error("RIFF    WEBPVP8 and so on, as long as it has to be"), "is a WebP picture"));
  CHECK(mine.kind == "a WebP picture");
  CHECK(has(error("what is this"), "nor one that the application's decoder knows"));
  CHECK(session.ask("How many sides does a triangle have?").status().ok());
}
