// Sessions that decode together: the same answers as alone, and nobody is in anybody's way.
#include <chrono>
#include <dsvl/base/bit_cast.hpp>
#include <dsvl/chat/scheduler.hpp>
#include <dsvl/convert/convert.hpp>
#include <map>
#include <optional>
#include <random>

#include "health.hpp"
#include "memory.hpp"
#include "place.hpp"

using namespace dsvl;
using test::Place;

namespace {

/// What came of an answer, down to the bits of its logits.
struct HeardTokens {
  std::vector<std::int32_t> ids;
  std::string text;
  std::vector<double> log_probabilities;
  std::vector<std::uint64_t> logits;
  Finish finish = Finish::none;
  bool operator==(const HeardTokens&) const = default;

  void piece(const Answer& answer, const Piece& piece) {
    text += piece.text;
    log_probabilities.push_back(piece.log_probability);
    std::uint64_t hash = 0;
    for (const float x : answer.logits()) hash = hash * 0x9E3779B97F4A7C15u + dsvl::bit_cast<std::uint32_t>(x);
    logits.push_back(hash);
  }
  void over(const Answer& answer) {
    ids = test::ids(answer.ids());
    finish = answer.finish();
  }
};

/// A question with everything that its answer depends on.
struct Task {
  std::size_t question = 0;
  std::optional<std::size_t> picture = {};
  Index max_tokens = 8;
  Index draft = 0;
  float temperature = 0;
  std::uint64_t seed = 0;
  auto operator<=>(const Task&) const = default;

  [[nodiscard]] Answer start(Session& session, const CancelToken* cancel = nullptr) const {
    static constexpr const char* kQuestions[] = {"Describe the image.", "How many shapes are there?", "The red circle. The red circle.",
                                                 "What is 2 + 3?",      "Who are you?",               "Say one two one two one two."};
    GenerateOptions options;
    options.max_tokens = max_tokens;
    options.draft = draft;
    options.sampling.temperature = temperature;
    options.sampling.seed = seed;
    options.cancel = cancel;
    std::vector<Picture> pictures;
    if (picture) pictures.emplace_back(test::tiny_vl() / "demo" / ("00" + std::to_string(*picture) + ".png"));
    return session.start(pictures, kQuestions[question], options);
  }
};

/// One of a hundred and some, so that many are asked in several schedules.
Task random_task(std::mt19937& random) {
  Task task;
  task.question = random() % 6;
  if (random() % 5 == 0) task.picture = random() % 2;
  task.max_tokens = random() % 2 ? 2 : 9;
  if (random() % 3 == 0) task.draft = 5;
  if (random() % 2) task.temperature = 0.9f, task.seed = 7;
  return task;
}

Scheduler open_scheduler(const SchedulerOptions& options = {}, const Model& model = test::tiny_model()) {
  auto scheduler = Scheduler::open(model, options);
  if (!scheduler) FAIL(scheduler.error().text());
  return std::move(*scheduler);
}
Session member(Scheduler& scheduler) {
  auto session = scheduler.session();
  if (!session) FAIL(session.error().text());
  return std::move(*session);
}
SchedulerOptions brief(Index sessions) {
  SchedulerOptions options;
  options.sessions = sessions;
  options.session.system.clear();
  options.session.limits.context = 256;
  return options;
}

/// What sessions alone say, each asked once.
class AloneAnswers {
 public:
  AloneAnswers(const Model& model, const SessionOptions& options) : session_(test::open_session(options, model)) {}
  const HeardTokens& operator()(const Task& task) {
    const auto [at, fresh] = known_.try_emplace(task);
    if (!fresh) return at->second;
    session_.clear();
    Answer answer = task.start(session_);
    while (auto piece = answer.next()) at->second.piece(answer, *piece);
    REQUIRE_MESSAGE(answer.status().ok(), answer.status().text());
    at->second.over(answer);
    return at->second;
  }

 private:
  Session session_;
  std::map<Task, HeardTokens> known_;
};

/// One member of a schedule: it joins at a time, may be cancelled, and what it says is compared.
struct Seat {
  std::optional<Session> session;
  std::optional<Answer> answer;
  Task task;
  HeardTokens heard;
  CancelToken cancel;
  int joins = 0, leaves = -1, patience = 0, questions = 1;

