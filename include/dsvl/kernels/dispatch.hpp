// active_kernels<T>(): the table that everything above this floor uses.
//
// double runs the reference. float runs the vectorised kernels: those that this translation unit is compiled for, or
// with DSVL_DISPATCH those of the best unit that the processor runs. With DSVL_HEADER_ONLY=0 only the file that holds
// the definitions decides this and compiles kernels.
#ifndef DSVL_KERNELS_DISPATCH_HPP
#define DSVL_KERNELS_DISPATCH_HPP

#include <type_traits>

#include "reference.hpp"

#if DSVL_HEADER_ONLY || defined(DSVL_IMPLEMENTATION)
#ifdef DSVL_DISPATCH
#include "cpu.hpp"
#elif !DSVL_SCALAR
#include "native.hpp"
#endif

DSVL_BEGIN_NAMESPACE
namespace kernels {
inline namespace DSVL_ISA {

#ifdef DSVL_DISPATCH
/// The table of the best of these instruction sets that the processor runs; the reference if it runs none.
template <Isa... units>
const Kernels<float>& best_of() noexcept {
  const CpuFeatures cpu = CpuFeatures::detect();
  Isa best = Isa::generic;
  ((best = units > best && supported(units, cpu) ? units : best), ...);
  const Kernels<float>* table = &reference_kernels<float>();
  ((table = units == best ? &kernels_of<units>() : table), ...);
  return *table;
}
#endif

/// float_kernels(), for the unit that decides it.
inline const Kernels<float>& chosen_kernels() noexcept {
#ifdef DSVL_DISPATCH
  using enum Isa;
  static const Kernels<float>& best = best_of<DSVL_DISPATCH>();
  return best;
#elif DSVL_SCALAR
  return reference_kernels<float>();
#else
  return kNative;
#endif
}

}  // namespace DSVL_ISA
}  // namespace kernels
DSVL_END_NAMESPACE
#endif

DSVL_BEGIN_NAMESPACE
namespace kernels {
#if DSVL_HEADER_ONLY
inline namespace DSVL_ISA {
inline const Kernels<float>& float_kernels() noexcept { return chosen_kernels(); }
}  // namespace DSVL_ISA
#else
const Kernels<float>& float_kernels() noexcept;
#ifdef DSVL_IMPLEMENTATION
const Kernels<float>& float_kernels() noexcept { return chosen_kernels(); }
#endif
#endif

inline namespace DSVL_ISA {

template <class T>
const Kernels<T>& active_kernels() noexcept {
  if constexpr (std::is_same_v<T, float>) return float_kernels();
  else return reference_kernels<T>();
}

}  // namespace DSVL_ISA
}  // namespace kernels
using kernels::active_kernels;
using kernels::float_kernels;
DSVL_END_NAMESPACE

#endif  // DSVL_KERNELS_DISPATCH_HPP
