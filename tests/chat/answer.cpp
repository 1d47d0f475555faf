// Handles: what an Answer and a Session still say when they were moved from, when the session went on, when nobody looked.
#include <filesystem>
#include <functional>
#include <optional>
#include <type_traits>

#include "health.hpp"
#include "trace.hpp"

using namespace dsvl;

namespace {

static_assert(!std::is_copy_constructible_v<Answer> && !std::is_copy_assignable_v<Answer>);
static_assert(!std::is_copy_constructible_v<Session> && !std::is_copy_assignable_v<Session>);
static_assert(std::is_nothrow_move_constructible_v<Answer> && std::is_nothrow_move_assignable_v<Answer>);
static_assert(std::is_nothrow_move_constructible_v<Session> && std::is_nothrow_move_assignable_v<Session>);

using test::first;

using test::brief;
GenerateOptions up_to(Index tokens) {
  GenerateOptions options;
  options.max_tokens = tokens;
  return options;
}

/// What a host's logger heard.
struct Heard {
  std::vector<std::string> warnings;
  Logger logger() {
    return {[](void* user, Level level, std::string_view text) {
              CHECK(level == Level::warning);
              static_cast<Heard*>(user)->warnings.emplace_back(text);
            },
            this};
  }
};

/// Neither crashes nor goes on, and says that it is empty.
void check_moved_from(Answer& answer) {
  CHECK(!answer.next());
  CHECK(!answer.step(std::chrono::milliseconds(1)));
  CHECK(answer.each([](const Piece&) { FAIL("a piece of nothing"); }).code() == Code::bad_argument);
  CHECK(answer.status().code() == Code::bad_argument);
  CHECK(std::string_view(answer.status().text()).find("moved from") != std::string_view::npos);
  CHECK(answer.finish() == Finish::error);
  CHECK(answer.usage().answer_tokens == 0);
  CHECK((answer.text().empty() && answer.ids().empty() && answer.prompt_ids().empty() && answer.logits().empty()));
  CHECK(answer.rewind(0, {}).code() == Code::bad_argument);
}

void check_moved_from(Session& session) {
  const std::vector<std::string_view> texts = {" Yes"};
  const std::vector<std::int32_t> ids = {1, 2};
  const auto picture = Picture::file(first().picture);
  const auto empty = [](Answer answer) { check_moved_from(answer); };
  empty(session.ask("What?"));
  empty(session.ask(picture, "What?"));
  empty(session.ask({picture, picture}, "What?"));
  empty(session.ask(std::vector<Picture>{picture}, "What?"));
  empty(session.start({&picture, 1}, "What?"));
  empty(session.complete({}, "What?"));
  empty(session.generate(ids, {}));
  for (const Status& status : {session.score({}, "What?", texts).error(), session.classify({}, "What?", texts).error(),
                               session.log_probabilities("What?").error(), session.fork().error(), session.rewind(0),
                               session.save(test::temporary("nothing"))})
    CHECK(status.code() == Code::bad_argument);
  session.clear();
  CHECK(session.turns() == 0);
  CHECK(session.context() == 0);
  CHECK(session.bytes() == 0);
}

}  // namespace

// --- moving -------------------------------------------------------------------------------------

TEST_CASE("an answer moves while it is going on and stays the same one; what it was moved from is empty") {
  Session session = test::open_session();
  Answer one = session.ask(first().picture, first().question);
  REQUIRE(one.next());
  Answer two = std::move(one);
  check_moved_from(one);
  REQUIRE(two.next());
  std::vector<Answer> kept;
  kept.push_back(std::move(two));
  check_moved_from(two);
  Session other = test::open_session(brief());
  for (int i = 0; i < 5; ++i) kept.push_back(other.ask("Hello?"));  // the vector grows, and its answers move
  CHECK(test::drain(kept[0]) == first().answer_ids);
  for (int i = 1; i < 5; ++i) CHECK(kept[static_cast<std::size_t>(i)].finish() == Finish::cancelled);
  CHECK(kept.back().finish() == Finish::none);
  Answer& last = kept.back();
  one = std::move(last);
  Answer& same = one;
  one = std::move(same);  // itself
  CHECK(one.next());
  one = session.ask("Why?");  // over one that is going on
  CHECK(one.status().ok());
  one = session.ask("And why?");  // over this session's own
  CHECK(one.next());
}

