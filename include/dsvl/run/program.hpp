// Operations, and the Program they are recorded into.
//
// A forward pass reads like the paper, and its calls append operations (kernel, operands, shapes) to a Program. A
// Runner then executes (step, tile) pairs from a cursor. That one mechanism gives slices of time, cancellation,
// progress, tracing and the memory plan, without threads of our own, coroutines or fibers. It is a compute graph that
// is already in order: no dependencies are tracked, a step begins when the step before has ended.
#ifndef DSVL_RUN_PROGRAM_HPP
#define DSVL_RUN_PROGRAM_HPP

#include <cstdint>
#include <concepts>
#include <new>

#include "../kernels/table.hpp"
#include "arena.hpp"

DSVL_BEGIN_NAMESPACE

/// The kernels and the memory that a tile runs with; there is one for each thread that takes part.
template <class T>
struct Worker {
  const Kernels<T>& kernels;  ///< of the instruction set in use
  T* scratch;         ///< this worker's own memory, at least the operation's scratch() elements
  std::byte* shared;  ///< memory that all workers share and one step leaves to the next, at least shared() bytes
};

/// An operation over activations of scalar T. It is plain data, cut into tiles that may run in any order and at once.
/// Tiles should last half a millisecond at most, since work stops only between them. How the work is cut never changes
/// a result.
template <class O, class T>
concept Operation = std::is_trivially_copyable_v<O> && requires(const O& op, const Worker<T>& worker, Index tile) {
  { op.tiles() } noexcept -> std::same_as<Index>;            // may read live state, constant while the program runs
  { op.run(worker, tile) } noexcept -> std::same_as<void>;
  { op.scratch() } noexcept -> std::same_as<Index>;          // elements of T per worker
  { op.cost() } noexcept -> std::same_as<double>;            // about the arithmetic operations, for progress
  { O::kName } -> std::convertible_to<const char*>;
};
/// Bytes of memory that an operation leaves to the next or takes from the one before. Most have no shared().
template <class O>
constexpr Index shared_bytes(const O& op) noexcept {
  if constexpr (requires { op.shared(); }) return op.shared();
  else return 0;
}

/// The activation scalar of an execution policy `On`: Recorder<T> (into a program) or Immediate<T> (at once).
template <class On>
using Scalar = typename On::Scalar;

/// The number of rows that an operation covers: that of its views, or a number that is read when it runs. The latter
/// lets one recorded program serve a prefill chunk of any length and every decoded token.
struct RowCount {
  const Index* live = nullptr;  ///< read when the operation runs; null to take the views' rows
  /// The rows to cover; `fixed` is the number of rows of the views.
  [[nodiscard]] Index of(Index fixed) const noexcept { return live ? *live : fixed; }
};

/// Recorded steps, a linked list. Its memory belongs to the Arena it was recorded into, so a Program is a handle that
/// may be copied.
template <class T>
class Program {
 public:
  /// One operation with its type erased. The function pointers take `op` as their first argument.
  struct Step {
    const void* op = nullptr;                           ///< the operation
    Index (*tiles)(const void* op) noexcept = nullptr;  ///< Operation::tiles
    void (*run)(const void* op, const Worker<T>& worker, Index tile) noexcept = nullptr;  ///< Operation::run
    double (*cost)(const void* op) noexcept = nullptr;  ///< Operation::cost
    const char* name = "";                              ///< of the operation, such as "linear"
    const char* part = "";                              ///< of the model, such as "siglip"
    Step* next = nullptr;                               ///< null for the last
  };

  /// Number of steps.
  [[nodiscard]] Index steps() const noexcept { return count_; }
  /// The first step; null for an empty program.
  [[nodiscard]] const Step* first() const noexcept { return first_; }
  /// Elements of T that every worker needs: the most that any step wants.
  [[nodiscard]] Index scratch() const noexcept { return scratch_; }
  /// Bytes that all workers share: the most that any step wants.
  [[nodiscard]] Index shared() const noexcept { return shared_; }
  /// Sum of the steps' cost in operations, with the live state as it is now.
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

/// The memory that the workers of a program compute in.
template <class T>
struct WorkMemory {
  T* scratch = nullptr;         ///< `strip` elements for each worker, one behind the other
  Index strip = 0;              ///< elements of scratch of each worker, a multiple of kAlignment
  std::byte* shared = nullptr;  ///< memory that all workers share; null when the program shares nothing

  /// Declares both, under the names they have in the plan.
  void carve(Arena& arena, const Program<T>& program, int workers, std::string_view scratch_name,
             std::string_view shared_name) noexcept {
    strip = round_up(program.scratch(), static_cast<Index>(kAlignment));
    scratch = arena.array<T>(scratch_name, strip * workers);
    if (program.shared() > 0) shared = arena.array<std::byte>(shared_name, program.shared());
  }
};

/// Execution policy `On` that records: a forward pass appends its operations to a program. Over a measuring Arena it
/// only counts.
template <class T>
class Recorder {
 public:
  using Scalar = T;  ///< element type of the activations
  /// Records into `program`, with memory from `arena`; both must outlive the recorder.
  Recorder(Program<T>& program, Arena& arena, ActivationPrecision activations = ActivationPrecision::f32) noexcept
      : program_(program), arena_(arena), activations_(activations) {}

  /// Appends a copy of the operation.
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

  /// Names the part of the model that the following steps belong to. The name must be a string literal, since it is
  /// kept as a pointer.
  void part(const char* name) noexcept { part_ = name; }
  /// Sets the row count that the following operations take instead of that of their views; {} for the views' own.
  void rows(RowCount rows) noexcept { rows_ = rows; }
  /// The row count set last.
  [[nodiscard]] RowCount rows() const noexcept { return rows_; }
  /// The precision in which products take their activations.
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
