// Job: a program under way: where it stands, and how much of it is done.
//
// What a session does is a row of jobs. Each can be advanced in slices, on any thread, and says how far it came; a
// slice ends at the deadline, at the cancellation, or when it is time to report.
#ifndef DSVL_RUN_JOB_HPP
#define DSVL_RUN_JOB_HPP

#include "../base/host_macros_push.hpp"

#include "runner.hpp"

DSVL_BEGIN_NAMESPACE

inline double seconds_since(Clock::time_point began) noexcept {
  return std::chrono::duration<double>(Clock::now() - began).count();
}

/// What long work looks at and reports to.
struct Control {
  const CancelToken* cancel = nullptr;
  Progress progress = {};
  Clock::time_point deadline = (Clock::time_point::max)();

  [[nodiscard]] bool cancelled() const noexcept { return cancel && cancel->cancelled(); }
  [[nodiscard]] bool late() const noexcept {
    return deadline != (Clock::time_point::max)() && Clock::now() >= deadline;
  }
};

/// What part of a stage a job is: `share` of `total` (in operations or tokens), behind `before` that are done.
struct Portion {
  Stage stage = Stage::decode;
  double before = 0, share = 1, total = 1;
};

class Job {
 public:
  /// The program must stay as it is until the job is done.
  void begin(const Program<float>& program, const Portion& portion) noexcept {
    cursor_ = ProgramCursor<float>(program);
    counted_ = program.first();
    cost_ = program.cost();
    done_ = 0;
    portion_ = portion;
  }
  [[nodiscard]] bool busy() const noexcept { return !cursor_.done(); }

  /// Goes on until it is done or time is up: busy() tells which. Codes: cancelled.
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
  void abandon() noexcept { cursor_ = {}; }

 private:
  static constexpr std::chrono::milliseconds kReportEvery{40};

  ProgramCursor<float> cursor_;
  const Program<float>::Step* counted_ = nullptr;
  double cost_ = 0, done_ = 0;
  Portion portion_;
};

DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_RUN_JOB_HPP
