// The memory contract: what plan() says is what is taken, and a conversation takes nothing.
#include <dsvl/base/thread_pool.hpp>

#include "health.hpp"
#include "memory.hpp"

using namespace dsvl;
using test::CountingAllocator;

namespace {

/// A picture of any size.
std::vector<std::uint8_t> frame(Index width, Index height, unsigned k) {
  std::vector<std::uint8_t> rgb(static_cast<std::size_t>(width * height * 3));
  for (std::size_t i = 0; i < rgb.size(); ++i) rgb[i] = static_cast<std::uint8_t>(i * (k + 3) / 5 + i / 1000 * k);
  return rgb;
}

}  // namespace

TEST_CASE("a session takes exactly what the plan says, whatever its limits and number of workers") {
  for (const Limits& limits :
       {Limits{}, Limits{.context = 300}, Limits{.context = 128, .chunk = 7, .kv = KvFormat::bf16}, Limits{.pictures = 0},
        Limits{.context = 300, .activations = ActivationPrecision::bf16},
        Limits{.context = 512, .pictures = 3, .picture_side = 512, .text_bytes = 100, .logit_rows = 1, .cached_tokens = 700}})
    for (const int threads : {1, 3}) {
      LoadOptions load;
      load.threads = threads;
      const auto model = Model::load(test::tiny_vl(), load);
      REQUIRE(model);
      CountingAllocator memory;
      SessionOptions options;
      options.limits = limits;
      options.host.allocator = &memory;
      if (limits.context == 300) options.attention_maps = 40;
      const auto planned = plan(test::tiny_vl(), options, {.threads = threads});
      REQUIRE_MESSAGE(planned, planned.error().text());
      CHECK(memory.live == 0);
      const auto session = Session::open(*model, options);
      REQUIRE(session);
      CHECK(planned->session() == session->bytes());
      CHECK(memory.live == session->bytes());
      CHECK(planned->file_bytes == model->info().file_bytes);
    }
}

TEST_CASE("the plan counts the workers that the session will have, whoever gives the executor") {
  ThreadPool of_model(3), of_session(2);
  for (const bool given : {false, true}) {
    LoadOptions load;
    load.host.executor = &of_model;
    SessionOptions options;
    if (given) options.host.executor = &of_session;
    const auto model = Model::load(test::tiny_vl(), load);
    REQUIRE(model);
    const auto planned = plan(test::tiny_vl(), options, load);
    REQUIRE(planned);
    CHECK(planned->session() == test::open_session(options, *model).bytes());
  }
}

TEST_CASE("a fork says how much it took itself, which is less where it shares pages") {
  CountingAllocator memory;
  SessionOptions options;
  options.host.allocator = &memory;
  options.limits.context = 512;
  Session session = test::open_session(options);
  CHECK(memory.live == session.bytes());
  Answer answer = session.ask(test::tiny_vl() / "demo" / "000.png", "How many bars are there?");
  while (answer.next()) {}
  const std::size_t before = memory.live;
  auto fork = session.fork();
  REQUIRE(fork);
  CHECK(memory.live - before == fork->bytes());
  CHECK(fork->bytes() < session.bytes());
  CHECK(session.fork(-1).error().code() == Code::bad_argument);
}

TEST_CASE("the plan lists its buffers by part, and says what is wrong with limits") {
  const auto planned = plan(test::tiny_vl());
  REQUIRE(planned);
  std::size_t sums[4] = {};
  for (const Plan::Buffer& b : planned->buffers) sums[static_cast<int>(b.part)] += b.bytes;
  CHECK(sums[0] == planned->model);
  CHECK(sums[1] >= planned->decoder);  // buffers that lie over each other
  CHECK(sums[2] == planned->cache);
  CHECK(sums[3] >= planned->vision);
  CHECK(plan(test::tiny_vl(), {.limits = {.context = -1}}).error().code() == Code::bad_argument);
  CHECK(plan("no/such/model").error().code() == Code::not_found);
}

