// libdsvl: dsvl as a shared library for programs in any language. It has the functions of dsvl/c.h, and exports nothing
// else.
#define DSVL_C_IMPLEMENTATION
#define DSVL_C_EXPORT
#include <dsvl/c.h>
