#include <doctest/doctest.h>
#include <dsvl/io/folder.hpp>

#include <cstring>
#include <fstream>
#include <map>
#include <string>

#include "failing_allocator.hpp"
#include "messages.hpp"
#include "support.hpp"
#include "temporary_folder.hpp"

using dsvl::Bytes;
using dsvl::Code;
using dsvl::Folder;
using dsvl::LoadMode;
using test::TemporaryFolder;

namespace {

class MapReader final : public dsvl::Reader {
 public:
  std::map<std::string, std::string, std::less<>> files;
  std::uint64_t fail_at = UINT64_MAX;
  std::size_t largest_block = 0;
  ~MapReader() = default;

  std::optional<std::uint64_t> size(std::string_view name) noexcept override {
    const auto at = files.find(name);
    if (at == files.end()) return std::nullopt;
    return at->second.size();
  }
  bool read(std::string_view name, std::uint64_t offset, std::span<std::byte> into) noexcept override {
    largest_block = std::max(largest_block, into.size());
    if (offset >= fail_at) return false;
    std::memcpy(into.data(), files.find(name)->second.data() + offset, into.size());
    return true;
  }
};

struct LoadProgress {
  double done = 0, total = 0;
  int reports = 0;
  dsvl::CancelToken* cancel_after_first = nullptr;
  dsvl::Progress progress() {
    return {[](void* user, dsvl::Stage stage, double now, double all) {
              LoadProgress& log = *static_cast<LoadProgress*>(user);
              CHECK(stage == dsvl::Stage::load);
              CHECK(now >= log.done);
              log.done = now, log.total = all, ++log.reports;
              if (log.cancel_after_first) log.cancel_after_first->cancel();
            },
            this};
  }
};

using test::has;

}  // namespace

TEST_CASE("a directory gives the same bytes in every load mode, with progress to the end") {
  const TemporaryFolder files;
  std::string content(2500000, 'x');
  for (std::size_t i = 0; i < content.size(); ++i) content[i] = static_cast<char>(i * 7 + i / 256);
  files.write("a.bin", content);
  const Folder folder = Folder::directory(files.path);
  for (const LoadMode mode : {LoadMode::map, LoadMode::read, LoadMode::prefault}) {
    CAPTURE(name(mode));
    LoadProgress log;
    test::FailingAllocator allocator;
    {
      auto bytes = folder.open("a.bin", mode, &allocator, log.progress());
      REQUIRE(bytes);
      const std::byte* const before = bytes->data();
      const Bytes moved = std::move(*bytes);
      CHECK(moved.data() == before);
      CHECK(moved.text() == content);
      CHECK(moved.owned_bytes() == (mode == LoadMode::read ? content.size() : 0));
      CHECK(moved.mapped_bytes() == (mode == LoadMode::read ? 0 : content.size()));
    }
    CHECK(log.done == 2500000.0);
    CHECK(log.total == 2500000.0);
    CHECK(log.reports == (mode == LoadMode::map ? 1 : 3));
    CHECK(allocator.requests == (mode == LoadMode::read ? 1 : 0));
    CHECK(allocator.live == 0);
  }
}

TEST_CASE("an empty file is empty bytes in every load mode") {
  const TemporaryFolder files;
  files.write("empty", "");
  for (const LoadMode mode : {LoadMode::map, LoadMode::read, LoadMode::prefault}) {
    const auto bytes = Folder::directory(files.path).open("empty", mode);
    REQUIRE(bytes);
    CHECK(bytes->size() == 0);
    CHECK(bytes->text().empty());
  }
}

TEST_CASE("names in any script, and folders below, are found") {
  const TemporaryFolder files;
  files.write(std::filesystem::path(u8"模型/Приве́т.json"), "{}");
  const Folder folder = Folder::directory(files.path);
  const std::string name = reinterpret_cast<const char*>(u8"模型/Приве́т.json");
  CHECK(folder.has(name));
  CHECK(folder.open(name)->text() == "{}");
  CHECK(has(folder.describe(name).c_str(), name));
}

TEST_CASE("what is missing, or no file, is named") {
  const TemporaryFolder files;
  files.write("below/a", "x");
  const Folder folder = Folder::directory(files.path);
  for (const char* name : {"missing.json", "below/b", "nowhere/a", "below/a/b"}) {
    const auto bytes = folder.open(name);
    REQUIRE_FALSE(bytes);
    CHECK(bytes.error().code() == Code::not_found);
    CHECK(has(bytes.error().text(), name));
    CHECK_FALSE(folder.has(name));
  }
  const auto directory = folder.open("below");
  CHECK(directory.error().code() == Code::io);
  CHECK(has(directory.error().text(), "is a folder, not a file"));
}

