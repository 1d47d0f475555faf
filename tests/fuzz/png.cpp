// A PNG file, as it is and with the checksums of its chunks put right, which no fuzzer finds by itself.
#include "picture.hpp"

namespace fuzz_png {

std::string with_checksums(std::string file) {
  for (std::size_t at = 8; at + 12 <= file.size();) {
    std::size_t length = 0;
    for (std::size_t i = 0; i < 4; ++i) length = length << 8 | static_cast<unsigned char>(file[at + i]);
    if (length > file.size() - at - 12) break;
    file.replace(at + 8 + length, 4, fuzz::big_endian(fuzz::crc32(std::string_view(file).substr(at + 4, 4 + length))));
    at += 12 + length;
  }
  return file;
}

void run(fuzz::Input in) {
  const std::string_view file = in.rest();
  const bool upright = file.size() % 2 == 1, upon = file.size() / 2 % 2 == 1;
  fuzz::check_picture(file, upright, upon);
  const std::string mended = with_checksums(std::string(file));
  if (mended != file) fuzz::check_picture(mended, upright, upon);
}

}  // namespace fuzz_png

DSVL_FUZZ_TARGET(png)
