// Memory that ends at every possible place: the error, nothing leaked, everything usable afterwards. And nothing large that
// does not come from the host's allocator.
#include <optional>

#include "health.hpp"
#include "memory.hpp"
#include "place.hpp"

using namespace dsvl;
using test::CountingAllocator;
using test::watch;

namespace {

/// `what` with the n-th request refused, for every n that there is, or behind the first hundred for one in `stride`: an
/// error each time. Returns how many requests there are.
template <class What>
long refuse_each(CountingAllocator& memory, What&& what, long stride = 1) {
  for (long n = 0;; n += n < 100 ? 1 : stride) {
    CAPTURE(n);
    memory.restart();
    memory.refuse = n;
    const Status status = what();
    memory.refuse = -1;
    if (memory.refused == 0) {
      CHECK(status.ok());
      return memory.requests;
    }
    REQUIRE_MESSAGE(status.code() == Code::out_of_memory, name(status.code()) << ": " << status.text());
    CHECK(std::string(status.text()).find("memory") != std::string::npos);
  }
}

}  // namespace

TEST_CASE("a model loads or says that memory ended, whichever allocation is refused") {
  for (const LoadMode mode : {LoadMode::map, LoadMode::read}) {
    CountingAllocator memory;
    LoadOptions options;
    options.host.allocator = &memory;
    options.mode = mode;
    const long requests = refuse_each(memory, [&] {
      const auto model = Model::load(test::tiny_vl(), options);
      const Status status = model.error();
      return status;
    });
    CHECK(requests > 20);
    CHECK(memory.blocks == 0);
    CHECK(memory.live == 0);
    MESSAGE(name(mode) << ": " << requests << " allocations to load");
    const auto model = Model::load(test::tiny_vl(), options);
    REQUIRE(model);
    Session session = test::open_session({}, *model);
    CHECK(test::answers_first_question(session));
  }
}

TEST_CASE("a session opens or says that memory ended, whichever allocation is refused") {
  CountingAllocator memory;
  SessionOptions options;
  options.host.allocator = &memory;
  options.limits.context = 300;
  const long requests = refuse_each(memory, [&]() -> Status {
    const auto session = Session::open(test::tiny_model(), options);
    return session.error();
  });
  CHECK(requests >= 2);
  CHECK(memory.blocks == 0);
  CHECK(memory.live == 0);
  Session session = test::open_session(options);
  CHECK(test::answers_first_question(session));
}

TEST_CASE("a question is answered or fails for memory, whichever allocation is refused, and the conversation goes on") {
  CountingAllocator memory;
  const std::vector<std::uint8_t> bgra(70 * 50 * 4, 90);
  const Pixels pixels{bgra.data(), 70, 50, PixelFormat::bgra, 0};
  {
    SessionOptions options;
    options.host.allocator = &memory;
    options.limits.pictures = 4;
    test::Patient patient(options);
    const auto ask = [&](auto&&... arguments) {
      return refuse_each(memory, [&] { return patient.session.ask(arguments..., "What is this?").status(); });
    };
    // A picture that was encoded stays known, so each kind of question takes one that is new until it succeeds.
    const long text = ask();
    CHECK(patient.well());
    const long path = ask(Picture(test::tiny_vl() / "demo" / "002.png"));
    CHECK(patient.well());
    const long jpeg = ask(Picture(test::data("tiny-vl/jpeg") / "000.jpg"));
    CHECK(patient.well());
    const long raw = ask(Picture(pixels));
    CHECK(patient.well());
    MESSAGE("allocations to ask: " << text << " for text, " << path << " with a PNG, " << jpeg << " with a JPEG, " << raw
                                   << " with pixels");
    CHECK(path > 0);
    CHECK(text + raw == 0);
    const std::vector<std::int32_t> ids(40, 7);
    refuse_each(memory, [&] { return patient.session.generate(ids, {}).status(); });
    CHECK(patient.well());
    memory.restart();
    memory.refuse_from = 0;  // memory is gone for good: a file can not be decoded, all else goes on
    CHECK(patient.session.ask(test::FirstQuestion::get().picture, "What is this?").status().code() == Code::out_of_memory);
    CHECK(patient.session.ask("What is this?").status().ok());
    memory.refuse_from = -1;
    CHECK(patient.well());
    CHECK(test::answers_first_question(patient.session));
  }
  CHECK(memory.blocks == 0);
  CHECK(memory.live == 0);
}

