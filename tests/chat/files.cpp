// What the front door writes: saved sessions and converted models are there whole or not at all, whoever writes them at
// the same time, when the disk is full, and when the process is killed.
#include <algorithm>
#include <cstring>
#include <dsvl/convert/convert.hpp>
#include <dsvl/dsvl.hpp>
#include <filesystem>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include "../io/temporary_folder.hpp"
#include "../processes.hpp"
#include "demo.hpp"

using namespace dsvl;

namespace fs = std::filesystem;

namespace {

Status convert_to(const fs::path& path, Format format, bool split = false, Executor* executor = nullptr, Logger log = {}) {
  ConvertOptions options;
  options.types = WeightTypes::of(format);
  options.split = split;
  options.host.executor = executor;
  options.host.log = log;
  return convert(Folder::directory(test::tiny_vl()), path, options);
}

std::size_t files_in(const fs::path& folder) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

/// The model on the calling thread alone: a process that is forked has no others.
struct Alone {
  InlineExecutor executor;
  std::optional<Model> model;
  std::vector<Session> sessions;

  explicit Alone(std::initializer_list<const char*> questions, Logger log = {}) {
    LoadOptions options;
    options.host.executor = &executor;
    options.host.log = log;
    auto loaded = Model::load(test::tiny_vl(), options);
    REQUIRE_MESSAGE(loaded, loaded.error().text());
    model.emplace(std::move(*loaded));
    for (const char* question : questions) {
      auto session = Session::open(*model);
      REQUIRE_MESSAGE(session, session.error().text());
      Answer answer = session->ask(question);
      while (answer.next()) {}
      REQUIRE(answer.status().ok());
      sessions.push_back(std::move(*session));
    }
  }
};

const char* const kLong = "Say one word about each of the colours red, green, blue, yellow, orange, black and white, and then one more.";

struct Warnings {
  std::vector<std::string> lines;
  [[nodiscard]] Logger log() {
    return {[](void* self, Level level, std::string_view text) {
              if (level == Level::warning) static_cast<Warnings*>(self)->lines.emplace_back(text);
            },
            this};
  }
};

}  // namespace

TEST_CASE("of two model files that belong together neither takes its place when the other cannot") {
  const test::TemporaryFolder folder;
  folder.write("m.gguf", "old");
  folder.write("mmproj-m.gguf/inside", "x");
  const Status status = convert_to(folder.path / "m.gguf", Format::q8_0, true);
  CHECK(status.code() == Code::io);
  CHECK_MESSAGE(std::string_view(status.text()).find("mmproj-m.gguf: is a folder") != std::string_view::npos, status.text());
  CHECK(test::read_file(folder.path / "m.gguf") == "old");
  CHECK(files_in(folder.path) == 2);
}

TEST_CASE("saving and converting say in words why a file cannot be written") {
  const test::TemporaryFolder folder;
  const Alone alone({"Hi."});
  const auto says = [](const Status& status, const char* text) {
    return std::string_view(status.text()).find(text) != std::string_view::npos;
  };
  const Status results[] = {alone.sessions[0].save(folder.path / "no" / "file"), convert_to(folder.path / "no" / "file", Format::q8_0),
                            alone.sessions[0].save(folder.path), convert_to(folder.path, Format::q8_0)};
  for (int i = 0; i < 4; ++i) {
    CHECK(results[i].code() == Code::io);
    CHECK_MESSAGE(says(results[i], i < 2 ? "file: cannot be created: its folder does not exist (" : "is a folder"), results[i].text());
  }
  CHECK(alone.sessions[0].save("").code() == Code::bad_argument);
  CHECK(convert_to("", Format::q8_0).code() == Code::bad_argument);
  CHECK(files_in(folder.path) == 0);
}

TEST_CASE("a session saved with sync holds what one saved without does") {
  const test::TemporaryFolder folder;
  const Alone alone({"Hi."});
  CHECK(alone.sessions[0].save(folder.path / "a").ok());
  CHECK(alone.sessions[0].save(folder.path / "b", {.sync = true}).ok());
  CHECK(test::read_file(folder.path / "a") == test::read_file(folder.path / "b"));
}

#ifndef _WIN32

TEST_CASE("what a killed save or conversion left is a warning in the session's and the conversion's log") {
  const test::TemporaryFolder folder;
  const ::pid_t gone = test::in_child([] { return 0; });
  test::end_of(gone);
  const std::string left = "a.dsvl-" + std::to_string(gone) + "-0.part";
  folder.write(left, "half");
  Warnings saving, converting;
  const Alone alone({"Hi."}, saving.log());
  saving.lines.clear();
  CHECK(alone.sessions[0].save(folder.path / "a").ok());
  CHECK(convert_to(folder.path / "a", Format::q8_0, false, nullptr, converting.log()).ok());
  for (const Warnings* log : {&saving, &converting}) {
    REQUIRE(log->lines.size() == 1);
    CHECK(log->lines[0].find(left + ": 4 bytes") != std::string::npos);
  }
  CHECK(test::read_file(folder.path / left) == "half");
}

