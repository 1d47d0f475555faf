// Includes <windows.h> without its large parts and its min and max macros, and leaves no trace of how that was asked
// for.
//
// Only files that need the system's own calls include this, and only behind #if defined(_WIN32).
#ifndef DSVL_BASE_WINDOWS_HPP
#define DSVL_BASE_WINDOWS_HPP

#if defined(_WIN32)
#ifndef WIN32_LEAN_AND_MEAN
#define WIN32_LEAN_AND_MEAN
#define DSVL_UNDEFINE_LEAN
#endif
#ifndef NOMINMAX
#define NOMINMAX
#define DSVL_UNDEFINE_NOMINMAX
#endif
#include <windows.h>
#ifdef DSVL_UNDEFINE_LEAN
#undef WIN32_LEAN_AND_MEAN
#undef DSVL_UNDEFINE_LEAN
#endif
#ifdef DSVL_UNDEFINE_NOMINMAX
#undef NOMINMAX
#undef DSVL_UNDEFINE_NOMINMAX
#endif
#endif

#endif  // DSVL_BASE_WINDOWS_HPP
