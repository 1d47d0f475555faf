// PNG files that are written are read again, bit by bit, by dsvl's own reader and by stb_image under it.
#include <dsvl/io/image.hpp>
#include <dsvl/io/png_writer.hpp>

#include <doctest/doctest.h>

#include <random>
#include <vector>

#include "failing_allocator.hpp"

using namespace dsvl;

namespace {

enum class Look { flat, noise, slopes, stripes, repeats };

std::vector<std::uint8_t> picture(Index width, Index height, Look look) {
  std::vector<std::uint8_t> out;
  std::mt19937 random(static_cast<unsigned>(width * 31 + height));
  for (Index y = 0; y < height; ++y)
    for (Index x = 0; x < width; ++x)
      for (Index c = 0; c < 3; ++c)
        out.push_back(static_cast<std::uint8_t>(look == Look::flat      ? 200
                                                : look == Look::noise   ? static_cast<Index>(random() & 255)
                                                : look == Look::slopes  ? x + 2 * y + 40 * c
                                                : look == Look::stripes ? x % 7 * 36
                                                                        : (x * x + y % 3) % 251));
  return out;
}

}  // namespace

TEST_CASE("a PNG file that was written has the same pixels when it is read, whatever they are") {
  for (const Grid& size : {Grid{1, 1}, {2, 3}, {1, 258}, {300, 1}, {64, 64}, {129, 257}, {90, 700}})
    for (const Look look : {Look::flat, Look::noise, Look::slopes, Look::stripes, Look::repeats}) {
      const Index width = size.width, height = size.height;
      CAPTURE(width);
      CAPTURE(height);
      const auto rgb = picture(width, height, look);
      const auto png = encode_png({rgb.data(), width, height});
      REQUIRE(png);
      const auto read = decode_image(png->span());
      REQUIRE_MESSAGE(read, read.error().text());
      CHECK(read->width == width);
      CHECK(read->height == height);
      CHECK(std::equal(rgb.begin(), rgb.end(), read->rgb.begin(), read->rgb.end()));
      if (look == Look::flat && width * height > 4000) CHECK(png->size() < rgb.size() / 30);
      const std::size_t filtered = rgb.size() + static_cast<std::size_t>(height);  // a byte a row says how
      if (look == Look::noise) CHECK(png->size() < filtered + filtered / 8 + 200);
    }
}

TEST_CASE("pixels of another format are written as the model sees them") {
  const std::vector<std::uint8_t> bgra = {10, 20, 30, 0, 40, 50, 60, 255};
  const auto png = encode_png({bgra.data(), 2, 1, PixelFormat::bgra});
  REQUIRE(png);
  const auto read = decode_image(png->span());
  REQUIRE(read);
  CHECK(std::vector<std::uint8_t>(read->rgb.begin(), read->rgb.end()) == std::vector<std::uint8_t>{30, 20, 10, 60, 50, 40});
}

TEST_CASE("a PNG file of nothing is refused, and so is one that no memory is there for") {
  CHECK(encode_png({}).error().code() == Code::bad_argument);
  const std::uint8_t byte = 0;
  CHECK(encode_png({&byte, 1 << 20, 1 << 20}).error().code() == Code::limit);
  const auto rgb = picture(40, 30, Look::noise);
  CHECK(test::refuse_each([&](test::FailingAllocator& memory) -> Status {
          DSVL_TRY(png, encode_png({rgb.data(), 40, 30}, &memory));
          DSVL_TRY(read, decode_image(png.span()));
          return read.width == 40 ? Status() : fail(Code::bad_file, "another picture");
        }) > 4);
}
