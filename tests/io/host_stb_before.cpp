// A host that has its own stb_image, with the implementation, before it includes dsvl.
#define STB_IMAGE_IMPLEMENTATION
#define STBI_ASSERT(condition) static_cast<void>(condition)
#define STBI_NO_GIF
#define STBI_MAX_DIMENSIONS 77777
#include "host_stb.hpp"

#include <doctest/doctest.h>
#include <dsvl/io/image.hpp>

#include <string>

#include "support.hpp"

#if !defined(STB_IMAGE_IMPLEMENTATION) || !defined(STBI_INCLUDE_STB_IMAGE_H) || !defined(STBI_NO_GIF)
#error "dsvl did not put the host's macros back"
#endif
#if defined(STBI_NO_BMP) || defined(STBI_ONLY_PNG) || defined(STB_IMAGE_STATIC) || STBI_MAX_DIMENSIONS != 77777
#error "dsvl left macros of its own"
#endif

TEST_CASE("a host that included stb_image before dsvl keeps its own copy") {
  const std::string file = test::read_file(test::data("preprocess/rgba_120x90.png"));
  int width = 0, height = 0, channels = 0;
  unsigned char* const theirs = ::stbi_load_from_memory(reinterpret_cast<const unsigned char*>(file.data()),
                                                        static_cast<int>(file.size()), &width, &height, &channels, 3);
  REQUIRE(theirs);
  CHECK(channels == 4);
  CHECK(::stbi_load_from_memory(reinterpret_cast<const unsigned char*>("none"), 4, &width, &height, &channels, 3) ==
        nullptr);
  CHECK(::stbi_failure_reason() != nullptr);  // the host did not ask for silence
  const auto ours = dsvl::decode_image(std::as_bytes(std::span(file)));
  REQUIRE(ours);
  CHECK(std::memcmp(ours->rgb.data(), theirs, ours->rgb.size()) == 0);
  ::stbi_image_free(theirs);
}
