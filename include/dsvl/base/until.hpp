// Until: when work stops before its end, because the application says so or because it is late.
//
// What runs tiles looks at it before each of them (run/runner.hpp), what reads pictures between pieces of them.
#ifndef DSVL_BASE_UNTIL_HPP
#define DSVL_BASE_UNTIL_HPP

#include <chrono>

#include "host.hpp"

DSVL_BEGIN_NAMESPACE

/// The clock of deadlines and of reported seconds.
using Clock = std::chrono::steady_clock;

/// When to stop before the end.
struct Until {
  const CancelToken* cancel = nullptr;  ///< null: cannot be cancelled
  Clock::time_point deadline = (Clock::time_point::max)();  ///< the largest time means none, and reads no clock

  /// Without a token (null) and a time it never comes.
  Until(const CancelToken* token = nullptr, Clock::time_point latest = (Clock::time_point::max)()) noexcept
      : cancel(token), deadline(latest) {}
  /// True once the token was set or the time has come. Costs a load, and where there is a deadline a look at the clock.
  [[nodiscard]] bool over() const noexcept {
    return (cancel && cancel->cancelled()) || (deadline != (Clock::time_point::max)() && Clock::now() >= deadline);
  }
};

DSVL_END_NAMESPACE

#endif  // DSVL_BASE_UNTIL_HPP
