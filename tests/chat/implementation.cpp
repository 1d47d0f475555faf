// The chat tests use the library compiled once: this is the one file that holds its definitions (DSVL_HEADER_ONLY=0),
// without kernels, which ../kernel_unit.cpp or ../isa_unit.cpp has.
#ifndef DSVL_DISPATCH
#define DSVL_DISPATCH generic
#endif
#define DSVL_IMPLEMENTATION
#include <dsvl/chat/scheduler.hpp>
#include <dsvl/constraint/constraint.hpp>
#include <dsvl/convert/convert.hpp>
#include <dsvl/dsvl.hpp>
