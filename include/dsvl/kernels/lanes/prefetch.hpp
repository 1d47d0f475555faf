// prefetch: asks for a cache line before it is needed.
#ifndef DSVL_KERNELS_LANES_PREFETCH_HPP
#define DSVL_KERNELS_LANES_PREFETCH_HPP

#include "../../base/config.hpp"

#if !defined(__GNUC__) && (defined(__SSE2__) || defined(_M_X64))
#include <xmmintrin.h>
#endif

DSVL_BEGIN_NAMESPACE
namespace kernels {
inline namespace DSVL_ISA {

/// Loads the cache line at `at` into the second-level cache. The address need not exist: a prefetch never faults.
#if defined(__GNUC__) && defined(__x86_64__)
// As assembly: GCC takes a function that only prefetches for one without effect, and drops the calls to it.
DSVL_FORCE_INLINE void prefetch(const void* at) noexcept {
  __asm__ volatile("prefetcht1 %0" : : "m"(*static_cast<const char*>(at)));
}
#elif defined(__GNUC__)
DSVL_FORCE_INLINE void prefetch(const void* at) noexcept { __builtin_prefetch(at, 0, 2); }
#elif defined(__SSE2__) || defined(_M_X64)
DSVL_FORCE_INLINE void prefetch(const void* at) noexcept { _mm_prefetch(static_cast<const char*>(at), _MM_HINT_T1); }
#else
DSVL_FORCE_INLINE void prefetch(const void*) noexcept {}
#endif

}  // namespace DSVL_ISA
}  // namespace kernels
DSVL_END_NAMESPACE

#endif  // DSVL_KERNELS_LANES_PREFETCH_HPP
