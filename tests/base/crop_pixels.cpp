// A part of a picture in every format: the pixels that reading the whole picture has there.
#include <dsvl/base/crop_pixels.hpp>
#include <dsvl/base/read_pixels.hpp>

#include <doctest/doctest.h>

#include <random>
#include <vector>

using namespace dsvl;

namespace {

std::vector<std::uint8_t> rgb_of(const Pixels& p, const Rect& part) {
  std::vector<std::uint8_t> row(static_cast<std::size_t>(3 * p.width)), planes(row), out;
  for (Index y = part.y; y < part.y + part.height; ++y) {
    read_rgb_row(p, y, planes.data(), row.data());
    out.insert(out.end(), row.begin() + 3 * part.x, row.begin() + 3 * (part.x + part.width));
  }
  return out;
}

}  // namespace

TEST_CASE("a part of a picture has the pixels that the picture has there, in every format and layout") {
  constexpr Index kWidth = 21, kHeight = 15;
  std::vector<std::uint8_t> bytes(4 * 4 * 32 * 64);
  std::mt19937 random(5);
  for (std::uint8_t& b : bytes) b = static_cast<std::uint8_t>(random());
  for (int f = 0; f <= static_cast<int>(PixelFormat::uyvy); ++f)
    for (const Index padding : {0, 6})
      for (const Rect wanted : {Rect{0, 0, kWidth, kHeight}, {4, 2, 8, 6}, {5, 3, 7, 5}, {20, 14, 1, 1}, {3, 0, 18, 15}}) {
        Pixels whole{bytes.data(), kWidth, kHeight, static_cast<PixelFormat>(f)};
        CAPTURE(name(whole.format));
        CAPTURE(wanted.x);
        if (padding) whole.stride = row_bytes(whole.format, kWidth) + padding;
        Rect part = wanted;
        const auto cut = crop(whole, part);
        REQUIRE(cut);
        const Index moved = wanted.x - part.x + wanted.y - part.y;
        CHECK((moved == 0 || is_yuv(whole.format)));
        CHECK(part.x + part.width == wanted.x + wanted.width);
        CHECK(part.y + part.height == wanted.y + wanted.height);
        CHECK(rgb_of(*cut, {0, 0, part.width, part.height}) == rgb_of(whole, part));
      }
}

TEST_CASE("a bottom-up picture is cut where it is seen") {
  std::vector<std::uint8_t> bytes(3 * 8 * 6);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i);
  const Pixels whole{bytes.data() + 3 * 8 * 5, 8, 6, PixelFormat::bgr, -3 * 8};
  Rect part{2, 1, 5, 3};
  const auto cut = crop(whole, part);
  REQUIRE(cut);
  CHECK(rgb_of(*cut, {0, 0, 5, 3}) == rgb_of(whole, part));
}

TEST_CASE("a part that is empty or reaches out of the picture is refused, with both sizes named") {
  const std::uint8_t byte = 0;
  const Pixels whole{&byte, 640, 480, PixelFormat::gray};
  constexpr Index kMost = PTRDIFF_MAX;
  for (const Rect& bad : {Rect{0, 0, 0, 5}, {0, 0, 5, 0}, {-1, 0, 5, 5}, {0, -1, 5, 5}, {636, 0, 5, 5}, {0, 476, 5, 5},
                          {640, 0, 1, 1}, {0, 0, kMost, 1}, {kMost, 0, kMost, 1}, {-kMost, 0, kMost, 1}, {5, 5, -3, 2}}) {
    Rect part = bad;
    const auto cut = crop(whole, part);
    REQUIRE(!cut);
    CHECK(cut.error().code() == Code::bad_argument);
    CHECK(std::string(cut.error().text()).find("640 x 480") != std::string::npos);
  }
}
