// A directory of a test's own that goes away again.
#ifndef DSVL_TESTS_IO_TEMPORARY_FOLDER_HPP
#define DSVL_TESTS_IO_TEMPORARY_FOLDER_HPP

#include <filesystem>
#include <fstream>
#include <random>
#include <string>

namespace test {

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
};

}  // namespace test

#endif  // DSVL_TESTS_IO_TEMPORARY_FOLDER_HPP
