// Cancelling at every place where work looks at its token: it ends there, nothing breaks, and what follows is as if it had not
// been.
#include <algorithm>
#include <chrono>
#include <dsvl/base/thread_pool.hpp>
#include <dsvl/engine/image_encoder.hpp>
#include <dsvl/engine/complete_limits.hpp>
#include <dsvl/engine/decoding.hpp>
#include <dsvl/chat/internal/model_state.hpp>
#include <dsvl/chat/plan.hpp>
#include <thread>

#include "health.hpp"

using namespace dsvl;

namespace {

using Step = Program<float>::Step;

/// Gets between a program and whoever runs it: counts tiles, and sets the token inside the k-th. Tokens are looked at before
/// every tile, so on one worker the work must end right behind that one.
class TileWatch {
 public:
  TileWatch(const Program<float>& program, CancelToken& token) : token_(token) {
    const auto n = static_cast<std::size_t>(program.steps());
    originals_.reserve(n);
    for (const Step* s = program.first(); s; s = s->next) {
      originals_.push_back({*s, this});
      Step& step = const_cast<Step&>(*s);  // lives in a slab that is not const
      step.op = &originals_.back();
      step.tiles = [](const void* o) noexcept { return of(o).step.tiles(of(o).step.op); };
      step.cost = [](const void* o) noexcept { return of(o).step.cost(of(o).step.op); };
      step.run = [](const void* o, const Worker<float>& worker, Index tile) noexcept {
        of(o).step.run(of(o).step.op, worker, tile);
        of(o).watch->seen();
      };
    }
  }
  TileWatch(const TileWatch&) = delete;
  TileWatch& operator=(const TileWatch&) = delete;

  void restart(Index cancel_at) {
    tiles = 0;
    cancel_at_ = cancel_at;
    token_.reset();
  }
  /// Set the token in every tile from now on.
  void every_tile() { cancel_at_ = -1; }

  Index tiles = 0;

 private:
  struct Original {
    Step step;
    TileWatch* watch;
  };
  static const Original& of(const void* o) noexcept { return *static_cast<const Original*>(o); }
  void seen() noexcept {
    if (++tiles == cancel_at_ || cancel_at_ < 0) token_.cancel();
  }

  CancelToken& token_;
  std::vector<Original> originals_;
  Index cancel_at_ = 0;  // 0: never
};

Result<Image> first_picture() { return read_image(test::FirstQuestion::get().picture); }

std::vector<Index> some_of(Index total, Index count) {
  std::vector<Index> out{1};
  for (Index i = 1; i <= count; ++i) out.push_back(total * i / (count + 1));
  out.push_back(total - 1);
  return out;
}

double milliseconds(Clock::duration d) { return std::chrono::duration<double, std::milli>(d).count(); }

}  // namespace

TEST_CASE("an engine that is cancelled in any tile of a tower ends there, and the next picture is encoded as ever") {
  const auto& state = *test::tiny_model().state();
  InlineExecutor one;
  Buffer<std::byte> memory;
  ImageEncoder encoder(state.network->net, state.config.preprocess, {}, 1, nullptr);
  REQUIRE(carve_slab(memory, [&](Arena& arena) { encoder.lay_out(arena); }));
  CancelToken token;
  TileWatch watch(encoder.program(), token);
  const auto image = first_picture();
  REQUIRE(image);
  const auto& dims = state.network->net;
  std::vector<float> rows(static_cast<std::size_t>(64 * dims.decoder.dims.hidden)), again(rows.size());
  const auto encode = [&](std::vector<float>& out) -> Status {
    Usage usage;
    DSVL_CHECK_STATUS(encoder.begin(image->pixels()));
    DSVL_CHECK_STATUS(encoder.advance(one, {&token}, usage));
    REQUIRE(!encoder.busy());
    const View<const float> made = encoder.rows();
    std::copy_n(made.data, made.rows * made.cols, out.data());
    return {};
  };
  REQUIRE(encode(rows).ok());
  const Index total = watch.tiles;
  CHECK(total > 100);
  for (const Index k : some_of(total, 2)) {
    CAPTURE(k);
    watch.restart(k);
    CHECK(encode(again).code() == Code::cancelled);
    CHECK(watch.tiles == k);
    watch.restart(0);
    REQUIRE(encode(again).ok());
    CHECK(watch.tiles == total);
    CHECK(std::memcmp(rows.data(), again.data(), rows.size() * sizeof(float)) == 0);
  }
}

