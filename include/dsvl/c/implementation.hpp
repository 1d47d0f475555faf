// The definitions of c.h, which includes this header in the file that defines DSVL_C_IMPLEMENTATION. Where the library
// is compiled once (DSVL_HEADER_ONLY=0), another file of the same program or library has what is behind them.
#ifndef DSVL_C_IMPLEMENTATION_HPP
#define DSVL_C_IMPLEMENTATION_HPP

#include "../base/config.hpp"

#if DSVL_HEADER_ONLY || defined(DSVL_IMPLEMENTATION)
#include "../chat/implementation.hpp"
#include "../io/image.hpp"
#endif

#include "model_calls.hpp"
#include "session_calls.hpp"

#endif  // DSVL_C_IMPLEMENTATION_HPP
