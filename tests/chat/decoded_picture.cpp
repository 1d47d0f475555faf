// Pictures decoded as sessions decode them, to show.
#include <dsvl/chat/decoded_picture.hpp>

#include <cstring>

#include "demo.hpp"

using namespace dsvl;

TEST_CASE("a decoded picture has the pixels of its file, and a region those of its part") {
  const std::filesystem::path path = test::data("tiny-vl/jpeg/000.jpg");
  const auto plain = read_image(path);
  const auto whole = decode_picture(Picture(path));
  REQUIRE(plain);
  REQUIRE_MESSAGE(whole, whole.error().text());
  REQUIRE(whole->width == plain->width);
  REQUIRE(whole->height == plain->height);
  CHECK(std::memcmp(whole->rgb.data(), plain->rgb.data(), static_cast<std::size_t>(3 * plain->width * plain->height)) == 0);

  const auto part = decode_picture(Picture(path).region({3, 5, 90, 61}));
  REQUIRE(part);
  REQUIRE(part->width == 90);
  REQUIRE(part->height == 61);
  bool equal = true;
  for (Index y = 0; y < 61; ++y)
    equal = equal && std::memcmp(part->pixels().row(y), plain->pixels().row(y + 5) + 9, 3 * 90) == 0;
  CHECK(equal);
}

TEST_CASE("pixels of any format become packed RGB") {
  const std::uint8_t bgra[] = {1, 2, 3, 255, 4, 5, 6, 0, 9, 9, 9, 9};  // a row, and a pixel that is no part of it
  const auto image = decode_picture(Pixels{bgra, 2, 1, PixelFormat::bgra, 12});
  REQUIRE(image);
  const std::uint8_t rgb[] = {3, 2, 1, 6, 5, 4};
  CHECK(std::memcmp(image->rgb.data(), rgb, 6) == 0);
}

TEST_CASE("a picture that cannot be decoded says why") {
  CHECK(decode_picture(Picture::file("no/such.png")).error().code() == Code::not_found);
  CHECK(decode_picture(Pixels()).error().code() == Code::bad_argument);
  CHECK(decode_picture(Picture(test::data("tiny-vl/jpeg/000.jpg")).region({0, 0, 9999, 1})).error().code() ==
        Code::bad_argument);
  CHECK(decode_picture(Picture(test::data("tiny-vl/jpeg/000.jpg")), {.limits = {.picture_pixels = 100}}).error().code() ==
        Code::limit);
}
