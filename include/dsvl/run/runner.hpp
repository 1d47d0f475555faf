// Runner: executes a Program from a cursor, on as many workers as the executor has, and stops between tiles when asked.
//
// One call of Executor::run covers a whole slice of work. Every task is a loop that takes the next tile of the current
// step; the worker that finishes a step's last tile publishes the next step. A worker only ever waits for tiles that
// another running worker has already begun, so an executor that runs its tasks one after another, in any order, works
// as well.
#ifndef DSVL_RUN_RUNNER_HPP
#define DSVL_RUN_RUNNER_HPP

#include "../base/host_macros_push.hpp"

#include <atomic>

#include "../base/float_environment.hpp"
#include "../base/spin.hpp"
#include "../base/status.hpp"
#include "../base/until.hpp"
#include "program.hpp"

DSVL_BEGIN_NAMESPACE

/// A position in a program. It is plain state, so a slice can end anywhere and go on later, on another thread.
template <class T>
struct ProgramCursor {
  const typename Program<T>::Step* step = nullptr;  ///< null: at the end
  Index index = 0;  ///< number of the step
  Index tile = 0;   ///< next tile of the step

  /// A cursor at the end of no program.
  ProgramCursor() noexcept = default;
  /// A cursor at the first tile of `program`.
  explicit ProgramCursor(const Program<T>& program) noexcept : step(program.first()) {}
  /// True when no steps are left.
  [[nodiscard]] bool done() const noexcept { return step == nullptr; }
};

/// Everything that a program needs to run: kernels, threads and memory. `scratch` holds `strip` elements for each of
/// `workers` workers.
template <class T>
struct Machine {
  const Kernels<T>* kernels = nullptr;  ///< of the instruction set in use
  Executor* executor = nullptr;  ///< the host's threads, or ours
  T* scratch = nullptr;          ///< (workers, strip), aligned to kAlignment
  Index strip = 0;               ///< elements of each worker, at least Program::scratch()
  int workers = 1;               ///< tasks to start, for each of which there is scratch
  double* seconds = nullptr;     ///< optional (Program::steps()): each step's wall time in seconds is added to it
  std::byte* shared = nullptr;   ///< Program::shared() bytes, aligned to kAlignment
};

/// Runs one slice of a program. It exists only during run().
template <class T>
class Runner {
 public:
  /// Advances `cursor` to the program's end, the deadline or the cancellation. Every tile that was begun is finished
  /// when it returns. Allocates nothing; the executor may.
  static void run(const Machine<T>& machine, ProgramCursor<T>& cursor, const Until& until) noexcept {
    if (cursor.done()) return;
    Runner runner(machine, cursor, until);
    if (!runner.publish(cursor.step, cursor.index, cursor.tile)) {
      cursor = {};
      return;
    }
    const int workers = machine.workers;
    machine.executor->run(workers, [&](int worker) { runner.work(worker); });
    if (runner.step_) runner.add_seconds();  // the slice ended inside a step, whose time has not been added yet
    runner.store(cursor);
  }

 private:
  using Step = typename Program<T>::Step;

  // One word holds the position, so that a tile is taken by a single compare-and-swap: the number of the step, the
  // number of its tiles, and the next tile. Since the step's number is part of the word, a worker with an old value
  // cannot take a tile of a later step by mistake.
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

  Runner(const Machine<T>& machine, const ProgramCursor<T>&, const Until& until) noexcept
      : machine_(machine), until_(until) {}

  /// Makes the first step with tiles, from `step` on, the current one; false at the end of the program. Plain members
  /// are written before the word is released, so workers that acquire it see them.
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

  /// The loop of one worker. It returns at the end of the program or when it is time to stop.
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
      // The tile is ours, so the step cannot end, and step_ cannot change, before we count it as done.
      const Step* const step = step_;
      step->run(step->op, with, next_of(word));
      if (done_.fetch_add(1, std::memory_order_acq_rel) + 1 == tiles_of(word)) finish_step(step);
    }
  }

  /// Called by the worker that finished the step's last tile: no other worker writes the members now.
  void finish_step(const Step* step) noexcept {
    add_seconds();
    publish(step->next, index_ + 1, 0);
    word_.notify_all();
  }

  /// Adds the wall time since the step, or this slice of it, began.
  void add_seconds() noexcept {
    if (machine_.seconds) machine_.seconds[index_] += std::chrono::duration<double>(Clock::now() - began_).count();
  }

  /// Waits until the word changes: all tiles of the step are taken, and the wait lasts a tile at most. It spins first,
  /// because waking a thread takes longer than most tiles.
  void await_change(std::uint64_t word) noexcept {
    if (!spin_until([&] { return word_.load(std::memory_order_acquire) != word; }))
      word_.wait(word, std::memory_order_acquire);
  }

  /// True once the work should end. One worker reads the clock and tells the others through stopped_.
  bool stop() noexcept {
    if (stopped_.load(std::memory_order_relaxed)) return true;
    const bool now = until_.over();
    if (now) stopped_.store(true, std::memory_order_relaxed);
    return now;
  }

  /// Writes the position back for the next slice.
  void store(ProgramCursor<T>& cursor) const noexcept {
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
  std::atomic<std::uint64_t> word_{kEnd};  // see pack()
  std::atomic<Index> done_{0};             // finished tiles of the current step
  std::atomic<bool> stopped_{false};
};

/// Execution policy `On` that runs each operation at once, on the given executor. It serves tests, tools and programs
/// that use one component alone. Scratch grows as needed; when memory ends, status() says so and the rest is skipped.
template <class T>
class Immediate {
 public:
  using Scalar = T;  ///< element type of the activations
  /// Runs on `executor`, or on the calling thread when that is null. All arguments must outlive the object.
  explicit Immediate(const Kernels<T>& kernels, Executor* executor = nullptr, Allocator* allocator = nullptr,
                     ActivationPrecision activations = ActivationPrecision::f32) noexcept
      : kernels_(kernels), executor_(executor ? executor : &inline_), scratch_(allocator), shared_(allocator),
        activations_(activations) {}
  Immediate(const Immediate&) = delete;  // because it may point to its own executor
  Immediate& operator=(const Immediate&) = delete;

  /// Runs the operation. After a failure it does nothing.
  template <Operation<T> O>
  void operator()(const O& op) noexcept {
    const int workers = executor_->workers();
    const Index strip = round_up(op.scratch(), static_cast<Index>(kAlignment));
    if (!scratch_.resize(static_cast<std::size_t>(strip * workers)))
      status_ = fail(Code::out_of_memory, "no memory for %td elements of scratch", strip * workers);
    const auto shared = static_cast<std::size_t>(shared_bytes(op));
    if (shared > shared_.size() && !shared_.resize(shared))  // never shrinks, because the next step reads what is there
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
    ProgramCursor<T> cursor;
    cursor.step = &step;
    Runner<T>::run({&kernels_, executor_, scratch_.data(), strip, workers, nullptr, shared_.data()}, cursor, {});
  }

  /// Does nothing; the parts of a model only matter for recorded steps.
  void part(const char*) noexcept {}
  /// Sets the row count that the following operations take instead of that of their views; {} for the views' own.
  void rows(RowCount rows) noexcept { rows_ = rows; }
  /// The row count set last.
  [[nodiscard]] RowCount rows() const noexcept { return rows_; }
  /// The precision in which products take their activations.
  [[nodiscard]] ActivationPrecision activations() const noexcept { return activations_; }
  /// Fails with out_of_memory when scratch could not be allocated; results are then incomplete.
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