  void ask() { heard = {}, answer.emplace(task.start(*session, &cancel)); }
};

struct ScheduleCounts {
  int schedules = 0, wide = 0, answers = 0;
};

/// A schedule made at random: who joins when, what is taken when, who leaves in the middle.
void play(Scheduler& scheduler, AloneAnswers& alone, std::mt19937& random, ScheduleCounts& counts) {
  const std::size_t size = random() % 4 ? 5 + random() % 8 : 1 + random() % 4;
  std::vector<Seat> seats(size);
  for (Seat& s : seats) {
    s.task = random_task(random);
    s.joins = static_cast<int>(random() % 6);
    s.patience = random() % 3 ? 1 : 3;
    s.questions = random() % 4 ? 1 : 2;
    if (random() % 6 == 0) s.leaves = static_cast<int>(random() % 12);
  }
  bool wide = false;
  const bool slices = random() % 2;
  std::size_t left = size;
  for (int t = 0; left > 0; ++t) {
    REQUIRE(t < 100000);
    std::size_t hungry = 0;
    for (Seat& s : seats) {
      if (t >= s.joins && !s.session && s.questions > 0) s.session.emplace(member(scheduler)), s.ask();
      if (!s.session) continue;
      if (t % s.patience == 0)
        if (auto piece = s.answer->poll()) s.heard.piece(*s.answer, *piece);
      hungry += s.answer->finish() == Finish::none;
      if (t == s.leaves) {
        // It goes in the middle of its answer: it is cancelled, or its session goes without a word.
        if (random() % 2) s.cancel.cancel(), s.answer->poll();
        s.questions = 0;
      } else if (s.answer->finish() == Finish::none) {
        continue;
      } else {
        s.heard.over(*s.answer);
        CHECK(s.heard == alone(s.task));
        ++counts.answers;
        --s.questions;
        if (s.questions > 0) s.session->clear(), s.task = random_task(random), s.ask();
      }
      if (s.questions == 0) s.answer.reset(), s.session.reset(), --left;
    }
    wide = wide || hungry >= 5;
    slices ? scheduler.step(std::chrono::microseconds(random() % 1500)) : scheduler.step();
  }
  ++counts.schedules;
  counts.wide += wide;
}

Model converted(const Place& place, Format format) {
  ConvertOptions options;
  options.types = WeightTypes::of(format);
  const auto path = place.path / (std::string(name(format)) + ".gguf");
  REQUIRE(convert(Folder::directory(test::tiny_vl()), path, options).ok());
  auto model = Model::load(path);
  REQUIRE(model);
  return *model;
}

/// As many schedules for every format of weights and of caches, in chunks that hold a prompt and in short ones.
ScheduleCounts play_schedules(int each, unsigned seed) {
  const Place place("schedules");
  ScheduleCounts counts;
  std::mt19937 random(seed);
  for (const Format format : {Format::f32, Format::bf16, Format::q8_0, Format::q4_0}) {
    const Model model = converted(place, format);
    for (const KvFormat kv : {KvFormat::full, KvFormat::bf16, KvFormat::q8})
      for (const Index chunk : {640, 11}) {
        CAPTURE(name(format));
        CAPTURE(static_cast<int>(kv));
        CAPTURE(chunk);
        SchedulerOptions options = brief(16);
        options.session.limits.kv = kv;
        options.session.limits.chunk = chunk;
        options.pause = std::chrono::milliseconds(random() % 3);
        AloneAnswers alone(model, options.session);
        Scheduler scheduler = open_scheduler(options, model);
        for (int i = 0; i < each; ++i) {
          CAPTURE(i);
          play(scheduler, alone, random, counts);
          CHECK(scheduler.sessions() == 0);
        }
      }
  }
  CHECK(counts.wide >= counts.schedules / 2);
  CHECK(counts.answers > 4 * counts.schedules);
  return counts;
}

}  // namespace

TEST_CASE("in random schedules, over formats of weights and caches, each answer is the one that its session gives alone") {
  CHECK(play_schedules(3, 18).schedules == 72);
}

TEST_SUITE("full") {
  TEST_CASE("in a thousand random schedules each answer is the one that its session gives alone") {
    CHECK(play_schedules(42, 19).schedules == 1008);
  }
}

TEST_CASE("a session of a scheduler answers the first demo question as PyTorch does, in a conversation, too") {
  Scheduler scheduler = open_scheduler();
  Session session = member(scheduler), other = member(scheduler);
  const Answer waits = other.ask("Who are you?");  // nobody takes its token, and it keeps nobody
  CHECK(test::answers_first_question(session));
  Session alone = test::open_session();
  REQUIRE(test::answers_first_question(alone));
  CHECK(test::drain(session.ask("Which bar is the tallest?")) == test::drain(alone.ask("Which bar is the tallest?")));
  CHECK(session.turns() == 2);
  CHECK(waits.finish() == Finish::none);
}

