// Nothing of one question shows in another: not of another session's, not of other pictures', not of one that failed.
#include "health.hpp"
#include "trace.hpp"

using namespace dsvl;

namespace {

/// Everything an answer shows.
struct Shown {
  test::Trace trace;
  std::string text;
  bool operator==(const Shown&) const = default;
};
Shown shown(Answer answer) {
  Shown out{test::trace(answer), ""};
  out.text = answer.text();
  return out;
}

std::vector<Picture> pictures(int count) {
  std::vector<Picture> out;
  for (int i = 0; i < count; ++i) out.emplace_back(test::tiny_vl() / "demo" / ("00" + std::to_string(i) + ".png"));
  return out;
}

SessionOptions of_context(Index context) {
  SessionOptions options;
  options.system.clear();
  options.limits.context = context;
  return options;
}

}  // namespace

TEST_CASE("a picture question, another session's text, the same picture question again: equal bytes") {
  const test::FirstQuestion& q = test::FirstQuestion::get();
  Session a = test::open_session();
  const Shown first = shown(a.ask(q.picture, q.question));
  REQUIRE(first.trace.ids == q.answer_ids);
  Session b = test::open_session();
  auto c = a.fork();  // shares what was computed, and the place for pictures
  REQUIRE(c);
  c->clear();
  for (Session* other : {&b, &*c, &a}) {
    CHECK(shown(other->ask("What color is the sky? Tell me a story.")).text != first.text);
    for (Session* asked : {&a, &b, &*c}) {
      asked->clear();
      CHECK(shown(asked->ask(q.picture, q.question)) == first);
    }
    Session fresh = test::open_session();
    CHECK(shown(fresh.ask(q.picture, q.question)) == first);
  }
}

TEST_CASE("1 to 8 pictures fill the context to its end and are answered; one token more is an error that says what to do") {
  Session roomy = test::open_session(of_context(1024));
  for (int count = 1; count <= 8; ++count) {
    CAPTURE(count);
    const std::vector<Picture> all = pictures(count);
    roomy.clear();
    const Answer answer = roomy.ask(all, "What is this?");
    REQUIRE_MESSAGE(answer.status().ok(), answer.status().text());
    const std::vector<float> logits(answer.logits().begin(), answer.logits().end());
    const Index tokens = answer.usage().prompt_tokens;

    Session full = test::open_session(of_context(tokens));
    Answer last = full.ask(all, "What is this?");
    REQUIRE_MESSAGE(last.status().ok(), last.status().text());
    CHECK(std::equal(logits.begin(), logits.end(), last.logits().begin(), last.logits().end()));
    CHECK(last.next());  // the last token needs no room
    CHECK(!last.next());
    CHECK(last.finish() == Finish::context_full);

    Session tight = test::open_session(of_context(tokens - 1));
    const auto small = Picture::file(test::tiny_vl() / "demo" / "005.png");
    const Shown before = shown(tight.ask(small, "Hi"));
    tight.clear();
    const Answer refused = tight.ask(all, "What is this?");
    CHECK(refused.status().code() == Code::limit);
    CHECK(std::string_view(refused.status().text()).find("larger Limits::context") != std::string_view::npos);
    CHECK(tight.turns() == 0);
    CHECK(shown(tight.ask(small, "Hi")) == before);
  }
}

TEST_CASE("a conversation takes a picture a turn until the context ends, and goes on behind the one that was too many") {
  Session session = test::open_session(of_context(400));
  GenerateOptions few;
  few.max_tokens = 3;
  const std::vector<Picture> all = pictures(8);
  std::size_t taken = 0;
  Status status;
  for (; taken < all.size(); ++taken) {
    Answer answer = session.ask(all[taken], "And this?", few);
    status = answer.status();
    if (!status.ok()) break;
    while (answer.next()) {}
  }
  CHECK(taken >= 4);
  CHECK(taken < 8);
  CHECK(status.code() == Code::limit);
  CHECK(session.turns() == taken);
  CHECK(session.rewind(taken - 1).ok());
  const Shown again = shown(session.ask(all[taken], "And this?", few));
  Session fresh = test::open_session(of_context(400));
  for (std::size_t i = 0; i + 1 < taken; ++i) test::drain(fresh.ask(all[i], "And this?", few));
  CHECK(shown(fresh.ask(all[taken], "And this?", few)) == again);
}
