// Files that are there whole or not at all.
#include <doctest/doctest.h>

#include <algorithm>
#include <dsvl/base/thread_pool.hpp>
#include <dsvl/io/file_writer.hpp>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "messages.hpp"
#include "support.hpp"
#include "temporary_folder.hpp"

using dsvl::Code;
using dsvl::FileWriter;

namespace {

using test::TemporaryFolder;

using test::put;
std::filesystem::path path_of(const std::string& utf8) {
  return std::filesystem::path(reinterpret_cast<const char8_t*>(utf8.c_str()));
}

using test::has;

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

TEST_CASE("two writers of one name in one process: both files are whole, and the last to finish wins") {
  const TemporaryFolder folder;
  const std::string first(100000, '1'), second(50000, '2');
  for (const bool in_order : {true, false}) {
    FileWriter one(folder.path / "a"), two(folder.path / "a");
    for (int part = 0; part < 10; ++part) {
      put(one, first.substr(0, first.size() / 10));
      put(two, second.substr(0, second.size() / 10));
    }
    CHECK((in_order ? one : two).commit().ok());
    CHECK(folder.read("a") == (in_order ? first : second));
    CHECK((in_order ? two : one).commit().ok());
    CHECK(folder.read("a") == (in_order ? second : first));
    CHECK(folder.names() == Names{"a"});
  }
}

TEST_CASE("files of others are never touched, whatever their names") {
  const TemporaryFolder folder;
  const std::string mine = std::to_string(dsvl::this_process());
  const Names theirs = {"a.part", "a.dsvl-1-0.part", "a.dsvl-" + mine + "-0.part", "a.dsvl-" + mine + "-1.part", "a.dsvl-x-0.part",
                        "b.dsvl-" + mine + "-0.part", "aa.part"};
  for (const std::string& name : theirs) folder.write(name, name);
  {
    FileWriter file(folder.path / "a");
    put(file, "new");
    Names with = theirs;
    with.insert("a.dsvl-" + mine + "-2.part");
    CHECK(folder.names() == with);
    CHECK(file.commit().ok());
  }
  { const FileWriter given_up(folder.path / "b"); }
  for (const std::string& name : theirs) CHECK(folder.read(name.c_str()) == name);
  Names with = theirs;
  with.insert("a");
  CHECK(folder.names() == with);
}

TEST_CASE("any thread may write at any place of a new file") {
  const TemporaryFolder folder;
  dsvl::NewFile file(folder.path / "a");
  dsvl::ThreadPool pool(4);
  constexpr std::size_t kPiece = 70000;
  pool.run(40, [&](int i) {
    const std::string piece(kPiece, static_cast<char>('0' + i));
    (void)file.write_at(static_cast<std::size_t>(i) * kPiece, std::as_bytes(std::span(piece)));
  });
  CHECK(file.commit().ok());
  const std::string got = folder.read("a");
  REQUIRE(got.size() == 40 * kPiece);
  for (std::size_t i = 0; i < got.size(); ++i) REQUIRE(got[i] == static_cast<char>('0' + static_cast<int>(i / kPiece)));
}

TEST_CASE("the folder is the one that was there at the beginning, wherever the process goes meanwhile") {
  const TemporaryFolder folder;
  folder.write("x/a", "old"), folder.write("y/a", "old");
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path / "x");
  FileWriter file("a");
  put(file, "new");
  std::filesystem::current_path(folder.path / "y");
  const dsvl::Status status = file.commit();
  std::filesystem::current_path(before);
  CHECK_MESSAGE(status.ok(), status.text());
  CHECK((folder.read("x/a") == "new" && folder.read("y/a") == "old"));
}

