// Operations and the Program they are recorded into.
//
// A forward pass reads like the paper, and what its calls do is append operations (what, operands, shapes) to a
// Program. A Runner then executes (step, tile) pairs from a cursor. That one mechanism gives slices of time,
// cancellation, progress, tracing and the memory plan, without threads of our own, coroutines or fibers.
#ifndef DSVL_RUN_PROGRAM_HPP
#define DSVL_RUN_PROGRAM_HPP

#include <cstdint>
#include <concepts>
#include <new>

#include "../kernels/table.hpp"
#include "arena.hpp"

DSVL_BEGIN_NAMESPACE

/// What a tile runs with: the kernels, this worker's own strip of scratch (at least the operation's scratch()), and
/// memory that all share, for what one step leaves to the next (at least its shared()).
template <class T>
struct Worker {
  const Kernels<T>& kernels;
  T* scratch;
  std::byte* shared;
};

/// An operation over activations of scalar T: plain data, cut into tiles that may run in any order and at the same
/// time. Tiles are meant to last at most half a millisecond; how the work is cut never changes a result.
template <class O, class T>
concept Operation = std::is_trivially_copyable_v<O> && requires(const O& op, const Worker<T>& worker, Index tile) {
  { op.tiles() } noexcept -> std::same_as<Index>;            // may read live state, constant while the program runs
  { op.run(worker, tile) } noexcept -> std::same_as<void>;
  { op.scratch() } noexcept -> std::same_as<Index>;          // elements of T per worker
  { op.cost() } noexcept -> std::same_as<double>;            // about how many arithmetic operations: for progress
  { O::kName } -> std::convertible_to<const char*>;
};
/// Bytes of memory that an operation shares with its neighbours; most have no shared().
template <class O>
constexpr Index shared_bytes(const O& op) noexcept {
  if constexpr (requires { op.shared(); }) return op.shared();
  else return 0;
}

/// The activation scalar of an execution policy `On`: Recorder<T> (into a program) or Immediate<T> (at once).
template <class On>
using Scalar = typename On::Scalar;

/// How many rows an operation covers: those of its views, or a number read when it runs. The latter lets one recorded
/// program serve a prefill chunk of any length and every decoded token.
struct RowCount {
  const Index* live = nullptr;
  [[nodiscard]] Index of(Index fixed) const noexcept { return live ? *live : fixed; }
};

/// Recorded steps. Storage belongs to the Arena it was recorded into.
template <class T>
class Program {
 public:
  struct Step {
    const void* op = nullptr;
    Index (*tiles)(const void* op) noexcept = nullptr;
    void (*run)(const void* op, const Worker<T>& worker, Index tile) noexcept = nullptr;
    double (*cost)(const void* op) noexcept = nullptr;
    const char* name = "";  ///< of the operation: "linear"
    const char* part = "";  ///< of the model: "siglip"
    Step* next = nullptr;
  };

  [[nodiscard]] Index steps() const noexcept { return count_; }
  [[nodiscard]] const Step* first() const noexcept { return first_; }
  /// Elements of T that every worker needs.
  [[nodiscard]] Index scratch() const noexcept { return scratch_; }
  /// Bytes that all workers share.
  [[nodiscard]] Index shared() const noexcept { return shared_; }
  /// Sum of the operations' cost with the live state as it is now.
  [[nodiscard]] double cost() const noexcept {
    double sum = 0;
    for (const Step* s = first_; s; s = s->next) sum += s->cost(s->op);
    return sum;
  }

 private:
  template <class>
  friend class Recorder;
  Step* first_ = nullptr;
  Step* last_ = nullptr;
  Index count_ = 0, scratch_ = 0, shared_ = 0;
};

/// What the workers of a program work in: a strip of scratch each, and what they share.
template <class T>
struct WorkMemory {
  T* scratch = nullptr;
  Index strip = 0;              ///< elements of each worker
  std::byte* shared = nullptr;  ///< null when the program shares nothing

  /// The names are those of the buffers.
  void carve(Arena& arena, const Program<T>& program, int workers, std::string_view scratch_name,
             std::string_view shared_name) noexcept {
    strip = round_up(program.scratch(), static_cast<Index>(kAlignment));
    scratch = arena.array<T>(scratch_name, strip * workers);
    if (program.shared() > 0) shared = arena.array<std::byte>(shared_name, program.shared());
  }
};

/// "How to execute" for a forward pass: append to a program. Over a measuring Arena it only counts.
template <class T>
class Recorder {
 public:
  using Scalar = T;
  Recorder(Program<T>& program, Arena& arena, ActivationPrecision activations = ActivationPrecision::f32) noexcept
      : program_(program), arena_(arena), activations_(activations) {}

  template <Operation<T> O>
  void operator()(const O& op) noexcept {
    using Step = typename Program<T>::Step;
    void* const op_memory = arena_.array<O>("program", 1);
    void* const step_memory = arena_.array<Step>("program", 1);
    if (op.scratch() > program_.scratch_) program_.scratch_ = op.scratch();
    if (shared_bytes(op) > program_.shared_) program_.shared_ = shared_bytes(op);
    ++program_.count_;
    if (arena_.measuring()) return;
    Step* const step =
        ::new (step_memory) Step{::new (op_memory) O(op),
                                 [](const void* o) noexcept { return static_cast<const O*>(o)->tiles(); },
                                 [](const void* o, const Worker<T>& worker, Index tile) noexcept {
                                   static_cast<const O*>(o)->run(worker, tile);
                                 },
                                 [](const void* o) noexcept { return static_cast<const O*>(o)->cost(); },
                                 O::kName,
                                 part_,
                                 nullptr};
    (program_.last_ ? program_.last_->next : program_.first_) = step;
    program_.last_ = step;
  }

  /// Names the part of the model that the following steps belong to (a string literal).
  void part(const char* name) noexcept { part_ = name; }
  /// The row count that the following operations take instead of their views' own.
  void rows(RowCount rows) noexcept { rows_ = rows; }
  [[nodiscard]] RowCount rows() const noexcept { return rows_; }
  /// What products do to their input.
  [[nodiscard]] ActivationPrecision activations() const noexcept { return activations_; }

 private:
  Program<T>& program_;
  Arena& arena_;
  ActivationPrecision activations_;
  RowCount rows_;
  const char* part_ = "";
};

DSVL_END_NAMESPACE

#endif  // DSVL_RUN_PROGRAM_HPP
