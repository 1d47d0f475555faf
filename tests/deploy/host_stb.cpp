// The host's own stb_image, with external symbols as every program that uses stb has them, in a unit that also includes
// dsvl, and after it.
#include <dsvl/dsvl.hpp>

#define STB_IMAGE_IMPLEMENTATION
#if __has_include(<stb/stb_image.h>)
#include <stb/stb_image.h>
#else
#include <stb_image.h>
#endif
