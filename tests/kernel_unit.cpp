// The kernels of most test programs, compiled once: those of this machine, or whatever the flags say.
//
// Tests compile the library for one unit of kernels by the name of `generic` (DSVL_DISPATCH), and are linked with this
// file or with isa_unit.cpp, which stands in for any other.
#include <dsvl/kernels/dispatch.hpp>
#include <dsvl/kernels/isa.hpp>
#if !DSVL_SCALAR
#include <dsvl/kernels/native.hpp>
#endif

template <>
const dsvl::Kernels<float>& dsvl::kernels_of<dsvl::Isa::generic>() noexcept {
#if DSVL_SCALAR
  return reference_kernels<float>();
#else
  return kernels::kNative;
#endif
}
