// Executors of every temper under whole sessions, and callbacks that cancel or use another session: the answers are the same,
// and whatever was cancelled leaves the conversation as it was.
#include <atomic>
#include <chrono>
#include <dsvl/base/thread_pool.hpp>
#include <thread>
#include <vector>

#include "health.hpp"

using namespace dsvl;

namespace {

/// A new thread for every task, the last first, each of which comes late.
class LateThreads final : public Executor {
 public:
  [[nodiscard]] int workers() const noexcept override { return 3; }
  void run(int tasks, FunctionRef<void(int)> task) noexcept override {
    std::vector<std::thread> threads;
    for (int i = tasks - 1; i >= 0; --i)
      threads.emplace_back([task, i] {
        std::this_thread::sleep_for(std::chrono::microseconds(50 * (i + 1)));
        task(i);
      });
    for (std::thread& t : threads) t.join();
  }
};
/// One thread, and never the one that asks.
class Elsewhere final : public Executor {
 public:
  [[nodiscard]] int workers() const noexcept override { return 2; }
  void run(int tasks, FunctionRef<void(int)> task) noexcept override {
    std::thread([&] {
      for (int i = tasks - 1; i >= 0; --i) task(i);
    }).join();
  }
};
/// Runs tasks one after another, and does something behind the first of each run.
class Interrupted final : public Executor {
 public:
  explicit Interrupted(FunctionRef<void(long)> what) noexcept : what_(what) {}
  [[nodiscard]] int workers() const noexcept override { return 2; }
  void run(int tasks, FunctionRef<void(int)> task) noexcept override {
    const long now = runs++;
    for (int i = 0; i < tasks; ++i) {
      task(i);
      if (i == 0) what_(now);
    }
  }
  long runs = 0;

 private:
  FunctionRef<void(long)> what_;
};

SessionOptions on(Executor& executor) {
  SessionOptions options;
  options.host.executor = &executor;
  options.limits.context = 300;
  return options;
}

}  // namespace

TEST_CASE("executors whose tasks come late, backwards, or always on another thread give the same answers") {
  LateThreads late;
  Elsewhere elsewhere;
  for (Executor* const executor : {static_cast<Executor*>(&late), static_cast<Executor*>(&elsewhere)}) {
    Session session = test::open_session(on(*executor));
    CHECK(test::answers_first_question(session));
  }
}

TEST_CASE("while an executor runs a session's tasks, it may ask another session, which runs on a pool") {
  ThreadPool pool(2);
  Session other = test::open_session(on(pool));
  REQUIRE(test::answers_first_question(other));
  int asked = 0, right = 0;
  const auto ask = [&](long run) {
    if (run % 40 != 7) return;
    ++asked;
    right += test::answers_first_question(other) ? 1 : 0;
  };
  Interrupted executor(ask);
  Session session = test::open_session(on(executor));
  CHECK(test::answers_first_question(session));
  CHECK(asked > 0);
  CHECK(right == asked);
}

TEST_CASE("sessions that ask inside one pool's tasks, where their own run on that pool too, answer as alone") {
  ThreadPool pool(3);
  std::vector<Session> sessions;
  for (int i = 0; i < 4; ++i) sessions.push_back(test::open_session(on(pool)));
  std::atomic<int> right{0};
  const auto ask = [&](int i) { right += test::answers_first_question(sessions[static_cast<std::size_t>(i)]) ? 1 : 0; };
  pool.run(4, ask);
  CHECK(right == 4);
}

TEST_CASE("a question that is cancelled from inside an executor's run leaves the conversation as it was") {
  CancelToken token;
  long cancel_at = -1;
  const auto cancel = [&](long run) {
    if (run == cancel_at) token.cancel();
  };
  Interrupted executor(cancel);
  test::Patient patient(on(executor));
  GenerateOptions options;
  options.cancel = &token;
  executor.runs = 0;
  CHECK(patient.well());
  int cancelled = 0;
  for (long at = 0;; ++at) {  // a run for the towers, and one for the prompt
    CAPTURE(at);
    executor.runs = 0;
    cancel_at = at;
    token.reset();
    Answer answer = patient.session.ask(test::tiny_vl() / "demo" / "002.png", "Describe the image.", options);
    cancel_at = -1;
    if (answer.status().ok()) break;
    CHECK(answer.status().code() == Code::cancelled);
    ++cancelled;
    CHECK(patient.well());
  }
  CHECK(cancelled >= 2);
  CHECK(test::answers_first_question(patient.session));
}

TEST_CASE("an application's decoder that cancels ends the question, and the conversation goes on") {
  CancelToken token;
  std::vector<std::uint8_t> pixels(40 * 30 * 3, 50);
  struct Mine {
    CancelToken* token;
    const std::vector<std::uint8_t>* pixels;
  } mine{&token, &pixels};
  SessionOptions options;
  options.limits.context = 300;
  options.host.decode_picture = {[](void* user, std::span<const std::byte>, std::string_view, PictureDecoder::Give give) -> Status {
                                   const Mine& m = *static_cast<Mine*>(user);
                                   m.token->cancel();
                                   return give(Pixels{m.pixels->data(), 40, 30, PixelFormat::rgb, 0});
                                 },
                                 &mine};
  test::Patient patient(options);
  GenerateOptions generate;
  generate.cancel = &token;
  const std::string file = "RIFF    WEBPVP8 and so on, as long as it has to be";
  const Answer answer = patient.session.ask(Picture::bytes(std::as_bytes(std::span(file))), "What is this?", generate);
  CHECK(answer.status().code() == Code::cancelled);
  CHECK(answer.finish() == Finish::cancelled);
  CHECK(patient.well());
}
