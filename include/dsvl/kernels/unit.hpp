// The kernels of one instruction set as a unit of their own, for a program that chooses among several when it runs.
//
// A source file includes this header and nothing else, and is compiled with the flags of the instruction set,
// optimised: one file for each name in DSVL_DISPATCH. Only kernels_of() leaves the unit. All other functions are
// inlined or lie in a namespace of the instruction set, so two units never share one.
#ifndef DSVL_KERNELS_UNIT_HPP
#define DSVL_KERNELS_UNIT_HPP

#include "isa.hpp"
#if DSVL_SCALAR
#include "reference.hpp"
#else
#include "native.hpp"
#endif

DSVL_BEGIN_NAMESPACE

template <>
const Kernels<float>& kernels_of<Isa::DSVL_ISA>() noexcept {
#if DSVL_SCALAR
  return reference_kernels<float>();
#else
  return kernels::kNative;
#endif
}

DSVL_END_NAMESPACE

#endif  // DSVL_KERNELS_UNIT_HPP
