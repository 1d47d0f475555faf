// One result, whatever the schedule: threads, order of tasks, prefill chunks, reuse of the cache, slices of time.
#include <algorithm>
#include <cstring>
#include <dsvl/base/thread_pool.hpp>
#include <dsvl/chat/internal/model_state.hpp>
#include <dsvl/run/runner.hpp>
#include <random>

#include "trace.hpp"

using namespace dsvl;
using test::Trace;

namespace {

/// Runs tasks one after another in a random order, and says it has four workers.
class ShuffledExecutor final : public Executor {
 public:
  explicit ShuffledExecutor(unsigned seed) : random_(seed) {}
  [[nodiscard]] int workers() const noexcept override { return 4; }
  void run(int tasks, FunctionRef<void(int)> task) noexcept override {
    std::vector<int> order;
    for (int i = 0; i < tasks; ++i) order.push_back(i);
    std::shuffle(order.begin(), order.end(), random_);
    for (const int i : order) task(i);
  }

 private:
  std::mt19937 random_;
};

/// Of an answer about a picture.
Trace trace(Session& session, const GenerateOptions& options = {}) {
  return test::trace(session.ask(test::tiny_vl() / "demo" / "002.png", "Describe the image.", options));
}

Trace trace(Executor* executor, Index chunk, const GenerateOptions& options = {},
            ActivationPrecision activations = ActivationPrecision::f32) {
  SessionOptions open;
  open.limits.activations = activations;
  open.host.executor = executor;
  open.limits.chunk = chunk;
  open.limits.context = 512;
  Session session = test::open_session(open);
  return trace(session, options);
}

const Trace& plain() {
  static const Trace once = [] {
    InlineExecutor one;
    return trace(&one, 512);
  }();
  return once;
}

}  // namespace

TEST_CASE("logits are equal to the last bit for any number of threads") {
  REQUIRE(plain().ids.size() > 5);
  for (const int threads : {1, 2, 3, 8}) {
    CAPTURE(threads);
    ThreadPool pool(threads);
    CHECK(trace(&pool, 512) == plain());
  }
}

TEST_CASE("logits are equal to the last bit when the number of threads changes between two tokens") {
  ThreadPool pool(4, ThreadPriority::low);
  SessionOptions open;
  open.host.executor = &pool;
  open.limits.chunk = 512;
  open.limits.context = 512;
  Session session = test::open_session(open);
  Answer answer = session.ask(test::tiny_vl() / "demo" / "002.png", "Describe the image.");
  Trace changing;
  do {
    changing.logits.insert(changing.logits.end(), answer.logits().begin(), answer.logits().end());
    pool.limit(static_cast<int>(answer.ids().size()) % 5);
  } while (answer.next());
  changing.ids = test::ids(answer.ids());
  CHECK(changing == plain());
}

TEST_CASE("logits are equal to the last bit when tasks run one after another in random order") {
  for (const unsigned seed : {1u, 2u, 3u}) {
    ShuffledExecutor shuffled(seed);
    CHECK(trace(&shuffled, 512) == plain());
  }
}

TEST_CASE("logits are equal to the last bit for any prefill chunk") {
  ThreadPool pool(2);
  for (const Index chunk : {1, 7, 64, 128, 512}) {
    CAPTURE(chunk);
    CHECK(trace(&pool, chunk) == plain());
  }
}

TEST_CASE("rounded activations give answers of their own, equal to the last bit for any threads and prefill chunk") {
  InlineExecutor one;
  const Trace rounded = trace(&one, 512, {}, ActivationPrecision::bf16);
  CHECK(rounded.ids == plain().ids);
  CHECK_FALSE(rounded == plain());
  ThreadPool pool(3);
  for (const Index chunk : {1, 7, 512}) {
    CAPTURE(chunk);
    CHECK(trace(&pool, chunk, {}, ActivationPrecision::bf16) == rounded);
  }
}

TEST_CASE("logits are equal to the last bit when the prefix comes from the cache") {
  Session session = test::open_session();
  const Trace first = trace(session);
  CHECK(first == plain());
  Answer other = session.ask("How many shapes are there?");
  while (other.next()) {}
  session.clear();
  CHECK(trace(session) == plain());
}

TEST_CASE("logits are equal to the last bit when progress is reported, which cuts the work into slices") {
  int reports = 0;
  GenerateOptions options;
  options.progress = {[](void* user, Stage, double done, double total) {
                        CHECK(done <= total * (1 + 1e-9));
                        ++*static_cast<int*>(user);
                      },
                      &reports};
  ThreadPool pool(2);
  CHECK(trace(&pool, 7, options) == plain());
  CHECK(reports > 10);
}

TEST_CASE("a program that is run in slices of any length gives the bits of one run") {
  const auto& net = test::tiny_model().network();
  const Kernels<float>& kernels = active_kernels<float>();
  constexpr Index kTokens = 70;
  const auto run = [&](auto&& advance) {
    DecoderBuffers<float> b;
    KvCache<float> cache;
    DecoderState state;
    std::vector<SequenceRow> places(kTokens);
    std::vector<TokenInput<float>> inputs;
    for (Index i = 0; i < kTokens; ++i) inputs.push_back({static_cast<std::int32_t>(i * 7 % 500), nullptr});
    Program<float> program;
    float* scratch = nullptr;
    const auto lay_out = [&](Arena& a) {
      program = {};
      b.carve(a, net.decoder.dims, kTokens);
      b.carve_logits(a, net.decoder.dims, kTokens);
      cache.carve(a, net.decoder.dims.heads, net.decoder.dims.layers, kTokens, KvFormat::full);
      Recorder<float> on(program, a);
      net.decoder.forward(on, inputs.data(), state, cache.layout(), b);
      scratch = a.array<float>("scratch", 4 * round_up(program.scratch(), 16));
    };
    Buffer<std::byte> memory;
    REQUIRE(carve_slab(memory, lay_out));
    state = {kTokens, cache.place_rows(0, places), 0, kTokens};
    ProgramCursor<float> cursor(program);
    advance(Machine<float>{&kernels, nullptr, scratch, round_up(program.scratch(), 16), 4, nullptr}, cursor);
    REQUIRE(cursor.done());
    return std::vector<float>(b.logits.data, b.logits.data + b.logits.rows * b.logits.cols);
  };
  const auto whole = run([](Machine<float> machine, ProgramCursor<float>& cursor) {
    InlineExecutor one;
    machine.executor = &one;
    machine.workers = 1;
    Runner<float>::run(machine, cursor, {});
  });
  std::mt19937 random(5);
  for (const int threads : {1, 2, 4}) {
    ThreadPool pool(threads);
    int slices = 0;
    const auto sliced = run([&](Machine<float> machine, ProgramCursor<float>& cursor) {
      machine.executor = &pool;
      machine.workers = pool.workers();
      for (; !cursor.done(); ++slices)
        Runner<float>::run(machine, cursor, {nullptr, Clock::now() + std::chrono::microseconds(random() % 300)});
    });
    CHECK(slices > 3);
    CHECK(std::memcmp(sliced.data(), whole.data(), whole.size() * sizeof(float)) == 0);
  }
}
