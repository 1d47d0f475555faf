// Build configuration: every macro of dsvl lives here, and nowhere else.
//
// A host overrides any `#ifndef` block below by defining DSVL_USER_CONFIG to a header of its own
// (`-DDSVL_USER_CONFIG='"my_dsvl_config.hpp"'`) or by defining the macro before the first include.
#ifndef DSVL_BASE_CONFIG_HPP
#define DSVL_BASE_CONFIG_HPP

#if (defined(_MSVC_LANG) ? _MSVC_LANG : __cplusplus) < 202002L
#error "dsvl needs C++20: compile with -std=c++20 (Visual C++: /std:c++20; CMake: CMAKE_CXX_STANDARD 20)"
#endif

#ifdef DSVL_USER_CONFIG
#include DSVL_USER_CONFIG
#endif

#include <cassert>

// --- version -----------------------------------------------------------------------------------
// Semantic versioning. Until 1.0 a minor version may change the API; the inline namespace keeps two
// such versions apart when both end up in one program.
#define DSVL_VERSION_MAJOR 0
#define DSVL_VERSION_MINOR 1
#define DSVL_VERSION_PATCH 0
#define DSVL_VERSION (DSVL_VERSION_MAJOR * 10000 + DSVL_VERSION_MINOR * 100 + DSVL_VERSION_PATCH)
#define DSVL_VERSION_STRING "0.1.0"
#define DSVL_ABI v0_1

// In the file that defines DSVL_C_IMPLEMENTATION (see c.h) nothing of dsvl is exported: two plug-ins in one program
// that were built with it do not see each other's.
#if defined(DSVL_C_IMPLEMENTATION) && defined(__GNUC__) && !defined(_WIN32)
#define DSVL_VISIBILITY __attribute__((visibility("hidden")))
#else
#define DSVL_VISIBILITY
#endif
#define DSVL_BEGIN_NAMESPACE \
  namespace dsvl {           \
  inline namespace DSVL_ABI DSVL_VISIBILITY {
#define DSVL_END_NAMESPACE \
  }                        \
  }

// --- what the code relies on -------------------------------------------------------------------
// Files that compute also need arithmetic exactly as it is written; base/strict_math.hpp checks the flags for that.
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "dsvl reads little-endian weights in place and does not support big-endian machines"
#endif

// --- compile once ------------------------------------------------------------------------------
// DSVL_HEADER_ONLY=1 (default): include and use. DSVL_HEADER_ONLY=0 (project-wide): dsvl.hpp only declares, and the
// one source file that defines DSVL_IMPLEMENTATION before including it holds the definitions.
#ifndef DSVL_HEADER_ONLY
#define DSVL_HEADER_ONLY 1
#endif
#if DSVL_HEADER_ONLY
#define DSVL_INLINE inline
#else
#define DSVL_INLINE
#endif

// --- internal contracts ------------------------------------------------------------------------
// Only for bugs in dsvl itself; what a caller or a file can get wrong comes back as a Status.
#ifndef DSVL_ASSERT
#define DSVL_ASSERT(condition) assert(condition)
#endif

// --- exceptions --------------------------------------------------------------------------------
// dsvl never throws. This only tells whether a foreign exception (nlohmann/json, std) can pass through.
#if defined(__cpp_exceptions) || defined(_CPPUNWIND)
#define DSVL_HAS_EXCEPTIONS 1
#else
#define DSVL_HAS_EXCEPTIONS 0
#endif

