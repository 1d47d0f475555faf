// spin_until(): it polls for a while before a thread sleeps.
//
// Waking a thread takes tens of microseconds, longer on virtual machines, while a tile that is waited for is often
// nearly ready.
#ifndef DSVL_BASE_SPIN_HPP
#define DSVL_BASE_SPIN_HPP

#include "config.hpp"

#if defined(__SSE__) || defined(_M_X64)
#include <emmintrin.h>
#endif

DSVL_BEGIN_NAMESPACE

/// Tells the processor that this thread is waiting for another, so that it uses less power and its sibling gets more.
inline void relax() noexcept {
#if defined(__SSE__) || defined(_M_X64)
  _mm_pause();
#elif defined(__aarch64__) && !defined(_MSC_VER)
  __asm__ volatile("yield");
#endif
}

/// Polls done() for some tens of microseconds, about as long as waking a thread takes. True when it became true.
template <class Done>
bool spin_until(Done done) noexcept {
  for (int i = 0; i < 2048; ++i) {
    if (done()) return true;
    relax();
  }
  return false;
}

DSVL_END_NAMESPACE

#endif  // DSVL_BASE_SPIN_HPP
