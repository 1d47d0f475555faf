// The turns so far, in memory of fixed size.
#include <doctest/doctest.h>

#include <algorithm>
#include <dsvl/chat/internal/conversation.hpp>
#include <random>
#include <string>
#include <vector>

using namespace dsvl;
using Ids = std::vector<std::int32_t>;

namespace {

struct Talk : Conversation {
  Buffer<std::byte> slab;
  explicit Talk(Index text_bytes = 1000, Index context = 100) {
    REQUIRE(carve_slab(slab, [&](Arena& arena) { carve(arena, text_bytes, context); }));
  }
};

/// "U[image]'What?' A<1 2>"
std::string show(const Conversation& talk, std::size_t turn) {
  std::string out = talk.turn(turn).role == Role::user ? "U" : "A";
  for (const Segment& s : talk.content(turn)) {
    if (s.kind == Segment::Kind::image) out += "[image]";
    if (s.kind == Segment::Kind::text) out += "'" + std::string(s.text) + "'";
    if (s.kind != Segment::Kind::tokens) continue;
    out += "<";
    for (const std::int32_t id : s.ids) out += (out.back() == '<' ? "" : " ") + std::to_string(id);
    out += ">";
  }
  return out;
}
std::string show(const Conversation& talk) {
  std::string out;
  for (std::size_t t = 0; t < talk.turns(); ++t) out += (t ? " " : "") + show(talk, t);
  return out;
}

std::string prompt_of(Conversation& talk) {
  Prompt prompt;
  const Status status = render_chat(talk.messages(), {.style = ChatTemplate::Style::hf, .system = ""}, prompt);
  REQUIRE_MESSAGE(status.ok(), status.text());
  return to_string(prompt);
}

const std::string kPlace(kImageText), kEnd(kEosText);

}  // namespace

TEST_CASE("turns are kept with their texts, ids and pictures' places, whatever becomes of what was handed in") {
  Talk talk;
  std::string question = "What is this?";
  Ids ids = {5, 6, 7};
  REQUIRE(talk.add_question(2, question, false).ok());
  REQUIRE(talk.add_answer("A dog.").ok());
  REQUIRE(talk.add_question(0, "And?", false).ok());
  REQUIRE(talk.add_answer(ids, std::nullopt).ok());
  REQUIRE(talk.add_question(1, "", false).ok());
  question.assign(question.size(), 'x');
  std::fill(ids.begin(), ids.end(), 0);
  CHECK(show(talk) == "U[image][image]'What is this?' A'A dog.' U'And?' A<5 6 7> U[image]''");
  CHECK(talk.turns() == 5);
  const std::size_t pictures[] = {0, 2, 2, 2, 2, 3};
  for (std::size_t t = 0; t <= 5; ++t) CHECK(talk.picture_places(t) == pictures[t]);
}

TEST_CASE("a template gets every turn in its role, again after each change") {
  Talk talk;
  CHECK(talk.messages().empty());
  REQUIRE(talk.add_question(1, "a", false).ok());
  REQUIRE(talk.add_answer("b").ok());
  REQUIRE(talk.add_question(0, "c", false).ok());
  REQUIRE(talk.add_answer(Ids{1, 2}, std::nullopt).ok());
  REQUIRE(talk.add_question(0, "x" + kPlace, true).ok());
  const std::string two = "User: " + kPlace + "a\n\nAssistant: b" + kEnd;
  CHECK(prompt_of(talk) == two + "User: c\n\nAssistant:<2 tokens>" + kEnd + "User: x" + kPlace + "\n\nAssistant:");
  talk.keep_turns(2);
  CHECK(prompt_of(talk) == two + "Assistant:");
}

TEST_CASE("placeholders in a question are pictures' places on purpose only") {
  Talk talk;
  const std::string text = kPlace + "a " + kPlace + kPlace + " b";
  REQUIRE(talk.add_question(9, text, true).ok());
  REQUIRE(talk.add_question(1, text, false).ok());
  CHECK(show(talk) == "U[image]'a '[image][image]' b' U[image]'" + text + "'");
  CHECK((talk.picture_places(1) == 3 && talk.picture_places(2) == 4));
}

TEST_CASE("the id that would be a picture's place is left out of an answer, which keeps at least one part") {
  Talk talk;
  REQUIRE(talk.add_answer(Ids{7, 5, 7, 7, 6, 7}, 7).ok());
  REQUIRE(talk.add_answer(Ids{7, 7}, 7).ok());
  REQUIRE(talk.add_answer(Ids{}, 7).ok());
  REQUIRE(talk.add_answer(Ids{7, 7}, 8).ok());
  REQUIRE(talk.add_answer("").ok());
  CHECK(show(talk) == "A<5 6> A'' A'' A<7 7> A''");
}

