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
  CHECK(orientation(tiff_of(true, 0x0112, 5, 6)) == 1);  // a fraction
  CHECK(orientation(tiff_of(true, 0x0112, 3, 0)) == 1);
  CHECK(orientation(tiff_of(true, 0x0112, 3, 9)) == 1);
  CHECK(orientation(tiff_of(false, 0x0112, 3, 6, 0xFFFFFFFF)) == 1);
  CHECK(orientation(tiff_of(false, 0x0112, 3, 6, 37)) == 1);
  auto other = tiff_of(true, 0x0112, 3, 6);
  other[2] = std::byte{43};
  CHECK(orientation(other) == 1);
}

TEST_CASE("the orientation may be short or long, signed or not, and the last of several counts") {
  struct Entry {
    std::uint32_t type;
    std::uint32_t count;
    std::uint32_t value;  // as it lies in the entry, little-endian
  };
  const auto orientation = [](const std::vector<Entry>& entries, const std::vector<std::uint16_t>& behind = {}) {
    std::vector<std::byte> out;
    const auto put = [&](std::uint32_t v, int bytes) {
      for (int i = 0; i < bytes; ++i) out.push_back(static_cast<std::byte>(v >> (8 * i)));
    };
    put(0x4949, 2), put(42, 2), put(8, 4), put(static_cast<std::uint32_t>(entries.size()), 2);
    for (const Entry& e : entries) put(0x0112, 2), put(e.type, 2), put(e.count, 4), put(e.value, 4);
    put(0, 4);
    for (const std::uint16_t v : behind) put(v, 2);
    return dsvl::exif::orientation(out);
  };
  for (const std::uint32_t type : {3u, 4u, 8u, 9u}) CHECK(orientation({{type, 1, 6}}) == 6);
  for (const std::uint32_t type : {1u, 2u, 5u, 11u}) CHECK(orientation({{type, 1, 6}}) == 1);
  CHECK(orientation({{3, 1, 6}, {3, 1, 3}}) == 3);
  CHECK(orientation({{3, 1, 6}, {3, 1, 9}}) == 1);
  CHECK(orientation({{3, 1, 6}, {3, 0, 3}}) == 6);  // none at all says nothing
  CHECK(orientation({{3, 2, 6}}) == 6);
  CHECK(orientation({{3, 3, 26}}, {8, 1, 1}) == 8);  // three do not fit: they lie behind the directory
  CHECK(orientation({{3, 3, 600}}, {8, 1, 1}) == 1);
  CHECK(orientation({{4, 1, 6u << 16}}) == 1);
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
    for (dsvl::Index y = 0; y < 2; ++y) dsvl::exif::place_row(picture.data() + 9 * y, y, 3, 2, o, turned.data());
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