// --- compiler words ----------------------------------------------------------------------------
// GCC stops inlining when a unit grows large (more so at -O2 than at -O3). A lambda that stays a call keeps its sums in
// memory, and a product then takes three times as long. So kernels say what they need:
//   DSVL_KERNEL    a function that is not inlined itself and inlines all that it calls (MSVC: only the former)
//   DSVL_INLINED   behind a lambda's parameters: inlines it. DSVL_KERNEL does not reach every lambda within a lambda;
//                  the test deploy_isa_symbols finds those that lack this
//   DSVL_COLD      a function that runs once per file, model or question, and is compiled for size: what takes time
//                  lies in kernels, and in loops over pixels and bytes of a text
#if defined(_MSC_VER) && !defined(__clang__)
#define DSVL_FORCE_INLINE __forceinline
#define DSVL_INLINED
#define DSVL_NO_INLINE __declspec(noinline)
#define DSVL_KERNEL DSVL_NO_INLINE
#define DSVL_COLD
#define DSVL_RESTRICT __restrict
#define DSVL_PRINTF_LIKE(format_index, first_argument)
#else
#define DSVL_FORCE_INLINE inline __attribute__((always_inline))
#define DSVL_NO_INLINE __attribute__((noinline))
#if defined(__OPTIMIZE__)
#define DSVL_INLINED __attribute__((always_inline))
#define DSVL_KERNEL __attribute__((noinline, flatten))
#else  // nothing is inlined anyway
#define DSVL_INLINED
#define DSVL_KERNEL DSVL_NO_INLINE
#endif
#define DSVL_COLD __attribute__((cold))
#define DSVL_RESTRICT __restrict__
#if defined(__MINGW32__)  // the plain attribute `printf` means Microsoft's, which knows neither %zu nor %td
#define DSVL_PRINTF_LIKE(format_index, first_argument) \
  __attribute__((format(gnu_printf, format_index, first_argument)))
#else
#define DSVL_PRINTF_LIKE(format_index, first_argument) \
  __attribute__((format(printf, format_index, first_argument)))
#endif
#endif

// After DSVL_KEEP_IN_REGISTER(constraint, variable) the variable is in a register of that kind (GCC's letters), and the
// compiler has forgotten how it was computed.
#if defined(__GNUC__)
#define DSVL_KEEP_IN_REGISTER(constraint, variable) __asm__("" : "+" constraint(variable))
#else
#define DSVL_KEEP_IN_REGISTER(constraint, variable) (void)(variable)
#endif

// --- weight formats ----------------------------------------------------------------------------
// DSVL_FORMATS (project-wide): the formats of weights (base/format.hpp) that products are compiled for, separated by
// commas. Fewer compile faster and make a smaller program; a model that needs another is refused by name.
#ifndef DSVL_FORMATS
#define DSVL_FORMATS f32, bf16, f16, q8_0, q4_0, q4_k, q6_k
#endif
#define DSVL_TEXT_OF(...) #__VA_ARGS__
#define DSVL_TEXT(...) DSVL_TEXT_OF(__VA_ARGS__)

// --- instruction sets --------------------------------------------------------------------------
// One row for each that kernels can be compiled for. Where a processor runs several, a later one is better.
// Enumerators, names, detection (kernels/isa.hpp, cpu.hpp) and the flags in CMakeLists.txt and meson.build are all made
// from these rows, so a new instruction set is a row here, a line in the choice below and, unless its vectors are those
// of another, a file in kernels/lanes/.
//
//   name, its text in reports, the row it extends, flags that it adds (GCC and Clang), Visual C++'s flag ("-": it has
//   none), what the processor needs beyond the extended row (members of CpuFeatures)
#define DSVL_ISAS(ROW)                                                                                              \
  ROW(generic, "generic", generic, "", "-", true)                                                                   \
  ROW(sse2, "sse2", generic, "-msse2", "", cpu.sse2)                                                                \
  ROW(sse4_2, "sse4.2", sse2, "-msse4.2 -mpopcnt", "-", cpu.sse4_2 && cpu.popcnt)                                   \
  ROW(avx, "avx", sse4_2, "-mavx", "/arch:AVX", cpu.ymm_saved && cpu.avx)                                           \
  ROW(avx2, "avx2", avx, "-mavx2", "/arch:AVX2", cpu.avx2)                                                          \
  ROW(avx2_fma, "avx2+fma", avx2, "-mfma -mf16c", "-", cpu.fma && cpu.f16c)                                         \
  ROW(avx2_fma_vnni, "avx2+fma+vnni", avx2_fma, "-mavxvnni", "-", cpu.avx_vnni)                                     \
  ROW(avx512, "avx512", avx2_fma, "-mavx512f -mavx512cd -mavx512bw -mavx512dq -mavx512vl", "/arch:AVX512",          \
      cpu.zmm_saved && cpu.avx512)                                                                                  \
  ROW(avx512_bf16, "avx512+bf16", avx512, "-mavx512bf16", "-", cpu.avx512_bf16)                                     \
  ROW(avx512_vnni, "avx512+vnni", avx512, "-mavx512vnni", "-", cpu.avx512_vnni)                                     \
  ROW(avx512_vnni_bf16, "avx512+vnni+bf16", avx512_vnni, "-mavx512bf16", "-", cpu.avx512_bf16)                      \
  ROW(neon64, "neon64", generic, "-march=armv8-a", "", cpu.arm64)                                                   \
  ROW(neon64_dot, "neon64+dot", neon64, "-march=armv8.2-a+dotprod", "-", cpu.dot_products)                          \
  ROW(wasm128, "wasm128", generic, "-msimd128 -msse2", "-", cpu.wasm)

