// One of two translation units that include everything and end up in one program.
#include <dsvl/dsvl.hpp>

#include <cstdio>
#include <cstring>

const char* version_seen_by_b();
dsvl::Status error_made_by_b();

int main() {
  const dsvl::Status status = error_made_by_b();
  if (status.ok() || std::strcmp(version_seen_by_b(), DSVL_VERSION_STRING) != 0) return 1;
  std::printf("dsvl %s from two translation units\n", DSVL_VERSION_STRING);
  return 0;
}
