// Sets aside macros of hosts that have the name of one of dsvl's types; host_macros_pop.hpp puts them back.
//
// Both are included many times: every header that uses such a name includes the first before and the second after its
// code, so that it can be included alone after the host's headers (tests/deploy/house.cpp checks it).
//
//   Status   X11/Xlib.h: int
//
// A host whose own code has to name the type then writes auto, or #undef Status behind its headers.
#pragma push_macro("Status")
#undef Status
