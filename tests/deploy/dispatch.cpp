// A program with kernels for several instruction sets answers with the best that this processor runs.
#include <dsvl/dsvl.hpp>
#include <dsvl/kernels/cpu.hpp>
#include <dsvl/kernels/dispatch.hpp>

#include <cstdio>
#include <cstring>
#include <string>

namespace {

/// The last unit of the list (it ascends) that this processor runs.
template <dsvl::Isa... units>
const char* best_name() {
  const char* name = "none";
  ((name = dsvl::supported(units) ? dsvl::kernels_of<units>().name : name), ...);
  return name;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  using enum dsvl::Isa;
  const char* const best = best_name<DSVL_DISPATCH>();
  const char* const chosen = dsvl::active_kernels<float>().name;
  std::printf("kernels %s, the best here is %s; this file is compiled for %s\n", chosen, best, dsvl::name(dsvl::Isa::DSVL_ISA));
  auto model = dsvl::Model::load(argv[1]);
  if (!model) return dsvl::report(model.error());
  auto session = dsvl::Session::open(*model);
  if (!session) return dsvl::report(session.error());
  auto answer = session->ask(dsvl::Picture::file(argv[2]), "How many bars are there?");
  std::string text;
  while (auto piece = answer.next()) text += piece->text;
  std::printf("%s\n", text.c_str());
  return std::strcmp(best, chosen) == 0 && text == "There are 4 bars." ? 0 : 1;
}
