// Refuses compiler flags that reorder sums, or that assume that NaN and infinity do not occur.
//
// It is included by files that compute sums and comparisons, not by files that only declare. GCC reveals each such
// flag; Clang reveals -ffast-math and -ffinite-math-only, but not -fassociative-math or -funsafe-math-optimizations
// alone; Visual C++ reveals /fp:fast.
#ifndef DSVL_BASE_STRICT_MATH_HPP
#define DSVL_BASE_STRICT_MATH_HPP

#if defined(__FAST_MATH__) || (defined(_M_FP_FAST) && _M_FP_FAST)
#error "dsvl promises equal bits for any schedule: compile this file without -ffast-math (-Ofast, /fp:fast)"
#elif defined(__ASSOCIATIVE_MATH__) || defined(__RECIPROCAL_MATH__)
#error "dsvl promises equal bits: no -funsafe-math-optimizations, -fassociative-math, -freciprocal-math for this file"
#elif defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__
#error "dsvl finds broken weights and logits by NaN and infinity: compile this file without -ffinite-math-only"
#elif defined(__FLT_EVAL_METHOD__) && (__FLT_EVAL_METHOD__ == 2 || __FLT_EVAL_METHOD__ == -1)
#error "dsvl promises equal bits, and the x87 unit keeps more of them or fewer: compile with -msse2 -mfpmath=sse"
#endif

#endif  // DSVL_BASE_STRICT_MATH_HPP
