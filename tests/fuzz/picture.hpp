// What the targets for pictures share: a file is decoded through the public call alone, and what comes out is looked at.
#ifndef DSVL_TESTS_FUZZ_PICTURE_HPP
#define DSVL_TESTS_FUZZ_PICTURE_HPP

#include <dsvl/io/image.hpp>

#include "target.hpp"

namespace fuzz {

/// Small limits, so that a short file can not ask for long work. `upon`: alpha counts.
inline dsvl::ImageLimits picture_limits(bool upright, bool upon = false) {
  dsvl::ImageLimits limits;
  limits.max_pixels = 1 << 18;
  limits.max_side = 4096;
  limits.apply_exif_orientation = upright;
  if (upon) limits.background = {9, 80, 200};
  return limits;
}

/// An error value with its text, or a picture within the limits whose bytes go with its size; and the same picture again
/// when it is decoded again, or no memory where a request is refused.
inline void check_picture(std::string_view file, bool upright, bool upon = false) {
  using namespace dsvl;
  const ImageLimits limits = picture_limits(upright, upon);
  Memory memory(std::size_t{256} << 20);
  const auto image = decode_image(bytes_of(file), limits, &memory);
  Memory scarce(std::size_t{256} << 20, static_cast<int>(file.size() % 8));
  const auto again = decode_image(bytes_of(file), limits, &scarce);
  if (!again) check_error(again.error());
  if (!image) {
    check_error(image.error());
    const Code code = image.error().code();
    FUZZ_CHECK(code == Code::bad_file || code == Code::unsupported || code == Code::limit || code == Code::out_of_memory);
    return;
  }
  FUZZ_CHECK(image->width > 0 && image->width <= limits.max_side && image->height > 0 && image->height <= limits.max_side);
  FUZZ_CHECK(image->width * image->height <= limits.max_pixels);
  FUZZ_CHECK(image->rgb.size() == static_cast<std::size_t>(image->width * image->height * 3));
  FUZZ_CHECK(image->orientation >= 1 && image->orientation <= 8);
  unsigned sum = 0;  // every byte is there, which MemorySanitizer and AddressSanitizer see
  for (const std::uint8_t byte : image->rgb) sum += byte;
  FUZZ_CHECK(sum <= 255u * image->rgb.size());
  if (!again) return FUZZ_CHECK(again.error().code() == Code::out_of_memory);
  FUZZ_CHECK(again->rgb.size() == image->rgb.size());
  FUZZ_CHECK(std::memcmp(again->rgb.data(), image->rgb.data(), image->rgb.size()) == 0);
}

/// The checksum that ends a chunk of a PNG file.
inline std::uint32_t crc32(std::string_view bytes) noexcept {
  std::uint32_t crc = 0xFFFFFFFFu;
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320u : 0u);
  }
  return ~crc;
}
inline std::string big_endian(std::uint32_t x) {
  std::string out(4, '\0');
  for (std::size_t i = 0; i < 4; ++i) out[i] = static_cast<char>(x >> (24 - 8 * i) & 0xFF);
  return out;
}

/// A chunk of a PNG file: length, type and data, checksum.
inline std::string png_chunk(std::string_view type, std::string_view data) {
  const std::string body = std::string(type) + std::string(data);
  return big_endian(static_cast<std::uint32_t>(data.size())) + body + big_endian(crc32(body));
}

}  // namespace fuzz

#endif  // DSVL_TESTS_FUZZ_PICTURE_HPP
