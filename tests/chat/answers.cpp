// What a user gets: the shipped model's answers, token by token as PyTorch's wherever its decision is not a coin toss.
#include "demo.hpp"

using namespace dsvl;

namespace {

constexpr double kLogitError = 1e-3;            // stored with four decimals
constexpr double kClearGap = 2 * kLogitError;   // logits that are within it of PyTorch's decide what is further apart

/// Runs an answer and compares it with an entry's prompt_ids, first_logits and reference_ids. Returns whether all ids agree.
bool compare(Answer& answer, json::Value want) {
  REQUIRE_MESSAGE(answer.status().ok(), answer.status().text());
  CHECK(test::ids(answer.prompt_ids()) == test::ids(want.find("prompt_ids")));
  const double error = test::first_logits_error(answer.logits(), want.find("first_logits"));
  CHECK(error < kLogitError);
  std::string shown;
  while (auto piece = answer.next()) shown += piece->text;
  CHECK(answer.status().ok());
  CHECK(answer.text() == shown);
  const bool same = test::ids(answer.ids()) == test::ids(want.find("reference_ids"));
  const double gap = want.find("smallest_top2_gap").number().value_or(0);
  if (gap > kClearGap) {
    CHECK_MESSAGE(same, "answered '" << shown << "', PyTorch '" << test::text(want.find("reference_text")) << "'");
    CHECK(test::strip(shown) == test::text(want.find("reference_text")));
    CHECK(answer.finish() == (test::ids(want.find("reference_ids")).back() == *test::tiny_model().tokenizer()->eos()
                                  ? Finish::eos : Finish::length));
  }
  return same;
}
bool compare(Answer&& answer, json::Value want) { return compare(answer, want); }

GenerateOptions up_to(json::Value want) {
  GenerateOptions options;
  options.max_tokens = static_cast<Index>(std::max<std::size_t>(want.find("reference_ids").size(), 1));
  return options;
}

const json::Document& more() { return test::json_file(test::data("tiny-vl/more.json")); }

}  // namespace

TEST_CASE("the 114 demo questions are answered as PyTorch answers them, 97 of them right") {
  const json::Value questions = test::json_file(test::tiny_vl() / "demo" / "questions.json").root();
  REQUIRE(questions.size() == 114);
  Session session = test::open_session();
  int right = 0, identical = 0;
  for (const json::Value q : questions) {
    const std::string question = test::text(q.find("question"));
    CAPTURE(question);
    session.clear();
    Answer answer = session.ask(test::demo_picture(q), question, up_to(q));
    identical += compare(answer, q);
    right += test::strip(std::string(answer.text())) == test::text(q.find("answer"));
  }
  CHECK(right == 97);
  CHECK(identical == 114);
}

TEST_CASE("conversations of several turns go on as PyTorch's, prefilling only what is new") {
  for (const json::Value conversation : more().root().find("multi_turn")) {
    Session session = test::open_session();
    bool first = true;
    for (const json::Value turn : conversation.find("turns")) {
      const std::string question = test::text(turn.find("question"));
      CAPTURE(question);
      Answer answer = first ? session.ask(test::demo_picture(conversation), question, up_to(turn))
                            : session.ask(question, up_to(turn));
      compare(answer, turn);
      CHECK((answer.usage().reused_tokens > 100) == !first);  // system text and picture
      first = false;
    }
  }
}

TEST_CASE("two pictures are seen in the order of their placeholders") {
  for (const json::Value entry : more().root().find("two_images")) {
    const std::string content = test::text(entry.find("content"));
    CAPTURE(content);
    std::vector<Picture> pictures;
    for (const json::Value name : entry.find("images")) pictures.emplace_back(test::tiny_vl() / "demo" / test::text(name));
    Session session = test::open_session();
    GenerateOptions options = up_to(entry);
    options.placeholders = true;
    compare(session.ask(pictures, content, options), entry);
  }
}

TEST_CASE("questions without a picture are answered as PyTorch answers them") {
  for (const json::Value entry : more().root().find("text_only")) {
    const std::string question = test::text(entry.find("question"));
    CAPTURE(question);
    Session session = test::open_session();
    compare(session.ask(question, up_to(entry)), entry);
  }
}

TEST_CASE("JPEG pictures give the reference's answers, though decoders differ by a few levels") {
  for (const json::Value entry : more().root().find("jpeg")) {
    const std::string question = test::text(entry.find("question"));
    CAPTURE(question);
    Session session = test::open_session();
    Answer answer = session.ask(test::data("tiny-vl/jpeg/" + test::text(entry.find("image"))), question, up_to(entry));
    while (answer.next()) {}
    CHECK(test::ids(answer.ids()) == test::ids(entry.find("reference_ids")));
  }
}
