// GenerateOptions::deadline: an answer ends with it, whatever is being worked on, and the session goes on as ever.
#include <chrono>
#include <dsvl/chat/scheduler.hpp>
#include <thread>

#include "health.hpp"

using namespace dsvl;

namespace {

/// Runs tasks on the calling thread. In its `late_in`-th piece of work the deadline passes before the first tile.
class LateExecutor final : public Executor {
 public:
  [[nodiscard]] int workers() const noexcept override { return 1; }
  void run(int tasks, FunctionRef<void(int)> task) noexcept override {
    if (++runs == late_in) std::this_thread::sleep_until(deadline);
    for (int i = 0; i < tasks; ++i) task(i);
  }

  int runs = 0, late_in = 0;
  Clock::time_point deadline;
};

GenerateOptions until(Clock::time_point deadline) {
  GenerateOptions options;
  options.deadline = deadline;
  return options;
}

}  // namespace

TEST_CASE("a question that has no time ends with its deadline, without an error, and is forgotten") {
  const test::FirstQuestion& q = test::FirstQuestion::get();
  test::Patient patient;
  const auto jpeg = test::data("tiny-vl/jpeg/004.jpg");
  for (const std::filesystem::path& picture : {q.picture, jpeg})
    for (const bool sliced : {false, true}) {
      const GenerateOptions options = until(Clock::now());
      const Picture shown(picture);
      Answer answer = sliced ? patient.session.start({&shown, 1}, "And this one?", options)
                             : patient.session.ask(shown, "And this one?", options);
      CHECK_FALSE(answer.step(std::chrono::seconds(1)));
      CHECK(answer.finish() == Finish::deadline);
      CHECK(answer.status().ok());
      CHECK(answer.ids().empty());
      CHECK(answer.usage().encode == 0);
      CHECK(patient.session.turns() == 1);
      CHECK(patient.well());
    }
}

TEST_CASE("a deadline that passes in any piece of work ends the answer behind it, and the session is well") {
  const test::FirstQuestion& q = test::FirstQuestion::get();
  LateExecutor executor;
  SessionOptions small;
  small.host.executor = &executor;
  small.limits.chunk = 32;
  int ends[2] = {};
  for (int late_in = 1;; ++late_in) {
    CAPTURE(late_in);
    Session session = test::open_session(small);  // one that does not know the picture
    executor.runs = 0;
    executor.late_in = late_in;
    executor.deadline = Clock::now() + std::chrono::milliseconds(60);
    Answer answer = session.ask(q.picture, q.question, until(executor.deadline));
    while (answer.next()) {}
    CHECK(answer.status().ok());
    if (answer.finish() != Finish::deadline) {
      CHECK(answer.finish() == Finish::eos);
      break;
    }
    CHECK(executor.runs <= late_in);  // fewer where this machine was slow
    const auto said = test::ids(answer.ids());
    ++ends[!said.empty()];
    CHECK(std::equal(said.begin(), said.end(), q.answer_ids.begin()));
    CHECK(session.turns() == (said.empty() ? 0 : 1));
    executor.late_in = 0;
    CHECK(test::answers_first_question(session));
    if (late_in > 40) FAIL("there is no end");
  }
  CHECK(ends[0] > 3);
}

TEST_CASE("what was said until the deadline is the answer, in the conversation too") {
  const test::FirstQuestion& q = test::FirstQuestion::get();
  Session late = test::open_session(), limited = test::open_session();
  const auto deadline = Clock::now() + std::chrono::milliseconds(300);
  Answer a = late.ask(q.picture, q.question, until(deadline));
  Index tokens = 0;
  for (; tokens < 3 && a.next(); ++tokens) {}
  std::this_thread::sleep_until(deadline);
  while (a.next()) ++tokens;  // none, or the rest of a character
  CHECK(a.finish() == Finish::deadline);
  const std::string text(a.text());
  if (tokens == 0) return;  // this machine stood still; the case before this one covers it
  GenerateOptions length;
  length.max_tokens = tokens;
  Answer b = limited.ask(q.picture, q.question, length);
  while (b.next()) {}
  CHECK(text == b.text());
  Answer next_a = late.ask("Which bar is the tallest?"), next_b = limited.ask("Which bar is the tallest?");
  CHECK(test::ids(next_a.prompt_ids()) == test::ids(next_b.prompt_ids()));
  CHECK(test::drain(next_a) == test::drain(next_b));
}

TEST_CASE("scoring has no text so far: its deadline is an error") {
  const test::FirstQuestion& q = test::FirstQuestion::get();
  test::Patient patient;
  const std::string_view choices[] = {" Yes.", " No."};
  const Picture picture(q.picture);
  const auto shares = patient.session.classify({&picture, 1}, "Is there a bar?", choices, until(Clock::now()));
  CHECK(shares.error().code() == Code::cancelled);
  CHECK(std::string_view(shares.error().text()).find("deadline") != std::string_view::npos);
  CHECK(patient.well());
}

TEST_CASE("in a scheduler an answer that is late ends alone, and the others are what they were") {
  const test::FirstQuestion& q = test::FirstQuestion::get();
  SchedulerOptions options;
  options.sessions = 3;
  auto scheduler = Scheduler::open(test::tiny_model(), options);
  REQUIRE(scheduler);
  auto first = scheduler->session(), second = scheduler->session(), third = scheduler->session();
  const Picture picture(q.picture);
  Answer never = first->start({&picture, 1}, q.question, until(Clock::now()));
  const auto soon = Clock::now() + std::chrono::milliseconds(5);
  Answer cut = third->start({}, "Count to one hundred.", until(soon));
  Answer whole = second->start({&picture, 1}, q.question);
  for (bool working = true; working;) {
    working = scheduler->step();
    if (whole.usage().answer_tokens == 2) std::this_thread::sleep_until(soon);
    for (Answer* const answer : {&never, &cut, &whole})
      while (answer->poll()) {}
  }
  CHECK(test::ids(whole.ids()) == q.answer_ids);
  CHECK(never.finish() == Finish::deadline);
  CHECK(never.ids().empty());
  CHECK(cut.finish() != Finish::none);
  CHECK(cut.status().ok());
}
