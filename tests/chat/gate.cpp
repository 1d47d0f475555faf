// Yes or no with a probability.
#include "dsvl/chat/gate.hpp"

#include "health.hpp"

using namespace dsvl;

TEST_CASE("a gate says of every demo question about a shape what is so, or is unsure of it") {
  const auto gate = Gate::open(test::tiny_model());
  REQUIRE(gate);
  Session session = test::open_session();
  int questions = 0, right = 0;
  for (const auto entry : test::json_file(test::tiny_vl() / "demo" / "questions.json").root()) {
    const std::string question = test::text(entry.find("question")), answer = test::text(entry.find("answer"));
    if (answer != "Yes." && answer != "No.") continue;
    INFO(test::text(entry.find("image")) << " " << question);
    const auto said = gate->yes_no(session, Picture(test::demo_picture(entry)), question);
    REQUIRE_MESSAGE(said.has_value(), std::string(said.error().text()));
    CHECK(said->probability >= 0);
    CHECK(said->probability <= 1);
    CHECK(said->mass > 0.95);
    CHECK(said->answer == (said->probability >= 0.5));
    ++questions;
    right += *said->answer == (answer == "Yes.");
    // The model's own answer begins with the likelier of the two.
    session.clear();
    const auto reference = test::ids(entry.find("reference_ids"));
    CHECK(*said->answer == (test::tiny_model().tokenizer()->token_bytes(reference[0]) == " Yes"));
  }
  CHECK(questions > 10);
  CHECK(right >= questions - 2);
}

TEST_CASE("a gate takes a pass over the prompt and no token, and a known picture only the question's words") {
  const test::FirstQuestion& q = test::FirstQuestion::get();
  const auto gate = Gate::open(test::tiny_model());
  test::Patient patient;
  const auto first = gate->yes_no(patient.session, Picture(q.picture), "Is there a red circle in the image?");
  REQUIRE(first);
  CHECK(patient.session.turns() == 1);
  CHECK(patient.well());
  const auto again = gate->yes_no(patient.session, Picture(q.picture), "Is there a red circle in the image?");
  REQUIRE(again);
  CHECK(again->probability == first->probability);
  CHECK(again->mass == first->mass);
  CHECK(patient.well());
}

TEST_CASE("a gate is calibrated like any set of choices, and abstains") {
  const test::FirstQuestion& q = test::FirstQuestion::get();
  auto gate = Gate::open(test::tiny_model());
  Session session = test::open_session();
  const auto plain = gate->yes_no(session, Picture(q.picture), "Is there a red circle in the image?");
  session.clear();
  gate->calibrate({50, 0.9});
  const auto unsure = gate->yes_no(session, Picture(q.picture), "Is there a red circle in the image?");
  REQUIRE(plain);
  REQUIRE(unsure);
  CHECK(std::abs(unsure->probability - 0.5) < std::abs(plain->probability - 0.5));
  CHECK(unsure->mass == plain->mass);
  CHECK_FALSE(unsure->answer);
}

TEST_CASE("words of one's own make a gate, and words that can not be told apart are refused") {
  const test::FirstQuestion& q = test::FirstQuestion::get();
  const auto words = Gate::open(test::tiny_model(), {{"The"}, {"There"}});
  REQUIRE_MESSAGE(words.has_value(), std::string(words.error().text()));
  Session session = test::open_session();
  CHECK(words->yes_no(session, Picture(q.picture), "Which bar is the tallest?")->probability > 0.9);
  session.clear();
  CHECK(words->yes_no(session, Picture(q.picture), "How many bars are there?")->probability < 0.1);
  CHECK(Gate::open(test::tiny_model(), {{"Yes"}, {"Yes", "No"}}).error().code() == Code::bad_argument);
  CHECK(Gate::open(test::tiny_model(), {{}, {"No"}}).error().code() == Code::bad_argument);
  CHECK(Gate::open(test::tiny_model(), {{"Yes", ""}, {"No"}}).error().code() == Code::bad_argument);
}

TEST_CASE("a gate in slices says the same to the last bit, and a token is not chosen for it") {
  const test::FirstQuestion& q = test::FirstQuestion::get();
  const auto gate = Gate::open(test::tiny_model());
  Session whole = test::open_session(), sliced = test::open_session();
  const Picture picture(q.picture);
  const auto at_once = gate->yes_no(whole, picture, "Is there a red circle in the image?");
  REQUIRE(at_once);
  Answer answer = sliced.start({&picture, 1}, "Is there a red circle in the image?");
  CHECK(gate->yes_no(answer).error().code() == Code::cancelled);  // nothing is computed yet
  int slices = 1;
  for (; !answer.prepare(std::chrono::microseconds(100)) && slices < 1'000'000; ++slices)
    REQUIRE(answer.finish() == Finish::none);
  CHECK(slices > 1);
  CHECK(answer.prepare(std::chrono::nanoseconds(0)));  // and it stays so
  const auto said = gate->yes_no(answer);
  REQUIRE(said);
  CHECK(said->probability == at_once->probability);
  CHECK(said->mass == at_once->mass);
  CHECK(answer.ids().empty());
  REQUIRE(answer.next());
  CHECK_FALSE(answer.prepare(std::chrono::seconds(1)));
  CHECK(gate->yes_no(answer).error().code() == Code::cancelled);  // its first token was chosen
  GenerateOptions late;
  late.deadline = Clock::now();
  Answer stopped = sliced.start({&picture, 1}, "Is it red?", late);
  CHECK_FALSE(stopped.prepare(std::chrono::seconds(1)));
  CHECK(stopped.finish() == Finish::deadline);
  CHECK(gate->yes_no(stopped).error().code() == Code::cancelled);
}

TEST_CASE("what stops a question stops a gate, and the session is well") {
  const test::FirstQuestion& q = test::FirstQuestion::get();
  const auto gate = Gate::open(test::tiny_model());
  test::Patient patient;
  GenerateOptions late;
  late.deadline = Clock::now();
  CHECK(gate->yes_no(patient.session, Picture(q.picture), "Is it red?", late).error().code() == Code::cancelled);
  CHECK(patient.well());
  CHECK(gate->yes_no(patient.session, Picture::file("no/such.png"), "Is it red?").error().code() == Code::not_found);
  CHECK(patient.well());
}
