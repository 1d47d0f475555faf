// What sessions share: prefixes, forks, saved states, going back. Always with the bits of a fresh run.
#include <dsvl/base/thread_pool.hpp>
#include <random>
#include <thread>

#include "health.hpp"
#include "trace.hpp"

using namespace dsvl;
using test::Trace;
using test::trace;

namespace {

std::filesystem::path picture(int k) {
  char name[16];
  std::snprintf(name, sizeof name, "%03d.png", k);
  return test::tiny_vl() / "demo" / name;
}
const char* const kSharedQuestions[] = {"Describe the image.", "How many shapes are there?", "What colour is it?", "What does the text say?",
                                  "Which bar is the tallest?", "What is 2 + 3?"};

}  // namespace

TEST_CASE("a second question about a picture costs only its own text, also after others came in between") {
  SessionOptions options;
  options.limits.cached_tokens = 2048;
  Session session = test::open_session(options);
  for (int k = 0; k < 4; ++k) {
    session.clear();
    test::drain(session.ask(picture(k), kSharedQuestions[0]));
  }
  for (int k = 0; k < 4; ++k) {
    session.clear();
    Answer again = session.ask(picture(k), kSharedQuestions[1]);
    CHECK(again.usage().encode == 0);
    CHECK(again.usage().prompt_tokens - again.usage().reused_tokens < 64 + 20);
    Session fresh = test::open_session();
    CHECK(trace(again) == trace(fresh.ask(picture(k), kSharedQuestions[1])));
  }
}

TEST_CASE("forks of a conversation share its prefix and answer as a fresh session would, each on a thread of its own") {
  Session parent = test::open_session();
  const Trace first = trace(parent.ask(picture(2), kSharedQuestions[0]));
  std::vector<Session> forks;
  for (int i = 0; i < 6; ++i) {
    auto fork = parent.fork(i % 2 ? 400 : 0);
    REQUIRE_MESSAGE(fork, fork.error().text());
    CHECK(fork->turns() == 1);
    forks.push_back(std::move(*fork));
  }
  std::vector<Trace> got(forks.size());
  std::vector<Index> reused(forks.size());
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < forks.size(); ++i)
    threads.emplace_back([&, i] {
      Answer answer = forks[i].ask(kSharedQuestions[i]);
      reused[i] = answer.usage().reused_tokens;
      do got[i].logits.insert(got[i].logits.end(), answer.logits().begin(), answer.logits().end());
      while (answer.next());
      got[i].ids = test::ids(answer.ids());
    });
  const Trace own = trace(parent.ask(kSharedQuestions[5]));
  for (std::thread& t : threads) t.join();
  for (std::size_t i = 0; i < forks.size(); ++i) {
    CAPTURE(i);
    Session fresh = test::open_session();
    CHECK(trace(fresh.ask(picture(2), kSharedQuestions[0])) == first);
    CHECK(trace(fresh.ask(kSharedQuestions[i])) == got[i]);
    CHECK(reused[i] > 150);
  }
  CHECK(own == got[5]);
}

TEST_CASE("forks on one thread that are in the middle of a picture each do not wait for each other") {
  const auto picture = [](const char* name) { return Picture::file(test::tiny_vl() / "demo" / name); };
  const auto alone = [&](const char* name) {
    Session session = test::open_session();
    return test::drain(session.ask(picture(name), "Describe the image."));
  };
  Session first = test::open_session();
  auto second = first.fork();
  REQUIRE(second);
  const Picture shown = picture("002.png");
  Answer sliced = first.start({&shown, 1}, "Describe the image.");
  while (sliced.usage().preprocess == 0) sliced.step(std::chrono::microseconds(1));  // it has the encoder
  CHECK(test::drain(second->ask(picture("005.png"), "Describe the image.")) == alone("005.png"));
  CHECK(sliced.ids().empty());
  CHECK(test::drain(sliced) == alone("002.png"));
}

TEST_CASE("a fork outlives its parent, and a parent that goes back does not disturb its forks") {
  std::optional<Session> parent = test::open_session();
  test::drain(parent->ask(picture(2), kSharedQuestions[0]));
  auto fork = parent->fork();
  REQUIRE(fork);
  CHECK(parent->rewind(0).ok());
  const Trace other = trace(parent->ask(picture(0), kSharedQuestions[4]));
  test::drain(parent->ask("Why? Tell me everything about it that there is to tell."));
  parent.reset();
  const Trace got = trace(fork->ask(kSharedQuestions[1]));
  Session fresh = test::open_session();
  test::drain(fresh.ask(picture(2), kSharedQuestions[0]));
  CHECK(trace(fresh.ask(kSharedQuestions[1])) == got);
  Session another = test::open_session();
  CHECK(trace(another.ask(picture(0), kSharedQuestions[4])) == other);
}