TEST_CASE("from loading to the end of a long conversation the peak stays within the plan, and the plan within 5 % of it") {
  for (const LoadMode mode : {LoadMode::map, LoadMode::read}) {
    CountingAllocator memory;
    LoadOptions load;
    load.host.allocator = &memory;
    load.mode = mode;
    load.threads = 2;
    const auto planned = plan(test::tiny_vl(), SessionOptions(), {.threads = 2, .mode = mode});
    REQUIRE(planned);
    const auto model = Model::load(test::tiny_vl(), load);
    REQUIRE(model);
    Session session = test::open_session({}, *model);
    for (const auto& [width, height] : std::vector<std::pair<Index, Index>>{{64, 64}, {640, 480}, {4096, 100}, {1000, 1500}}) {
      const auto rgb = frame(width, height, 1);
      session.clear();
      test::drain(session.ask(Pixels{rgb.data(), width, height, PixelFormat::rgb, 0}, "What is this?"));
      test::drain(session.ask("And why?"));
    }
    CHECK(memory.peak <= planned->peak());
    CHECK(static_cast<double>(memory.peak) >= 0.95 * static_cast<double>(planned->peak()));
    MESSAGE(name(mode) << ": planned " << planned->peak() << ", peak " << memory.peak.load());
  }
}

TEST_CASE("a conversation with pictures from pixels takes no memory: not from the allocator, not from operator new") {
  CountingAllocator memory;
  SessionOptions options;
  options.host.allocator = &memory;
  options.limits.picture_side = 1024;
  options.attention_maps = 20;
  Session session = test::open_session(options);
  std::vector<std::pair<Index, Index>> sizes = {{64, 64}, {640, 480}, {1024, 1024}, {37, 1000}, {1024, 9}, {1, 1}};
  std::vector<std::vector<std::uint8_t>> frames;
  for (const auto& [width, height] : sizes) frames.push_back(frame(width, height, static_cast<unsigned>(width)));
  GenerateOptions drawn;
  drawn.sampling.temperature = 0.7f;
  drawn.sampling.top_p = 0.9f;
  drawn.sampling.repetition_penalty = 1.1f;
  drawn.max_tokens = 30;
  drawn.stop = {"User:"};
  GenerateOptions guessed;
  guessed.draft = 5;
  guessed.draft_text = "The picture shows a red square.";
  const std::string longish(500, 'x');
  std::size_t tokens = 0;
  memory.restart();
  test::watch.count = 0;
  test::watch.on = true;
  for (int round = 0; round < 2; ++round)
    for (std::size_t i = 0; i < frames.size(); ++i) {
      const Pixels pixels{frames[i].data(), sizes[i].first, sizes[i].second, PixelFormat::rgb, 0};
      Answer about = session.ask(Picture(pixels).region({0, 0, pixels.width, pixels.height}), "Describe the image.",
                                 i % 2 ? drawn : guessed);
      while (about.next()) ++tokens;
      CHECK(about.attention().tokens() > 0);
      Answer next = session.ask("And what colour is it?", i % 2 ? guessed : drawn);
      while (next.next()) ++tokens;
      Answer left = session.ask(longish);
      tokens += left.next().has_value();
      if (i % 3 == 2) session.clear();
      else if (i % 3 == 1) CHECK(session.rewind(1).ok());
    }
  test::watch.on = false;
  CHECK(tokens > 50);
  CHECK(memory.requests == 0);
  CHECK(test::watch.count == 0);
}

TEST_CASE("a picture larger than planned for takes what it needs and gives it back") {
  CountingAllocator memory;
  SessionOptions options;
  options.host.allocator = &memory;
  options.limits.picture_side = 16;
  Session session = test::open_session(options), planned = test::open_session();
  const std::size_t before = memory.live;
  const auto rgb = frame(3000, 2000, 2);
  const Pixels pixels{rgb.data(), 3000, 2000, PixelFormat::rgb, 0};
  memory.restart();
  const auto small = test::drain(session.ask(pixels, "What is this?"));
  CHECK(memory.requests > 0);
  CHECK(memory.live == before);
  CHECK(small == test::drain(planned.ask(pixels, "What is this?")));
}

TEST_CASE("a conversation that outgrows the text it may have is refused or ends, and goes on after clear()") {
  SessionOptions options;
  options.limits.text_bytes = 600;
  Session session = test::open_session(options);
  CHECK(session.ask(std::string(700, 'y')).status().code() == Code::limit);
  test::drain(session.ask("Who are you?"));
  CHECK(session.turns() == 1);
  Answer ended = session.ask(std::string(300, 'y'));
  while (ended.next()) {}
  CHECK(ended.status().ok());
  CHECK(session.ask(std::string(300, 'y')).status().code() == Code::limit);
  session.clear();
  CHECK(test::answers_first_question(session));
}
