// What tests share: where the data lies, noise, and how far two results are apart.
#ifndef DSVL_TESTS_SUPPORT_HPP
#define DSVL_TESTS_SUPPORT_HPP

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <span>
#include <string>
#include <vector>

namespace test {

/// A file that stands in the repository: data("tiny-hybrid/config.json").
inline std::filesystem::path data(const std::string& name) {
  return std::filesystem::path(DSVL_SOURCE_DIR) / "tests" / "data" / name;
}
/// The model that ships with the project.
inline std::filesystem::path tiny_vl() {
  return std::filesystem::path(DSVL_SOURCE_DIR) / "examples" / "models" / "tiny-vl";
}

/// A path for a file or folder of a test's own: test programs run beside one another, and some of them twice.
inline std::filesystem::path temporary(const std::string& name) {
  return std::filesystem::temp_directory_path() / ("dsvl-test-" + name + "-" + std::to_string(std::random_device()()));
}

/// Reference material that may not be committed: a folder beside the repository, or DSVL_SHARED. Empty when absent; then the
/// test that needs it says so on stderr and passes.
inline std::filesystem::path shared(const std::string& name) {
  const char* from = std::getenv("DSVL_SHARED");
  const auto root = from ? std::filesystem::path(from) : std::filesystem::path(DSVL_SOURCE_DIR) / ".." / "shared";
  std::error_code ignored;
  if (std::filesystem::exists(root / name, ignored)) return root / name;
  std::fprintf(stderr, "SKIPPED: %s is not here, so what it would check was not checked\n", name.c_str());
  return {};
}

inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

/// A file in the form of safetensors.
inline std::string safetensors_file(const std::string& header, const std::string& data = "") {
  std::string file;
  for (int i = 0; i < 8; ++i) file += static_cast<char>((std::uint64_t{header.size()} >> (8 * i)) & 0xFF);
  return file + header + data;
}
inline std::span<const std::byte> bytes_of(const std::string& file) { return std::as_bytes(std::span(file)); }

/// Reproducible numbers in [-1, 1).
inline std::vector<float> noise(std::size_t n, std::uint64_t seed) {
  std::vector<float> out(n);
  for (std::size_t i = 0; i < n; ++i) {
    std::uint64_t z = seed * 0xD1342543DE82EF95ull + (i + 1) * 0x9E3779B97F4A7C15ull;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    z ^= z >> 31;
    out[i] = static_cast<float>(z >> 40) / 8388608.0f - 1.0f;
  }
  return out;
}

/// |got - want| / |want| in the Euclidean norm, in double; NaN anywhere gives NaN (and fails every `<`).
template <class A, class B>
double relative_error(std::span<const A> got, std::span<const B> want) {
  if (got.size() != want.size()) return NAN;
  double difference = 0, size = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double d = static_cast<double>(got[i]) - static_cast<double>(want[i]);
    difference += d * d;
    size += static_cast<double>(want[i]) * static_cast<double>(want[i]);
  }
  return std::sqrt(difference) / (size > 0 ? std::sqrt(size) : 1.0);
}

}  // namespace test

#endif  // DSVL_TESTS_SUPPORT_HPP