TEST_CASE("a session moves, with its answer going on; what it was moved from answers everything with an error") {
  Session session = test::open_session();
  Answer answer = session.ask(first().picture, first().question);
  REQUIRE(answer.next());
  Session moved = std::move(session);
  check_moved_from(session);
  CHECK(test::drain(answer) == first().answer_ids);
  CHECK(moved.turns() == 1);
  auto fork = moved.fork();
  REQUIRE(fork);
  Session own = std::move(*fork);
  check_moved_from(*fork);
  CHECK(own.turns() == 1);
  own = std::move(moved);  // over another
  check_moved_from(moved);
  CHECK(test::answers_first_question(own));
  const auto file = test::temporary("moved");
  REQUIRE(own.save(file).ok());
  auto loaded = Session::load(test::tiny_model(), file);
  std::filesystem::remove(file);
  REQUIRE(loaded);
  Session again = std::move(*loaded);
  check_moved_from(*loaded);
  CHECK(again.turns() == 1);
  session = std::move(again);  // into one that was moved from
  CHECK(test::answers_first_question(session));
}

TEST_CASE("answers and sessions go away in any order") {
  std::optional<Answer> answer, of_fork;
  {
    Session session = test::open_session();
    answer = session.ask(first().picture, first().question);
    REQUIRE(answer->next());
    auto fork = session.fork();
    REQUIRE(fork);
    of_fork = fork->ask("Why?");
  }
  CHECK(of_fork->next());
  of_fork.reset();
  CHECK(test::drain(*answer) == first().answer_ids);
  Session session = test::open_session();
  answer = session.ask("Hello?");
  answer.reset();  // in work
  CHECK(session.turns() == 0);
  CHECK(test::answers_first_question(session));
  answer = session.ask("Hello?");
  Session other = test::open_session();
  session = std::move(other);  // its own state stays with the answer
  CHECK(answer->next());
}

// --- after the end ------------------------------------------------------------------------------

TEST_CASE("an answer keeps its finish, status and usage when its session goes on, whichever way that is") {
  const std::vector<std::string_view> texts = {" Yes"};
  const std::vector<std::int32_t> ids = {1, 2};
  const std::vector<std::function<void(Session&)>> ways = {
      [](Session& s) { CHECK(s.ask("Why?").status().ok()); },
      [](Session& s) { CHECK(!s.ask("").status().ok()); },
      [](Session& s) { CHECK(s.start({}, "Why?").finish() == Finish::none); },
      [](Session& s) { CHECK(s.complete({}, "Why?").status().ok()); },
      [&](Session& s) { CHECK(s.generate(ids, {}).status().ok()); },
      [&](Session& s) { CHECK(s.score({}, "Why?", texts)); },
      [&](Session& s) { CHECK(s.classify({}, "Why?", texts)); },
      [](Session& s) { CHECK(s.log_probabilities("Why?")); },
      [](Session& s) { CHECK(s.rewind(0).ok()); },
      [](Session& s) { s.clear(); },
  };
  Session session = test::open_session(brief());
  for (std::size_t way = 0; way < ways.size(); ++way)
    for (const Finish finish : {Finish::eos, Finish::length, Finish::error, Finish::cancelled}) {
      CAPTURE(way);
      CAPTURE(name(finish));
      session.clear();
      Answer answer = finish == Finish::error ? session.ask("\xFF")
                                              : session.ask(first().picture, first().question,
                                                            up_to(finish == Finish::length ? 2 : 512));
      if (finish == Finish::cancelled) CHECK(answer.next());  // and is left
      else while (answer.next()) {}
      CHECK(answer.finish() == (finish == Finish::cancelled ? Finish::none : finish));
      const Index tokens = answer.usage().answer_tokens;
      ways[way](session);
      CHECK(answer.finish() == finish);
      CHECK(answer.status().code() == (finish == Finish::error       ? Code::bad_text
                                       : finish == Finish::cancelled ? Code::cancelled
                                                                     : Code::ok));
      CHECK(answer.usage().answer_tokens == tokens);
      CHECK((answer.text().empty() && answer.ids().empty() && answer.prompt_ids().empty() && answer.logits().empty()));
      CHECK(!answer.next());
      CHECK(answer.rewind(0, {}).code() == Code::bad_argument);
    }
}

