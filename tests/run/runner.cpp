// Programs and what runs them: order, slices, cancellation, executors of every temper, and no tile twice.
#include <dsvl/base/thread_pool.hpp>
#include <dsvl/kernels/dispatch.hpp>
#include <dsvl/run/runner.hpp>

#include <doctest/doctest.h>

#include <cfenv>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "../io/failing_allocator.hpp"

using namespace dsvl;

namespace {

/// What the tiles of a program report to.
struct Board {
  struct Step {
    std::vector<std::atomic<int>> hits;
    std::atomic<int> done{0};
    explicit Step(std::size_t tiles) : hits(tiles) {}
  };
  std::vector<std::unique_ptr<Step>> steps;
  std::atomic<int> out_of_order{0};
  std::function<void(std::size_t step, Index tile)> in_tile;  ///< called inside of every tile

  explicit Board(const std::vector<Index>& tiles) {
    for (const Index n : tiles) steps.push_back(std::make_unique<Step>(static_cast<std::size_t>(n)));
  }
  [[nodiscard]] bool each_once() const {
    for (const auto& s : steps)
      for (const auto& h : s->hits)
        if (h != 1) return false;
    return out_of_order == 0;
  }
  [[nodiscard]] int begun() const {
    int n = 0;
    for (const auto& s : steps)
      for (const auto& h : s->hits) n += h;
    return n;
  }
};

struct Mark {
  static constexpr const char* kName = "mark";
  Board* board;
  std::size_t step;
  Index wanted_scratch = 0;

  [[nodiscard]] Index tiles() const noexcept { return static_cast<Index>(board->steps[step]->hits.size()); }
  [[nodiscard]] Index scratch() const noexcept { return wanted_scratch; }
  [[nodiscard]] double cost() const noexcept { return 2.0 * static_cast<double>(tiles()); }
  void run(const Worker<float>& on, Index tile) const noexcept {
    for (std::size_t s = 0; s < step; ++s)
      if (board->steps[s]->done != static_cast<int>(board->steps[s]->hits.size())) ++board->out_of_order;
    ++board->steps[step]->hits[static_cast<std::size_t>(tile)];
    for (Index i = 0; i < wanted_scratch; ++i) on.scratch[i] = static_cast<float>(tile);
    if (board->in_tile) board->in_tile(step, tile);
    for (Index i = 0; i < wanted_scratch; ++i)
      if (on.scratch[i] != static_cast<float>(tile)) ++board->out_of_order;  // somebody else had our strip
    ++board->steps[step]->done;
  }
};

/// The board's steps as a recorded program.
struct Recorded {
  Program<float> program;
  Buffer<std::byte> memory, scratch;

  explicit Recorded(Board& board, Index scratch_each = 5) {
    Arena measure;
    record(board, measure, scratch_each);
    CHECK(program.first() == nullptr);
    REQUIRE(memory.resize(measure.peak()));
    Arena arena(memory.span());
    record(board, arena, scratch_each);
    REQUIRE(arena.peak() == measure.peak());
  }
  void record(Board& board, Arena& arena, Index scratch_each) {
    program = {};
    Recorder<float> on(program, arena);
    for (std::size_t s = 0; s < board.steps.size(); ++s) {
      on.part(s % 2 ? "odd" : "even");
      on(Mark{&board, s, s == 1 ? scratch_each : 0});
    }
  }
  Machine<float> machine(Executor& executor, double* seconds = nullptr) {
    const Index strip = round_up(program.scratch(), 16);
    const int workers = executor.workers();
    REQUIRE(scratch.resize(static_cast<std::size_t>(strip * workers) * sizeof(float)));
    return {&active_kernels<float>(), &executor, reinterpret_cast<float*>(scratch.data()), strip, workers, seconds};
  }
};

/// One after another on this thread, forwards or backwards.
class Sequential final : public Executor {
 public:
  Sequential(int workers, bool backwards) : workers_(workers), backwards_(backwards) {}
  [[nodiscard]] int workers() const noexcept override { return workers_; }
  void run(int tasks, FunctionRef<void(int)> task) noexcept override {
    for (int i = 0; i < tasks; ++i) task(backwards_ ? tasks - 1 - i : i);
  }

 private:
  int workers_;
  bool backwards_;
};
/// A new thread for every task; all at once, or each only when the one before has ended.
class Threads final : public Executor {
 public:
  Threads(int workers, bool together) : workers_(workers), together_(together) {}
  [[nodiscard]] int workers() const noexcept override { return workers_; }
  void run(int tasks, FunctionRef<void(int)> task) noexcept override {
    std::vector<std::thread> threads;
    for (int i = 0; i < tasks; ++i) {
      threads.emplace_back([task, i] { task(i); });
      if (!together_) threads.back().join();
    }
    if (together_)
      for (std::thread& t : threads) t.join();
  }