TEST_CASE("a name as long as the file system allows has a temporary name that is no longer") {
  const TemporaryFolder folder;
  std::vector<std::string> names = {std::string(255, 'n'), std::string(230, 'n')};
#ifndef _WIN32  // there characters count, but under wine bytes do as well
  names.emplace_back("x");
  for (int i = 0; i < 127; ++i) names.back() += reinterpret_cast<const char*>(u8"é");
#endif
  for (const std::string& name : names) {
    FileWriter file(folder.path / path_of(name));
    REQUIRE_MESSAGE(file.status().ok(), file.status().text());
    const std::string part = *folder.names().begin();
    CHECK(part.size() <= 255);
    CHECK(dsvl::TemporaryNames(path_of(name), 255).process_of(path_of(part)) == dsvl::this_process());
    CHECK(std::string(dsvl::Printable(part).text()).find('?') == std::string::npos);  // no character was cut
    CHECK(file.commit().ok());
    CHECK(folder.names() == Names{name});
    std::filesystem::remove(folder.path / path_of(name));
  }
  const dsvl::TemporaryNames one(std::string(250, 'a') + "1", 255), other(std::string(250, 'a') + "2", 255);
  CHECK(one.process_of(one.at(7, 3)) == 7);
  CHECK(other.process_of(one.at(7, 3)) == 0);
}

TEST_CASE("names that only look like temporary ones belong to no process") {
  const dsvl::TemporaryNames names("a.gguf", 255);
  CHECK(names.at(123, 4) == "a.gguf.dsvl-123-4.part");
  CHECK(names.process_of("a.gguf.dsvl-123-4.part") == 123);
  for (const char* name : {"a.gguf", "a.gguf.part", "a.gguf.dsvl-.part", "a.gguf.dsvl-1.part", "a.gguf.dsvl-1-.part", "a.gguf.dsvl--1.part",
                           "a.gguf.dsvl-1-2.par", "a.gguf.dsvl-1-2.part2", "b.gguf.dsvl-1-2.part", "a.gguf.dsvl-1x-2.part",
                           "a.gguf.dsvl-12345678901-2.part", "xa.gguf.dsvl-1-2.part", ""})
    CHECK(names.process_of(name) == 0);
}

TEST_CASE("each step that fails says which path, what the system said and what to do, and nothing is made") {
  const TemporaryFolder folder;
  folder.write("plain", "x");
  std::filesystem::create_directories(folder.path / "sub");
  struct Case {
    std::string name;
    const char *why, *advice;
  };
  for (const Case& c : {Case{"nowhere/a.bin", "a.bin: cannot be created: its folder does not exist (", "make the folder first"},
                        Case{"plain/a.bin", "a.bin: cannot be created: ", ""},
                        Case{"sub", "sub: is a folder", "name a file in it"}, Case{"sub/", "sub/: is a folder", "name a file in it"},
                        Case{".", ".: is a folder", "name a file"}, Case{"..", "..: is a folder", "name a file"},
                        Case{std::string(300, 'n'), "cannot be created: its name is too long (", "choose a shorter one"}}) {
    CAPTURE(c.name);
    FileWriter file(folder.path / c.name);
    CHECK(file.failed());
    put(file, "x");
    const dsvl::Status status = file.commit();
    CHECK(status.code() == Code::io);
    CHECK_MESSAGE(has(status, c.why), status.text());
    CHECK_MESSAGE(has(status, c.advice), status.text());
  }
  FileWriter none("");
  CHECK(none.commit().code() == Code::bad_argument);
  CHECK(has(none.status(), "the name of the file to write is empty"));
  CHECK(folder.names() == Names{"plain", "sub"});
}

TEST_CASE("a name that became a folder meanwhile is refused at the end, and nothing is left") {
  const TemporaryFolder folder;
  FileWriter file(folder.path / "a");
  put(file, "new");
  folder.write("a/inside", "x");
  const dsvl::Status status = file.commit();
  CHECK(status.code() == Code::io);
  CHECK_MESSAGE(has(status, "a: was written, but may not take its name: "), status.text());
  CHECK(folder.names() == Names{"a"});
  CHECK(folder.read("a/inside") == "x");
}
