// main() and kernels of the programs test_<floor>_isa: the same tests with the kernels of any instruction set that has a
// unit here (dsvl_add_kernels, DSVL_DISPATCH), named by the first argument.
//   test_chat_isa sse2 [DOCTEST OPTION...]
// Where the processor does not run them, the program says so and ends with 77.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <cstddef>
#include <cstdio>
#include <cstring>
#include <dsvl/kernels/cpu.hpp>
#include <dsvl/kernels/isa.hpp>

namespace {

const dsvl::Kernels<float>* g_chosen = nullptr;

constexpr const char* kNames = DSVL_TEXT(DSVL_DISPATCH);  // separated by commas

/// Whether `wanted` is the name at place `index` of kNames.
bool is_named(const char* wanted, std::size_t index) {
  const char* name = kNames;
  for (; index > 0; --index) name = std::strchr(name, ',') + 1;
  return std::strcspn(name, ",") == std::strlen(wanted) && std::strncmp(name, wanted, std::strlen(wanted)) == 0;
}

/// Sets g_chosen to the unit of that name, unless the processor does not run it; false when there is no such unit.
template <dsvl::Isa... units>
bool choose(const char* wanted) {
  std::size_t index = 0;
  bool known = false;
  const auto consider = [&](dsvl::Isa isa, const dsvl::Kernels<float>& (*kernels)() noexcept) {
    if (!is_named(wanted, index++)) return;
    known = true;
    if (dsvl::supported(isa)) g_chosen = &kernels();
  };
  (consider(units, dsvl::kernels_of<units>), ...);
  return known;
}

}  // namespace

template <>
const dsvl::Kernels<float>& dsvl::kernels_of<dsvl::Isa::generic>() noexcept {
  return *g_chosen;
}

int main(int argc, char** argv) {
  using enum dsvl::Isa;
  if (argc < 2 || !choose<DSVL_DISPATCH>(argv[1])) {
    std::fprintf(stderr, "usage: %s ISA [DOCTEST OPTION...], where ISA is one of %s\n", argv[0], kNames);
    return 2;
  }
  if (!g_chosen) {
    std::printf("SKIPPED: tests with the kernels of %s: this processor does not run them\n", argv[1]);
    return 77;
  }
  std::printf("kernels: %s\n", g_chosen->name);
  return doctest::Context(argc - 1, argv + 1).run();
}
