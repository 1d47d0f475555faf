// Files that are there whole or not at all.
#include <doctest/doctest.h>

#include <algorithm>
#include <dsvl/io/file_writer.hpp>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>

#include "support.hpp"
#include "temporary_folder.hpp"

using dsvl::Code;
using dsvl::FileWriter;

namespace {

struct TemporaryFolder : test::TemporaryFolder {
  [[nodiscard]] std::string read(const char* name) const { return test::read_file(path / name); }
  [[nodiscard]] std::set<std::string> names() const {
    std::set<std::string> out;
    for (const auto& entry : std::filesystem::directory_iterator(path)) out.insert(dsvl::path_to_utf8(entry.path().filename()));
    return out;
  }
};

void put(FileWriter& file, const std::string& text) { file.write(std::as_bytes(std::span(text))); }

using Names = std::set<std::string>;

}  // namespace

TEST_CASE("a file is there when it was committed, with every byte, and not before") {
  const TemporaryFolder folder;
  std::string text(3000001, ' ');
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(i * 7 + i / 256);
  FileWriter file(folder.path / "a.bin");
  for (std::size_t at = 0, n = 0; at < text.size(); at += n) {
    n = std::min<std::size_t>(1 + at % 70001, text.size() - at);
    put(file, text.substr(at, n));
    put(file, "");
  }
  CHECK_FALSE(file.failed());
  CHECK_FALSE(std::filesystem::exists(folder.path / "a.bin"));
  const dsvl::Status status = file.commit();
  CHECK_MESSAGE(status.ok(), status.text());
  CHECK(folder.read("a.bin") == text);
  CHECK(folder.names() == Names{"a.bin"});
}

TEST_CASE("a file of no bytes, and names in any script, can be written") {
  const TemporaryFolder folder;
  FileWriter empty(folder.path / "empty"), named(folder.path / std::filesystem::path(u8"Приве́т 模型"));
  put(named, "x");
  CHECK((empty.commit().ok() && named.commit().ok()));
  CHECK(std::filesystem::file_size(folder.path / "empty") == 0);
  CHECK(folder.names() == Names{"empty", reinterpret_cast<const char*>(u8"Приве́т 模型")});
}

TEST_CASE("what was there stays until the new file is whole") {
  const TemporaryFolder folder;
  folder.write("a", "old and longer");
  {
    FileWriter file(folder.path / "a");
    put(file, "new");
    CHECK(folder.read("a") == "old and longer");
    CHECK(file.commit().ok());
    CHECK(folder.read("a") == "new");
  }
  CHECK(folder.names() == Names{"a"});
  CHECK(folder.read("a") == "new");
}

TEST_CASE("without a commit nothing is left, and what was there stays") {
  const TemporaryFolder folder;
  folder.write("a", "old");
  for (const char* name : {"a", "b"}) {
    FileWriter file(folder.path / name);
    put(file, std::string(100000, 'x'));
  }
  CHECK(folder.names() == Names{"a"});
  CHECK(folder.read("a") == "old");
}

TEST_CASE("what a crash has left of an earlier attempt does no harm") {
  const TemporaryFolder folder;
  folder.write("a.part", std::string(1000, 'x'));
  FileWriter file(folder.path / "a");
  put(file, "new");
  CHECK(file.commit().ok());
  CHECK(folder.names() == Names{"a"});
  CHECK(folder.read("a") == "new");
}

TEST_CASE("a place that can not be written is an error that names it, and nothing is made there") {
  const TemporaryFolder folder;
  FileWriter file(folder.path / "nowhere" / "a.bin");
  CHECK(file.failed());
  put(file, "x");
  const dsvl::Status status = file.commit();
  CHECK(status.code() == Code::io);
  CHECK(std::string_view(status.text()).find("a.bin: cannot be created") != std::string_view::npos);
  CHECK(folder.names().empty());
}

TEST_CASE("a folder where the file should be, or where it is written first, is an error and stays") {
  const TemporaryFolder folder;
  for (const char* name : {"a", "b.part"}) std::filesystem::create_directories(folder.path / name);
  folder.write("a/inside", "x");
  for (const char* name : {"a", "b"}) {
    FileWriter file(folder.path / name);
    put(file, "new");
    CHECK(file.commit().code() == Code::io);
  }
  CHECK(folder.names() == Names{"a", "b.part"});
  CHECK(folder.read("a/inside") == "x");
}

#ifdef __linux__
TEST_CASE("when there is no room left the file that was there stays, whenever the system says so") {
  if (!std::filesystem::exists("/dev/full")) {
    std::fprintf(stderr, "SKIPPED: /dev/full is not here, so a full disk was not checked\n");
    return;
  }
  const TemporaryFolder folder;
  folder.write("a", "old");
  for (const std::size_t size : {std::size_t{10}, std::size_t{3000000}}) {
    std::filesystem::create_symlink("/dev/full", folder.path / "a.part");
    FileWriter file(folder.path / "a");
    CHECK_FALSE(file.failed());
    put(file, std::string(size, 'x'));
    CHECK(file.failed() == (size > 10));
    put(file, "y");
    const dsvl::Status status = file.commit();
    CHECK(status.code() == Code::io);
    CHECK(std::string_view(status.text()).find("cannot be written") != std::string_view::npos);
    CHECK(folder.names() == Names{"a"});
    CHECK(folder.read("a") == "old");
  }
  CHECK(std::filesystem::exists("/dev/full"));
}
#endif
