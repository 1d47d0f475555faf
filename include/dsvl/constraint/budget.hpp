// Budget: what compiling a constraint may cost, and the first thing that went wrong while it did.
//
// A schema may come from a stranger. Every loop of the compiler that a schema can make long spends from one budget, so
// that a hostile one becomes an error within a bounded time and memory.
#ifndef DSVL_CONSTRAINT_BUDGET_HPP
#define DSVL_CONSTRAINT_BUDGET_HPP

#include "../base/host_macros_push.hpp"

#include <cstddef>
#include <cstdint>

#include "../base/status.hpp"
#include "limits.hpp"

DSVL_BEGIN_NAMESPACE

namespace constraint {

/// Counts down what ConstraintLimits allow. Once something was refused it stays refused.
class Budget {
 public:
  /// Begins with all of `limits`.
  explicit Budget(const ConstraintLimits& limits) noexcept : limits_(limits) {}

  /// Takes `steps` of work; false when there are not so many left, or something was refused before.
  bool spend(std::size_t steps = 1) noexcept {
    work_ += steps;
    if (work_ > limits_.work) refuse(fail(Code::limit, "the constraint takes more than %zu steps to compile",
                                          limits_.work));
    return ok();
  }
  /// Takes states that stay in the result.
  bool keep_states(std::size_t count) noexcept {
    states_ += count;
    if (states_ > limits_.states) refuse(too_many_states());
    return ok();
  }
  /// Asks whether one automaton may have so many states while it is made.
  bool may_have(std::size_t count) noexcept {
    if (count > limits_.states) refuse(too_many_states());
    return ok();
  }
  /// Notes an error; the first one stays.
  void refuse(const Status& why) noexcept {
    if (error_.ok()) error_ = why;
  }
  /// False once something was refused.
  [[nodiscard]] bool ok() const noexcept { return error_.ok(); }
  /// The first error.
  [[nodiscard]] const Status& error() const noexcept { return error_; }
  /// The sizes that were allowed.
  [[nodiscard]] const ConstraintLimits& limits() const noexcept { return limits_; }
  /// Steps that were taken, which is what compiling cost.
  [[nodiscard]] std::size_t work() const noexcept { return work_; }

 private:
  [[nodiscard]] Status too_many_states() const noexcept {
    return fail(Code::limit, "the constraint needs more than %zu states", limits_.states);
  }

  ConstraintLimits limits_;
  std::size_t work_ = 0, states_ = 0;
  Status error_;
};

}  // namespace constraint
DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_CONSTRAINT_BUDGET_HPP