TEST_CASE("an answer that could not begin shows nothing of the one before") {
  Session session = test::open_session();
  CHECK(test::drain(session.ask(first().picture, first().question)) == first().answer_ids);
  const std::vector<std::int32_t> outside = {1 << 20};
  const std::string novel(3000, 'x');
  for (int way = 0; way < 5; ++way) {
    CAPTURE(way);
    Answer said = session.ask("Why?");
    test::drain(said);
    REQUIRE(!said.text().empty());
    Answer answer = way == 0   ? session.ask("")
                    : way == 1 ? session.ask("\xFF")
                    : way == 2 ? session.generate(outside, {})
                    : way == 3 ? session.ask(novel)
                               : session.ask("Why?", up_to(0));
    CHECK(answer.finish() == Finish::error);
    CHECK((answer.text().empty() && answer.ids().empty() && answer.prompt_ids().empty() && answer.logits().empty()));
    CHECK(session.rewind(1).ok());
  }
}

TEST_CASE("an answer that fails midway keeps what was said until then, and the conversation is what it was before") {
  Session session = test::open_session(brief());
  test::drain(session.ask(first().picture, first().question));
  Answer answer = session.ask("Which bar is the tallest?");
  REQUIRE(answer.next());
  REQUIRE(answer.next());
  SamplerOptions none;
  for (std::int32_t id = 0; id < static_cast<std::int32_t>(test::tiny_model().info().vocab); ++id) none.banned.push_back(id);
  REQUIRE(answer.rewind(2, none).ok());
  CHECK(!answer.next());
  CHECK(answer.finish() == Finish::error);
  CHECK(answer.status().code() == Code::bad_argument);
  CHECK(answer.ids().size() == 2);
  CHECK(!answer.text().empty());
  CHECK(session.turns() == 1);
  Session same = test::open_session(brief());
  test::drain(same.ask(first().picture, first().question));
  CHECK(test::trace(session.ask("Which bar is the tallest?")) == test::trace(same.ask("Which bar is the tallest?")));
}

TEST_CASE("going back to a turn that is not there leaves the answer in work alone") {
  Session session = test::open_session();
  Answer answer = session.ask(first().picture, first().question);
  REQUIRE(answer.next());
  CHECK(session.rewind(1).code() == Code::bad_argument);
  CHECK(test::drain(answer) == first().answer_ids);
  CHECK(session.turns() == 1);
}

// --- errors that nobody looks at ----------------------------------------------------------------

