// The other one.
#include <dsvl/dsvl.hpp>

const char* version_seen_by_b();
dsvl::Status error_made_by_b();

const char* version_seen_by_b() { return DSVL_VERSION_STRING; }
dsvl::Status error_made_by_b() { return dsvl::fail(dsvl::Code::bad_argument, "made in %s", "the other unit"); }