TEST_CASE("names that could leave the folder are refused by every kind of folder") {
  const TemporaryFolder files;
  MapReader reader;
  const Folder folders[] = {Folder::directory(files.path), Folder::memory({}), Folder::reader(reader)};
  using namespace std::string_view_literals;
  for (const std::string_view name :
       {""sv, "/etc/passwd"sv, "../a"sv, "a/../b"sv, "a/.."sv, ".."sv, "."sv, "./a"sv, "a//b"sv, "a/"sv, "a\\b"sv,
        "C:a"sv, "C:/a"sv, "\\\\host\\share"sv, "a\0.json"sv, "a\n"sv, "file.txt:stream"sv}) {
    for (const Folder& folder : folders) {
      CHECK(folder.open(name).error().code() == Code::bad_argument);
      CHECK_FALSE(folder.has(name));
    }
  }
  CHECK(dsvl::check_name(std::string(2000, 'a')).code() == Code::bad_argument);
  for (const std::string_view name : {"a"sv, "model-00001-of-00002.safetensors"sv, "a/b.c"sv, "..a"sv, "a..b/c..."sv})
    CHECK(dsvl::check_name(name).ok());
}

TEST_CASE("the caller's memory is used where it lies") {
  const std::string one = "first", two = "second";
  const dsvl::NamedBytes table[] = {{"one", std::as_bytes(std::span(one))}, {"sub/two", std::as_bytes(std::span(two))}};
  const Folder folder = Folder::memory(table);
  LoadProgress log;
  const auto bytes = folder.open("sub/two", LoadMode::read, nullptr, log.progress());
  REQUIRE(bytes);
  CHECK(static_cast<const void*>(bytes->data()) == two.data());
  CHECK(bytes->owned_bytes() == 0);
  CHECK(log.done == 6.0);
  CHECK(*folder.size("one") == 5);
  CHECK(folder.open("three").error().code() == Code::not_found);
  CHECK(has(folder.open("three").error().text(), "three (in memory)"));
}

TEST_CASE("a reader is asked in blocks, and its failure is named") {
  MapReader reader;
  reader.files["a"] = std::string(3000000, 'r');
  const Folder folder = Folder::reader(reader);
  LoadProgress log;
  const auto bytes = folder.open("a", LoadMode::map, nullptr, log.progress());
  REQUIRE(bytes);
  CHECK(bytes->text() == reader.files["a"]);
  CHECK(reader.largest_block == 1u << 20);
  CHECK(log.reports == 3);
  reader.fail_at = 1 << 20;
  const auto failed = folder.open("a");
  CHECK(failed.error().code() == Code::io);
  CHECK(has(failed.error().text(), "a (from the reader): the reader failed at byte 1048576"));
}

TEST_CASE("loading stops when it is cancelled") {
  const TemporaryFolder files;
  files.write("a.bin", std::string(3000000, 'x'));
  const Folder folder = Folder::directory(files.path);
  for (const LoadMode mode : {LoadMode::read, LoadMode::prefault}) {
    dsvl::CancelToken cancel;
    LoadProgress log;
    log.cancel_after_first = &cancel;
    const auto bytes = folder.open("a.bin", mode, nullptr, log.progress(), &cancel);
    CHECK(bytes.error().code() == Code::cancelled);
    CHECK(has(bytes.error().text(), "a.bin"));
    CHECK(log.reports == 1);
  }
}

TEST_CASE("no memory for a file is an error that names it") {
  const TemporaryFolder files;
  files.write("a.bin", "some bytes");
  test::FailingAllocator allocator(0);
  const auto bytes = Folder::directory(files.path).open("a.bin", LoadMode::read, &allocator);
  CHECK(bytes.error().code() == Code::out_of_memory);
  CHECK(has(bytes.error().text(), "a.bin: no memory for 10 bytes"));

  class Huge final : public dsvl::Reader {
   public:
    ~Huge() = default;
    std::optional<std::uint64_t> size(std::string_view) noexcept override { return UINT64_MAX; }
    bool read(std::string_view, std::uint64_t, std::span<std::byte>) noexcept override { return true; }
  } huge;
  CHECK(Folder::reader(huge).open("a").error().code() == Code::out_of_memory);
}

TEST_CASE("a file that ends early while it is read is an error") {
  const TemporaryFolder files;
  files.write("a.bin", "0123456789");
  auto file = dsvl::File::open(files.path / "a.bin", "a.bin");
  REQUIRE(file);
  std::byte into[8];
  CHECK(file->read(2, into, "a.bin").ok());
  CHECK(into[0] == std::byte{'2'});
  const dsvl::Status status = file->read(5, into, "a.bin");
  CHECK(status.code() == Code::io);
  CHECK(has(status.text(), "a.bin: ends at byte 10, 3 more were expected"));
}