TEST_CASE("sessions of a scheduler have system texts and contexts of their own, and nothing else") {
  Scheduler scheduler = open_scheduler(brief(3));
  SessionOptions own = scheduler.options().session;
  own.system = "You are a pirate.";
  own.limits.context = 128;
  auto pirate = scheduler.session(own);
  REQUIRE(pirate);
  CHECK(pirate->context() == 128);
  Session alone = test::open_session(own);
  CHECK(test::drain(pirate->ask("Who are you?")) == test::drain(alone.ask("Who are you?")));
  own.limits.context = 257;
  CHECK(scheduler.session(own).error().code() == Code::bad_argument);
  own.limits.context = 128;
  own.limits.chunk = 5;
  CHECK(scheduler.session(own).error().code() == Code::bad_argument);
  own = scheduler.options().session;
  own.system = "\xff";
  CHECK(scheduler.session(own).error().code() == Code::bad_text);
}

TEST_CASE("a scheduler has as many sessions as it was opened for, forks included, and one that goes makes room") {
  Scheduler scheduler = open_scheduler(brief(2));
  Session first = member(scheduler);
  std::optional<Session> second(member(scheduler));
  CHECK(scheduler.session().error().code() == Code::limit);
  CHECK(first.fork().error().code() == Code::limit);
  second.reset();
  CHECK(scheduler.sessions() == 1);
  CHECK(first.fork(scheduler.options().session.limits.context + 1).error().code() == Code::limit);
  auto fork = first.fork();
  REQUIRE(fork);
  CHECK(scheduler.sessions() == 2);
  CHECK(test::drain(fork->ask("Who are you?")) == test::drain(first.ask("Who are you?")));
}

TEST_CASE("a scheduler that was moved from answers with errors or nothing, and its sessions outlive it") {
  std::optional<Scheduler> scheduler(open_scheduler(brief(2)));
  Session session = member(*scheduler);
  const Scheduler taken = std::move(*scheduler);
  CHECK(scheduler->session().error().code() == Code::bad_argument);
  CHECK_FALSE(scheduler->step());
  CHECK(scheduler->sessions() == 0);
  CHECK(scheduler->bytes() == 0);
  CHECK(taken.sessions() == 1);
  scheduler.reset();
  CHECK(test::drain(session.ask("Who are you?")).size() > 1);
}

TEST_CASE("an error of one answer stays with it, and the others go on") {
  Scheduler scheduler = open_scheduler(brief(3));
  Session good = member(scheduler), bad = member(scheduler), full = member(scheduler);
  Answer right = Task{.question = 3}.start(good);
  const Picture none = Picture::file("no such file.png");
  Answer missing = bad.start({&none, 1}, "What is this?");
  GenerateOptions long_one;
  long_one.max_tokens = 1000;
  for (const std::int32_t id : test::tiny_model().end_tokens()) long_one.sampling.bias.push_back({id, -100.0f});
  Answer endless = full.start({}, "Who are you?", long_one);
  while (scheduler.step()) right.poll(), missing.poll(), endless.poll();
  CHECK(right.finish() == Finish::eos);
  CHECK(missing.finish() == Finish::error);
  CHECK(missing.status().code() == Code::not_found);
  CHECK(endless.finish() == Finish::context_full);
  good.clear();
  CHECK(test::drain(bad.ask("Who are you?")) == test::drain(good.ask("Who are you?")));
}

TEST_CASE("scores in a scheduler are those of a session alone, in the middle of others' answers") {
  Scheduler scheduler = open_scheduler(brief(2));
  Session talks = member(scheduler), session = member(scheduler), alone = test::open_session(brief(1).session);
  Answer going_on = Task{.question = 4, .max_tokens = 30}.start(talks);
  for (int i = 0; i < 3; ++i) scheduler.step(), going_on.poll();
  scheduler.step(std::chrono::nanoseconds(1));  // a pass is under way
  const std::vector<std::string_view> choices{" yes", " no, it is not"};
  const auto got = session.score({}, "Is it red?", choices), want = alone.score({}, "Is it red?", choices);
  REQUIRE(got);
  REQUIRE(want);
  for (std::size_t i = 0; i < 2; ++i) CHECK((*got)[i].tokens == (*want)[i].tokens);
  const auto rest = test::drain(going_on);
  Answer again = Task{.question = 4, .max_tokens = 30}.start(alone);
  CHECK(test::drain(again) == rest);
}

