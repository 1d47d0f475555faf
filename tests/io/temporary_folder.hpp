// A directory of a test's own that goes away again.
#ifndef DSVL_TESTS_IO_TEMPORARY_FOLDER_HPP
#define DSVL_TESTS_IO_TEMPORARY_FOLDER_HPP

#include <dsvl/io/file_writer.hpp>
#include <filesystem>
#include <fstream>
#include <random>
#include <set>
#include <span>
#include <string>

#include "../support.hpp"

namespace test {

/// The names in a folder, in UTF-8.
inline std::set<std::string> names_in(const std::filesystem::path& folder) {
  std::set<std::string> out;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) out.insert(dsvl::path_to_utf8(entry.path().filename()));
  return out;
}

inline void put(dsvl::FileWriter& file, const std::string& text) { file.write(std::as_bytes(std::span(text))); }

struct TemporaryFolder {
  std::filesystem::path path;
  TemporaryFolder() {
    static int count = 0;
    const auto unique = std::to_string(std::random_device()()) + "-" + std::to_string(++count);
    path = std::filesystem::temp_directory_path() / ("dsvl-test-" + unique);
    std::filesystem::remove_all(path);
    std::filesystem::create_directories(path);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  void write(const std::filesystem::path& name, const std::string& text) const {
    std::filesystem::create_directories((path / name).parent_path());
    std::ofstream(path / name, std::ios::binary) << text;
  }
  [[nodiscard]] std::string read(const char* name) const { return read_file(path / name); }
  [[nodiscard]] std::set<std::string> names() const { return names_in(path); }
};

}  // namespace test

#endif  // DSVL_TESTS_IO_TEMPORARY_FOLDER_HPP