TEST_CASE("forks draw different random numbers, and the same ones when everything is done again") {
  GenerateOptions drawn;
  drawn.sampling.temperature = 2;
  drawn.max_tokens = 20;
  const auto run = [&] {
    Session parent = test::open_session();
    test::drain(parent.ask(picture(2), kSharedQuestions[0]));
    std::vector<std::vector<std::int32_t>> out;
    for (int i = 0; i < 3; ++i) out.push_back(test::drain(parent.fork()->ask("Go on.", drawn)));
    out.push_back(test::drain(parent.ask("Go on.", drawn)));
    return out;
  };
  const auto once = run();
  CHECK(once == run());
  for (std::size_t a = 0; a < once.size(); ++a)
    for (std::size_t b = 0; b < a; ++b) CHECK(once[a] != once[b]);
}

TEST_CASE("an answer that goes back chooses the same tokens again, from the same bits") {
  Session session = test::open_session();
  const Trace whole = trace(session.ask(picture(2), kSharedQuestions[0]));
  for (const Index draft : {0, 4}) {
    GenerateOptions options;
    options.draft = draft;
    session.clear();
    Answer answer = session.ask(picture(2), kSharedQuestions[0], options);
    for (int i = 0; i < 8; ++i) REQUIRE(answer.next());
    for (const std::size_t keep : {std::size_t{8}, std::size_t{5}, std::size_t{0}, std::size_t{3}}) {
      while (answer.ids().size() < 8) REQUIRE(answer.next());
      REQUIRE_MESSAGE(answer.rewind(keep, {}).ok(), answer.status().text());
      CHECK(answer.ids().size() == keep);
    }
    while (answer.next()) {}
    CHECK(test::ids(answer.ids()) == whole.ids);
    CHECK(answer.rewind(1, {}).code() == Code::bad_argument);
  }
}

TEST_CASE("an answer to a prompt that ends in a picture goes back to that picture, not to the token in its place") {
  Session session = test::open_session();
  const dsvl::Picture shown = picture(2);
  GenerateOptions options;
  options.placeholders = true;
  Answer answer = session.complete({&shown, 1}, "Describe the image. <image_placeholder>", options);
  REQUIRE(answer.prompt_ids().back() == 535);  // the image token
  const auto first = [&] {
    REQUIRE_MESSAGE(answer.next(), answer.status().text());
    REQUIRE_FALSE(answer.logits().empty());
    return Trace{{answer.logits().begin(), answer.logits().end()}, test::ids(answer.ids())};
  };
  const Trace before = first();
  REQUIRE_MESSAGE(answer.rewind(0, {}).ok(), answer.status().text());
  CHECK(first() == before);
}

TEST_CASE("a conversation goes back to any earlier turn, and on from there as if the rest had not been") {
  Session session = test::open_session();
  test::drain(session.ask(picture(2), kSharedQuestions[0]));
  test::drain(session.ask(kSharedQuestions[1]));
  const Trace third = trace(session.ask(picture(0), kSharedQuestions[4]));
  CHECK(session.turns() == 3);
  CHECK(session.rewind(2).ok());
  CHECK(trace(session.ask(picture(0), kSharedQuestions[4])) == third);
  CHECK(session.rewind(1).ok());
  CHECK(session.turns() == 1);
  test::drain(session.ask(kSharedQuestions[1]));
  CHECK(trace(session.ask(picture(0), kSharedQuestions[4])) == third);
  CHECK(session.rewind(4).code() == Code::bad_argument);
  CHECK(session.rewind(0).ok());
  CHECK(test::answers_first_question(session));
}

