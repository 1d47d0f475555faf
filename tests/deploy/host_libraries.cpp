// A host that uses stb_image and nlohmann/json itself, before and after dsvl. Its stb_image (host_stb.cpp) still
// decodes the formats that dsvl leaves out, and its json is the library's own type.
#if __has_include(<stb/stb_image.h>)
#include <stb/stb_image.h>
#else
#include <stb_image.h>
#endif

#include <cstdio>
#include <dsvl/dsvl.hpp>
#include <nlohmann/json.hpp>

int main() {
  const unsigned char pgm[] = {'P', '5', ' ', '3', ' ', '2', ' ', '2', '5', '5', '\n', 1, 2, 3, 4, 5, 6};
  int width = 0, height = 0, channels = 0;
  unsigned char* picture = stbi_load_from_memory(pgm, sizeof pgm, &width, &height, &channels, 0);
  if (!picture) return std::fprintf(stderr, "the host's stb_image: %s\n", stbi_failure_reason()), 1;
  const bool decoded = width == 3 && height == 2 && channels == 1 && picture[5] == 6;
  stbi_image_free(picture);

  const nlohmann::json parsed = nlohmann::json::parse(R"({"dsvl": [0, 1, 0]})", nullptr, false);
  const bool right = decoded && parsed["dsvl"].size() == 3;
  std::printf("dsvl %s beside the host's own stb_image and json: %s\n", DSVL_VERSION_STRING, right ? "right" : "wrong");
  return right ? 0 : 1;
}
