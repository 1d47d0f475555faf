// A host that includes its own stb_image, with a private implementation, after dsvl.
#include <doctest/doctest.h>
#include <dsvl/io/image.hpp>

#include <string>

#include "support.hpp"

#if defined(STBI_INCLUDE_STB_IMAGE_H) || defined(STB_IMAGE_IMPLEMENTATION) || defined(STBI_ONLY_PNG) || \
    defined(STBI_NO_BMP) || defined(STBIDEF) || defined(STBI_MALLOC) || defined(STBI_VERSION) || defined(FAST_BITS)
#error "dsvl left macros of its own"
#endif

#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_STATIC
#include "host_stb.hpp"

TEST_CASE("a host that includes stb_image after dsvl gets all of it") {
  const std::string bmp("BM\x3A\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\1\0\0\0\1\0\0\0\1\0\x18\0\0\0\0\0\4"
                        "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\3\2\1\0", 58);
  int width = 0, height = 0, channels = 0;
  unsigned char* const theirs = ::stbi_load_from_memory(reinterpret_cast<const unsigned char*>(bmp.data()),
                                                        static_cast<int>(bmp.size()), &width, &height, &channels, 3);
  REQUIRE(theirs);
  CHECK(theirs[0] == 1);
  CHECK(theirs[2] == 3);
  ::stbi_image_free(theirs);
  CHECK(dsvl::decode_image(std::as_bytes(std::span(bmp))).error().code() == dsvl::Code::unsupported);
}
