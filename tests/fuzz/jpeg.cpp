// A JPEG file.
#include "picture.hpp"

namespace fuzz_jpeg {

void run(fuzz::Input in) {
  const std::string_view file = in.rest();
  fuzz::check_picture(file, file.size() % 2 == 1);
}

}  // namespace fuzz_jpeg

DSVL_FUZZ_TARGET(jpeg)
