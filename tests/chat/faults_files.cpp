// Files that misbehave while they are read: pieces, interruptions, calls that fail, files that vanish, grow or shrink. An error
// names the file, no file stays open, and what follows is as if nothing had been.
#include <cerrno>
#include <cstdio>
#include <dsvl/convert/convert.hpp>
#include <functional>
#include <iterator>
#include <optional>
#include <system_error>

#include "../messages.hpp"
#include "health.hpp"
#include "place.hpp"
#include "system_calls.hpp"

using namespace dsvl;
using test::Interfering;
using test::SystemCalls;

namespace {

constexpr long kAny = 1 << 20;

bool unavailable() {
  if (!test::kAvailable) std::fprintf(stderr, "SKIPPED: calls to the system can not be made to fail in this build\n");
  return !test::kAvailable;
}

std::ptrdiff_t open_files() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), std::filesystem::directory_iterator());
}

/// Something that reads files; whether what came of it is right, seen when files are as ever; and whether they are mapped, so
/// that they must not shrink.
struct Reading {
  std::string what;
  std::function<Status()> work;
  std::function<bool()> right;
  bool maps = false;
};

struct Readings {
  test::Place place{"faults-files"};
  std::filesystem::path gguf = place.path / "tiny.gguf", saved = place.path / "talk.dsvl";
  std::vector<Reading> all;

  Readings() {
    const Status converted = convert(Folder::directory(test::tiny_vl()), gguf, {});
    REQUIRE_MESSAGE(converted.ok(), converted.text());
    Session session = test::open_session(small());
    REQUIRE(test::answers_first_question(session));
    REQUIRE(session.save(saved).ok());
    next = test::drain(session.ask(kNext));
    for (const LoadMode mode : {LoadMode::map, LoadMode::read})
      for (const bool folder : {true, false}) {
        const std::string what = std::string(folder ? "a folder is " : "a GGUF file is ") +
                                 (mode == LoadMode::map ? "mapped" : "read");
        all.push_back({what, [=, this] { return load(folder ? test::tiny_vl() : gguf, mode); }, [this] { return answers(); },
                       mode == LoadMode::map});
      }
    all.push_back({"a session is loaded", [this] {
                     auto read = Session::load(test::tiny_model(), saved, small());
                     if (read) loaded = std::move(*read);
                     return read.error();
                   }, [this] { return test::drain(loaded->ask(kNext)) == next; }, true});
    for (const std::filesystem::path& picture : {test::tiny_vl() / "demo" / "002.png", test::data("tiny-vl/jpeg") / "000.jpg"})
      all.push_back({"a picture is shown", [=, this] { return show(picture); }, [=, this] {
                       const std::vector<float> seen = logits;
                       return show(picture).ok() && logits == seen;
                     }});
    const std::filesystem::path again = place.path / "again.gguf";
    all.push_back({"a model is converted", [=] { return convert(Folder::directory(test::tiny_vl()), again, {}); },
                   [=, this] { return load(again, LoadMode::read).ok() && answers(); }, true});
  }

 private:
  static SessionOptions small() {
    SessionOptions options;
    options.limits.context = 300;
    return options;
  }
  Status load(const std::filesystem::path& path, LoadMode mode) {
    LoadOptions options;
    options.mode = mode;
    auto read = Model::load(path, options);
    if (read) model = std::move(*read);
    return read.error();
  }
  /// The model that was loaded answers as ever, or not at all, where its tokenizer vanished.
  bool answers() {
    Session fresh = test::open_session({}, *model);
    return model->tokenizer() ? test::answers_first_question(fresh) : !fresh.ask("Hello").status().ok();
  }
  Status show(const std::filesystem::path& picture) {
    Session session = test::open_session(small());
    const Answer answer = session.ask(picture, "What is this?");
    logits.assign(answer.logits().begin(), answer.logits().end());
    return answer.status();
  }

