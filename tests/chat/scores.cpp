// Scores of choices and texts, against PyTorch's (float64 on the same weights).
#include "health.hpp"

using namespace dsvl;

namespace {

double largest_difference(const std::vector<double>& got, json::Value want) {
  REQUIRE(got.size() == want.size());
  double most = 0;
  for (std::size_t i = 0; i < got.size(); ++i) most = std::max(most, std::abs(got[i] - want[i].number().value_or(NAN)));
  return most;
}

}  // namespace

TEST_CASE("24 sets of choices have PyTorch's log-probabilities, token by token") {
  const json::Value sets = test::json_file(test::data("tiny-vl/more.json")).root().find("choices");
  Session session = test::open_session();
  double most = 0;
  std::size_t checked = 0;
  for (const json::Value set : sets) {
    std::vector<std::string> texts;
    for (const json::Value choice : set.find("choices")) texts.push_back(" " + std::string(choice.key()));
    const std::vector<std::string_view> continuations(texts.begin(), texts.end());
    const Picture picture(test::demo_picture(set));
    session.clear();
    const auto scores = session.score({&picture, 1}, test::text(set.find("question")), continuations);
    REQUIRE_MESSAGE(scores, scores.error().text());
    std::size_t i = 0;
    for (const json::Value choice : set.find("choices")) {
      most = std::max(most, largest_difference((*scores)[i].tokens, choice.find("token_logprobs")));
      CHECK(std::abs((*scores)[i].log_likelihood - choice.find("sum").number().value_or(NAN)) < 1e-3);
      ++i, ++checked;
    }
    CHECK(session.turns() == 0);
  }
  CHECK(sets.size() == 24);
  CHECK(most < 1e-3);
  MESSAGE(checked << " choices, largest difference " << most);
}

TEST_CASE("the log-probabilities of texts are PyTorch's, in one pass or in many") {
  const json::Value texts = test::json_file(test::data("tiny-vl/more.json")).root().find("logprobs");
  for (const Index rows : {1, 3, 8, 100}) {
    SessionOptions options;
    options.limits.logit_rows = rows;
    Session session = test::open_session(options);
    for (const json::Value t : texts) {
      const auto got = session.log_probabilities(test::text(t.find("text")));
      REQUIRE_MESSAGE(got, got.error().text());
      CHECK(largest_difference(*got, t.find("token_logprobs")) < 1e-3);
    }
  }
}

TEST_CASE("scores do not depend on what is scored beside them or how many positions fit a pass") {
  const auto run = [](Index rows, std::vector<std::string_view> continuations) {
    SessionOptions options;
    options.limits.logit_rows = rows;
    Session session = test::open_session(options);
    const auto& q = test::FirstQuestion::get();
    const Picture picture(q.picture);
    const auto scores = session.score({&picture, 1}, q.question, continuations);
    REQUIRE(scores);
    return (*scores)[0].tokens;
  };
  const auto alone = run(1, {" The green bar."});
  CHECK(alone == run(8, {" The green bar."}));
  CHECK(alone == run(3, {" The green bar.", " The red bar.", " No."}));
}

TEST_CASE("classify gives shares that add up to 1, the largest for what the model would say") {
  Session session = test::open_session();
  const auto& q = test::FirstQuestion::get();
  const Picture picture(q.picture);
  const std::vector<std::string_view> choices = {" The red bar.", " The green bar.", " The blue bar."};
  const auto shares = session.classify({&picture, 1}, "Which bar is the tallest?", choices);
  REQUIRE(shares);
  CHECK((*shares)[0] + (*shares)[1] + (*shares)[2] == doctest::Approx(1));
  CHECK((*shares)[1] > 0.99);
  CHECK(test::answers_first_question(session));
}

TEST_CASE("choices are taken exactly as given, by classify and by score alike: a space in front counts") {
  Session session = test::open_session();
  const auto& q = test::FirstQuestion::get();
  const Picture picture(q.picture);
  const std::vector<std::string_view> choices = {" There are 4 bars.", "There are 4 bars.", " No"};
  const auto scores = session.score({&picture, 1}, q.question, choices);
  const auto shares = session.classify({&picture, 1}, q.question, choices);
  REQUIRE((scores && shares));
  double sum = 0;
  for (const Score& s : *scores) sum += std::exp(s.log_likelihood);
  for (std::size_t i = 0; i < choices.size(); ++i)
    CHECK((*shares)[i] == doctest::Approx(std::exp((*scores)[i].log_likelihood) / sum));
  CHECK((*shares)[0] > 0.99);  // the shipped model's answers begin with a space
  CHECK((*shares)[1] < 0.01);
  CHECK(test::tiny_model().tokenizer()->token_bytes(q.answer_ids[0]).starts_with(" "));
}

