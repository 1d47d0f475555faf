// FloatEnvironment: rounding and flush modes are ours while a task runs, and the host's again afterwards.
//
// Engines set flush-to-zero or other rounding on their threads; without this the same picture could get other bits.
#ifndef DSVL_BASE_FLOAT_ENVIRONMENT_HPP
#define DSVL_BASE_FLOAT_ENVIRONMENT_HPP

#include <cstdint>

#include "config.hpp"

#if defined(__SSE__) || defined(_M_X64)
#include <xmmintrin.h>
#elif defined(_MSC_VER) && defined(_M_ARM64)
#include <intrin.h>
#endif

DSVL_BEGIN_NAMESPACE

/// Round to nearest, subnormals kept, no traps, for the lifetime of the object on this thread.
class FloatEnvironment {
 public:
  FloatEnvironment() noexcept : saved_(get()) { set(kDefault); }
  ~FloatEnvironment() { set(saved_); }
  FloatEnvironment(const FloatEnvironment&) = delete;
  FloatEnvironment& operator=(const FloatEnvironment&) = delete;

 private:
#if defined(__SSE__) || defined(_M_X64)
  static constexpr std::uint64_t kDefault = 0x1F80;  // MXCSR after reset: all exceptions masked
  static std::uint64_t get() noexcept { return _mm_getcsr(); }
  static void set(std::uint64_t mode) noexcept { _mm_setcsr(static_cast<unsigned>(mode)); }
#elif defined(_MSC_VER) && defined(_M_ARM64)
  static constexpr std::uint64_t kDefault = 0;  // FPCR after reset
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
  static constexpr std::uint64_t kDefault = 0;  // unknown machine: nothing we can set
  static std::uint64_t get() noexcept { return 0; }
  static void set(std::uint64_t) noexcept {}
#endif

  std::uint64_t saved_;
};

DSVL_END_NAMESPACE

#endif  // DSVL_BASE_FLOAT_ENVIRONMENT_HPP
