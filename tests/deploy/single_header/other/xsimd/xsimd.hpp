// Stands for another version of xsimd: the names of the real one, with other meanings, and macros that nobody else can
// do with.
#ifndef XSIMD_HPP
#define XSIMD_HPP

#define XSIMD_VERSION_MAJOR 1
#define XSIMD_WITH_SSE2 0
#define XSIMD_WITH_NEON 0
#define XSIMD_INLINE this is not the macro of the other copy
#define XSIMD_NO_DISCARD nor this

namespace xsimd {
template <class T>
struct batch {
  static constexpr int size = 1;
  T value;
};
struct batch_bool {};
struct avx {};
struct sse2 {};
namespace kernel {
struct add {};
}
int version();  // other.cpp
}  // namespace xsimd

#endif  // XSIMD_HPP
