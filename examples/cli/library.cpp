// The library's definitions, once for the whole program.
#define DSVL_IMPLEMENTATION
#include "library.hpp"

#include <dsvl/chat/scheduler.hpp>
#include <dsvl/constraint/constraint.hpp>
#include <dsvl/convert/convert.hpp>
