// The pictures that the preprocessing goldens were made of, by formula: no picture files have to travel.
#ifndef DSVL_TESTS_PICTURE_FORMULA_HPP
#define DSVL_TESTS_PICTURE_FORMULA_HPP

#include <cstddef>
#include <cstdint>
#include <vector>

#include <dsvl/base/pixels.hpp>

namespace test {

struct FormulaPicture {
  const char* name;  ///< "rgb_<width>x<height>.png" in expected.json
  dsvl::Index width, height;
};

/// In the order that numbers them.
inline constexpr FormulaPicture kFormulaPictures[] = {
    {"rgb_384x384.png", 384, 384},   {"rgb_640x480.png", 640, 480},     {"rgb_333x777.png", 333, 777},
    {"rgb_1024x1024.png", 1024, 1024}, {"rgb_1500x200.png", 1500, 200}, {"rgb_37x53.png", 37, 53},
    {"rgb_1x1.png", 1, 1},           {"rgb_2x700.png", 2, 700},         {"rgb_1025x1023.png", 1025, 1023},
    {"rgb_900x13.png", 900, 13}};

/// Packed RGB bytes of a picture of any size; `k` is the number of the picture and makes its pattern.
inline std::vector<std::uint8_t> formula_picture(dsvl::Index width, dsvl::Index height, std::int64_t k) {
  std::vector<std::uint8_t> rgb;
  rgb.reserve(static_cast<std::size_t>(width * height * 3));
  for (std::int64_t y = 0; y < height; ++y) {
    for (std::int64_t x = 0; x < width; ++x) {
      rgb.push_back(static_cast<std::uint8_t>((7 * x + 3 * y + 31 * k) ^ (x * y / (5 + k))));
      rgb.push_back(static_cast<std::uint8_t>(x * x / 17 + 11 * y + 5 * k));
      rgb.push_back(static_cast<std::uint8_t>((x / 8 + y / 8) % 2 * 180 + (5 * x + y) % 60));
    }
  }
  return rgb;
}

}  // namespace test

#endif  // DSVL_TESTS_PICTURE_FORMULA_HPP
