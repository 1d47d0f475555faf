// The host's own libraries, which have the names of those inside dsvl's single header: in this file, without dsvl.
#include <nlohmann/json.hpp>
#include <stb_image.h>
#include <xsimd/xsimd.hpp>

int xsimd::version() { return XSIMD_VERSION_MAJOR; }
int nlohmann::version() { return NLOHMANN_JSON_VERSION_MAJOR; }
extern "C" stbi_uc* stbi_load_from_memory(const stbi_uc*, int, int*, int*, int*, int) { return nullptr; }
