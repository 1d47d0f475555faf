// Answers that are held to a constraint, from question to text.
#include "dsvl/chat/ask_typed.hpp"
#include "dsvl/constraint/token_trie.hpp"
#include "health.hpp"

#include <nlohmann/json.hpp>

using namespace dsvl;

namespace {

/// The shipped model, able to hold its answers.
const Model& holding_model() {
  static const auto loaded = Model::load(test::tiny_vl(), {.threads = 2, .constraints = &kConstraints});
  REQUIRE(loaded.has_value());
  return *loaded;
}
Session holding_session() { return test::open_session({}, holding_model()); }
const char* const kForm = R"({"type":"object","properties":{"color":{"enum":["red","green","blue"]},"shape":{"type":"string","maxLength":12},
  "count":{"type":"integer","minimum":0,"maximum":20}},"required":["color","shape","count"],"additionalProperties":false})";

struct Reply {
  std::string text;
  std::vector<std::int32_t> ids;
  std::vector<double> log_probabilities;
  Usage usage;
  Finish finish = Finish::none;
  bool whole = false;
};
Reply say(Session& session, const GenerateOptions& options, bool slices = false) {
  session.clear();
  const auto& q = test::FirstQuestion::get();
  Reply out;
  Answer answer = session.ask(q.picture, q.question, options);
  while (answer.finish() == Finish::none)
    if (const auto piece = slices ? answer.step(std::chrono::microseconds(300)) : answer.next())
      out.log_probabilities.push_back(piece->log_probability);
  REQUIRE_MESSAGE(answer.status().ok(), std::string(answer.status().text()));
  out.text = answer.text();
  out.ids = test::ids(answer.ids());
  out.usage = answer.usage();
  out.finish = answer.finish();
  out.whole = answer.is_whole();
  return out;
}

}  // namespace

TEST_CASE("an answer is JSON of the schema, with drafts of what is forced or without, in slices or not, to the same ids") {
  const auto schema = Schema::compile(kForm);
  REQUIRE(schema.has_value());
  Session session = holding_session();
  for (const float temperature : {0.0f, 2.0f}) {
    GenerateOptions options;
    options.constraint = &*schema;
    options.max_tokens = 120;
    options.sampling.temperature = temperature;
    options.sampling.seed = 5;
    const Reply plain = say(session, options);
    INFO(plain.text);
    CHECK(plain.whole);
    CHECK(plain.finish == Finish::eos);
    CHECK(nlohmann::json::parse(plain.text, nullptr, false).is_object());
    CHECK(*schema->matches(plain.text));
    options.draft = 7;
    for (const bool slices : {false, true}) {
      const Reply drafted = say(session, options, slices);
      CHECK(drafted.ids == plain.ids);
      CHECK(drafted.log_probabilities == plain.log_probabilities);
      CHECK(drafted.usage.passes < plain.usage.passes);
    }
  }
  CHECK(test::answers_first_question(session));  // without a constraint nothing is different afterwards
}

TEST_CASE("choices, patterns and any JSON hold answers as well") {
  Session session = holding_session();
  GenerateOptions options;
  options.max_tokens = 300;
  const std::string_view words[] = {"yes", "no"};
  const auto choices = Constraint::choices(words);
  options.constraint = &*choices;
  const Reply word = say(session, options);
  CHECK((word.text == "yes" || word.text == "no"));
  CHECK(word.whole);
  const auto regex = Constraint::regex("[A-Z][a-z]{2,5}( [a-z]{1,6}){1,3}\\.");
  REQUIRE(regex.has_value());
  options.constraint = &*regex;
  const Reply sentence = say(session, options);
  INFO(sentence.text);
  CHECK(sentence.whole);
  CHECK(*regex->matches(sentence.text));
  const auto any = Constraint::any_json();
  options.constraint = &*any;
  options.sampling.temperature = 1.5f;
  const Reply json = say(session, options);
  INFO(json.text);
  CHECK((json.whole || json.finish == Finish::length));
  if (json.whole) CHECK_FALSE(nlohmann::json::parse(json.text, nullptr, false).is_discarded());
}

TEST_CASE("an answer that was cut off says that it is no whole, and one without constraint is none") {
  const auto schema = Schema::compile(kForm);
  Session session = holding_session();
  GenerateOptions options;
  options.max_tokens = 3;
  CHECK_FALSE(say(session, options).whole);
  options.constraint = &*schema;
  const Reply cut = say(session, options);
  CHECK(cut.finish == Finish::length);
  CHECK_FALSE(cut.whole);
}

