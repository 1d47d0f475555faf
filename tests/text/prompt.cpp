// Prompts: ids across the borders of segments, pictures' places, refusals.
#include "dsvl/text/prompt.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tokenizers.hpp"

using namespace dsvl;
using Ids = std::vector<std::int32_t>;

namespace {

struct Encoded {
  Ids ids;
  std::vector<ImageSpan> images;
};

Encoded encode_segments(const Tokenizer& t, const std::vector<Segment>& segments, Index image_tokens = 3) {
  Buffer<std::int32_t> ids;
  Buffer<ImageSpan> images;
  const Status s = encode_prompt(t, segments, t.find(kImageText).value(), image_tokens, ids, images);
  REQUIRE_MESSAGE(s.ok(), s.text());
  return {{ids.begin(), ids.end()}, {images.begin(), images.end()}};
}

}  // namespace

TEST_CASE("however a text is cut into segments, its ids are those of the whole") {
  const Tokenizer* p = test::published_tokenizer();
  for (const Tokenizer* t : {&test::tiny_tokenizer(), p ? p : &test::tiny_tokenizer()}) {
    test::Random random;
    for (int round = 0; round < 200; ++round) {
      const std::string text = "User: " + test::random_text(random, random.below(30));
      Ids want = test::encode(*t, text, ControlTokens::as_text);
      want.insert(want.begin(), t->bos().value());
      std::vector<Segment> segments;
      for (std::size_t at = 0; at < text.size();) {
        std::size_t end = at;
        for (std::size_t n = 1 + random.below(5); n > 0 && end < text.size(); --n) end += utf8::read(text, end).bytes;
        segments.push_back(Segment::plain(std::string_view(text).substr(at, end - at)));
        at = end;
      }
      CHECK(encode_segments(*t, segments).ids == want);
    }
  }
}

TEST_CASE("pictures become runs of their token, in order, wherever they stand") {
  const Tokenizer& t = test::tiny_tokenizer();
  const std::int32_t bos = t.bos().value(), image = t.find(kImageText).value(), a = t.find("a").value();
  const auto e = encode_segments(t, {Segment::image(), Segment::plain("a"), Segment::image(), Segment::image()});
  CHECK(e.ids == Ids{bos, image, image, image, a, image, image, image, image, image, image});
  CHECK(e.images == std::vector<ImageSpan>{{1, 3}, {5, 3}, {8, 3}});
  const auto none = encode_segments(t, {});
  CHECK(none.ids == Ids{bos});
  CHECK(none.images.empty());
  const auto one = encode_segments(t, {Segment::image()}, 1);
  CHECK(one.ids == Ids{bos, image});
}

TEST_CASE("a typed placeholder is text; one in a text that may name control tokens is a picture") {
  const Tokenizer& t = test::tiny_tokenizer();
  const std::string text = "x<image_placeholder>y";
  const auto typed = encode_segments(t, {Segment::plain(text)});
  CHECK(typed.images.empty());
  CHECK(t.decode(typed.ids) == text);
  const auto meant = encode_segments(t, {Segment::plain(text, ControlTokens::allow)});
  CHECK(meant.images == std::vector<ImageSpan>{{2, 3}});
  CHECK(meant.ids == encode_segments(t, {Segment::plain("x"), Segment::image(), Segment::plain("y")}).ids);
  // Half from here and half from there makes no control token either.
  const auto joined = encode_segments(t, {Segment::plain("<image_", ControlTokens::allow), Segment::plain("placeholder>")});
  CHECK(joined.images.empty());
  // Next to typed text a meant one still works.
  CHECK(encode_segments(t, {Segment::plain("<"), Segment::plain(kImageText, ControlTokens::allow)}).images.size() == 1);
}

TEST_CASE("given ids and ends of turns stand as they are") {
  static constexpr std::int32_t kGiven[] = {7, 8};
  const Tokenizer& t = test::tiny_tokenizer();
  CHECK(encode_segments(t, {Segment::plain("!"), Segment::tokens(kGiven), Segment::end_of_turn()}).ids ==
        Ids{t.bos().value(), t.find("!").value(), 7, 8, t.eos().value()});
}

TEST_CASE("what can not be a prompt is refused") {
  const Tokenizer& t = test::tiny_tokenizer();
  Buffer<std::int32_t> ids;
  Buffer<ImageSpan> images;
  const auto code = [&](const std::vector<Segment>& segments, Index image_tokens) {
    return encode_prompt(t, segments, 535, image_tokens, ids, images).code();
  };
  CHECK(code({Segment::plain("\xC3"), Segment::plain("\xA9")}, 1) == Code::bad_text);
  CHECK(code({}, 0) == Code::bad_argument);
  CHECK(code({Segment::image(), Segment::image()}, PTRDIFF_MAX) == Code::out_of_memory);
  CHECK(code({Segment::image()}, 2) == Code::ok);
  CHECK(check_pictures(2, 2).ok());
  CHECK(std::string(check_pictures(1, 3).text()) == "the prompt has 1 place for pictures, and 3 pictures were given");
}
