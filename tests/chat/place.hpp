// A folder of a chat test's own, that goes when the test ends.
#ifndef DSVL_TESTS_CHAT_PLACE_HPP
#define DSVL_TESTS_CHAT_PLACE_HPP

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "../support.hpp"

namespace test {

struct Place {
  std::filesystem::path path;
  explicit Place(const char* name) : path(temporary(name)) { std::filesystem::create_directories(path); }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  [[nodiscard]] std::vector<std::string> files() const {
    std::vector<std::string> out;
    for (const auto& entry : std::filesystem::directory_iterator(path)) out.push_back(entry.path().filename().string());
    return out;
  }
  std::filesystem::path write(const std::string& name, const std::string& text) const {
    std::ofstream(path / name, std::ios::binary) << text;
    return path / name;
  }
};

}  // namespace test

#endif  // DSVL_TESTS_CHAT_PLACE_HPP
