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
