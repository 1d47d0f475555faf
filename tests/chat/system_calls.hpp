// What the system answers when the library opens and reads files, in the hands of a test. On Linux with 64-bit addresses the
// definitions in system_calls.cpp stand before the C library's; elsewhere, and under sanitizers, which do the same, nothing is
// in between and kAvailable is false.
#ifndef DSVL_TESTS_CHAT_SYSTEM_CALLS_HPP
#define DSVL_TESTS_CHAT_SYSTEM_CALLS_HPP

#include <cstddef>
#include <dsvl/base/config.hpp>

#include "../sanitized.hpp"

#if defined(__linux__) && defined(__LP64__) && !DSVL_SANITIZED
#define DSVL_TEST_SYSTEM_CALLS 1
#else
#define DSVL_TEST_SYSTEM_CALLS 0
#endif

namespace test {

/// The calls that are counted. `at` of `counted` is the one that goes wrong, from 0 on.
struct SystemCalls {
  enum Kind { none, open, size, read, map };

  Kind counted = none;
  long at = -1, seen = 0;
  int error = 0;           ///< what it fails with; 0: it does not fail, but
  long longer = 0;         ///< a size is this much more than it is,
  bool nothing = false;    ///< and a read finds the end of the file
  std::size_t piece = 0;   ///< reads give this many bytes at most; 0: all
  int interrupted = 0;     ///< of so many opens and reads one is interrupted; 0: none
  long pieces = 0, interruptions = 0;  ///< that there were

  [[nodiscard]] bool happened() const noexcept { return seen > at; }
};
inline constexpr bool kAvailable = DSVL_TEST_SYSTEM_CALLS == 1;
extern SystemCalls* system_calls;  // null: everything is as ever

/// For as long as it lives, calls are what `calls` says.
class Interfering {
 public:
  explicit Interfering(SystemCalls& calls) noexcept { system_calls = &calls; }
  Interfering(const Interfering&) = delete;
  Interfering& operator=(const Interfering&) = delete;
  ~Interfering() { system_calls = nullptr; }
};

}  // namespace test

#endif  // DSVL_TESTS_CHAT_SYSTEM_CALLS_HPP