TEST_CASE("a saved session goes on elsewhere with the same bits, with its pictures, and without computing anything again") {
  for (const bool keep_ids : {false, true})
    for (const KvFormat kv : {KvFormat::full, KvFormat::bf16, KvFormat::q8}) {
      SessionOptions options;
      options.limits.kv = kv;
      options.keep_generated_ids = keep_ids;
      options.system = "You look at pictures.";
      Session session = test::open_session(options);
      test::drain(session.ask(picture(2), kSharedQuestions[0]));
      test::drain(session.ask(picture(0), kSharedQuestions[4]));
      const auto file = test::temporary("save");
      REQUIRE_MESSAGE(session.save(file).ok(), session.save(file).text());
      SessionOptions plain;
      plain.limits.kv = kv;
      auto loaded = Session::load(test::tiny_model(), file, plain);
      REQUIRE_MESSAGE(loaded, loaded.error().text());
      CHECK(loaded->turns() == 2);
      Answer there = loaded->ask(kSharedQuestions[1]);
      CHECK(there.usage().prompt_tokens - there.usage().reused_tokens < 20);
      CHECK(trace(there) == trace(session.ask(kSharedQuestions[1])));
      Answer again = loaded->ask(picture(0), kSharedQuestions[2]);
      CHECK(again.usage().encode == 0);
      test::drain(again);
      std::filesystem::remove(file);
    }
}

TEST_CASE("a saved session holds nothing but its own tokens") {
  Session session = test::open_session();
  test::drain(session.ask(picture(1), "A secret that was here before, long enough to reach into every page of the cache."));
  session.clear();
  test::drain(session.ask("Hi."));
  Session fresh = test::open_session();
  test::drain(fresh.ask("Hi."));
  const auto a = test::temporary("a"), b = test::temporary("b");
  REQUIRE((session.save(a).ok() && fresh.save(b).ok()));
  CHECK(test::read_file(a) == test::read_file(b));
  std::filesystem::remove(a), std::filesystem::remove(b);
}

TEST_CASE("files that are no saved session, of another model, damaged anywhere or cut give errors") {
  Session session = test::open_session();
  test::drain(session.ask(picture(2), kSharedQuestions[0]));
  const auto file = test::temporary("broken");
  REQUIRE(session.save(file).ok());
  const std::string good = test::read_file(file);
  std::filesystem::remove(file);
  const auto load = [](std::string_view bytes, const SessionOptions& options = {}) {
    const auto loaded = Session::load(test::tiny_model(), std::as_bytes(std::span<const char>(bytes)), options);
    return loaded ? Status() : loaded.error();
  };
  CHECK(load(good).ok());
  CHECK(load("").code() == Code::bad_file);
  CHECK(load("hello").code() == Code::bad_file);
  std::string other = good;
  other[8] = 9;  // the version
  CHECK(load(other).code() == Code::unsupported);
  other = good;
  other[28] = static_cast<char>(other[28] ^ 1);  // the model
  CHECK(load(other).code() == Code::unsupported);
  SessionOptions narrow;
  narrow.limits.kv = KvFormat::bf16;
  CHECK(load(good, narrow).code() == Code::unsupported);
  SessionOptions rounding;
  rounding.limits.activations = ActivationPrecision::bf16;
  CHECK(load(good, rounding).code() == Code::unsupported);
  SessionOptions small;
  small.limits.context = 64;
  CHECK(load(good, small).code() == Code::limit);
  SessionOptions blind;
  blind.limits.pictures = 0;
  CHECK(load(good, blind).code() == Code::limit);
  std::mt19937 random(3);
  for (int i = 0; i < 150; ++i) {
    std::string damaged = good;
    const std::size_t at = i < 60 ? static_cast<std::size_t>(i) * 3 + 28 : random() % damaged.size();
    damaged[at] = static_cast<char>(static_cast<unsigned char>(damaged[at]) ^ (1u + random() % 255));
    CHECK_FALSE(load(damaged).ok());
    CHECK_FALSE(load(std::string_view(good).substr(0, random() % good.size())).ok());
  }
  CHECK_FALSE(load(good + "x").ok());
  CHECK(Session::load(test::tiny_model(), std::filesystem::path("no/such/file")).error().code() == Code::not_found);
  CHECK(session.save("no/such/folder/file").code() == Code::io);
  CHECK(test::answers_first_question(session));
}

TEST_CASE("a full context is an error or an end, and going back makes room again") {
  SessionOptions options;
  options.limits.context = 200;
  Session session = test::open_session(options);
  const Trace first = trace(session.ask(picture(2), kSharedQuestions[0]));
  Answer full = session.ask("And now tell me a long story about each of these shapes, please, with all details.");
  CHECK(full.status().code() == Code::limit);
  CHECK(session.turns() == 1);
  CHECK(session.rewind(0).ok());
  CHECK(trace(session.ask(picture(2), kSharedQuestions[0])) == first);
}
