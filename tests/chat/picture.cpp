// Picture: what converts to one and what does not, and what may be written where a session is asked.
#include <array>
#include <dsvl/chat/session.hpp>

#include "health.hpp"

using namespace dsvl;

namespace {

template <class... Arguments>
concept CanAsk = requires(Session& s, Arguments&&... arguments) { s.ask(std::forward<Arguments>(arguments)...); };

using Text = const char (&)[10];
using Path = std::filesystem::path;
using Bytes = std::span<const std::byte>;

// The question alone, or behind a picture that is no plain string.
static_assert(CanAsk<Text>);
static_assert(CanAsk<std::string>);
static_assert(CanAsk<Text, GenerateOptions>);
static_assert(CanAsk<Picture, Text>);
static_assert(CanAsk<Path, Text>);
static_assert(CanAsk<Bytes, Text>);
static_assert(CanAsk<Pixels, Text, GenerateOptions>);
static_assert(CanAsk<std::vector<Picture>, Text>);
static_assert(CanAsk<std::array<Picture, 2>, std::string>);

// Two texts say nothing of which is the picture: ask("photo.jpg", "What is this?") and the other way round.
static_assert(!CanAsk<Text, Text>);
static_assert(!CanAsk<std::string, std::string>);
static_assert(!CanAsk<std::string, Text, GenerateOptions>);
static_assert(!CanAsk<std::string_view, const char*>);
static_assert(!CanAsk<Text, Path>);
static_assert(!CanAsk<Text, Picture>);
static_assert(!CanAsk<Path>);

template <class From>
constexpr bool kConverts = std::is_convertible_v<From, Picture>;
static_assert(kConverts<Path> && kConverts<const Path&> && kConverts<Bytes> && kConverts<Pixels>);
static_assert(!kConverts<const char*> && !kConverts<std::string> && !kConverts<std::string_view>);
static_assert(!std::is_constructible_v<Picture, const char*> && !std::is_constructible_v<Picture, std::string>);

const Path* path_of(const Picture& picture) { return std::get_if<Path>(&picture.source()); }

}  // namespace

TEST_CASE("a question with default options in braces is a question, and lists of pictures may stand in braces") {
  Session session = test::open_session();
  CHECK(session.ask("How are you?", {}).status().ok());
  CHECK(session.ask({}, "How are you?").status().ok());
  CHECK(session.ask({}, "How are you?", {}).status().ok());
  const std::vector<std::uint8_t> gray(32 * 32, 90);
  const Pixels frame{gray.data(), 32, 32, PixelFormat::gray};
  const std::string file = test::FirstQuestion::get().picture.string();
  const auto images = [](Answer answer) {
    REQUIRE_MESSAGE(answer.status().ok(), answer.status().text());
    return std::count(answer.prompt_ids().begin(), answer.prompt_ids().end(), 535);
  };
  const auto ask = [&](auto&&... arguments) {
    session.clear();
    return images(session.ask(std::forward<decltype(arguments)>(arguments)...));
  };
  CHECK(ask(frame, "What is this?") == 64);
  CHECK(ask(std::array<Picture, 2>{frame, Picture::file(file)}, "What has changed?") == 128);
  CHECK(ask(std::vector<Picture>{frame}, "What is this?") == 64);
  session.clear();
  CHECK(images(session.ask({frame, Picture::file(file)}, "What has changed?")) == 128);
  session.clear();
  CHECK(images(session.ask({frame}, "What is this?")) == 64);
}

TEST_CASE("Picture::file takes paths, and text as UTF-8, whatever kind of text it is") {
  const std::string text = "Bilder/M\xC3\xA4rz.png";
  const Path path(u8"Bilder/M\u00E4rz.png");
  for (const Picture& picture : {Picture::file(text), Picture::file(std::string_view(text)), Picture::file(text.c_str()),
                                 Picture::file("Bilder/M\xC3\xA4rz.png"), Picture::file(path), Picture(path)}) {
    REQUIRE(path_of(picture));
    CHECK(*path_of(picture) == path);
  }
  CHECK(*path_of(Picture::file(std::string(text))) == path);  // which it owns
}

TEST_CASE("a question about a camera's NV12 frame is answered as about the RGB picture that OpenCV makes of it") {
  const std::filesystem::path file = test::data("frames/yuv.json");
  const auto& golden = test::json_file(file);
  const auto bytes = [&](const char* name) {
    std::vector<std::uint8_t> out;
    const auto rows = golden.root().find("frame").find(name);
    for (std::size_t y = 0; y < rows.size(); ++y)
      for (const std::int32_t value : test::ids(rows[y])) out.push_back(static_cast<std::uint8_t>(value));
    return out;
  };
  const auto nv12 = bytes("nv12"), rgb = bytes("opencv_rgb");
  REQUIRE(nv12.size() == 48);
  REQUIRE(rgb.size() == 96);
  const Pixels frame{nv12.data(), 8, 4, PixelFormat::nv12}, picture{rgb.data(), 8, 4, PixelFormat::rgb};
  struct Said { std::vector<float> logits; std::vector<std::int32_t> ids; };
  const auto ask = [](Session& session, const Pixels& pixels, bool known) {
    session.clear();
    Answer answer = session.ask(pixels, "What is this?");
    REQUIRE_MESSAGE(answer.status().ok(), answer.status().text());
    REQUIRE(answer.pictures().size() == 1);
    CHECK(answer.pictures()[0].recognised == known);
    CHECK(answer.pictures()[0].width == 8);
    Said said{{answer.logits().begin(), answer.logits().end()}, {}};
    said.ids = test::drain(answer);
    return said;
  };
  Session one = test::open_session(), other = test::open_session();  // two: each encodes what it is given
  const Said of_frame = ask(one, frame, false), of_picture = ask(other, picture, false);
  CHECK(!of_frame.logits.empty());
  CHECK(of_frame.logits == of_picture.logits);
  CHECK(of_frame.ids == of_picture.ids);

  // The same pixels are known in any format; other colours are another picture.
  CHECK(ask(one, picture, true).logits == of_frame.logits);
  const Pixels apart{.data = nv12.data(), .width = 8, .height = 4, .format = PixelFormat::nv12,
                     .chroma = {{nv12.data() + 32, 8}}};
  CHECK(ask(one, apart, true).logits == of_frame.logits);
  Pixels wide = frame;
  wide.matrix = ColorMatrix::bt709;
  CHECK(ask(one, wide, false).logits != of_frame.logits);
  wide.range = ColorRange::full;
  CHECK(ask(one, wide, false).logits != of_frame.logits);
  CHECK(ask(one, {nv12.data(), 8, 4, PixelFormat::nv21}, false).logits != of_frame.logits);
}

TEST_CASE("a picture with alpha is another one with a background, and one more with another") {
  Session session = test::open_session();
  const std::vector<std::uint8_t> rgba(40 * 30 * 4, 100);
  Pixels pixels{rgba.data(), 40, 30, PixelFormat::rgba};
  const auto known = [&] {
    session.clear();
    Answer answer = session.ask(pixels, "What is this?");
    REQUIRE_MESSAGE(answer.status().ok(), answer.status().text());
    return answer.pictures()[0].recognised;
  };
  CHECK_FALSE(known());
  pixels.background = {{255, 255, 255}};
  CHECK_FALSE(known());
  pixels.background = {{255, 255, 250}};
  CHECK_FALSE(known());
  CHECK(known());
  pixels.background.reset();
  CHECK(known());
}