TEST_CASE("a session forks, is saved and loaded, or says that memory ended, whichever allocation is refused") {
  const test::Place place("faults-memory");
  const std::filesystem::path file = place.path / "session.dsvl";
  CountingAllocator memory;
  {
    SessionOptions options;
    options.host.allocator = &memory;
    options.limits.context = 300;
    test::Patient patient(options);
    const long fork = refuse_each(memory, [&] {
      const auto twin = patient.session.fork();
      const Status status = twin.error();
      return status;
    });
    CHECK(fork >= 2);
    CHECK(patient.well());
    const long save = refuse_each(memory, [&] { return patient.session.save(file); });
    CHECK(patient.well());
    std::vector<std::int32_t> expected;
    {
      auto twin = patient.session.fork();
      REQUIRE(twin);
      expected = test::drain(twin->ask("And which is the shortest?"));
    }
    const long load = refuse_each(memory, [&] {
      const auto loaded = Session::load(test::tiny_model(), file, options);
      const Status status = loaded.error();
      return status;
    }, 41);  // most are pages of keys and values, one like the other
    CHECK(load >= 3);
    MESSAGE("allocations: " << fork << " to fork, " << save << " to save, " << load << " to load");
    auto loaded = Session::load(test::tiny_model(), file, options);
    REQUIRE(loaded);
    CHECK(test::drain(loaded->ask("And which is the shortest?")) == expected);
  }
  CHECK(memory.blocks == 0);
  CHECK(memory.live == 0);
}

TEST_CASE("an answer that has begun goes on to its end without asking for memory") {
  CountingAllocator memory;
  SessionOptions options;
  options.host.allocator = &memory;
  Session session = test::open_session(options);
  const test::FirstQuestion& q = test::FirstQuestion::get();
  for (const float temperature : {0.0f, 1.0f}) {
    session.clear();
    GenerateOptions generate;
    generate.sampling.temperature = temperature;
    generate.max_tokens = 40;
    Answer answer = session.ask(q.picture, q.question, generate);
    REQUIRE(answer.status().ok());
    memory.restart();
    memory.refuse_from = 0;
    test::drain(answer);
    memory.refuse_from = -1;
    CHECK(answer.status().ok());
    CHECK(memory.requests == 0);
  }
}

TEST_CASE("nothing above 64 KiB is taken behind the back of the host's allocator") {
  CountingAllocator memory;
  long seen = 0;
  const auto watched = [&](const char* what, auto&& act) {
    watch.largest = watch.count = watch.large = 0;
    watch.on = true;
    act();
    watch.on = false;
    CHECK(watch.large.load() == 0);
    seen += static_cast<long>(watch.count.load());
    MESSAGE(std::string(what) << ": " << watch.count.load() << " calls of operator new, the largest " << watch.largest.load()
                              << " bytes");
  };
  LoadOptions load;
  load.host.allocator = &memory;
  load.mode = LoadMode::read;
  std::optional<Model> model;
  watched("load", [&] {
    auto loaded = Model::load(test::tiny_vl(), load);
    if (loaded) model = *loaded;
  });
  REQUIRE(model);
  std::optional<Session> session;
  watched("open", [&] {
    auto opened = Session::open(*model);
    if (opened) session = std::move(*opened);
  });
  REQUIRE(session);
  const test::FirstQuestion& q = test::FirstQuestion::get();
  watched("two turns", [&] {
    test::drain(session->ask(q.picture, q.question));
    test::drain(session->ask("Which bar is the tallest?"));
  });
  watched("a JPEG", [&] { test::drain(session->ask(test::data("tiny-vl/jpeg") / "000.jpg", "What is this?")); });
  const std::vector<std::int32_t> ids(900, 7);
  watched("many ids", [&] { test::drain(session->generate(ids, {})); });
  CHECK((seen > 0) == (DSVL_TEST_WATCHES_NEW == 1));  // so that a watch that sees nothing is found out
}
