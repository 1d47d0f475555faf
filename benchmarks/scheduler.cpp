// What a scheduler gives and costs: questions about one picture at once, and answers that go on beside a new picture.
//
//   bench_scheduler MODEL [THREADS [ROUNDS]] [--json]
//
// First, 8 questions of about 20 tokens about a picture that was looked at, with 32 tokens of answer each: by forks that
// decode together, against one after another. Then 4 sessions that decode, while a fifth is asked about new pixels: how
// long the four wait between two tokens beyond what a pass takes without it, and the time of both against the two done
// apart. Rounds alternate; medians are shown. Checks itself: every answer is the one that is given alone.
#include <algorithm>
#include <dsvl/base/thread_pool.hpp>
#include <dsvl/chat/scheduler.hpp>
#include <dsvl/dsvl.hpp>
#include <optional>

#include "bench.hpp"

using namespace dsvl;

namespace {

constexpr Index kAnswer = 32;
constexpr std::size_t kForks = 8, kTalkers = 4;

/// Stops the program with an error.
[[noreturn]] void stop(const Status& status) { std::exit(report(status)); }
template <class T>
T take(Result<T> result) {
  if (!result) stop(result.error());
  return std::move(*result);
}

std::string question(std::size_t i) {
  return "Question number " + std::to_string(i) + ": what is in the picture, and what colour does it have there?";
}
/// Answers of a fixed length: what ends them is banned.
GenerateOptions long_answer(const Model& model, Index tokens) {
  GenerateOptions options;
  options.max_tokens = tokens;
  for (const std::int32_t id : model.end_tokens()) options.sampling.bias.push_back({id, -1e6f});
  return options;
}
SessionOptions session_options(const Model& model, Executor& executor) {
  SessionOptions options;
  options.host.executor = &executor;
  options.limits.context = model.info().image_tokens + 512;
  options.limits.pictures = 2;
  return options;
}
std::vector<std::int32_t> ids_of(const Answer& answer) { return {answer.ids().begin(), answer.ids().end()}; }
/// Runs all answers to their ends.
void run(Scheduler& scheduler, std::vector<Answer>& answers) {
  while (scheduler.step())
    for (Answer& a : answers)
      while (a.poll()) {}
  for (const Answer& a : answers)
    if (!a.status().ok()) stop(a.status());
}

/// Seconds of the questions, and the ids of their answers.
struct Asked {
  double seconds = 0;
  std::vector<std::vector<std::int32_t>> ids;
};

/// By forks that decode together, or one after another with the prefix cached.
Asked ask_about(const Model& model, Executor& executor, const Picture& picture, bool together) {
  SchedulerOptions options;
  options.sessions = kForks + 1;
  options.pause = std::chrono::minutes(1);  // nobody watches the answers, so prompts need not wait for tokens
  options.session = session_options(model, executor);
  Scheduler scheduler = take(Scheduler::open(model, options));
  Session first = take(scheduler.session());
  if (Answer looks = first.ask(picture, "Look.", long_answer(model, 1)); !looks.status().ok()) stop(looks.status());
  first.clear();
  std::vector<Session> forks;
  for (std::size_t i = 0; i < kForks; ++i) forks.push_back(take(first.fork()));
  Asked out;
  std::vector<Answer> answers;
  const double began = bench::now();
  for (std::size_t i = 0; i < kForks; ++i) {
    answers.push_back(forks[i].start({&picture, 1}, question(i), long_answer(model, kAnswer)));
    while (!together && answers[i].next()) {}
  }
  run(scheduler, answers);
  out.seconds = bench::now() - began;
  for (const Answer& a : answers) out.ids.push_back(ids_of(a));
  return out;
}

/// Four that talk and one that looks.
struct Beside {
  double seconds = 0;  ///< of all
  double pass = 0;     ///< the median between two tokens of the four without the fifth
  double wait = 0;     ///< the longest between two of their tokens while it looks and reads
  std::vector<std::vector<std::int32_t>> ids;
};

/// `talk`, `look`: which of the two are done.
Beside talk_beside(const Model& model, Executor& executor, const Picture& picture, Index tokens, bool talk, bool look) {
  SchedulerOptions options;
  options.sessions = kTalkers + 1;
  options.session = session_options(model, executor);
  Scheduler scheduler = take(Scheduler::open(model, options));
  std::vector<Session> sessions;
  std::vector<Answer> answers;
  for (std::size_t i = 0; i < kTalkers + 1; ++i) sessions.push_back(take(scheduler.session()));
  for (std::size_t i = 0; talk && i < kTalkers; ++i)
    answers.push_back(sessions[i].start({}, "Tell me a story about a kite, please.", long_answer(model, tokens)));
  while (talk && answers.back().ids().size() < 4)
    for (scheduler.step(); Answer& a : answers) a.poll();
  Beside out;
  std::vector<double> passes;
  std::optional<Answer> looks;
  const double began = bench::now();
  for (double last = began; scheduler.step() || (look && !looks);) {
    bool talked = false;
    for (std::size_t i = 0; talk && i < kTalkers; ++i)
      while (answers[i].poll()) talked = true;
    const bool reads = looks && looks->ids().empty();
    if (looks)
      while (looks->poll()) {}
    const double now = bench::now();
    if (talked && reads) out.wait = std::max(out.wait, now - last);
    if (talked && !looks) passes.push_back(now - last);
    if (talked || !talk) last = now;
    if (look && !looks && (passes.size() >= 8 || !talk))
      looks.emplace(sessions.back().start({&picture, 1}, "What is this?", long_answer(model, 4)));
  }
  out.seconds = bench::now() - began;
  out.pass = bench::median(passes);
  if (looks) answers.push_back(std::move(*looks));
  for (const Answer& a : answers) {
    if (!a.status().ok()) stop(a.status());
    out.ids.push_back(ids_of(a));
  }
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  const bench::Arguments arguments(argc, argv);
  const std::filesystem::path path = arguments.word(0, "examples/models/tiny-vl");
  ThreadPool pool(arguments.number(1, 0));
  const int rounds = std::max(1, arguments.number(2, 3));
  LoadOptions load;
  load.mode = LoadMode::prefault;
  const Model model = take(Model::load(path, load));
  const bench::MadeUpPicture made_up;
  const Picture picture = Picture::pixels(made_up.pixels());

  bench::Report table(path.string(), bench::Ceilings::measure(pool), pool, arguments.json);
  bool same = true;
  std::vector<double> ratios;
  for (int r = 0; r < rounds; ++r) {
    const Asked one = ask_about(model, pool, picture, false), all = ask_about(model, pool, picture, true);
    ratios.push_back(all.seconds / one.seconds);
    same = same && one.ids == all.ids;
  }
  table.figure("8 questions about a picture together, of one after another", bench::median(ratios), "of the time");
  std::vector<double> waits, passes, totals;
  for (int r = 0; r < rounds; ++r) {
    // The four talk for about as long as a picture takes beside them.
    const Index tokens = std::min<Index>(200, model.info().max_context / 2);
    const Beside talk = talk_beside(model, pool, picture, tokens, true, false);
    const Beside look = talk_beside(model, pool, picture, tokens, false, true);
    const Beside both = talk_beside(model, pool, picture, tokens, true, true);
    waits.push_back(1e3 * (both.wait - both.pass));
    passes.push_back(1e3 * both.pass);
    totals.push_back(both.seconds / (talk.seconds + look.seconds));
    std::vector<std::vector<std::int32_t>> apart = talk.ids;
    apart.insert(apart.end(), look.ids.begin(), look.ids.end());
    same = same && both.ids == apart;
  }
  table.figure("a pass of 4 sessions", bench::median(passes), "ms");
  table.figure("longest wait beyond a pass while a fifth looks at a picture", bench::median(waits), "ms");
  table.figure("both, of the two apart", bench::median(totals), "of the time");
  return table.finish("every answer is the one that is given alone", same);
}