TEST_CASE("an answer that goes back stays held to its constraint") {
  const auto schema = Schema::compile(kForm);
  Session session = holding_session();
  GenerateOptions options;
  options.constraint = &*schema;
  options.max_tokens = 120;
  const auto& q = test::FirstQuestion::get();
  Answer answer = session.ask(q.picture, q.question, options);
  for (int i = 0; i < 9; ++i) (void)answer.next();
  const std::vector<std::int32_t> ids = test::ids(answer.ids());
  SamplerOptions other;
  other.temperature = 3;
  other.seed = 9;
  REQUIRE(answer.rewind(3, other).ok());
  test::drain(answer);
  CHECK(answer.is_whole());
  CHECK(*schema->matches(answer.text()));
  CHECK(std::equal(ids.begin(), ids.begin() + 3, answer.ids().begin()));
}

TEST_CASE("a model that was not loaded for constraints says how to load it, and can be asked without") {
  const auto any = Constraint::any_json();
  Session session = test::open_session();
  GenerateOptions options;
  options.constraint = &*any;
  const auto& q = test::FirstQuestion::get();
  Answer refused = session.ask(q.picture, q.question, options);
  CHECK(refused.status().code() == Code::bad_argument);
  CHECK(std::string_view(refused.status().text()).find("LoadOptions::constraints") != std::string_view::npos);
  CHECK(test::answers_first_question(session));
}

TEST_CASE("sessions, their forks and their copies may be held to one schema at the same time, each to its own place") {
  const auto schema = Schema::compile(kForm);
  Session session = holding_session();
  const auto& q = test::FirstQuestion::get();
  GenerateOptions options;
  options.constraint = &*schema;
  options.max_tokens = 120;
  const std::string alone = say(session, options).text;
  session.clear();
  auto fork = session.fork();
  REQUIRE(fork.has_value());
  Answer first = session.ask(q.picture, q.question, options), second = fork->ask(q.picture, q.question, options);
  while (first.finish() == Finish::none || second.finish() == Finish::none) (void)first.next(), (void)second.next();
  CHECK(first.text() == alone);
  CHECK(second.text() == alone);
  CHECK(first.is_whole());
  CHECK(second.is_whole());
}

TEST_CASE("plan() counts what constraints take: exactly of a session, and of the model half as much again at most") {
  const auto without = plan(test::tiny_vl(), SessionOptions(), {.threads = 2});
  const auto with = plan(test::tiny_vl(), SessionOptions(), {.threads = 2, .constraints = &kConstraints});
  REQUIRE(without.has_value());
  REQUIRE(with.has_value());
  CHECK(with->session() > without->session());
  CHECK(holding_session().bytes() == with->session());
  const auto tables = constraint::TokenTrie::build(*holding_model().tokenizer());
  const std::size_t planned = with->model - without->model;
  CHECK(planned >= tables->bytes());
  CHECK(2 * planned < 3 * tables->bytes());
}

namespace scene {

struct Shape {
  std::string color;
  int count = 0;
  std::optional<std::string> place;
};
template <class Fields>
void describe(Fields& f, Shape& s) {
  f("color", s.color, {.pattern = "^(red|green|blue|yellow)$"});
  f("count", s.count, {.minimum = 1, .maximum = 9});
  f("place", s.place, {.max_length = 8});
}

}  // namespace scene

TEST_CASE("a question can be answered by a struct, and one that was cut off is an error") {
  Session session = holding_session();
  const auto& q = test::FirstQuestion::get();
  GenerateOptions options;
  options.draft = 7;
  const auto shape = dsvl::ask<scene::Shape>(session, Picture(q.picture), q.question, options);
  REQUIRE_MESSAGE(shape.has_value(), std::string(shape.error().text()));
  const bool known = shape->color == "red" || shape->color == "green" || shape->color == "blue" || shape->color == "yellow";
  CHECK(known);
  CHECK(shape->count >= 1);
  CHECK(shape->count <= 9);
  options.max_tokens = 2;
  CHECK(dsvl::ask<scene::Shape>(session, Picture(q.picture), q.question, options).error().code() == Code::limit);
}
