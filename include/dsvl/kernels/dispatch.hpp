// active_kernels<T>(): the table that everything above this floor uses.
//
// float runs the vectorised kernels of this translation unit, double the reference. A choice at run time among units
// built for several instruction sets belongs here, and only here.
#ifndef DSVL_KERNELS_DISPATCH_HPP
#define DSVL_KERNELS_DISPATCH_HPP

#include <type_traits>

#include "native.hpp"
#include "reference.hpp"

DSVL_BEGIN_NAMESPACE
namespace kernels {
inline namespace DSVL_ISA {

template <class T>
const Kernels<T>& active_kernels() noexcept {
  if constexpr (std::is_same_v<T, float>) return native_kernels();
  else return reference_kernels<T>();
}

}  // namespace DSVL_ISA
}  // namespace kernels
using kernels::active_kernels;
DSVL_END_NAMESPACE

#endif  // DSVL_KERNELS_DISPATCH_HPP
