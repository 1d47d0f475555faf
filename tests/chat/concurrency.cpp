// Several sessions at once: same answers, no races (this program is meant to be run under -fsanitize=thread, too).
#include <chrono>
#include <dsvl/base/thread_pool.hpp>
#include <optional>
#include <thread>

#include "health.hpp"

using namespace dsvl;

namespace {

/// Asks three demo questions in a session of its own and compares with PyTorch's ids.
int right_answers(const Model& model, const SessionOptions& options, std::size_t first) {
  const json::Value questions = test::json_file(test::tiny_vl() / "demo" / "questions.json").root();
  auto session = Session::open(model, options);
  if (!session) return -1;
  int right = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    const json::Value q = questions[(first + i) % questions.size()];
    session->clear();
    right += test::drain(session->ask(test::demo_picture(q), test::text(q.find("question")))) == test::ids(q.find("reference_ids"));
  }
  return right;
}

template <class Body>
void at_once(int threads, Body&& body) {
  std::vector<std::thread> all;
  for (int t = 0; t < threads; ++t) all.emplace_back([&body, t] { body(t); });
  for (std::thread& t : all) t.join();
}

const Model& model() {
  test::json_file(test::tiny_vl() / "demo" / "questions.json");  // read before any thread begins
  static const auto loaded = [] {
    LoadOptions options;
    options.threads = 3;
    return Model::load(test::tiny_vl(), options);
  }();
  return *loaded;
}

}  // namespace

TEST_CASE("sessions of one model that share its pool answer at once as they would alone") {
  int right[4] = {};
  at_once(4, [&](int t) { right[t] = right_answers(model(), {}, static_cast<std::size_t>(t) * 5); });
  for (const int r : right) CHECK(r == 3);
}

TEST_CASE("sessions of one model with pools and caches of their own answer at once as they would alone") {
  int right[3] = {};
  at_once(3, [&](int t) {
    ThreadPool pool(2);
    SessionOptions options;
    options.host.executor = &pool;
    options.limits.chunk = 32 * (t + 1);
    options.limits.context = 400 + 64 * t;
    right[t] = right_answers(model(), options, static_cast<std::size_t>(t) * 7 + 1);
  });
  for (const int r : right) CHECK(r == 3);
}

TEST_CASE("models load while others answer, and sessions open and close all the time") {
  int right = 0, opened = 0, loaded = 0;
  at_once(3, [&](int t) {
    if (t == 0) right = right_answers(model(), {}, 20);
    if (t == 1)
      for (int i = 0; i < 20; ++i) opened += Session::open(model()) ? 1 : 0;
    if (t == 2)
      for (int i = 0; i < 3; ++i) loaded += Model::load(test::tiny_vl()) ? 1 : 0;
  });
  CHECK(right == 3);
  CHECK(opened == 20);
  CHECK(loaded == 3);
}

TEST_CASE("a session moves from thread to thread between calls") {
  const test::FirstQuestion& q = test::FirstQuestion::get();
  std::optional<Session> session;
  std::optional<Answer> answer;
  std::thread([&] { session = test::open_session({}, model()); }).join();
  std::thread([&] { answer = session->ask(q.picture, q.question); }).join();
  for (bool more = true; more;) std::thread([&] { more = answer->next().has_value(); }).join();
  CHECK(test::ids(answer->ids()) == q.answer_ids);
}

TEST_CASE("an answer is cancelled from another thread while other sessions go on") {
  const test::FirstQuestion& q = test::FirstQuestion::get();
  int right = 0, cancelled = 0;
  at_once(3, [&](int t) {
    if (t == 0) right = right_answers(model(), {}, 30);
    if (t == 0) return;
    Session session = test::open_session({}, model());
    for (int i = 0; i < 4; ++i) {
      CancelToken token;
      GenerateOptions options;
      options.cancel = &token;
      session.clear();
      std::thread other([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(7 * i + 3 * t));
        token.cancel();
      });
      Answer answer = session.ask(q.picture, q.question, options);
      while (answer.next()) {}
      other.join();
      if (answer.finish() == Finish::cancelled && t == 1) ++cancelled;
    }
    if (!test::answers_first_question(session)) right = -100;
  });
  CHECK(right == 3);
  CHECK(cancelled > 0);
}
