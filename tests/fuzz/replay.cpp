// Replays the seeds of all fuzz targets, or of those that are named: what every build can do, whatever its compiler.
//   fuzz_seeds [--damaged N] [TARGET...]
// With --damaged, N damaged copies of each seed as well: bytes replaced, taken away, said twice. They are the same ones
// every time. Targets that load a model or compute take longer, and get copies only when they are named. A file that a
// fuzzer found is replayed by its path: fuzz_seeds TARGET=FILE.
#include "target.hpp"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <random>

namespace {

std::string read(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

void run(const fuzz::Target& target, const std::string& input) {
  // A copy of exactly that size, so that AddressSanitizer sees a step behind it.
  const std::vector<std::uint8_t> bytes(input.begin(), input.end());
  target.run(fuzz::Input(bytes.data(), bytes.size()));
}

std::string damaged(std::string input, std::mt19937& random) {
  for (std::size_t times = 1 + random() % 3; times > 0 && !input.empty(); --times) {
    const std::size_t at = random() % input.size(), n = std::min<std::size_t>(1 + random() % 16, input.size() - at);
    switch (random() % 4) {
      case 0: input[at] = static_cast<char>(random() % 256); break;
      case 1: input[at] = static_cast<char>(input[at] ^ (1 << random() % 8)); break;
      case 2: input.erase(at, n); break;
      case 3: input.insert(at, input.substr(at, n)); break;
    }
  }
  return input;
}

bool quick(std::string_view target) {
  constexpr std::string_view kOthers[] = {"kernels", "gguf_model", "saved_session", "session_player"};
  return std::find(std::begin(kOthers), std::end(kOthers), target) == std::end(kOthers);
}

/// How many inputs there were; none is a mistake, since every target has seeds.
int replay(const fuzz::Target& target, int copies) {
  const auto folder = std::filesystem::path(DSVL_SOURCE_DIR) / "tests" / "fuzz" / "seeds" / target.name;
  std::vector<std::filesystem::path> seeds;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) seeds.push_back(entry.path());
  std::sort(seeds.begin(), seeds.end());
  std::mt19937 random(1);
  int count = 0;
  run(target, "");
  for (const std::filesystem::path& path : seeds) {
    const std::string seed = read(path);
    run(target, seed), ++count;
    for (int i = 0; i < copies; ++i) run(target, damaged(seed, random)), ++count;
  }
  return count;
}

}  // namespace

int main(int argc, char** argv) {
  int copies = 0;
  std::vector<std::string> wanted;
  for (int i = 1; i < argc; ++i) {
    if (std::string(argv[i]) == "--damaged" && i + 1 < argc) copies = std::atoi(argv[++i]);
    else wanted.emplace_back(argv[i]);
  }
  int targets = 0, failed = 0;
  for (const fuzz::Target* target = fuzz::Target::first; target; target = target->next) {
    const std::string name = target->name;
    bool whole = wanted.empty();
    for (const std::string& entry : wanted) {
      whole = whole || entry == name;
      if (entry.starts_with(name + "=")) run(*target, read(entry.substr(name.size() + 1))), ++targets;
    }
    if (!whole) continue;
    ++targets;
    const int count = replay(*target, quick(name) || !wanted.empty() ? copies : 0);
    std::printf("%-16s %6d inputs\n", target->name, count);
    std::fflush(stdout);
    if (count > 0) continue;
    std::printf("%s has no seeds in tests/fuzz/seeds\n", target->name);
    ++failed;
  }
  if (targets == 0) std::printf("there is no such target\n");
  return failed == 0 && targets > 0 ? 0 : 1;
}
