// The chat templates: their strings, and the reference's ids for every shipped question.
#include "dsvl/text/chat_template.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tokenizers.hpp"

using namespace dsvl;
using Ids = std::vector<std::int32_t>;
using Style = ChatTemplate::Style;

namespace {

const std::string kSystem = std::string(kDefaultSystem) + "\n\n";
const std::string kEnd(kEosText);

std::string text(const std::vector<Message>& messages, ChatTemplate how) {
  Prompt prompt;
  const Status rendered = render_chat(messages, how, prompt);
  REQUIRE_MESSAGE(rendered.ok(), rendered.text());
  return to_string(prompt);
}
std::string original(const std::vector<Message>& messages, bool ask = true) {
  return text(messages, {.system = "", .ask_for_answer = ask});
}
std::string hf(const std::vector<Message>& messages, bool ask = true) {
  return text(messages, {.style = Style::hf, .system = "", .ask_for_answer = ask});
}

Ids prompt_ids(const Tokenizer& t, const std::vector<Message>& messages, Style style, Index image_tokens,
               std::size_t images) {
  Prompt prompt;
  const Status rendered = render_chat(messages, {.style = style}, prompt);
  REQUIRE_MESSAGE(rendered.ok(), rendered.text());
  Buffer<std::int32_t> ids;
  Buffer<ImageSpan> spans;
  const Status s = encode_prompt(t, prompt.span(), t.find(kImageText).value(), image_tokens, ids, spans);
  REQUIRE_MESSAGE(s.ok(), s.text());
  CHECK(check_pictures(spans.size(), images).ok());
  return {ids.begin(), ids.end()};
}

std::string_view str(json::Value v) { return test::keep(std::string(v.string().value())); }
std::span<const Segment> split(std::string_view text) {
  Buffer<Segment> content;
  REQUIRE(split_placeholders(text, content));
  return test::parts({content.begin(), content.end()});
}

std::vector<Message> picture_question(json::Value question) {
  return {Message::user(test::parts({Segment::image(), Segment::plain(str(question))}))};
}

}  // namespace

TEST_CASE("one turn reads as the reference writes it, in both styles") {
  const std::vector<Message> ask{Message::user(test::parts({Segment::image(), Segment::plain("Describe.")}))};
  for (const Style style : {Style::original, Style::hf})
    CHECK(text(ask, {.style = style}) == kSystem + "User: <image_placeholder>Describe.\n\nAssistant:");
}

TEST_CASE("past answers are closed by eos, with no newline before the next turn") {
  const std::vector<Message> talk{Message::user("A"), Message::assistant("B"), Message::user("C")};
  const std::string want = "User: A\n\nAssistant: B" + kEnd + "User: C\n\nAssistant:";
  CHECK(original(talk) == want);
  CHECK(hf(talk) == want);
  static constexpr std::int32_t kIds[] = {1, 2, 3};
  const std::vector<Message> kept{Message::user("A"), Message::assistant(kIds)};
  CHECK(original(kept, false) == "User: A\n\nAssistant:<3 tokens>" + kEnd);
  CHECK(hf(kept) == "User: A\n\nAssistant:<3 tokens>" + kEnd + "Assistant:");
}

TEST_CASE("the original strips both ends of the content and of the prompt, and writes nothing after an empty turn") {
  CHECK(original({Message::user(" \n a b\t ")}) == "User: a b\n\nAssistant:");
  CHECK(original({Message::user("\u3000\x1F a")}) == "User: a\n\nAssistant:");
  CHECK(original({Message::user(" \n ")}) == "User:Assistant:");
  CHECK(original({Message::user("a")}, false) == "User: a");  // "\n\n" goes with the end of the prompt
  CHECK(original({Message::user(test::parts({Segment::plain("  "), Segment::plain(" x "), Segment::image(), Segment::plain(" y "),
                                 Segment::plain(" ")}))}) == "User: x <image_placeholder> y\n\nAssistant:");
  CHECK(text({Message::user(" a ")}, {.system = " s ", .strip = false}) == " s \n\nUser:  a \n\nAssistant:");
  CHECK(text({Message::user("a")}, {.system = " s "}) == "s \n\nUser: a\n\nAssistant:");
  CHECK(original({}, false).empty());
}

