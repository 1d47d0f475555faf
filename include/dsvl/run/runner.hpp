// Runner: executes a Program from a cursor, on as many workers as the executor has, and stops between tiles when asked.
//
// One call of Executor::run covers a whole slice of work: every task is a loop that takes the next tile of the current
// step; whoever finishes a step's last tile publishes the next step. A worker only ever waits for tiles that another
// running worker has already begun, so an executor that runs its tasks one after another, in any order, works as well.
#ifndef DSVL_RUN_RUNNER_HPP
#define DSVL_RUN_RUNNER_HPP

#include "../base/host_macros_push.hpp"

#include <atomic>
#include <chrono>

#include "../base/float_environment.hpp"
#include "../base/spin.hpp"
#include "../base/status.hpp"
#include "program.hpp"

DSVL_BEGIN_NAMESPACE

using Clock = std::chrono::steady_clock;

/// When to stop before the end; both are looked at before every tile.
struct Until {
  const CancelToken* cancel = nullptr;
  Clock::time_point deadline = (Clock::time_point::max)();
};

/// Where a program stands: plain state, so a slice can end anywhere and go on later, on another thread.
template <class T>
struct Cursor {
  const typename Program<T>::Step* step = nullptr;  ///< null: at the end
  Index index = 0;                                  ///< number of the step
  Index tile = 0;                                   ///< next tile of the step

  Cursor() noexcept = default;
  explicit Cursor(const Program<T>& program) noexcept : step(program.first()) {}
  [[nodiscard]] bool done() const noexcept { return step == nullptr; }
};

/// Where and with what a program runs. `scratch` holds `workers` strips of `strip` elements each.
template <class T>
struct Machine {
  const Kernels<T>* kernels = nullptr;
  Executor* executor = nullptr;
  T* scratch = nullptr;
  Index strip = 0;
  int workers = 1;
  double* seconds = nullptr;  ///< optional: time per step, added up (an array of Program::steps() elements)
  std::byte* shared = nullptr;  ///< Program::shared() bytes, aligned to kAlignment
};

template <class T>
class Runner {
 public:
  /// Advances `cursor` to the end, the deadline or the cancellation. Every tile that was begun is finished on return.
  static void run(const Machine<T>& machine, Cursor<T>& cursor, const Until& until) noexcept {
    if (cursor.done()) return;
    Runner runner(machine, cursor, until);
    if (!runner.publish(cursor.step, cursor.index, cursor.tile)) {
      cursor = {};
      return;
    }
    const int workers = machine.workers;
    machine.executor->run(workers, [&](int worker) { runner.work(worker); });
    if (runner.step_) runner.add_seconds();  // a slice that ends inside a step
    runner.store(cursor);
  }

 private:
  using Step = typename Program<T>::Step;

  // One word says where we are, so that a tile is taken by a single compare-and-swap: step number, tiles of that step,
  // next tile. A stale reader can not mistake one step's tiles for another's.
  static constexpr int kTileBits = 22;
  static constexpr std::uint64_t kTileMask = (std::uint64_t{1} << kTileBits) - 1;
  static constexpr std::uint64_t pack(std::uint64_t step, Index tiles, Index next) noexcept {
    return step << (2 * kTileBits) | static_cast<std::uint64_t>(tiles) << kTileBits | static_cast<std::uint64_t>(next);
  }
  static constexpr Index tiles_of(std::uint64_t word) noexcept {
    return static_cast<Index>(word >> kTileBits & kTileMask);
  }
  static constexpr Index next_of(std::uint64_t word) noexcept { return static_cast<Index>(word & kTileMask); }
  static constexpr std::uint64_t kEnd = ~std::uint64_t{0};

  Runner(const Machine<T>& machine, const Cursor<T>&, const Until& until) noexcept : machine_(machine), until_(until) {}

  /// Makes the first step with work, from `step` on, the current one; false at the end of the program.
  bool publish(const Step* step, Index index, Index tile) noexcept {
    while (step) {
      const Index tiles = step->tiles(step->op);
      DSVL_ASSERT(tiles >= 0 && tiles < static_cast<Index>(kTileMask));
      if (tile < tiles) {
        step_ = step;
        index_ = index;
        done_.store(tile, std::memory_order_relaxed);
        if (machine_.seconds) began_ = Clock::now();
        word_.store(pack(static_cast<std::uint64_t>(index), tiles, tile), std::memory_order_release);
        return true;
      }
      step = step->next;
      ++index;
      tile = 0;
    }
    step_ = nullptr;
    word_.store(kEnd, std::memory_order_release);
    return false;
  }

