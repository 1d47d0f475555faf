// Detects which instruction sets the processor and its operating system can run.
//
// xsimd 8.1 would answer too, but it does not ask the operating system whether it saves the registers, and knows
// neither VNNI nor BF16. Source: Intel SDM vol. 2, CPUID; vol. 1, 13.2 (XCR0); Linux, arm64/elf_hwcaps (ASIMDDP).
#ifndef DSVL_KERNELS_CPU_HPP
#define DSVL_KERNELS_CPU_HPP

#include <cstdint>
#include <initializer_list>

#include "isa.hpp"

#if defined(_MSC_VER) && (defined(_M_X64) || defined(_M_IX86))
#include <intrin.h>
#elif defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#elif defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#endif

DSVL_BEGIN_NAMESPACE
namespace cpu_detail {

/// The four registers that CPUID fills.
struct Registers {
  std::uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
};

/// A leaf of CPUID; all zero where the processor has no such leaf, or no such instruction.
inline Registers cpuid(std::uint32_t leaf, std::uint32_t subleaf) noexcept {
  Registers r;
#if defined(_MSC_VER) && (defined(_M_X64) || defined(_M_IX86))
  int out[4] = {};
  __cpuidex(out, static_cast<int>(leaf & 0x80000000u), 0);  // the last leaf of its range
  if (static_cast<std::uint32_t>(out[0]) < leaf) return r;
  __cpuidex(out, static_cast<int>(leaf), static_cast<int>(subleaf));
  r = {static_cast<std::uint32_t>(out[0]), static_cast<std::uint32_t>(out[1]), static_cast<std::uint32_t>(out[2]),
       static_cast<std::uint32_t>(out[3])};
#elif defined(__x86_64__) || defined(__i386__)
  __get_cpuid_count(leaf, subleaf, &r.eax, &r.ebx, &r.ecx, &r.edx);
#else
  (void)leaf, (void)subleaf;
#endif
  return r;
}

/// XCR0, the registers that the operating system saves when it switches tasks. To be asked only if OSXSAVE is set.
inline std::uint32_t saved_registers() noexcept {
#if defined(_MSC_VER) && (defined(_M_X64) || defined(_M_IX86))
  return static_cast<std::uint32_t>(_xgetbv(0));
#elif defined(__x86_64__) || defined(__i386__)
  std::uint32_t low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
#else
  return 0;
#endif
}

/// True if all of these bits are set.
constexpr bool all(std::uint32_t word, std::initializer_list<int> bits) noexcept {
  for (const int bit : bits)
    if (!(word >> bit & 1u)) return false;
  return true;
}

/// True if this is compiled for 64-bit Arm.
#if defined(__aarch64__) || defined(_M_ARM64)
inline constexpr bool kArm64 = true;
#else
inline constexpr bool kArm64 = false;
#endif

/// True if this is compiled for WebAssembly. An engine without vectors refuses a module that has them before it runs.
#if defined(__wasm__)
inline constexpr bool kWasm = true;
#else
inline constexpr bool kWasm = false;
#endif

/// True on an Arm processor with the byte dot products of Armv8.2. Every Mac has them.
inline bool dot_products() noexcept {
#if defined(__ARM_FEATURE_DOTPROD) || (defined(__aarch64__) && defined(__ENVIRONMENT_MAC_OS_X_VERSION_MIN_REQUIRED__))
  return true;
#elif defined(__aarch64__) && defined(__linux__)
  return (getauxval(AT_HWCAP) >> 20 & 1u) != 0;
#else
  return false;
#endif
}

}  // namespace cpu_detail

/// The features that the rows of DSVL_ISAS ask for, true where processor and operating system both have them.
struct CpuFeatures {
  bool sse2 = false, sse4_2 = false, popcnt = false;  ///< sse4_2: with SSE3, SSSE3 and SSE4.1
  bool ymm_saved = false, zmm_saved = false;          ///< the system saves registers of 256 and 512 bits
  bool avx = false, avx2 = false, fma = false, f16c = false, avx_vnni = false;
  bool avx512 = false, avx512_bf16 = false, avx512_vnni = false;  ///< avx512: F, CD, BW, DQ and VL
  bool arm64 = false, dot_products = false;
  bool wasm = false;

  /// Asks the processor. Some hundred cycles, in a virtual machine some ten thousand: ask once.
  static CpuFeatures detect() noexcept {
    using namespace cpu_detail;
    const Registers one = cpuid(1, 0), seven = cpuid(7, 0), more = cpuid(7, 1);
    const std::uint32_t saved = all(one.ecx, {27}) ? saved_registers() : 0;
    CpuFeatures cpu;
    cpu.sse2 = all(one.edx, {26});
    cpu.sse4_2 = all(one.ecx, {0, 9, 19, 20}), cpu.popcnt = all(one.ecx, {23});
    cpu.ymm_saved = all(saved, {1, 2}), cpu.zmm_saved = all(saved, {5, 6, 7});
    cpu.avx = all(one.ecx, {28}), cpu.avx2 = all(seven.ebx, {5});
    cpu.fma = all(one.ecx, {12}), cpu.f16c = all(one.ecx, {29}), cpu.avx_vnni = all(more.eax, {4});
    cpu.avx512 = all(seven.ebx, {16, 17, 28, 30, 31});
    cpu.avx512_bf16 = all(more.eax, {5}), cpu.avx512_vnni = all(seven.ecx, {11});
    cpu.arm64 = kArm64, cpu.dot_products = cpu_detail::dot_products(), cpu.wasm = kWasm;
    return cpu;
  }
};

/// True if a processor with these features runs code that was compiled for `isa`.
constexpr bool supported(Isa isa, const CpuFeatures& cpu) noexcept {
  switch (isa) {
#define DSVL_ISA_SUPPORTED(name, text, extends, flags, msvc_flag, needs) \
  case Isa::name: return (Isa::name == Isa::extends || supported(Isa::extends, cpu)) && (needs);
    DSVL_ISAS(DSVL_ISA_SUPPORTED)
#undef DSVL_ISA_SUPPORTED
  }
  return false;
}
/// True if code compiled for `isa` runs here. Asks the processor every time.
inline bool supported(Isa isa) noexcept { return supported(isa, CpuFeatures::detect()); }

DSVL_END_NAMESPACE

#endif  // DSVL_KERNELS_CPU_HPP