TEST_CASE("ids are scored behind ids as their texts are, and what stands in front is computed once") {
  Session session = test::open_session();
  const Tokenizer& tokenizer = *test::tiny_model().tokenizer();
  const std::string text = "Which bar is the tallest?";
  const auto encode = [&](std::string_view of) {
    Buffer<std::int32_t> ids;
    REQUIRE(tokenizer.encode(of, ControlTokens::as_text, ids).ok());
    return std::vector<std::int32_t>(ids.begin(), ids.end());
  };
  std::vector<std::int32_t> prefix = {*tokenizer.bos()};
  const std::vector<std::int32_t> question = encode(text), green = encode(" The green bar."), no = encode(" No");
  prefix.insert(prefix.end(), question.begin(), question.end());
  const std::vector<std::span<const std::int32_t>> sequences = {green, no};
  const auto scores = session.score(prefix, {}, sequences);
  REQUIRE_MESSAGE(scores, scores.error().text());
  REQUIRE(scores->size() == 2);
  for (std::size_t i = 0; i < 2; ++i) {
    const auto whole = session.log_probabilities(text + (i == 0 ? " The green bar." : " No"));
    REQUIRE(whole);
    REQUIRE(whole->size() == question.size() + sequences[i].size());
    double sum = 0;
    for (std::size_t t = 0; t < sequences[i].size(); ++t) {
      CHECK((*scores)[i].tokens[t] == doctest::Approx((*whole)[question.size() + t]).epsilon(1e-5));
      sum += (*scores)[i].tokens[t];
    }
    CHECK((*scores)[i].log_likelihood == doctest::Approx(sum));
  }
  CHECK(session.turns() == 0);
}

TEST_CASE("ids that no token has, and sequences without any, are not scored") {
  test::Patient patient;
  const std::int32_t bos = *test::tiny_model().tokenizer()->bos(), beyond = 1 << 20, negative = -1;
  using Ids = std::span<const std::int32_t>;
  const std::vector<Ids> none = {Ids()}, fine = {Ids(&bos, 1)}, high = {Ids(&beyond, 1)}, low = {Ids(&negative, 1)};
  CHECK(patient.session.score(Ids(&bos, 1), {}, none).error().code() == Code::bad_argument);
  CHECK(patient.session.score(Ids(&bos, 1), {}, high).error().code() == Code::bad_argument);
  CHECK(patient.session.score(Ids(&bos, 1), {}, low).error().code() == Code::bad_argument);
  CHECK(patient.session.score(Ids(), {}, fine).error().code() == Code::bad_argument);
  CHECK(patient.session.score(Ids(&bos, 1), {}, fine));
  CHECK(patient.well());
}

TEST_CASE("scoring ends the answer in work, and what it had said is part of the conversation") {
  const auto& q = test::FirstQuestion::get();
  const std::vector<std::string_view> choices = {" Yes", " No"};
  for (int way = 0; way < 3; ++way) {
    CAPTURE(way);
    Session session = test::open_session();
    Answer answer = session.ask(q.picture, q.question);
    REQUIRE(answer.next());
    if (way == 0) CHECK(session.score({}, "Is it red?", choices));
    if (way == 1) CHECK(session.classify({}, "Is it red?", choices));
    if (way == 2) CHECK(session.log_probabilities("It is red."));
    CHECK(!answer.next());
    CHECK(answer.finish() == Finish::cancelled);
    CHECK(session.turns() == 1);
  }
}

TEST_CASE("what can not be scored is refused, and the conversation goes on") {
  test::Patient patient;
  const std::vector<std::string_view> empty = {""}, broken = {"\xC3"}, fine = {" Yes"};
  const std::string endless(5000, 'y');
  const std::vector<std::string_view> too_long = {endless};
  CHECK(patient.session.score({}, "Well?", empty).error().code() == Code::bad_argument);
  CHECK(patient.session.score({}, "Well?", broken).error().code() == Code::bad_text);
  CHECK(patient.session.score({}, "", fine).error().code() == Code::bad_argument);
  CHECK(patient.session.score({}, "Well?", too_long).error().code() == Code::limit);
  CHECK(patient.session.log_probabilities("").error().code() == Code::bad_argument);
  CHECK(patient.well());
}