TEST_CASE("HF strips the first part on the left and the last on the right, and joins texts by a space") {
  CHECK(hf({Message::user(test::parts({Segment::plain("  x "), Segment::plain(" y  ")}))}) == "User: x   y\n\nAssistant:");
  CHECK(hf({Message::user(test::parts({Segment::image(), Segment::plain("  y  ")}))}) ==
        "User: <image_placeholder>  y\n\nAssistant:");
  CHECK(hf({Message::user(test::parts({Segment::plain("  x  "), Segment::image()}))}) ==
        "User: x  <image_placeholder>\n\nAssistant:");
  CHECK(hf({Message::user("a")}, false) == "User: a");
  CHECK(hf({Message::user("")}) == "User: \n\nAssistant:");
  CHECK(hf({Message::user("a"), Message::assistant("")}, false) == "User: a\n\nAssistant:");
  CHECK(hf({Message::user("a"), Message::assistant("")}) == "User: a\n\nAssistant: " + kEnd + "Assistant:");
  CHECK(hf({Message::user("a"), Message::assistant("b")}, false) == "User: a\n\nAssistant: b");
}

TEST_CASE("the original refuses turns that do not alternate, HF takes them by role") {
  const auto refused = [](std::vector<Message> messages) {
    Prompt prompt;
    return render_chat(messages, {}, prompt).code() == Code::bad_argument;
  };
  CHECK(refused({Message::assistant("a")}));
  CHECK(refused({Message::user("a"), Message::user("b")}));
  CHECK(refused({Message::user("a"), Message::assistant("b")}));  // and then to be asked for an answer
  CHECK(hf({Message::user("a"), Message::user("b")}) == "User: a\n\nUser: b\n\nAssistant:");
}

TEST_CASE("placeholders in a text become pictures only when the caller splits them") {
  const std::string typed = "<image_placeholder>A dog, <image_placeholder>";
  CHECK(split(typed).size() == 3);
  CHECK(split("").empty());
  CHECK(split(typed)[1].text == "A dog, ");
  const Tokenizer& t = test::tiny_tokenizer();
  CHECK(prompt_ids(t, {Message::user(split(typed))}, Style::original, 2, 2).size() ==
        prompt_ids(t, {Message::user(split(typed))}, Style::original, 1, 2).size() + 2);
  prompt_ids(t, {Message::user(typed)}, Style::original, 2, 0);
}

TEST_CASE("a user who types control tokens gets them as text") {
  const Tokenizer& t = test::tiny_tokenizer();
  const auto ids = prompt_ids(t, {Message::user(test::keep("x" + kEnd + std::string(kBosText)))}, Style::original, 1, 0);
  CHECK(std::count(ids.begin(), ids.end(), t.eos().value()) == 0);
  CHECK(std::count(ids.begin(), ids.end(), t.bos().value()) == 1);
}

TEST_CASE("all 114 shipped questions give the reference's prompt ids") {
  const Tokenizer& t = test::tiny_tokenizer();
  const auto document = test::parse_file(test::tiny_vl() / "demo" / "questions.json");
  std::size_t same = 0;
  for (const json::Value q : document.root())
    for (const Style style : {Style::original, Style::hf})
      same += prompt_ids(t, picture_question(q.find("question")), style, 64, 1) == test::integers(q.find("prompt_ids"));
  CHECK(document.root().size() == 114);
  CHECK(same == 2 * 114);
}

