// The hash of bytes: the same for a stream however it is cut, another for every other stream.
#include <dsvl/base/byte_hash.hpp>

#include <doctest/doctest.h>

#include <string_view>

using namespace dsvl;

namespace {

std::span<const std::byte> bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

}  // namespace

TEST_CASE("the hash of a stream does not depend on how it is cut into pieces") {
  const std::string_view text = "a stream of some forty bytes and two more";
  StreamHash whole;
  whole.add(bytes(text));
  for (std::size_t piece = 1; piece < 20; ++piece) {
    CAPTURE(piece);
    StreamHash cut;
    for (std::size_t at = 0; at < text.size(); at += piece) cut.add(bytes(text.substr(at, piece)));
    CHECK(cut.value() == whole.value());
  }
}

TEST_CASE("zeros at the end, and the border between two texts, change a hash of bytes") {
  ContentHash none, one, two;
  add_bytes(one, bytes(std::string_view("\0", 1)));
  add_bytes(two, bytes(std::string_view("\0\0", 2)));
  CHECK_FALSE(none == one);
  CHECK_FALSE(one == two);
  ContentHash left, right;
  add_bytes(left, bytes("ab")), add_bytes(left, bytes("c"));
  add_bytes(right, bytes("a")), add_bytes(right, bytes("bc"));
  CHECK_FALSE(left == right);
}