TEST_CASE("an answer goes back while a pass that another asked for is under way, and says the same again") {
  Scheduler scheduler = open_scheduler(brief(2));
  Session first = member(scheduler), second = member(scheduler);
  Answer answer = Task{.question = 4, .max_tokens = 20}.start(first), other = Task{.question = 2}.start(second);
  for (int i = 0; i < 6; ++i) answer.next();
  const auto said = test::ids(answer.ids());
  const Index passes = answer.usage().passes;
  const std::vector<float> seen(answer.logits().begin(), answer.logits().end());
  scheduler.step(std::chrono::nanoseconds(1));
  CHECK(answer.usage().passes == passes + 1);  // it is under way
  CHECK(std::equal(seen.begin(), seen.end(), answer.logits().begin(), answer.logits().end()));
  CHECK(answer.rewind(99, {}).code() == Code::bad_argument);
  CHECK(answer.usage().passes == passes + 1);
  REQUIRE(answer.rewind(2, {}).ok());
  CHECK(answer.usage().passes == passes);
  while (answer.ids().size() < said.size()) answer.next();
  CHECK(test::ids(answer.ids()) == said);
  CHECK(test::drain(other).size() > 1);
}

TEST_CASE("the logits of an answer stay until it is asked for more, whatever others do") {
  Scheduler scheduler = open_scheduler(brief(2));
  Session first = member(scheduler), second = member(scheduler);
  Answer answer = Task{.question = 4}.start(first), other = Task{.question = 2}.start(second);
  REQUIRE(answer.next());
  const std::vector<float> before(answer.logits().begin(), answer.logits().end());
  REQUIRE(before.size() > 100);
  for (int i = 0; i < 3; ++i) REQUIRE(other.next());
  CHECK(std::equal(before.begin(), before.end(), answer.logits().begin(), answer.logits().end()));
}

TEST_CASE("an answer whose handle is gone ends the work on it: its token and pixels may go, and nobody waits for it") {
  Scheduler scheduler = open_scheduler(brief(3));
  Session first = member(scheduler), second = member(scheduler), third = member(scheduler);
  {
    CancelToken cancel;
    std::vector<std::uint8_t> pixels(64 * 64 * 3, 100);
    const Picture shown = Picture::pixels({pixels.data(), 64, 64, PixelFormat::rgb, 0});
    GenerateOptions options;
    options.cancel = &cancel;
    const Answer dropped = first.start({}, "Who are you?", options);
    const Answer looks = second.start({&shown, 1}, "What is this?", options);
    for (int i = 0; i < 5; ++i) scheduler.step(std::chrono::microseconds(100));
  }
  CHECK_FALSE(scheduler.step());
  const Task task{.question = 1, .picture = 1};
  Answer answer = task.start(third);
  CHECK(test::drain(answer) == AloneAnswers(test::tiny_model(), brief(1).session)(task).ids);
  CHECK(test::drain(first.ask("Who are you?")).size() > 1);
}

TEST_CASE("a progress callback may let a session of the same pass go, and can not work with others") {
  Scheduler scheduler = open_scheduler(brief(3));
  struct Pump {
    std::optional<Session> victim;
    Answer* other = nullptr;
    bool called = false;
    static void report(void* user, Stage, double, double) {
      Pump& pump = *static_cast<Pump*>(user);
      pump.called = true;
      pump.victim.reset();
      if (pump.other) CHECK_FALSE(pump.other->next());
    }
  } pump;
  Session first = member(scheduler), third = member(scheduler);
  pump.victim.emplace(member(scheduler));
  GenerateOptions options;
  options.progress = {Pump::report, &pump};
  Answer answer = first.start({}, "Who are you?", options);
  { const Answer gone = pump.victim->start({}, "What is 2 + 3?"); scheduler.step(std::chrono::nanoseconds(1)); }
  Answer other = third.start({}, "What is 2 + 3?");
  pump.other = &other;
  CHECK(test::drain(answer).size() > 1);
  CHECK(pump.called);
  CHECK(other.status().code() == Code::bad_argument);
  CHECK(scheduler.sessions() == 2);
}

