// CpuShare: keeps this process below a share of the processors, by sleeping between slices of work.
#ifndef DSVL_ROBOT_CPU_SHARE_HPP
#define DSVL_ROBOT_CPU_SHARE_HPP

#include <algorithm>

#include "frame.hpp"

namespace robot {

/// What was used and has not been paid for in time. Time in which nothing was used is not saved up, so that a share
/// holds in every second and not only in the long run.
class CpuDebt {
 public:
  /// `limit`: seconds of processor time a second, of all threads together: 0.5 is half of one core.
  explicit CpuDebt(double limit) : limit_(limit) {}
  /// Takes in what was used within a time. Seconds to sleep until it is paid for.
  double charge(double used, double passed) {
    owed_ = std::max<double>(0, owed_ + used - limit_ * passed);
    return owed_ / limit_;
  }

 private:
  double limit_, owed_ = 0;
};

class CpuShare {
 public:
  /// 0: no limit. It begins to count here.
  explicit CpuShare(double limit = 0);

  [[nodiscard]] bool limited() const { return limit_ > 0; }
  /// Pays for what was used since the last call: sleeps, though not beyond `until`, and a second at most.
  void pay(Clock::time_point until = Clock::time_point::max());
  /// Seconds of processor time a second since it began to count.
  [[nodiscard]] double reached() const;
  /// Seconds since then.
  [[nodiscard]] double seconds() const;

 private:
  double limit_;
  CpuDebt debt_;
  double used_at_start_, used_;
  Clock::time_point start_, last_;
};

}  // namespace robot

#endif  // DSVL_ROBOT_CPU_SHARE_HPP
