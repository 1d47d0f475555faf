// Puts back what host_macros_push.hpp set aside.
#pragma pop_macro("Status")