TEST_CASE("an error that nobody looked at is a warning of the session's logger, once; one that was looked at is none") {
  Heard heard;
  SessionOptions options = brief();
  options.host.log = heard.logger();
  Session session = test::open_session(options);
  const auto expect = [&](const char* what, std::size_t warnings) {
    CAPTURE(what);
    CHECK(heard.warnings.size() == warnings);
    for (const std::string& text : heard.warnings) CHECK(text.find("the question is empty") != std::string::npos);
    heard.warnings.clear();
  };
  { Answer answer = session.ask(""); }
  expect("left alone", 1);
  {
    Answer answer = session.ask("");
    while (answer.next()) {}
    CHECK(answer.text().empty());
    CHECK(answer.usage().answer_tokens == 0);
    Answer moved = std::move(answer);
    expect("moved, and still there", 0);
    Answer next = session.ask("Hello?");  // its handle still has the error, to be looked at
    expect("still there behind another answer", 0);
    CHECK(next.status().ok());
  }
  expect("asked for tokens only", 1);
  Answer over = session.ask("");
  over = session.ask("Hello?");
  expect("assigned over", 1);
  { CHECK(session.ask("").status().code() == Code::bad_argument); }
  { CHECK(session.ask("").finish() == Finish::error); }
  { CHECK(!session.ask("").each([](const Piece&) {}).ok()); }
  {
    Answer answer = session.ask("");
    Answer next = session.ask("Hello?");
    CHECK(answer.finish() == Finish::error);
  }
  expect("looked at", 0);
  CHECK(!session.score({}, "", {}));
  expect("a score's, which its Result has", 0);
  CancelToken token;
  token.cancel();
  GenerateOptions cancelled;
  cancelled.cancel = &token;
  { Answer answer = session.ask("Hello?", cancelled); }
  expect("cancelled", 0);
  { Answer answer = session.ask("Hello?"); }
  expect("left in work", 0);
  std::optional<Answer> outlives;
  {
    Session gone = test::open_session(options);
    outlives = gone.ask("");
  }
  outlives.reset();
  expect("of a session that is gone", 1);
}

TEST_CASE("an answer that was well when somebody looked and failed afterwards is reported") {
  Heard heard;
  SessionOptions options = brief();
  options.host.log = heard.logger();
  Session session = test::open_session(options);
  {
    SamplerOptions none;
    for (std::int32_t id = 0; id < 576; ++id) none.banned.push_back(id);
    Answer answer = session.ask("Hello?");
    CHECK(answer.status().ok());
    CHECK(answer.finish() == Finish::none);
    REQUIRE(answer.rewind(0, none).ok());
    CHECK(!answer.next());
  }
  REQUIRE(heard.warnings.size() == 1);
  CHECK(heard.warnings[0].find("no token to choose") != std::string::npos);
}

// --- logits, and going back ---------------------------------------------------------------------

namespace {

/// Before the first token, then behind each: the logits it was chosen from.
test::Trace logits_of(Answer answer) {
  test::Trace out = test::trace(answer);
  REQUIRE(out.ids.size() > 4);
  return out;
}

}  // namespace

TEST_CASE("logits are those that the last token was chosen from, the same bits with drafts and without") {
  const auto picture = Picture::file(test::tiny_vl() / "demo" / "002.png");
  Session session = test::open_session();
  for (const float temperature : {0.0f, 0.7f}) {
    GenerateOptions options = up_to(40);
    options.sampling.temperature = temperature;
    options.sampling.seed = 5;
    session.clear();
    const test::Trace plain = logits_of(session.ask(picture, "Describe the image.", options));
    session.clear();
    Answer once = session.ask(picture, "Describe the image.", options);
    test::drain(once);
    const std::string text = " " + std::string(once.text());
    for (const Index draft : {1, 3, 7}) {
      CAPTURE(temperature);
      CAPTURE(draft);
      options.draft = draft;
      options.draft_text = text;
      session.clear();
      Answer answer = session.ask(picture, "Describe the image.", options);
      CHECK(logits_of(std::move(answer)) == plain);
    }
    CHECK(session.turns() == 1);
  }
}

TEST_CASE("a greedy token is the largest of the logits that are there behind it, drafted or not") {
  Session session = test::open_session();
  GenerateOptions options = up_to(40);
  options.draft = 7;
  for (int round = 0; round < 2; ++round) {  // the second finds its answer drafted
    session.clear();
    Answer answer = session.ask(test::tiny_vl() / "demo" / "002.png", "Describe the image.", options);
    while (const auto piece = answer.next()) {
      const auto logits = answer.logits();
      if (logits.empty()) break;  // over
      CHECK(std::max_element(logits.begin(), logits.end()) - logits.begin() == piece->id);
    }
    CHECK((answer.usage().accepted > 5) == (round == 1));
  }
}

