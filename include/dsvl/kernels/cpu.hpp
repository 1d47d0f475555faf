// What the processor and its operating system run.
//
// Not xsimd's answer: version 8.1 does not ask the operating system whether it saves the registers, and knows neither
// VNNI nor BF16. Source: Intel SDM vol. 2, CPUID; vol. 1, 13.2 (XCR0); Linux, arm64/elf_hwcaps (ASIMDDP).
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

struct Registers {
  std::uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
};

/// All zero where there is no such leaf, or no such instruction.
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

/// Which registers the operating system saves when it switches tasks: XCR0. Only where it says that it does (OSXSAVE).
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

constexpr bool all(std::uint32_t word, std::initializer_list<int> bits) noexcept {
  for (const int bit : bits)
    if (!(word >> bit & 1u)) return false;
  return true;
}

#if defined(__aarch64__) || defined(_M_ARM64)
inline constexpr bool kArm64 = true;
#else
inline constexpr bool kArm64 = false;
#endif

/// Whether an Arm has the dot products of bytes of Armv8.2. Every Mac does.
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

/// Whether code compiled for `isa` runs here. Some hundred cycles, in a virtual machine some ten thousand: ask once.
inline bool supported(Isa isa) noexcept {
  using namespace cpu_detail;
  const Registers one = cpuid(1, 0), seven = cpuid(7, 0), more = cpuid(7, 1);
  const std::uint32_t saved = all(one.ecx, {27}) ? saved_registers() : 0;
  const bool sse4_2 = all(one.ecx, {0, 9, 19, 20, 23});        // SSE3, SSSE3, SSE4.1, SSE4.2, POPCNT
  const bool avx = sse4_2 && all(saved, {1, 2}) && all(one.ecx, {28});
  const bool avx2 = avx && all(seven.ebx, {5});
  const bool avx2_fma = avx2 && all(one.ecx, {12, 29});        // FMA, F16C
  const bool avx512 = avx2_fma && all(saved, {5, 6, 7}) && all(seven.ebx, {16, 17, 28, 30, 31});  // F, DQ, CD, BW, VL
  const bool vnni = all(seven.ecx, {11}), bf16 = all(more.eax, {5});
  switch (isa) {
    case Isa::generic: return true;
    case Isa::sse2: return all(one.edx, {26});
    case Isa::sse4_2: return sse4_2;
    case Isa::avx: return avx;
    case Isa::avx2: return avx2;
    case Isa::avx2_fma: return avx2_fma;
    case Isa::avx2_fma_vnni: return avx2_fma && all(more.eax, {4});
    case Isa::avx512: return avx512;
    case Isa::avx512_bf16: return avx512 && bf16;
    case Isa::avx512_vnni: return avx512 && vnni;
    case Isa::avx512_vnni_bf16: return avx512 && vnni && bf16;
    case Isa::neon64: return kArm64;
    case Isa::neon64_dot: return kArm64 && dot_products();
  }
  return false;
}

DSVL_END_NAMESPACE

#endif  // DSVL_KERNELS_CPU_HPP
