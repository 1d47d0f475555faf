// Job: a program that is being run, with its position in it and its share of the progress.
//
// A session's work is a row of jobs. Each can be advanced in slices, on any thread, and reports how far it came. A
// slice ends at the deadline, at a cancellation, or when it is time to report progress.
#ifndef DSVL_RUN_JOB_HPP
#define DSVL_RUN_JOB_HPP

#include "../base/host_macros_push.hpp"

#include "runner.hpp"

DSVL_BEGIN_NAMESPACE

/// Seconds from `began` to now.
inline double seconds_since(Clock::time_point began) noexcept {
  return std::chrono::duration<double>(Clock::now() - began).count();
}

/// The end of a budget that begins now. One that is too large for the clock means that there is no deadline.
inline Clock::time_point deadline_in(std::chrono::nanoseconds budget) noexcept {
  const auto now = Clock::now(), latest = (Clock::time_point::max)();
  return budget < latest - now ? now + budget : latest;
}

/// The conditions under which long work ends early, and the receiver of its progress. One is made for each call of the
/// front door.
struct Control {
  const CancelToken* cancel = nullptr;  ///< null: cannot be cancelled; otherwise must stay until the work is over
  Progress progress = {};               ///< called at most every 40 ms; may be empty
  Clock::time_point deadline = (Clock::time_point::max)();  ///< end of the caller's budget, at most `ends`
  Clock::time_point ends = (Clock::time_point::max)();  ///< work that is not done by then is given up, not left

  /// True once the caller cancelled; costs one atomic load.
  [[nodiscard]] bool cancelled() const noexcept { return cancel && cancel->cancelled(); }
  /// True once the budget is spent; the clock is read only when there is a deadline.
  [[nodiscard]] bool late() const noexcept {
    return deadline != (Clock::time_point::max)() && Clock::now() >= deadline;
  }
};

/// The part of a stage that a job is, for its progress reports: `share` of `total`, in the stage's unit (operations or
/// tokens), after `before` that earlier jobs did.
struct Portion {
  Stage stage = Stage::decode;  ///< what is reported, and named in the message of a cancellation
  double before = 0;            ///< done by earlier jobs
  double share = 1;             ///< done by this job when it is finished
  double total = 1;             ///< of the whole stage
};

/// A run of one program that can be left and taken up again. Used by one thread at a time.
class Job {
 public:
  /// Starts over at the program's first step. The program must stay as it is until the job is done.
  void begin(const Program<float>& program, const Portion& portion) noexcept {
    cursor_ = ProgramCursor<float>(program);
    counted_ = program.first();
    cost_ = program.cost();
    done_ = 0;
    portion_ = portion;
  }
  /// True until the last step has run or the job was abandoned.
  [[nodiscard]] bool busy() const noexcept { return !cursor_.done(); }

  /// Runs the program until its end, the deadline or a cancellation; busy() tells whether it was the end. It overruns a
  /// deadline by one tile at most.
  ///
  /// Codes  cancelled; the job is then still busy and could go on
  Status advance(const Machine<float>& machine, const Control& control) noexcept {
    while (busy()) {
      Until until{control.cancel, control.deadline};
      if (control.progress.report) until.deadline = (std::min)(until.deadline, Clock::now() + kReportEvery);
      Runner<float>::run(machine, cursor_, until);
      for (; counted_ != cursor_.step; counted_ = counted_->next) done_ += counted_->cost(counted_->op);
      if (control.progress.report && cost_ > 0)
        control.progress(portion_.stage, portion_.before + portion_.share * done_ / cost_, portion_.total);
      if (!busy()) break;
      if (control.cancelled()) return fail(Code::cancelled, "cancelled during %s", name(portion_.stage).data());
      if (control.late()) break;
    }
    return {};
  }
  /// Drops the rest of the program. What it has written so far stays.
  void abandon() noexcept { cursor_ = {}; }

 private:
  static constexpr std::chrono::milliseconds kReportEvery{40};  // smooth for a progress bar, and no cost

  ProgramCursor<float> cursor_;
  const Program<float>::Step* counted_ = nullptr;
  double cost_ = 0, done_ = 0;
  Portion portion_;
};

DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_RUN_JOB_HPP