TEST_CASE("a long prompt goes on beside short ones that are asked anew all the time") {
  SchedulerOptions options = brief(3);
  options.session.limits.chunk = 64;
  Scheduler scheduler = open_scheduler(options);
  Session slow = member(scheduler), b = member(scheduler), c = member(scheduler);
  std::string words;
  for (int i = 0; i < 60; ++i) words += "red and blue ";
  GenerateOptions one;
  one.max_tokens = 1;
  Answer waits = slow.start({}, words, one);
  std::optional<Answer> fast[2];
  int steps = 0;
  for (; waits.finish() == Finish::none && steps < 200; ++steps) {
    int i = 0;
    for (Session* const s : {&b, &c}) {
      if (!fast[i] || fast[i]->finish() != Finish::none) {
        s->clear();
        const std::string question = std::to_string(steps) + words.substr(0, 200);
        fast[i].emplace(s->start({}, question, one));
      }
      ++i;
    }
    scheduler.step();
    for (auto& f : fast) f->poll();
    waits.poll();
  }
  CHECK(waits.status().ok());
  CHECK(steps < 60);
}

TEST_CASE("forks that go ways of their own take no memory of others, who never allocate") {
  test::CountingAllocator memory;
  SchedulerOptions options = brief(3);
  options.session.host.allocator = &memory;
  Scheduler scheduler = open_scheduler(options);
  Session first = member(scheduler), innocent = member(scheduler);
  std::string words;
  for (int i = 0; i < 50; ++i) words += "red and blue ";
  CHECK(test::drain(first.ask(words)).size() > 0);
  auto fork = first.fork();
  REQUIRE(fork);
  const long before = memory.requests;
  GenerateOptions endless;
  endless.max_tokens = 1000;
  for (const std::int32_t id : test::tiny_model().end_tokens()) endless.sampling.bias.push_back({id, -100.0f});
  int i = 0;
  std::vector<Answer> answers;
  for (Session* const s : {&first, &*fork, &innocent}) {
    s->clear();
    answers.push_back(s->start({}, std::to_string(i++) + ": who are you?", endless));
  }
  while (scheduler.step())
    for (Answer& a : answers) a.poll();
  for (const Answer& a : answers) CHECK(a.finish() == Finish::context_full);
  CHECK(memory.requests == before);
}

TEST_CASE("every session of a scheduler can look at as many pictures as alone") {
  Scheduler scheduler = open_scheduler(brief(6));
  std::vector<Session> sessions;
  std::vector<Answer> answers;
  for (int i = 0; i < 6; ++i) {
    sessions.push_back(member(scheduler));
    const Picture shown = Picture::file(test::tiny_vl() / "demo" / ("00" + std::to_string(i) + ".png"));
    answers.push_back(sessions.back().start({&shown, 1}, "Describe the image."));
  }
  while (scheduler.step())
    for (Answer& a : answers) a.poll();
  for (const Answer& a : answers) CHECK(a.status().ok());
}

TEST_CASE("sizes and times that make no sense are refused, by the plan as well") {
  for (const Index sessions : {Index{-1}, Index{0}, Index{1025}, Index{1} << 40}) {
    CHECK(Scheduler::open(test::tiny_model(), brief(sessions)).error().code() == Code::bad_argument);
    CHECK(plan(test::tiny_vl(), brief(sessions)).error().code() == Code::bad_argument);
  }
  for (const auto pause : {std::chrono::milliseconds(-1), std::chrono::milliseconds::max()}) {
    SchedulerOptions options = brief(2);
    options.pause = pause;
    CHECK(Scheduler::open(test::tiny_model(), options).error().code() == Code::bad_argument);
  }
  Scheduler scheduler = open_scheduler(brief(2));
  SessionOptions own = scheduler.options().session;
  own.limits.text_bytes = -1;
  CHECK(scheduler.session(own).error().code() == Code::bad_argument);
  own.limits.text_bytes = Index{1} << 50;
  CHECK(scheduler.session(own).error().code() == Code::limit);
  own.limits.text_bytes = 0;
  auto session = scheduler.session(own);
  REQUIRE(session);
  CHECK(test::drain(session->ask("Who are you?")).size() > 1);
}