TEST_CASE("an engine that is cancelled in any tile of prefill or decode says how far it came, and can go on from there") {
  const auto& state = *test::tiny_model().state();
  InlineExecutor one;
  const auto limits = complete_limits({.context = 256, .chunk = 32}, state.config, state.network->net.decoder);
  REQUIRE(limits);
  const DecoderDims& dims = state.config.decoder;
  Buffer<std::byte> memory;  // before what is carved from it, so that it goes after
  PrefixCache cache(std::make_shared<PagePool>(
      static_cast<std::size_t>(kv_page_bytes<float>(dims.heads, dims.layers, *limits->kv)), nullptr));
  Decoding engine(state.network->net.decoder, *limits, 1);
  DecodeRequest request;
  REQUIRE(carve_slab(memory, [&](Arena& arena) {
    cache.carve(arena, dims.heads, limits->context, *limits->kv);
    engine.lay_out(arena);
  }));
  REQUIRE(cache.reserve());
  CancelToken token;
  TileWatch watch(engine.program(), token);
  std::vector<TokenInput<float>> inputs;
  std::vector<TokenKey> keys;
  for (std::int32_t i = 0; i < 100; ++i) inputs.push_back({i * 7 % 500, nullptr}), keys.push_back({i * 7 % 500});
  const auto extend = [&](std::size_t from) -> Status {
    DSVL_CHECK_STATUS(request.begin(cache, TokenSpan{keys, inputs}.from(from), 1, Stage::prefill));
    return engine.advance(request, one, {&token});
  };
  REQUIRE(extend(0).ok());
  const Index total = watch.tiles;
  const std::vector<float> logits(request.logits().begin(), request.logits().end());
  const auto same = [&] { return std::memcmp(logits.data(), request.logits().data(), logits.size() * sizeof(float)) == 0; };
  for (const Index k : some_of(total, 8)) {
    CAPTURE(k);
    cache.truncate(0);
    watch.restart(k);
    CHECK(extend(0).code() == Code::cancelled);
    CHECK(watch.tiles == k);
    CHECK(cache.size() % 32 == 0);
    CHECK(cache.size() < 100);
    watch.restart(0);
    REQUIRE(extend(static_cast<std::size_t>(cache.size())).ok());
    CHECK(cache.size() == 100);
    CHECK(same());
  }
  cache.truncate(99);
  watch.restart(0);
  REQUIRE(extend(99).ok());
  const Index step = watch.tiles;
  CHECK(same());
  for (Index k = 1; k < step; ++k) {  // of one token: every single tile
    CAPTURE(k);
    cache.truncate(99);
    watch.restart(k);
    CHECK(extend(99).code() == Code::cancelled);
    CHECK(cache.size() == 99);
    watch.restart(0);
    REQUIRE(extend(99).ok());
    CHECK(same());
  }
  MESSAGE(total << " tiles for 100 tokens, " << step << " for one");
}

TEST_CASE("towers that stop behind every single tile give the bits of one run") {
  const auto& net = test::tiny_model().network();
  const auto run = [&](bool stop_always) {
    DeepseekVl::VisionBuffers<float> b;
    View<float> out;
    Program<float> program;
    float* scratch = nullptr;
    const auto lay_out = [&](Arena& a) {
      program = {};
      b.carve_table(a, net);
      out = a.view<float>("out", net.siglip.dims.tokens(), net.decoder.dims.hidden);
      b.carve(a, net);
      Recorder<float> on(program, a);
      net.encode(on, b, out);
      scratch = a.array<float>("scratch", round_up(program.scratch(), 16));
    };
    Buffer<std::byte> memory;
    REQUIRE(carve_slab(memory, lay_out));
    for (const auto& v : {b.low, b.high}) {
      const std::vector<float> noise = test::noise(static_cast<std::size_t>(3 * v.height * v.width), 3);
      std::copy(noise.begin(), noise.end(), v.data);
    }
    InlineExecutor one;
    CancelToken token;
    TileWatch watch(program, token);
    if (stop_always) watch.every_tile();
    ProgramCursor<float> cursor(program);
    const Machine<float> machine{&active_kernels<float>(), &one, scratch, round_up(program.scratch(), 16), 1, nullptr};
    Index slices = 0;
    for (; !cursor.done(); ++slices) {
      Runner<float>::run(machine, cursor, {&token});
      token.reset();
    }
    CHECK(slices == (stop_always ? watch.tiles : 1));
    return std::vector<float>(out.data, out.data + out.rows * out.cols);
  };
  const std::vector<float> whole = run(false), stopped = run(true);
  CHECK(std::memcmp(whole.data(), stopped.data(), whole.size() * sizeof(float)) == 0);
}

TEST_CASE("loading ends when it is cancelled at any report or block, and loads the next time") {
  struct Canceller {
    CancelToken token;
    int reports = 0, cancel_at = 0;
    static void report(void* user, Stage stage, double done, double total) {
      CHECK(stage == Stage::load);
      CHECK(done <= total);
      Canceller& c = *static_cast<Canceller*>(user);
      if (++c.reports == c.cancel_at) c.token.cancel();
    }
  };
  for (const LoadMode mode : {LoadMode::map, LoadMode::read, LoadMode::prefault}) {
    const auto load = [&](Canceller& c) {
      LoadOptions options;
      options.mode = mode;
      options.cancel = &c.token;
      options.progress = {Canceller::report, &c};
      return Model::load(test::tiny_vl(), options).error();
    };
    Canceller all;
    CHECK(load(all).ok());
    CHECK(all.reports >= (mode == LoadMode::map ? 1 : 9));  // 9.8 MB in blocks of 1 MiB
    for (int k = 0; k <= all.reports; ++k) {
      Canceller c;
      c.cancel_at = k;
      if (k == 0) c.token.cancel();
      CAPTURE(k);
      CHECK(load(c).code() == Code::cancelled);
      CHECK(c.reports == k);
    }
  }
}

