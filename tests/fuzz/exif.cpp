// EXIF data of any bytes, in a PNG and in a JPEG picture: both decode, both are found to be held the same way, and turned
// so.
#include "picture.hpp"

namespace fuzz_exif {
using namespace dsvl;

/// 3 x 2 pixels, gray, with the data in a chunk of its own.
std::string png(std::string_view tiff) {
  static const std::string raw = [] {
    const std::string rows("\0\x10\x20\x30\0\x40\x50\x60", 8);
    std::uint32_t a = 1, b = 0;
    for (const char c : rows) a = (a + static_cast<unsigned char>(c)) % 65521, b = (b + a) % 65521;
    return std::string("\x78\x01\x01\x08\x00\xF7\xFF", 7) + rows + fuzz::big_endian(b << 16 | a);
  }();
  return "\x89PNG\r\n\x1A\n" + fuzz::png_chunk("IHDR", std::string_view("\0\0\0\3\0\0\0\2\x08\0\0\0\0", 13)) +
         fuzz::png_chunk("eXIf", tiff) + fuzz::png_chunk("IDAT", raw) + fuzz::png_chunk("IEND", "");
}

/// 16 x 8 pixels, gray, baseline: two blocks that are nothing but a mean.
std::string jpeg(std::string_view tiff) {
  const auto segment = [](unsigned char marker, std::string_view data) {
    const std::size_t n = data.size() + 2;
    return std::string{'\xFF', static_cast<char>(marker), static_cast<char>(n >> 8), static_cast<char>(n & 0xFF)} +
           std::string(data);
  };
  static const std::string rest = [&] {
    const std::string counts("\1\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);  // one code of 1 bit, one of 2
    return segment(0xDB, std::string(1, '\0') + std::string(64, '\x10')) +
           segment(0xC0, std::string_view("\x08\0\x08\0\x10\1\1\x11\0", 9)) +
           segment(0xC4, std::string(1, '\0') + counts + std::string("\0\x04", 2)) +
           segment(0xC4, std::string(1, '\x10') + counts + std::string("\0\1", 2)) +
           segment(0xDA, std::string_view("\1\1\0\0\x3F\0", 6)) + std::string("\xA0\x7F\xFF\xD9", 4);
  }();
  return "\xFF\xD8" + segment(0xE1, std::string("Exif\0\0", 6) + std::string(tiff)) + rest;
}

Image decoded(const std::string& file, bool upright) {
  auto image = decode_image(fuzz::bytes_of(file), fuzz::picture_limits(upright));
  FUZZ_CHECK(image);
  return std::move(*image);
}

int turned(const std::string& file) {
  const Image as_is = decoded(file, false), upright = decoded(file, true);
  FUZZ_CHECK(as_is.orientation == upright.orientation && as_is.orientation >= 1 && as_is.orientation <= 8);
  const bool swapped = as_is.orientation >= 5;
  FUZZ_CHECK(upright.width == (swapped ? as_is.height : as_is.width));
  FUZZ_CHECK(upright.height == (swapped ? as_is.width : as_is.height));
  FUZZ_CHECK(upright.rgb.size() == as_is.rgb.size());
  return as_is.orientation;
}

void run(fuzz::Input in) {
  const std::string_view tiff = in.rest().substr(0, 65000);
  FUZZ_CHECK(turned(png(tiff)) == turned(jpeg(tiff)));
}

}  // namespace fuzz_exif

DSVL_FUZZ_TARGET(exif)
