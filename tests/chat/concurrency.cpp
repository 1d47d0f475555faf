// Several sessions at once: same answers, no races (this program is meant to be run under -fsanitize=thread, too).
#include <chrono>
#include <dsvl/base/thread_pool.hpp>
#include <optional>
#include <thread>

#include "health.hpp"

using namespace dsvl;

namespace {

using test::brief;

/// The ids of two answers in a session of its own, about pictures that begin at `first`.
std::vector<std::int32_t> answers(const Model& model, const SessionOptions& options, int first) {
  auto session = Session::open(model, options);
  std::vector<std::int32_t> all;
  for (int i = first; session && i < first + 2; ++i) {
    GenerateOptions few;
    few.max_tokens = 6;
    session->clear();
    const auto ids = test::drain(session->ask(test::tiny_vl() / "demo" / ("00" + std::to_string(i) + ".png"), "What is this?", few));
    all.insert(all.end(), ids.begin(), ids.end());
  }
  return all;
}

/// The same, from a session that is alone in the world.
const std::vector<std::int32_t>& alone(int first) {
  static std::vector<std::int32_t> known[8];
  auto& ids = known[first];
  if (ids.empty()) ids = answers(test::tiny_model(), brief(), first);
  REQUIRE(ids.size() > 2);
  return ids;
}

template <class Body>
void at_once(int threads, Body&& body) {
  std::vector<std::thread> all;
  for (int t = 0; t < threads; ++t) all.emplace_back([&body, t] { body(t); });
  for (std::thread& t : all) t.join();
}

const Model& model() {
  static const auto loaded = [] {
    LoadOptions options;
    options.threads = 3;
    return Model::load(test::tiny_vl(), options);
  }();
  return *loaded;
}

}  // namespace

TEST_CASE("sessions of one model that share its pool answer at once as they would alone") {
  std::vector<std::int32_t> found[3];
  at_once(3, [&](int t) { found[t] = answers(model(), brief(), 2 * t); });
  for (int t = 0; t < 3; ++t) CHECK(found[t] == alone(2 * t));
}

TEST_CASE("sessions of one model with pools and limits of their own answer at once as they would alone") {
  std::vector<std::int32_t> found[2];
  at_once(2, [&](int t) {
    ThreadPool pool(2);
    SessionOptions options = brief();
    options.host.executor = &pool;
    options.limits.chunk = 32 * (t + 1);
    options.limits.context = 400 + 64 * t;
    found[t] = answers(model(), options, 2 * t);
  });
  for (int t = 0; t < 2; ++t) CHECK(found[t] == alone(2 * t));
}

TEST_CASE("models load while others answer, and sessions open and close all the time") {
  std::vector<std::int32_t> found;
  int opened = 0, loaded = 0;
  at_once(3, [&](int t) {
    if (t == 0) found = answers(model(), brief(), 0);
    if (t == 1)
      for (int i = 0; i < 20; ++i) opened += Session::open(model()) ? 1 : 0;
    if (t == 2)
      for (int i = 0; i < 3; ++i) loaded += Model::load(test::tiny_vl()) ? 1 : 0;
  });
  CHECK(found == alone(0));
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

TEST_CASE("answers are cancelled from other threads while another session goes on") {
  std::vector<std::int32_t> found;
  int cancelled = 0;
  at_once(2, [&](int t) {
    if (t == 0) found = answers(model(), brief(), 0);
    if (t == 0) return;
    Session session = test::open_session(brief(), model());
    for (int i = 0; i < 4; ++i) {
      CancelToken token;
      GenerateOptions options;
      options.cancel = &token;
      session.clear();
      std::thread other([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(9 * i));
        token.cancel();
      });
      Answer answer = session.ask(test::tiny_vl() / "demo" / "000.png", "What is this?", options);
      while (answer.next()) {}
      other.join();
      cancelled += answer.finish() == Finish::cancelled;
    }
  });
  CHECK(found == alone(0));
  CHECK(cancelled > 0);
}