TEST_CASE("a question that is cancelled at any progress report leaves the conversation as it was") {
  struct Canceller {
    CancelToken token;
    int reports = 0, cancel_at = 0;
    static void report(void* user, Stage, double, double) {
      Canceller& c = *static_cast<Canceller*>(user);
      if (++c.reports == c.cancel_at) c.token.cancel();
    }
  };
  SessionOptions small;
  small.limits.chunk = 16;
  test::Patient patient(small);
  int k = 1;
  for (;; ++k) {
    CAPTURE(k);
    Canceller c;
    c.cancel_at = k;
    GenerateOptions options;
    options.cancel = &c.token;
    options.progress = {Canceller::report, &c};
    const Answer answer = patient.session.ask(test::FirstQuestion::get().picture, "And what is in this one?", options);
    if (c.reports < k) break;
    if (answer.status().ok()) continue;  // the last report of all: everything was done
    CHECK(answer.status().code() == Code::cancelled);
    CHECK(answer.finish() == Finish::cancelled);
    CHECK(answer.ids().empty());
    CHECK(patient.well());
  }
  CHECK(k > 5);
}

TEST_CASE("an answer that is cancelled between two tokens is kept as far as it came") {
  const test::FirstQuestion& q = test::FirstQuestion::get();
  Session cut = test::open_session(), limited = test::open_session();
  for (Index tokens = 1; tokens + 1 < static_cast<Index>(q.answer_ids.size()); tokens += 2) {
    CAPTURE(tokens);
    cut.clear();
    limited.clear();
    CancelToken token;
    GenerateOptions cancelled, length;
    cancelled.cancel = &token;
    length.max_tokens = tokens;
    Answer a = cut.ask(q.picture, q.question, cancelled), b = limited.ask(q.picture, q.question, length);
    for (Index i = 0; i < tokens; ++i) REQUIRE(a.next());
    token.cancel();
    while (a.next()) {}
    while (b.next()) {}
    CHECK(a.finish() == Finish::cancelled);
    CHECK(a.status().code() == Code::cancelled);
    CHECK(b.finish() == Finish::length);
    CHECK(a.text() == b.text());
    CHECK(test::ids(a.ids()) == test::ids(b.ids()));
    Answer next_a = cut.ask("Which bar is the tallest?"), next_b = limited.ask("Which bar is the tallest?");
    CHECK(test::ids(next_a.prompt_ids()) == test::ids(next_b.prompt_ids()));
    CHECK(test::drain(next_a) == test::drain(next_b));
  }
}

TEST_CASE("cancelling from another thread at any time ends the work soon, and the question can be asked again") {
  const test::FirstQuestion& q = test::FirstQuestion::get();
  for (const int threads : {1, 3}) {
    ThreadPool pool(threads);
    SessionOptions options;
    options.host.executor = &pool;
    Session once = test::open_session(options);
    const auto began = Clock::now();
    REQUIRE(test::answers_first_question(once));
    const auto whole = Clock::now() - began;
    std::vector<double> latencies;
    for (int i = 0; i < 12; ++i) {
      Session session = test::open_session(options);  // one that knows nothing yet: otherwise there is nothing to cancel
      CancelToken token;
      GenerateOptions generate;
      generate.cancel = &token;
      Clock::time_point cancelled_at;
      std::thread canceller([&] {
        std::this_thread::sleep_for(whole * i / 12);
        cancelled_at = Clock::now();
        token.cancel();
      });
      Answer answer = session.ask(q.picture, q.question, generate);
      while (answer.next()) {}
      const auto returned = Clock::now();
      canceller.join();
      const bool early = answer.finish() == Finish::cancelled;
      CHECK((early ? answer.status().code() == Code::cancelled : test::ids(answer.ids()) == q.answer_ids));
      if (early) latencies.push_back(milliseconds(returned - cancelled_at));
      if (!answer.ids().empty()) session.clear();
      Answer again = session.ask(q.picture, q.question);
      CHECK(test::ids(again.prompt_ids()) == q.prompt_ids);
      CHECK(test::drain(again) == q.answer_ids);
    }
    REQUIRE(!latencies.empty());
    std::sort(latencies.begin(), latencies.end());
    MESSAGE(threads << " threads: of " << latencies.size() << " cancellations the median took "
                    << latencies[latencies.size() / 2] << " ms, the slowest " << latencies.back() << " ms");
  }
}