// DSVL_ISA is the row of this translation unit, by its flags. Kernels live in an inline namespace of that name, so that
// two units compiled with different flags never share a kernel symbol (the linker would keep an arbitrary copy, and an
// old processor would stop at it).
//
// DSVL_DISPATCH (project-wide): names of instruction sets, separated by commas. Each has a unit that includes
// kernels/unit.hpp, compiled for it; the best that the processor runs is chosen when the program runs.
//
// DSVL_SCALAR=1 uses no vector instructions, only the kernels that the tests compare with. They are far slower, and the
// default where xsimd supports no registers.
#ifndef DSVL_SCALAR
#if defined(__SSE2__) || defined(__x86_64__) || defined(_M_X64) || defined(__aarch64__) || defined(_M_ARM64)
#define DSVL_SCALAR 0
#else
#define DSVL_SCALAR 1
#endif
#endif
#if DSVL_SCALAR
#define DSVL_ISA generic
#elif defined(__wasm_simd128__)  // the vectors are those of SSE2, by headers that emscripten brings
#define DSVL_ISA wasm128
#elif defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512DQ__) && defined(__AVX512VL__)
#if defined(__AVX512BF16__) && defined(__AVX512VNNI__)
#define DSVL_ISA avx512_vnni_bf16
#elif defined(__AVX512BF16__)
#define DSVL_ISA avx512_bf16
#elif defined(__AVX512VNNI__)
#define DSVL_ISA avx512_vnni
#else
#define DSVL_ISA avx512
#endif
#elif defined(__AVX2__) && defined(__FMA__) && defined(__AVXVNNI__)
#define DSVL_ISA avx2_fma_vnni
#elif defined(__AVX2__) && defined(__FMA__)
#define DSVL_ISA avx2_fma
#elif defined(__AVX2__)
#define DSVL_ISA avx2
#elif defined(__AVX__)
#define DSVL_ISA avx
#elif defined(__SSE4_2__)
#define DSVL_ISA sse4_2
#elif defined(__SSE2__) || defined(_M_X64)
#define DSVL_ISA sse2
#elif defined(__ARM_FEATURE_DOTPROD)
#define DSVL_ISA neon64_dot
#else
#define DSVL_ISA neon64
#endif

// --- control flow ------------------------------------------------------------------------------
// The only control-flow macros: leave the function with the error, or go on with the value.
//   DSVL_TRY(file, open(path));      // Result<T>: `file` is a T from here on
//   DSVL_CHECK_STATUS(validate(x));  // Status: returns it unless ok
#define DSVL_CONCAT_(a, b) a##b
#define DSVL_CONCAT(a, b) DSVL_CONCAT_(a, b)
#define DSVL_TRY(name, expression)                                           \
  auto DSVL_CONCAT(dsvl_result_, name) = (expression);                       \
  if (!DSVL_CONCAT(dsvl_result_, name)) return DSVL_CONCAT(dsvl_result_, name).error(); \
  auto&& name = *DSVL_CONCAT(dsvl_result_, name)
#define DSVL_CHECK_STATUS(expression)                                        \
  if (auto dsvl_status = (expression); !dsvl_status.ok()) return dsvl_status

#endif  // DSVL_BASE_CONFIG_HPP