 private:
  int workers_;
  bool together_;
};

const std::vector<Index> kSteps = {3, 40, 0, 1, 1, 0, 200, 7};

template <class Body>
void with_executors(Body&& body) {
  InlineExecutor here;
  Sequential forwards(5, false), backwards(5, true);
  Threads together(6, true), apart(3, false);
  ThreadPool pool(2), crowd(24);
  struct Case { const char* name; Executor* executor; };
  for (const Case& c : {Case{"inline", &here}, {"one after another", &forwards}, {"backwards", &backwards}, {"threads", &together},
                        {"one thread at a time", &apart}, {"pool", &pool}, {"many workers on few processors", &crowd}}) {
    INFO(c.name);
    body(*c.executor);
  }
}

}  // namespace

TEST_CASE("a recorded program knows its steps, its scratch and its cost") {
  Board board(kSteps);
  Recorded r(board);
  CHECK(r.program.steps() == 8);
  CHECK(r.program.scratch() == 5);
  CHECK(r.program.cost() == 2.0 * 252);
  std::string parts;
  for (const auto* s = r.program.first(); s; s = s->next) parts += std::string(s->part) + "/" + s->name + " ";
  CHECK(parts == "even/mark odd/mark even/mark odd/mark even/mark odd/mark even/mark odd/mark ");
}

TEST_CASE("every tile runs exactly once and no step begins before the one before it has ended, with any executor") {
  with_executors([](Executor& executor) {
    for (int again = 0; again < 20; ++again) {
      Board board(kSteps);
      Recorded r(board);
      ProgramCursor<float> cursor(r.program);
      Runner<float>::run(r.machine(executor), cursor, {});
      CHECK(cursor.done());
      REQUIRE(board.each_once());
      Runner<float>::run(r.machine(executor), cursor, {});  // at the end there is nothing to do
      REQUIRE(board.each_once());
    }
  });
}

TEST_CASE("an empty program, and one whose steps are all empty, end at once") {
  InlineExecutor here;
  for (const auto& steps : {std::vector<Index>{}, {0}, {0, 0, 0}}) {
    Board board(steps);
    Recorded r(board);
    ProgramCursor<float> cursor(r.program);
    Runner<float>::run(r.machine(here), cursor, {});
    CHECK(cursor.done());
  }
}

TEST_CASE("a cancelled run stops between tiles and goes on later from the same tile, with any executor") {
  with_executors([](Executor& executor) {
    Board board(kSteps);
    Recorded r(board);
    CancelToken cancel;
    int until = 0;
    std::atomic<int> tiles{0};
    board.in_tile = [&](std::size_t, Index) {
      if (++tiles >= until) cancel.cancel();
    };
    ProgramCursor<float> cursor(r.program);
    int slices = 0;
    for (; !cursor.done() && slices < 1000; ++slices) {
      until = tiles + 1 + slices % 5;
      const int before = board.begun();
      Runner<float>::run(r.machine(executor), cursor, {&cancel});
      // Whoever looks at the token after it was set starts nothing; one tile a worker may be on its way already.
      CHECK(board.begun() <= before + 1 + slices % 5 + executor.workers());
      if (!cursor.done()) CHECK(cursor.tile < cursor.step->tiles(cursor.step->op));
      cancel.reset();
    }
    CHECK(slices > 3);
    CHECK(slices < 1000);
    CHECK(board.each_once());
  });
}

TEST_CASE("on one worker a cancelled run stops behind the tile that cancelled") {
  Board board({2, 10, 3});
  Recorded r(board);
  CancelToken cancel;
  board.in_tile = [&](std::size_t step, Index tile) {
    if (step == 1 && tile == 5) cancel.cancel();
  };
  InlineExecutor here;
  ProgramCursor<float> cursor(r.program);
  Runner<float>::run(r.machine(here), cursor, {&cancel});
  CHECK((cursor.index == 1 && cursor.tile == 6 && !cursor.done()));
  CHECK(board.begun() == 8);
  Runner<float>::run(r.machine(here), cursor, {&cancel});  // still cancelled
  CHECK((cursor.tile == 6 && board.begun() == 8));
  cancel.reset();
  Runner<float>::run(r.machine(here), cursor, {&cancel});
  CHECK((cursor.done() && board.each_once()));
}