TEST_CASE("sessions saved to one name by processes that are killed at random leave it absent or whole") {
  const test::TemporaryFolder folder;
  const fs::path file = folder.path / "session";
  const Alone alone({"Hi.", kLong});
  std::string whole[2];
  for (std::size_t i = 0; i < 2; ++i) {
    REQUIRE(alone.sessions[i].save(file).ok());
    whole[i] = test::read_file(file);
  }
  REQUIRE(whole[0] != whole[1]);
  const auto count = test::kill_writers(
      file, test::kill_rounds(), 8000, [&](int which) { return alone.sessions[static_cast<std::size_t>(which)].save(file).ok(); },
      [&] {
        const std::string got = test::read_file(file);
        return (got == whole[0] || got == whole[1]) && Session::load(*alone.model, file).has_value();
      });
  CHECK(count.broken == 0);
  CHECK(count.ended == 0);
  MESSAGE(count.rounds, " rounds: absent after ", count.absent, ", broken after ", count.broken, "; ", count.left_over,
          " temporary files of killed writers");
}

TEST_CASE("conversions to one name by processes that are killed at random leave it absent or whole") {
  const test::TemporaryFolder folder;
  const fs::path file = folder.path / "model.gguf";
  InlineExecutor alone;
  const Format formats[2] = {Format::q8_0, Format::bf16};
  std::string whole[2];
  for (int i = 0; i < 2; ++i) {
    REQUIRE(convert_to(file, formats[i], false, &alone).ok());
    whole[i] = test::read_file(file);
  }
  REQUIRE(whole[0] != whole[1]);
  const auto count = test::kill_writers(
      file, test::kill_rounds(), 300000, [&](int which) { return convert_to(file, formats[which], false, &alone).ok(); },
      [&] {
        const std::string got = test::read_file(file);
        return (got == whole[0] || got == whole[1]) && Model::load(file).has_value();
      });
  CHECK(count.broken == 0);
  CHECK(count.ended == 0);
  MESSAGE(count.rounds, " rounds: absent after ", count.absent, ", broken after ", count.broken, "; ", count.left_over,
          " temporary files of killed writers");
}

TEST_CASE("with a full disk saving and converting fail in words, what was there stays and nothing is left") {
  const test::TemporaryFolder folder, sizes;
  const Alone alone({kLong});
  REQUIRE(alone.sessions[0].save(sizes.path / "session").ok());
  InlineExecutor here;
  REQUIRE(convert_to(sizes.path / "m.gguf", Format::q8_0, true, &here).ok());
  const auto session = fs::file_size(sizes.path / "session"), text = fs::file_size(sizes.path / "m.gguf"),
             vision = fs::file_size(sizes.path / "mmproj-m.gguf");
  struct Full {
    const char* name;
    std::uintmax_t bytes;
    FunctionRef<Status(const fs::path&)> write;
  };
  const auto save = [&](const fs::path& path) { return alone.sessions[0].save(path); };
  const auto one = [&](const fs::path& path) { return convert_to(path, Format::q8_0, false, &here); };
  const auto two = [&](const fs::path& path) { return convert_to(path, Format::q8_0, true, &here); };
  for (const Full& full : {Full{"session", session / 2, save}, Full{"m.gguf", 1 << 20, one}, Full{"m.gguf", text / 2, two},
                           Full{"m.gguf", text + vision / 2, two}}) {  // the second of two files meets the end
    CAPTURE(full.name);
    CAPTURE(full.bytes);
    const auto said = test::in_small_file_system(folder.path, static_cast<std::size_t>(full.bytes), [&](const fs::path& disk) {
      for (const char* name : {full.name, "mmproj-m.gguf"}) std::ofstream(disk / name) << "old";
      const Status status = full.write(disk / full.name);
      std::string faults;
      if (status.code() != Code::io || !std::strstr(status.text(), "no room is left on its file system (No space left on device"))
        faults = std::string("status: ") + status.text();
      for (const char* name : {full.name, "mmproj-m.gguf"})
        if (test::read_file(disk / name) != "old") faults += "; the old file is gone";
      if (files_in(disk) != 2) faults += "; something is left";
      return faults;
    });
    if (said) CHECK_MESSAGE(said->empty(), *said);
    const test::FileSizeLimit limit(static_cast<::rlim_t>(std::min<std::uintmax_t>(full.bytes, vision / 2)));
    const Status status = full.write(sizes.path / full.name);
    CHECK(status.code() == Code::io);
    CHECK_MESSAGE(std::string_view(status.text()).find("larger than its file system, or the limit") != std::string_view::npos,
                  status.text());
    CHECK(fs::file_size(sizes.path / "session") == session);
    CHECK((fs::file_size(sizes.path / "m.gguf") == text && fs::file_size(sizes.path / "mmproj-m.gguf") == vision));
    CHECK(files_in(sizes.path) == 3);
  }
}

#endif  // _WIN32
