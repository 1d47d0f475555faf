#include <doctest/doctest.h>
#include <dsvl/io/exif.hpp>

#include <string>
#include <vector>

namespace {

/// A TIFF structure with one directory of one entry.
std::vector<std::byte> tiff_of(bool little, unsigned tag, unsigned type, unsigned value, std::uint32_t directory = 8) {
  std::vector<std::byte> out;
  const auto put = [&](std::uint32_t v, int bytes) {
    for (int i = 0; i < bytes; ++i) out.push_back(static_cast<std::byte>(v >> (8 * (little ? i : bytes - 1 - i))));
  };
  out.assign(2, std::byte{little ? static_cast<unsigned char>('I') : static_cast<unsigned char>('M')});
  put(42, 2), put(directory, 4);
  put(2, 2);
  put(0x010F, 2), put(2, 2), put(4, 4), put(0, 4);  // another tag before it
  put(tag, 2), put(type, 2), put(1, 4), put(value, 2), put(0, 2), put(0, 4);
  return out;
}

}  // namespace

TEST_CASE("the orientation tag is found in both byte orders") {
  for (const bool little : {true, false})
    for (int o = 1; o <= 8; ++o)
      CHECK(dsvl::exif::orientation(tiff_of(little, 0x0112, 3, static_cast<unsigned>(o))) == o);
}

TEST_CASE("a missing or malformed orientation means upright") {
  using dsvl::exif::orientation;
  CHECK(orientation({}) == 1);
  CHECK(orientation(tiff_of(true, 0x0113, 3, 6)) == 1);
  CHECK(orientation(tiff_of(true, 0x0112, 4, 6)) == 1);
  CHECK(orientation(tiff_of(true, 0x0112, 3, 0)) == 1);
  CHECK(orientation(tiff_of(true, 0x0112, 3, 9)) == 1);
  CHECK(orientation(tiff_of(false, 0x0112, 3, 6, 0xFFFFFFFF)) == 1);
  CHECK(orientation(tiff_of(false, 0x0112, 3, 6, 37)) == 1);
  auto other = tiff_of(true, 0x0112, 3, 6);
  other[2] = std::byte{43};
  CHECK(orientation(other) == 1);
}

TEST_CASE("no truncation of the structure is read beyond its end") {
  const auto whole = tiff_of(true, 0x0112, 3, 6);
  for (std::size_t n = 0; n < whole.size(); ++n) {
    const std::vector<std::byte> part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(n));  // own allocation
    const int orientation = dsvl::exif::orientation(part);
    CHECK((orientation == 1 || (orientation == 6 && n >= 32)));
  }
}

TEST_CASE("each of the eight orientations turns a picture as the standard says") {
  // Two rows of three pixels, numbered; what each orientation makes of them.
  const char* const kTurned[8] = {"123456", "321654", "654321", "456123", "142536", "415263", "635241", "362514"};
  std::vector<std::uint8_t> picture;
  for (const char c : std::string("123456"))
    for (int channel = 0; channel < 3; ++channel) picture.push_back(static_cast<std::uint8_t>(c + channel * 50));
  for (int o = 1; o <= 8; ++o) {
    CAPTURE(o);
    std::vector<std::uint8_t> turned(picture.size());
    dsvl::exif::turn(picture.data(), 3, 2, o, turned.data());
    std::string seen;
    for (std::size_t i = 0; i < turned.size(); i += 3) {
      seen += static_cast<char>(turned[i]);
      CHECK(turned[i + 1] == turned[i] + 50);
      CHECK(turned[i + 2] == turned[i] + 100);
    }
    CHECK(seen == kTurned[o - 1]);
    CHECK(dsvl::exif::swaps_sides(o) == (o >= 5));
  }
}
