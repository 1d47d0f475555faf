// The chat tests use the library compiled once: this is the one file that holds its definitions (DSVL_HEADER_ONLY=0).
#define DSVL_IMPLEMENTATION
#include <dsvl/dsvl.hpp>