TEST_CASE("a turn is put together from parts, and ids that follow one another are one part") {
  Talk talk;
  talk.begin_turn(Role::assistant);
  talk.add_id(1);
  REQUIRE(talk.end_turn().ok());
  talk.begin_turn(Role::assistant);
  for (const std::int32_t id : {2, 3}) talk.add_id(id);
  talk.add_text("a");
  talk.add_id(4);
  talk.add_image();
  for (const std::int32_t id : {5, 6, 7}) talk.add_id(id);
  talk.add_text("b");
  talk.add_text("c");
  REQUIRE(talk.end_turn().ok());
  CHECK(show(talk) == "A<1> A<2 3>'a'<4>[image]<5 6 7>'b''c'");
}

TEST_CASE("a mark is a place to come back to") {
  Talk talk(60, 20);
  const Conversation::Mark empty = talk.mark();
  REQUIRE(talk.add_question(1, "first question", false).ok());
  const Conversation::Mark one = talk.mark();
  for (int again = 0; again < 50; ++again) {
    REQUIRE(talk.add_answer("an answer").ok());
    const Conversation::Mark two = talk.mark();
    REQUIRE(talk.add_question(1, "x" + kPlace, true).ok());
    REQUIRE(talk.add_answer(Ids{1, 2, 3}, std::nullopt).ok());
    talk.rewind(talk.mark());
    CHECK(show(talk) == "U[image]'first question' A'an answer' U'x'[image] A<1 2 3>");
    talk.rewind(two);
    CHECK(show(talk) == "U[image]'first question' A'an answer'");
    talk.rewind(one);
    CHECK(show(talk) == "U[image]'first question'");
  }
  talk.rewind(empty);
  CHECK((talk.turns() == 0 && talk.messages().empty()));
}

TEST_CASE("the first turns stay as they were, and what goes makes room") {
  for (std::size_t keep = 0; keep <= 7; ++keep) {
    Talk talk(40, 20);
    const std::string turns[] = {"U[image]'one'", "A'two'", "U'three'", "A<1 2>", "U[image]''", "A<3>"};
    REQUIRE(talk.add_question(1, "one", false).ok());
    REQUIRE(talk.add_answer("two").ok());
    REQUIRE(talk.add_question(0, "three", false).ok());
    REQUIRE(talk.add_answer(Ids{1, 2}, std::nullopt).ok());
    REQUIRE(talk.add_question(1, "", false).ok());
    REQUIRE(talk.add_answer(Ids{3}, std::nullopt).ok());
    talk.keep_turns(keep);
    REQUIRE(talk.turns() == std::min<std::size_t>(keep, 6));
    const std::size_t bytes[] = {0, 3, 6, 11, 11, 11, 11, 11}, ids[] = {0, 0, 0, 0, 2, 2, 3, 3};
    CHECK((talk.mark().text == bytes[keep] && talk.mark().ids == ids[keep]));
    const std::string large(40 - bytes[keep], 'x');
    REQUIRE(talk.add_question(0, large, false).ok());
    REQUIRE(talk.add_answer(Ids(20 - ids[keep], 9), std::nullopt).ok());
    for (std::size_t t = 0; t < std::min<std::size_t>(keep, 6); ++t) CHECK(show(talk, t) == turns[t]);
    CHECK(show(talk, talk.turns() - 2) == "U'" + large + "'");
  }
}

TEST_CASE("a turn that does not fit is an error that says how much would, and leaves the conversation as it was") {
  Talk talk(20, 10);
  REQUIRE(talk.add_question(1, "12345678", false).ok());
  REQUIRE(talk.add_answer(Ids{1, 2, 3, 4}, std::nullopt).ok());
  const std::string before = show(talk);
  const auto refused = [&](const Status& status) {
    CHECK(status.code() == Code::limit);
    CHECK(show(talk) == before);
    const Conversation::Mark now = talk.mark();
    CHECK((now.turns == 2 && now.segments == 3 && now.text == 8 && now.ids == 4));
    return std::string(status.text());
  };
  const std::string text = refused(talk.add_question(0, std::string(13, 'x'), false));
  for (const char* const number : {"13", "12", "20"}) CHECK(text.find(number) != std::string::npos);
  refused(talk.add_answer(std::string(13, 'x')));
  refused(talk.add_question(0, kPlace + "x", true));
  refused(talk.add_question(20, "x", false));
  refused(talk.add_answer(Ids(7, 5), std::nullopt));
  talk.begin_turn(Role::user);
  talk.add_text("abc");
  talk.add_text(std::string(10, 'x'));
  talk.add_text("d");
  talk.add_image();
  talk.add_id(1);
  refused(talk.end_turn());
  REQUIRE(talk.add_question(0, std::string(12, 'x'), false).ok());
  REQUIRE(talk.add_answer(Ids(6, 5), std::nullopt).ok());
  CHECK(show(talk) == before + " U'" + std::string(12, 'x') + "' A<5 5 5 5 5 5>");
  CHECK(talk.add_question(0, "x", false).code() == Code::limit);
}

TEST_CASE("there is room for the turns of a full context, and not for any number") {
  Talk talk(100, 10);
  int turns = 0;
  for (; turns < 1000 && talk.add_answer("").ok(); ++turns) {}
  CHECK((turns >= 5 && turns < 50));
  CHECK(static_cast<int>(talk.turns()) == turns);
  talk.keep_turns(3);
  CHECK(talk.add_answer("").ok());
}

