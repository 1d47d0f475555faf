// The kernels of one instruction set as a unit of their own, for a program that chooses among several when it runs.
//
// A source file includes this header and nothing else, and is compiled with the flags of the instruction set,
// optimised: a file for each name in DSVL_DISPATCH. Nothing but kernels_of() leaves the unit; functions that two units
// have in common are inlined, or in a namespace of the instruction set.
#ifndef DSVL_KERNELS_UNIT_HPP
#define DSVL_KERNELS_UNIT_HPP

#include "isa.hpp"
#include "native.hpp"

DSVL_BEGIN_NAMESPACE

template <>
const Kernels<float>& kernels_of<Isa::DSVL_ISA>() noexcept {
  return kernels::kNative;
}

DSVL_END_NAMESPACE

#endif  // DSVL_KERNELS_UNIT_HPP
