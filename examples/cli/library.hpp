// dsvl as this program uses it: declared in every file, compiled in one (library.cpp), so that a change here rebuilds
// in seconds. Include it before any other header of dsvl.
#ifndef DSVL_CLI_LIBRARY_HPP
#define DSVL_CLI_LIBRARY_HPP

#ifndef DSVL_HEADER_ONLY
#define DSVL_HEADER_ONLY 0
#endif
#include <dsvl/dsvl.hpp>

#endif  // DSVL_CLI_LIBRARY_HPP