TEST_CASE("a turn of another conversation becomes one's own") {
  Talk talk;
  {
    Talk other;
    REQUIRE(other.add_question(1, "one", false).ok());
    REQUIRE(other.add_answer(Ids{1, 2}, std::nullopt).ok());
    REQUIRE(other.add_question(0, "a" + kPlace + "b", true).ok());
    REQUIRE(other.add_answer("").ok());
    for (const std::size_t t : {std::size_t{2}, std::size_t{3}, std::size_t{0}, std::size_t{1}})
      REQUIRE(talk.add_turn(other.turn(t).role, other.content(t)).ok());
    Talk small(4, 3);
    REQUIRE(small.add_turn(other.turn(0).role, other.content(0)).ok());
    CHECK(small.add_turn(other.turn(2).role, other.content(2)).code() == Code::limit);
    REQUIRE(small.add_turn(other.turn(1).role, other.content(1)).ok());
    CHECK(small.add_turn(other.turn(1).role, other.content(1)).code() == Code::limit);
    CHECK(show(small) == "U[image]'one' A<1 2>");
    other.keep_turns(0);
    REQUIRE(other.add_question(0, std::string(1000, 'x'), false).ok());
  }
  CHECK(show(talk) == "U'a'[image]'b' A'' U[image]'one' A<1 2>");
  CHECK(talk.picture_places(4) == 2);
}

TEST_CASE("an answer that is said to have room can be kept, with a token more") {
  Talk talk(1000);
  CHECK((talk.has_room(0) && talk.has_room(700)));
  CHECK_FALSE(talk.has_room(1000));
  REQUIRE(talk.add_question(0, std::string(500, 'x'), false).ok());
  std::size_t most = 0;
  while (talk.has_room(most + 1)) ++most;
  CHECK((most > 100 && most < 500));
  CHECK(talk.add_answer(std::string(most + 1, 'y')).ok());
  CHECK_FALSE(talk.has_room(400));
}

TEST_CASE("whatever is added, taken back and refused, the turns are those of a list") {
  std::mt19937 random(5);
  const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  Talk talk(200, 40), other(60, 20);
  REQUIRE(other.add_question(2, "from elsewhere", false).ok());
  REQUIRE(other.add_answer(Ids{8, 9}, std::nullopt).ok());
  std::vector<std::string> want;
  std::string started;
  int refused = 0, kept = 0;
  for (int step = 0; step < 20000; ++step) {
    CAPTURE(step);
    const Conversation::Mark mark = talk.mark();
    const std::string text(below(40), static_cast<char>('a' + below(26)));
    Status status;
    started.clear();
    switch (below(6)) {
      case 0: {
        const std::size_t pictures = below(3);
        started = "U";
        for (std::size_t i = 0; i < pictures; ++i) started += "[image]";
        started += "'" + text + "'";
        status = talk.add_question(pictures, text, false);
        break;
      }
      case 1: {
        started = "A'" + text + "'";
        status = talk.add_answer(text);
        break;
      }
      case 2: {
        Ids ids(1 + below(8));
        started = "A<";
        for (std::int32_t& id : ids) {
          id = static_cast<std::int32_t>(below(100));
          started += (started.back() == '<' ? "" : " ") + std::to_string(id);
        }
        started += ">";
        status = talk.add_answer(ids, -1);
        break;
      }
      case 3: {
        const std::size_t turn = below(2);
        started = show(other, turn);
        status = talk.add_turn(other.turn(turn).role, other.content(turn));
        break;
      }
      case 4: {
        const std::size_t turns = below(want.size() + 2);
        talk.keep_turns(turns);
        want.resize(std::min(turns, want.size()));
        break;
      }
      case 5: {
        if (talk.add_question(1, text, true).ok()) talk.rewind(mark);
        break;
      }
    }
    if (!status.ok()) {
      CHECK(status.code() == Code::limit);
      ++refused;
    } else if (!started.empty()) {
      want.push_back(started);
      ++kept;
    }
    REQUIRE(talk.turns() == want.size());
    for (std::size_t t = 0; t < want.size(); ++t) REQUIRE(show(talk, t) == want[t]);
    REQUIRE(talk.messages().size() == want.size());
  }
  CHECK((refused > 500 && kept > 5000));
}

TEST_CASE("turns that are kept stay as they were when others come behind them, also where placeholders were cut out of a text") {
  Talk talk;
  REQUIRE(talk.add_question(1, "a" + kPlace + "bcd", true).ok());
  REQUIRE(talk.add_answer("yes").ok());
  const std::string before = show(talk);
  REQUIRE(talk.add_question(0, "more", false).ok());
  talk.keep_turns(2);
  REQUIRE(talk.add_question(0, std::string(40, 'x'), false).ok());
  CHECK(show(talk, 0) + " " + show(talk, 1) == before);
  talk.keep_turns(0);
  REQUIRE(talk.add_question(0, "", true).ok());
  CHECK(talk.content(0).size() == 1);
}
