// Prompts that do not fit: refused with their number of tokens, and told apart from a host without memory.
#include "health.hpp"
#include "memory.hpp"

using namespace dsvl;

namespace {

/// Tokens of a text behind the begin of sentence.
std::size_t tokens_of(const std::string& text) {
  const Tokenizer& t = *test::tiny_model().tokenizer();
  Buffer<std::int32_t> ids;
  REQUIRE(t.encode(text, ControlTokens::as_text, ids).ok());
  return ids.size() + (t.bos() ? 1 : 0);
}

}  // namespace

TEST_CASE("a prompt that is too long is refused with the number of its tokens, however long it is") {
  SessionOptions options;
  options.limits.context = 700;
  Session session = test::open_session(options);
  const std::vector<std::uint8_t> rgb(32 * 32 * 3);
  const Picture picture(Pixels{rgb.data(), 32, 32, PixelFormat::rgb, 0});
  for (const std::size_t words : {800, 1500, 20000}) {
    std::string text;
    for (std::size_t i = 0; i < words; ++i) text += i % 7 ? " red" : " 7 and";
    for (const std::size_t pictures : {0, 1}) {
      const Status status = session.complete(std::span(&picture, pictures), text).status();
      CHECK(status.code() == Code::limit);
      const std::size_t tokens =
          tokens_of(text) + pictures * static_cast<std::size_t>(test::tiny_model().info().image_tokens);
      const std::string want = "the prompt takes " + std::to_string(tokens) + " tokens, the context holds 700";
      CHECK_MESSAGE(std::string(status.text()).find(want) != std::string::npos, status.text());
    }
  }
  CHECK(test::answers_first_question(session));
}

TEST_CASE("a host without memory for encoding a text is told apart from a context that is full") {
  test::CountingAllocator memory;
  SessionOptions options;
  options.host.allocator = &memory;
  options.limits.context = 700;
  options.limits.text_bytes = 700;
  Session session = test::open_session(options);
  const std::string word(200000, 'x');  // one piece, which takes more memory to encode than was planned
  memory.refuse_from = memory.requests.load();
  CHECK(session.complete({}, word).status().code() == Code::out_of_memory);
  memory.refuse_from = -1;
  CHECK(session.complete({}, word).status().code() == Code::limit);
  CHECK(test::answers_first_question(session));
}
