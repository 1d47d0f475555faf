// spin_until(): look a while before a thread parks.
#ifndef DSVL_BASE_SPIN_HPP
#define DSVL_BASE_SPIN_HPP

#include "config.hpp"

#if defined(__SSE__) || defined(_M_X64)
#include <emmintrin.h>
#endif

DSVL_BEGIN_NAMESPACE

/// Tells the processor that this thread is waiting for another.
inline void relax() noexcept {
#if defined(__SSE__) || defined(_M_X64)
  _mm_pause();
#elif defined(__aarch64__) && !defined(_MSC_VER)
  __asm__ volatile("yield");
#endif
}

/// Whether done() comes true within some tens of microseconds. A thread that sleeps takes about as long to wake, longer
/// on virtual machines, and what it waits for is often a tile that is nearly ready.
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
