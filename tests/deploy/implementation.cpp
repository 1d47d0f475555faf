// Compile once: the definitions of the whole program. Everywhere else dsvl.hpp only declares (DSVL_HEADER_ONLY=0).
#define DSVL_IMPLEMENTATION
#include <dsvl/dsvl.hpp>