TEST_CASE("a deadline in the past runs nothing, one in the future ends the slice soon behind it") {
  Board board({4, 100});
  Recorded r(board);
  board.in_tile = [](std::size_t, Index) { std::this_thread::sleep_for(std::chrono::milliseconds(1)); };
  InlineExecutor here;
  ProgramCursor<float> cursor(r.program);
  Runner<float>::run(r.machine(here), cursor, {nullptr, Clock::now() - std::chrono::seconds(1)});
  CHECK((board.begun() == 0 && cursor.tile == 0 && cursor.index == 0));
  Runner<float>::run(r.machine(here), cursor, {nullptr, Clock::now() + std::chrono::milliseconds(20)});
  CHECK((board.begun() > 0 && !cursor.done()));
  Runner<float>::run(r.machine(here), cursor, {});
  CHECK((cursor.done() && board.each_once()));
}

TEST_CASE("a program can go on with another executor and another number of workers") {
  Board board({50, 1, 50});
  Recorded r(board);
  CancelToken cancel;
  board.in_tile = [&](std::size_t, Index tile) {
    if (tile % 10 == 0) cancel.cancel();
  };
  ThreadPool pool(3);
  InlineExecutor here;
  Sequential backwards(4, true);
  Executor* const executors[] = {&pool, &here, &backwards};
  ProgramCursor<float> cursor(r.program);
  for (std::size_t i = 0; !cursor.done() && i < 200; ++i) {
    cancel.reset();
    Runner<float>::run(r.machine(*executors[i % 3]), cursor, {&cancel});
  }
  CHECK((cursor.done() && board.each_once()));
}

TEST_CASE("the seconds of a step are added up over all slices") {
  Board board({1, 10});
  Recorded r(board);
  CancelToken cancel;
  board.in_tile = [&](std::size_t step, Index) {
    if (step == 1) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    cancel.cancel();
  };
  InlineExecutor here;
  double seconds[2] = {};
  ProgramCursor<float> cursor(r.program);
  for (int i = 0; !cursor.done() && i < 100; ++i) {
    cancel.reset();
    Runner<float>::run(r.machine(here, seconds), cursor, {&cancel});
  }
  CHECK(seconds[1] >= 0.019);
  CHECK(seconds[1] < 2.0);
  CHECK(seconds[0] >= 0);
  CHECK(seconds[0] < seconds[1]);
}

TEST_CASE("tiles run in our floating-point environment on every worker") {
  // The flush mode of the host's thread must not reach the tiles; see tests/base/float_environment.cpp for the modes.
  Board board({8});
  Recorded r(board);
  std::atomic<int> wrong{0};
  board.in_tile = [&](std::size_t, Index) {
    volatile float one = 1.0f, little = 1e-10f;
    volatile float sum = one + little;
    if (sum != 1.0f) ++wrong;
  };
  struct Upward final : Executor {
    [[nodiscard]] int workers() const noexcept override { return 2; }
    void run(int tasks, FunctionRef<void(int)> task) noexcept override {
      const int before = std::fegetround();
      std::fesetround(FE_UPWARD);
      for (int i = 0; i < tasks; ++i) task(i);
      CHECK(std::fegetround() == FE_UPWARD);
      std::fesetround(before);
    }
  } upward;
  ProgramCursor<float> cursor(r.program);
  Runner<float>::run(r.machine(upward), cursor, {});
  CHECK((cursor.done() && wrong == 0));
}

TEST_CASE("Immediate runs an operation at once, with scratch for every worker") {
  with_executors([](Executor& executor) {
    Board board({7, 30});
    Immediate<float> on(active_kernels<float>(), &executor);
    on(Mark{&board, 0});
    CHECK(board.begun() == 7);
    on(Mark{&board, 1, 100});
    CHECK((board.each_once() && on.status().ok()));
  });
}

TEST_CASE("when Immediate gets no memory it says so, skips the rest, and stays that way") {
  test::FailingAllocator memory(0);
  Board board({1, 5, 5});
  Immediate<float> on(active_kernels<float>(), nullptr, &memory);
  on(Mark{&board, 0});
  CHECK((on.status().ok() && board.begun() == 1));
  on(Mark{&board, 1, 1000});
  CHECK(on.status().code() == Code::out_of_memory);
  on(Mark{&board, 2});
  on(Mark{&board, 2, 1000});  // now there would be memory
  CHECK(on.status().code() == Code::out_of_memory);
  CHECK(board.begun() == 1);
  CHECK(memory.live == memory.peak);
}