  void work(int worker) noexcept {
    const FloatEnvironment ours;
    const Worker<T> with{*machine_.kernels, machine_.scratch + worker * machine_.strip, machine_.shared};
    for (;;) {
      std::uint64_t word = word_.load(std::memory_order_acquire);
      if (word == kEnd || stop()) return;
      if (next_of(word) == tiles_of(word)) {
        await_change(word);
        continue;
      }
      if (!word_.compare_exchange_weak(word, word + 1, std::memory_order_acq_rel)) continue;
      // The tile is ours, so the step can not end (and step_ can not change) before we report it.
      const Step* const step = step_;
      step->run(step->op, with, next_of(word));
      if (done_.fetch_add(1, std::memory_order_acq_rel) + 1 == tiles_of(word)) finish_step(step);
    }
  }

  void finish_step(const Step* step) noexcept {
    add_seconds();
    publish(step->next, index_ + 1, 0);
    word_.notify_all();
  }

  void add_seconds() noexcept {
    if (machine_.seconds) machine_.seconds[index_] += std::chrono::duration<double>(Clock::now() - began_).count();
  }

  /// All tiles of the step are taken and some still run, a tile at most.
  void await_change(std::uint64_t word) noexcept {
    if (!spin_until([&] { return word_.load(std::memory_order_acquire) != word; }))
      word_.wait(word, std::memory_order_acquire);
  }

  bool stop() noexcept {
    if (stopped_.load(std::memory_order_relaxed)) return true;
    const bool now = (until_.cancel && until_.cancel->cancelled()) ||
                     (until_.deadline != (Clock::time_point::max)() && Clock::now() >= until_.deadline);
    if (now) stopped_.store(true, std::memory_order_relaxed);
    return now;
  }

  void store(Cursor<T>& cursor) const noexcept {
    const std::uint64_t word = word_.load(std::memory_order_acquire);
    cursor.step = step_;
    cursor.index = index_;
    cursor.tile = word == kEnd ? 0 : next_of(word);
  }

  const Machine<T>& machine_;
  const Until& until_;
  const Step* step_ = nullptr;
  Index index_ = 0;
  Clock::time_point began_{};
  std::atomic<std::uint64_t> word_{kEnd};
  std::atomic<Index> done_{0};
  std::atomic<bool> stopped_{false};
};

/// "How to execute" for a forward pass: run each operation at once, on the given executor. For tests, tools and people
/// who use one component alone. Scratch grows as needed; when memory ends, status() says so and the rest is skipped.
template <class T>
class Immediate {
 public:
  using Scalar = T;
  explicit Immediate(const Kernels<T>& kernels, Executor* executor = nullptr, Allocator* allocator = nullptr,
                     ActivationPrecision activations = ActivationPrecision::f32) noexcept
      : kernels_(kernels), executor_(executor ? executor : &inline_), scratch_(allocator), shared_(allocator),
        activations_(activations) {}
  Immediate(const Immediate&) = delete;  // it may point to its own executor
  Immediate& operator=(const Immediate&) = delete;

  template <Operation<T> O>
  void operator()(const O& op) noexcept {
    const int workers = executor_->workers();
    const Index strip = round_up(op.scratch(), static_cast<Index>(kAlignment));
    if (!scratch_.resize(static_cast<std::size_t>(strip * workers)))
      status_ = fail(Code::out_of_memory, "no memory for %td elements of scratch", strip * workers);
    const auto shared = static_cast<std::size_t>(shared_bytes(op));
    if (shared > shared_.size() && !shared_.resize(shared))  // never less: what a step left there stays
      status_ = fail(Code::out_of_memory, "no memory for %zu bytes that operations share", shared);
    if (!status_.ok()) return;
    const typename Program<T>::Step step{&op,
                                         [](const void* o) noexcept { return static_cast<const O*>(o)->tiles(); },
                                         [](const void* o, const Worker<T>& worker, Index tile) noexcept {
                                           static_cast<const O*>(o)->run(worker, tile);
                                         },
                                         [](const void* o) noexcept { return static_cast<const O*>(o)->cost(); },
                                         O::kName,
                                         "",
                                         nullptr};
    Cursor<T> cursor;
    cursor.step = &step;
    Runner<T>::run({&kernels_, executor_, scratch_.data(), strip, workers, nullptr, shared_.data()}, cursor, {});
  }

  void part(const char*) noexcept {}
  void rows(RowCount rows) noexcept { rows_ = rows; }
  [[nodiscard]] RowCount rows() const noexcept { return rows_; }
  [[nodiscard]] ActivationPrecision activations() const noexcept { return activations_; }
  /// Not ok when scratch could not be allocated; results are then incomplete.
  [[nodiscard]] const Status& status() const noexcept { return status_; }

 private:
  const Kernels<T>& kernels_;
  InlineExecutor inline_;
  Executor* executor_;
  Buffer<T> scratch_;
  Buffer<std::byte> shared_;
  RowCount rows_;
  ActivationPrecision activations_;
  Status status_;
};

DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_RUN_RUNNER_HPP
