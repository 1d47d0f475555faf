// Drafts and slices: other ways to the same tokens.
#include <chrono>
#include <random>

#include "health.hpp"

using namespace dsvl;

namespace {

std::filesystem::path picture(std::size_t k) {
  char name[16];
  std::snprintf(name, sizeof name, "%03zu.png", k % 48);
  return test::tiny_vl() / "demo" / name;
}
const char* const kQuestions[] = {"Describe the image.", "How many shapes are there?", "What does the text say?", "Which bar is the tallest?",
                                  "What is 2 + 3?",      "Who are you?",               "Repeat what you said.",   "The red circle. The red circle."};

struct Turn {
  std::optional<std::size_t> picture;
  std::string question;
  GenerateOptions options;
};

/// A conversation made at random: pictures or none, greedy or drawn, short or long.
std::vector<Turn> conversation(std::mt19937& random) {
  std::vector<Turn> turns(1 + random() % 3);
  for (Turn& t : turns) {
    if (random() % 2) t.picture = random() % 6;
    t.question = kQuestions[random() % std::size(kQuestions)];
    t.options.max_tokens = 1 + static_cast<Index>(random() % 24);
    if (random() % 2) {
      t.options.sampling.temperature = 0.3f + 0.2f * static_cast<float>(random() % 6);
      t.options.sampling.seed = random();
      if (random() % 2) t.options.sampling.top_p = 0.9f;
      if (random() % 2) t.options.sampling.repetition_penalty = 1.1f;
    }
  }
  return turns;
}

Answer begin(Session& session, const Turn& turn, const GenerateOptions& options, bool slices) {
  static std::vector<Picture> pictures;
  pictures.clear();
  if (turn.picture) pictures.emplace_back(picture(*turn.picture));
  return slices ? session.start(pictures, turn.question, options) : session.ask(pictures, turn.question, options);
}

struct Counts {
  Index drafted = 0, accepted = 0, passes = 0, tokens = 0;
};

/// Each conversation once plainly, and once with drafts, in slices, behind a fork, and after going back: the same ids.
Counts check_conversations(int count, unsigned seed) {
  std::mt19937 random(seed), timing(seed);  // how long slices are is no part of what is said
  Session plain = test::open_session(), other = test::open_session();
  Counts counts;
  for (int c = 0; c < count; ++c) {
    CAPTURE(c);
    plain.clear(), other.clear();
    for (const Turn& turn : conversation(random)) {
      const auto want = test::drain(begin(plain, turn, turn.options, false));
      GenerateOptions options = turn.options;
      options.draft = static_cast<Index>(random() % 8);
      if (random() % 3 == 0) options.draft_text = "There are 3 shapes. The red circle.";
      const bool slices = random() % 2;
      Answer answer = begin(other, turn, options, slices);
      const bool back = random() % 4 == 0;
      while (answer.finish() == Finish::none && answer.status().ok()) {
        slices ? answer.step(std::chrono::microseconds(timing() % 2000)) : answer.next();
        if (back && answer.ids().size() == 6 && timing() % 2 && answer.finish() == Finish::none) {
          const Status went = answer.rewind(timing() % 6, options.sampling);
          static_cast<void>(went);  // a pass under way can not go back
        }
      }
      CHECK(test::ids(answer.ids()) == want);
      const Usage u = answer.usage();
      counts.drafted += u.drafted, counts.accepted += u.accepted, counts.passes += u.passes, counts.tokens += u.answer_tokens;
    }
  }
  return counts;
}

}  // namespace

TEST_CASE("drafts, slices and going back give the tokens of plain decoding, greedy and drawn, in random conversations") {
  const Counts counts = check_conversations(60, 1);
  CHECK(counts.accepted > 10);  // how many depends on when an answer goes back
  MESSAGE(counts.accepted << " of " << counts.drafted << " guesses were right; " << counts.tokens << " tokens in " << counts.passes
                          << " passes");
}

TEST_CASE("a draft that is the answer saves nearly all passes, and one that is nonsense changes nothing") {
  Session session = test::open_session();
  const auto want = test::drain(session.ask(picture(2), kQuestions[0]));
  const std::string text = [&] {
    session.clear();
    Answer answer = session.ask(picture(2), kQuestions[0]);
    while (answer.next()) {}
    return std::string(answer.text());
  }();
  for (const std::string& draft : {" " + text, std::string("no word of this, 1234567890"), std::string("\xFF\xFE"), std::string(9000, 'x')}) {
    GenerateOptions options;
    options.draft = 7;
    options.draft_text = draft;
    session.clear();
    Answer answer = session.ask(picture(2), kQuestions[0], options);
    while (answer.next()) {}
    CHECK(test::ids(answer.ids()) == want);
    if (draft == " " + text) CHECK(answer.usage().passes * 3 < answer.usage().answer_tokens);
  }
  GenerateOptions too_many;
  too_many.draft = 8;
  CHECK(session.ask("Hi", too_many).status().code() == Code::bad_argument);
}

TEST_CASE("the last answer is a draft of the next: a frame that shows the same is answered in fewer passes") {
  Session session = test::open_session();
  GenerateOptions options;
  options.draft = 7;
  Answer first = session.ask(picture(2), kQuestions[0], options);
  while (first.next()) {}
  const Index before = first.usage().passes;
  session.clear();
  Answer again = session.ask(picture(2), kQuestions[0], options);
  while (again.next()) {}
  CHECK(again.usage().passes * 2 < before);
}

TEST_CASE("an answer in slices: nothing is computed by start(), every slice ends, and cancelling between two is clean") {
  Session session = test::open_session();
  CancelToken token;
  GenerateOptions options;
  options.cancel = &token;
  const Picture shown(picture(2));
  Answer answer = session.start({&shown, 1}, kQuestions[0], options);
  CHECK(answer.usage().encode == 0);
  int slices = 0;
  while (answer.ids().size() < 3 && answer.finish() == Finish::none) answer.step(std::chrono::microseconds(300)), ++slices;
  CHECK(slices > 10);
  token.cancel();
  CHECK_FALSE(answer.step(std::chrono::milliseconds(1)));
  CHECK(answer.finish() == Finish::cancelled);
  CHECK(session.turns() == 1);  // what was said stays
  token.reset();
  CHECK(test::answers_first_question(session));
  Answer left = session.start({&shown, 1}, kQuestions[1], options);
  left.step(std::chrono::microseconds(300));  // and never again: the next question takes over
  CHECK(test::answers_first_question(session));
}

TEST_SUITE("full") {
  TEST_CASE("a thousand random conversations give the tokens of plain decoding whichever way they are computed") {
    const Counts counts = check_conversations(1000, 2);
    MESSAGE(counts.accepted << " of " << counts.drafted << " guesses were right; " << counts.tokens << " tokens in " << counts.passes
                            << " passes");
  }
}
