// FloatEnvironment: it sets our rounding and flush modes while a task runs, and restores the host's afterwards.
//
// Game and audio engines set flush-to-zero or other rounding on their threads. Without this the same picture could get
// other bits on such a thread.
#ifndef DSVL_BASE_FLOAT_ENVIRONMENT_HPP
#define DSVL_BASE_FLOAT_ENVIRONMENT_HPP

#include <cstdint>

#include "config.hpp"

#if (defined(__SSE__) && !defined(__wasm__)) || defined(_M_X64)
#include <xmmintrin.h>
#elif defined(_MSC_VER) && defined(_M_ARM64)
#include <intrin.h>
#elif !defined(__aarch64__)
#include <cfenv>
#endif

DSVL_BEGIN_NAMESPACE

/// Sets round to nearest, subnormals kept and no traps, for the lifetime of the object on this thread. Costs a few
/// nanoseconds; it wraps a worker's whole slice of work, not a single operation.
class FloatEnvironment {
 public:
  /// Saves the thread's modes and sets ours.
  FloatEnvironment() noexcept : saved_(get()) { set(kDefault); }
  /// Restores the saved modes.
  ~FloatEnvironment() { set(saved_); }
  FloatEnvironment(const FloatEnvironment&) = delete;
  FloatEnvironment& operator=(const FloatEnvironment&) = delete;

 private:
#if (defined(__SSE__) && !defined(__wasm__)) || defined(_M_X64)
  static constexpr std::uint64_t kDefault = 0x1F80;  // value of MXCSR after reset, with all exceptions masked
  static std::uint64_t get() noexcept { return _mm_getcsr(); }
  static void set(std::uint64_t mode) noexcept { _mm_setcsr(static_cast<unsigned>(mode)); }
#elif defined(_MSC_VER) && defined(_M_ARM64)
  static constexpr std::uint64_t kDefault = 0;  // value of FPCR after reset
  static std::uint64_t get() noexcept { return static_cast<std::uint64_t>(_ReadStatusReg(ARM64_FPCR)); }
  static void set(std::uint64_t mode) noexcept { _WriteStatusReg(ARM64_FPCR, static_cast<__int64>(mode)); }
#elif defined(__aarch64__)
  static constexpr std::uint64_t kDefault = 0;
  static std::uint64_t get() noexcept {
    std::uint64_t mode;
    __asm__ volatile("mrs %0, fpcr" : "=r"(mode));
    return mode;
  }
  static void set(std::uint64_t mode) noexcept { __asm__ volatile("msr fpcr, %0" : : "r"(mode)); }
#else
  // What the C library knows of: rounding, where the machine has modes at all (WebAssembly has none).
  static constexpr std::uint64_t kDefault = FE_TONEAREST;
  static std::uint64_t get() noexcept { return static_cast<std::uint64_t>(std::fegetround()); }
  static void set(std::uint64_t mode) noexcept { std::fesetround(static_cast<int>(mode)); }
#endif

  std::uint64_t saved_;
};

DSVL_END_NAMESPACE

#endif  // DSVL_BASE_FLOAT_ENVIRONMENT_HPP