TEST_CASE("pictures are encoded beside answers under way, which get a token in every pass") {
  Scheduler scheduler = open_scheduler([] {
    SchedulerOptions options = brief(3);
    options.pause = std::chrono::milliseconds(1);
    return options;
  }());
  Session a = member(scheduler), b = member(scheduler), looks = member(scheduler);
  Answer first = Task{.question = 4, .max_tokens = 200}.start(a), second = Task{.question = 0, .max_tokens = 200}.start(b);
  while (first.ids().empty() || second.ids().empty()) scheduler.step(), first.poll(), second.poll();
  const Task task{.question = 1, .picture = 1};
  Answer picture = task.start(looks);
  HeardTokens heard;
  for (int passes = 0; picture.finish() == Finish::none; ++passes) {
    const std::size_t before = first.ids().size() + second.ids().size();
    scheduler.step();
    first.poll(), second.poll();
    if (auto piece = picture.poll()) heard.piece(picture, *piece);
    const std::size_t under_way = static_cast<std::size_t>(first.finish() == Finish::none) + (second.finish() == Finish::none);
    CHECK(first.ids().size() + second.ids().size() >= before + under_way);
    REQUIRE(passes < 2000);
  }
  heard.over(picture);
  AloneAnswers alone(test::tiny_model(), brief(1).session);
  CHECK(heard == alone(task));
}

TEST_CASE("no prompt waits for more passes than there are sessions") {
  SchedulerOptions options = brief(8);
  options.session.limits.chunk = 4;
  Scheduler scheduler = open_scheduler(options);
  std::vector<Session> sessions;
  std::vector<std::vector<double>> done(8);
  std::vector<Answer> answers;
  for (std::size_t i = 0; i < 8; ++i) {
    sessions.push_back(member(scheduler));
    GenerateOptions o;
    o.max_tokens = 2;
    o.progress = {[](void* user, Stage stage, double now, double) {
                    if (stage == Stage::prefill) static_cast<std::vector<double>*>(user)->push_back(now);
                  }, &done[i]};
    answers.push_back(sessions[i].start({}, "Number " + std::to_string(i) + ": who are you, and what do you see?", o));
  }
  std::vector<std::size_t> seen(8), waited(8);
  while (scheduler.step())
    for (std::size_t i = 0; i < 8; ++i) {
      waited[i] = done[i].size() > seen[i] || !answers[i].ids().empty() ? 0 : waited[i] + 1;
      seen[i] = done[i].size();
      CHECK(waited[i] <= 8);
      answers[i].poll();
    }
  for (const auto& d : done) CHECK(d.size() > 3);
}

TEST_CASE("a session of a scheduler that is cancelled while it has the picture encoder gives it to the next") {
  Scheduler scheduler = open_scheduler(brief(2));
  Session first = member(scheduler), second = member(scheduler);
  CancelToken cancel;
  Answer stopped = Task{.question = 1, .picture = 0}.start(first, &cancel);
  for (int i = 0; i < 3; ++i) scheduler.step(std::chrono::microseconds(300));
  cancel.cancel();
  const Task task{.question = 1, .picture = 2};
  Answer answer = task.start(second);  // of the first nobody asks any more
  CHECK(test::drain(answer) == AloneAnswers(test::tiny_model(), brief(1).session)(task).ids);
  CHECK_FALSE(stopped.next());
  CHECK(stopped.finish() == Finish::cancelled);
}

TEST_CASE("a scheduler allocates nothing once its sessions are open") {
  test::CountingAllocator counts;
  SchedulerOptions options = brief(4);
  options.session.host.allocator = &counts;
  Scheduler scheduler = open_scheduler(options);
  std::vector<Session> sessions;
  for (int i = 0; i < 4; ++i) sessions.push_back(member(scheduler));
  const long before = counts.requests;
  for (int round = 0; round < 2; ++round) {
    std::vector<Answer> answers;
    for (std::size_t i = 0; i < 4; ++i) answers.push_back(Task{.question = i, .draft = 3}.start(sessions[i]));
    while (scheduler.step())
      for (Answer& a : answers) a.poll();
  }
  CHECK(counts.requests == before);
}

TEST_CASE("the plan of a scheduler is what it and its sessions take") {
  for (const Index sessions : {1, 2, 16}) {
    CAPTURE(sessions);
    const SchedulerOptions options = brief(sessions);
    const auto planned = plan(test::tiny_vl(), options);
    REQUIRE(planned);
    Scheduler scheduler = open_scheduler(options);
    std::size_t bytes = scheduler.bytes();
    std::vector<Session> all;
    for (Index i = 0; i < sessions; ++i) all.push_back(member(scheduler)), bytes += all.back().bytes();
    const std::size_t want = planned->session();
    CHECK(bytes <= want + want / 100);
    CHECK(bytes + want / 100 >= want);
  }
}