TEST_CASE("an answer that goes back has no logits until the next token, nor while a step is under way") {
  Session session = test::open_session();
  Answer answer = session.start({}, "Describe the image.");
  CHECK(answer.logits().empty());
  for (int i = 0; i < 5; ++i) REQUIRE(answer.next());
  const auto chosen = [&] { return std::vector<float>(answer.logits().begin(), answer.logits().end()); };
  const std::vector<float> fifth = chosen();
  CHECK(!fifth.empty());
  REQUIRE(answer.rewind(4, {}).ok());
  CHECK(answer.logits().empty());
  REQUIRE(answer.next());
  CHECK(chosen() == fifth);
  REQUIRE(answer.rewind(5, {}).ok());  // nothing goes
  CHECK(chosen() == fifth);
}

TEST_CASE("an answer that goes back goes on with the options it is given: the same ones repeat, others choose anew") {
  const auto picture = Picture::file(test::tiny_vl() / "demo" / "002.png");
  Session session = test::open_session();
  GenerateOptions options = up_to(20);
  options.sampling.temperature = 1.5f;
  options.sampling.seed = 7;
  options.sampling.repetition_penalty = 1.1f;
  const auto ask = [&](const SamplerOptions& sampling) {
    GenerateOptions with = options;
    with.sampling = sampling;
    session.clear();
    return session.ask(picture, "Describe the image.", with);
  };
  const auto want = test::drain(ask(options.sampling));
  REQUIRE(want.size() > 8);
  SamplerOptions other_seed = options.sampling, greedy, banned = options.sampling, biased = options.sampling;
  other_seed.seed = 8;
  banned.banned = {want[4]};
  biased.bias = {{77, 1000.0f}};

  for (const Index draft : {0, 5}) {
    options.draft = draft;
    const auto after = [&](const SamplerOptions& sampling) {
      Answer answer = ask(options.sampling);
      for (int i = 0; i < 8; ++i) REQUIRE(answer.next());
      REQUIRE(answer.rewind(4, sampling).ok());
      const auto ids = test::drain(answer);
      CHECK(std::equal(want.begin(), want.begin() + 4, ids.begin()));
      return std::vector<std::int32_t>(ids.begin() + 4, ids.end());
    };
    const std::vector<std::int32_t> rest(want.begin() + 4, want.end());
    CHECK(after(options.sampling) == rest);
    CHECK(after(other_seed) != rest);
    CHECK(after(greedy) == after(greedy));
    CHECK(after(banned)[0] != want[4]);
    CHECK(after(biased) == std::vector<std::int32_t>(16, 77));
  }

  // What goes back to its beginning is what would have been asked with these options, and so is what has not begun.
  const auto from_new = test::drain(ask(other_seed));
  Answer answer = ask(options.sampling);
  REQUIRE(answer.rewind(0, other_seed).ok());
  CHECK(test::drain(answer) == from_new);
  Answer later = ask(options.sampling);
  for (int i = 0; i < 3; ++i) REQUIRE(later.next());
  REQUIRE(later.rewind(0, other_seed).ok());
  CHECK(test::drain(later) == from_new);
}

TEST_CASE("options out of their range do not go back, and change nothing") {
  Session session = test::open_session();
  Answer answer = session.ask(first().picture, first().question);
  REQUIRE(answer.next());
  REQUIRE(answer.next());
  SamplerOptions wrong;
  wrong.temperature = -1;
  CHECK(answer.rewind(1, wrong).code() == Code::bad_argument);
  wrong = {};
  wrong.banned = {1 << 20};
  CHECK(answer.rewind(1, wrong).code() == Code::bad_argument);
  CHECK(answer.rewind(3, {}).code() == Code::bad_argument);
  CHECK(answer.ids().size() == 2);
  CHECK(test::drain(answer) == first().answer_ids);
}