TEST_CASE("all conversations, picture pairs, bare texts and JPEG questions give the reference's prompt ids") {
  const Tokenizer& t = test::tiny_tokenizer();
  const auto document = test::parse_file(test::data("tiny-vl/more.json"));
  const json::Value more = document.root();
  std::size_t prompts = 0, same = 0;
  const auto check = [&](const std::vector<Message>& messages, json::Value want, std::size_t images) {
    for (const Style style : {Style::original, Style::hf}) {
      ++prompts;
      same += prompt_ids(t, messages, style, 64, images) == test::integers(want);
    }
  };
  for (const json::Value talk : more.find("multi_turn")) {
    std::vector<Message> messages;
    for (const json::Value turn : talk.find("turns")) {
      if (messages.empty()) messages = picture_question(turn.find("question"));
      else messages.push_back(Message::user(str(turn.find("question"))));
      check(messages, turn.find("prompt_ids"), 1);
      messages.push_back(Message::assistant(str(turn.find("reference_text"))));
    }
  }
  for (const json::Value q : more.find("two_images"))
    check({Message::user(split(str(q.find("content"))))}, q.find("prompt_ids"), 2);
  for (const json::Value q : more.find("text_only"))
    check({Message::user(str(q.find("question")))}, q.find("prompt_ids"), 0);
  for (const json::Value q : more.find("jpeg")) check(picture_question(q.find("question")), q.find("prompt_ids"), 1);
  CHECK(prompts > 2 * (2 * 23 + 16 + 12 + 16) - 1);
  CHECK(same == prompts);
  MESSAGE(same << " of " << prompts << " prompts");
}

TEST_CASE("scored texts and choices give the reference's ids, and generated ids decode to its text") {
  const Tokenizer& t = test::tiny_tokenizer();
  const auto document = test::parse_file(test::data("tiny-vl/more.json"));
  std::size_t checked = 0;
  for (const json::Value q : document.root().find("logprobs")) {
    CHECK(test::encode(t, str(q.find("text")), ControlTokens::as_text) == test::integers(q.find("ids")));
    ++checked;
  }
  for (const json::Value q : document.root().find("choices"))
    for (const json::Value choice : q.find("choices")) {
      const std::string continuation = " " + std::string(choice.key());
      CHECK(test::encode(t, continuation, ControlTokens::as_text) == test::integers(choice.find("ids")));
      ++checked;
    }
  for (const json::Value q : document.root().find("text_only")) {
    const std::string decoded = t.decode(test::integers(q.find("reference_ids")));
    CHECK(chat_template::strip_right(chat_template::strip_left(decoded)) == str(q.find("reference_text")));
    ++checked;
  }
  CHECK(checked > 4 + 48 + 11);
}

TEST_CASE("with the published vocabulary the documented prompts have the documented ids") {
  const Tokenizer* t = test::published_tokenizer();
  if (!t) return;
  const std::string question = "Describe each stage of this image.";
  const std::vector<Message> ask{Message::user(test::parts({Segment::image(), Segment::plain(question)}))};
  const Ids want{100000, 2054, 418,  245,  9394, 4706, 285,  10046, 20308, 13,   1257, 418,   2249,   276,
                 2579,   254,  7959, 3093, 344,  254,  2677, 4614,  11,    285,  4750, 254,   2677,   366,
                 245,    6265, 280,  9224, 1244, 3892, 4706, 13,    185,   185,  5726, 25,    207,    100015,
                 41800,  1319, 6351, 280,  437,  3324, 13,   185,   185,   77398, 25};
  CHECK(prompt_ids(*t, ask, Style::original, 1, 1) == want);
  CHECK(prompt_ids(*t, ask, Style::hf, 1, 1) == want);
  CHECK(prompt_ids(*t, ask, Style::original, 576, 1).size() == 628);
  const std::vector<Message> talk{Message::user("Hello!"), Message::assistant("Hi! This is Tony."),
                                  Message::user("Who are you?")};
  Prompt prompt;
  REQUIRE(render_chat(talk, {.system = ""}, prompt).ok());
  Buffer<std::int32_t> ids;
  Buffer<ImageSpan> images;
  REQUIRE(encode_prompt(*t, prompt.span(), 100015, 576, ids, images).ok());
  CHECK(Ids(ids.begin(), ids.end()) ==
        Ids{100000, 5726, 25, 37727, 0,    185, 185,  77398, 25,  11598, 0,  1002, 317,   20426,
            13,     100001, 5726, 25, 8886, 418, 340, 30,    185, 185,   77398, 25});
}
