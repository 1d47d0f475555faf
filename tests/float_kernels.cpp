// Settles float_kernels() for the test programs that only see kernels declared: see kernel_unit.cpp.
#ifndef DSVL_DISPATCH
#define DSVL_DISPATCH generic
#endif
#define DSVL_IMPLEMENTATION
#include <dsvl/kernels/dispatch.hpp>