  static constexpr const char* kNext = "And which is the shortest?";
  std::vector<std::int32_t> next;  // the answer to that
  std::optional<Model> model;
  std::optional<Session> loaded;
  std::vector<float> logits;
};

bool names_a_file(std::string_view text) {
  for (const char* name : {".json", ".safetensors", ".gguf", ".dsvl", ".png", ".jpg"})
    if (text.find(name) != std::string_view::npos) return true;
  return false;
}

/// The work with each of its calls of a kind going wrong in turn, until there is none left: an error, or the right result for
/// up to `well` of them.
long each_call(const Reading& reading, SystemCalls calls, long well = 0) {
  const std::ptrdiff_t files = open_files();
  for (calls.at = 0;; ++calls.at) {
    CAPTURE(reading.what);
    CAPTURE(calls.at);
    SystemCalls now = calls;
    Status status;
    {
      const Interfering here(now);
      status = reading.work();
    }
    CHECK(open_files() == files);
    if (!now.happened()) {
      CHECK_MESSAGE(status.ok(), std::string(status.text()));
      return calls.at;
    }
    if (status.ok()) {
      CHECK(--well >= 0);
      CHECK(reading.right());
      continue;
    }
    CHECK_MESSAGE(names_a_file(status.text()), std::string(status.text()));
    if (calls.error == EIO) CHECK_MESSAGE(test::has(status, std::generic_category().message(EIO)), std::string(status.text()));
  }
}

}  // namespace

TEST_CASE("files that come in small pieces, with interruptions, are read as ever") {
  if (unavailable()) return;
  Readings readings;
  for (const Reading& reading : readings.all) {
    CAPTURE(reading.what);
    SystemCalls calls;
    calls.piece = 4093;
    calls.interrupted = 3;
    {
      const Interfering here(calls);
      const Status status = reading.work();
      CHECK_MESSAGE(status.ok(), std::string(status.text()));
    }
    CHECK(calls.interruptions > 0);
    CHECK((reading.maps || calls.pieces > 0));
    CHECK(reading.right());
  }
}

TEST_CASE("whichever call to open, size up, read or map a file fails, that is an error, and no file stays open") {
  if (unavailable()) return;
  Readings readings;
  long total = 0;
  for (const Reading& reading : readings.all) {
    SystemCalls calls;
    // Files are looked at before they are needed, for better words; where that fails, opening them says why.
    constexpr long kLooks = 3;
    for (const int error : {EIO, EMFILE, EACCES}) {
      calls.error = error;
      for (const auto kind : {SystemCalls::open, SystemCalls::size}) {
        calls.counted = kind;
        total += each_call(reading, calls, kLooks);
      }
    }
    calls.error = EIO;
    for (const auto kind : {SystemCalls::read, SystemCalls::map}) {
      calls.counted = kind;
      total += each_call(reading, calls);
    }
  }
  MESSAGE(total << " calls failed");
  CHECK(total > 100);
  CHECK(readings.place.files().size() == 3);  // and of those that were written nothing is left but the last
}

TEST_CASE("a file that vanishes between being seen and being opened is missing, or was not needed") {
  if (unavailable()) return;
  Readings readings;
  SystemCalls calls;
  calls.counted = SystemCalls::open;
  calls.error = ENOENT;
  for (const Reading& reading : readings.all) CHECK(each_call(reading, calls, kAny) > 0);
}

TEST_CASE("a file that ends early, has grown or has shrunk since its size was seen is an error, or read as it was") {
  if (unavailable()) return;
  Readings readings;
  for (const Reading& reading : readings.all) {
    SystemCalls calls;
    calls.counted = SystemCalls::read;
    calls.nothing = true;
    CHECK((reading.maps || each_call(reading, calls) > 0));
    calls = {};
    calls.counted = SystemCalls::size;
    for (const long longer : {-1L, -4096L, 4096L}) {
      calls.longer = longer;
      if (longer < 0 || !reading.maps) CHECK(each_call(reading, calls, kAny) > 0);
    }
  }
}
