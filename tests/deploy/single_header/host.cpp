// A host with another xsimd, nlohmann/json and stb_image than the ones inside dsvl's single header, in the same file as
// that header. Each side uses its own; then the model answers.
#include <nlohmann/json.hpp>
#include <stb_image.h>
#include <xsimd/xsimd.hpp>

#include <cstdio>
#include <functional>

#include <dsvl/dsvl.hpp>

static_assert(XSIMD_VERSION_MAJOR == 1 && NLOHMANN_JSON_VERSION_MAJOR == 1 && JSON_HEDLEY_VERSION == 99);
static_assert(STBI_VERSION == 99);

int main(int argc, char** argv) {
  if (argc != 3) return std::fprintf(stderr, "usage: %s MODEL PICTURE\n", argv[0]), 2;
  const nlohmann::json five = "12345"_json;
  if (xsimd::batch<float>::size != 1 || xsimd::version() != 1 || nlohmann::version() != 1 ||
      std::hash<nlohmann::json>()(five) != 5 || stbi_load_from_memory(nullptr, 0, nullptr, nullptr, nullptr, 0))
    return std::fprintf(stderr, "the host's own libraries are no longer what they were\n"), 1;

  auto model = dsvl::Model::load(argv[1]);
  if (!model) return dsvl::report(model.error());
  auto session = dsvl::Session::open(*model);
  if (!session) return dsvl::report(session.error());
  auto answer = session->ask(dsvl::Picture::file(argv[2]), "How many bars are there?");
  while (auto piece = answer.next()) std::fwrite(piece->text.data(), 1, piece->text.size(), stdout);
  if (answer.status().ok()) std::puts("");
  return dsvl::report(answer.status());
}
