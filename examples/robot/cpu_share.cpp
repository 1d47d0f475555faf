#include "cpu_share.hpp"

#include <time.h>  // NOLINT: clock_gettime is POSIX's, not C++'s

#include <thread>

namespace robot {

namespace {

/// Seconds that all threads of this process have used.
double processor_seconds() {
  timespec used = {};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return static_cast<double>(used.tv_sec) + 1e-9 * static_cast<double>(used.tv_nsec);
}

double between(Clock::time_point from, Clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

}  // namespace

CpuShare::CpuShare(double limit)
    : limit_(limit), debt_(limit), used_at_start_(processor_seconds()), used_(used_at_start_), start_(Clock::now()),
      last_(start_) {}

void CpuShare::pay(Clock::time_point until) {
  if (!limited()) return;
  const auto now = Clock::now();
  const double used = processor_seconds();
  const double sleep = std::min(1.0, debt_.charge(used - used_, between(last_, now)));
  used_ = used;
  last_ = now;
  const auto end = now + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(sleep));
  std::this_thread::sleep_until(std::min(end, until));
}

double CpuShare::seconds() const { return between(start_, Clock::now()); }

double CpuShare::reached() const {
  const double passed = seconds();
  return passed > 0 ? (processor_seconds() - used_at_start_) / passed : 0;
}

}  // namespace robot
