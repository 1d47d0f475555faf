// The kernels of most test programs, compiled once: the one file that settles float_kernels() (DSVL_HEADER_ONLY=0).
#define DSVL_IMPLEMENTATION
#include <dsvl/kernels/dispatch.hpp>
