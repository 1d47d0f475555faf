// Instruction sets that kernels are compiled for, and the unit of each.
#ifndef DSVL_KERNELS_ISA_HPP
#define DSVL_KERNELS_ISA_HPP

#include "table.hpp"

DSVL_BEGIN_NAMESPACE

/// DSVL_ISA is one of these names: what a unit's flags allow (base/config.hpp). Where a processor runs several, a later
/// one is better.
enum class Isa : unsigned char {
  generic,  ///< no vectors
  sse2,
  sse4_2,
  avx,
  avx2,
  avx2_fma,          ///< and F16C
  avx2_fma_vnni,     ///< and AVX-VNNI
  avx512,            ///< F, BW, DQ, VL
  avx512_bf16,
  avx512_vnni,
  avx512_vnni_bf16,
  neon64,
  neon64_dot,      ///< and the dot products of Armv8.2
};

/// The kernels of an instruction set's own unit (unit.hpp). Only such a unit defines it: any other name is an error of
/// the linker.
template <Isa isa>
const Kernels<float>& kernels_of() noexcept;

DSVL_END_NAMESPACE

#endif  // DSVL_KERNELS_ISA_HPP
