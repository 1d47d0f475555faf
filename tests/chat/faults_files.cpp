// Files that misbehave while they are read: pieces, interruptions, calls that fail, files that vanish, grow or shrink. An error
// names the file, no file stays open, and what follows is as if nothing had been.
#include <cerrno>
#include <functional>
#include <optional>

#include "health.hpp"
#include "place.hpp"
#include "system_calls.hpp"

using namespace dsvl;
using test::Interfering;
using test::SystemCalls;

namespace {

constexpr long kAny = 1 << 20;

bool unavailable() {
  if (!test::kAvailable) MESSAGE("SKIPPED: calls to the system can not be made to fail in this build");
  return !test::kAvailable;
}

long open_files() {
  long n = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) n += entry.exists() ? 1 : 1;
  return n;
}

/// Something that reads files, and what can be said of it afterwards, when files are as ever.
struct Reading {
  std::string what;
  std::function<Status()> work;
  std::function<bool()> right = [] { return true; };
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
    for (const LoadMode mode : {LoadMode::map, LoadMode::read})
      for (const bool folder : {true, false}) {
        const std::string what = std::string(folder ? "a folder is " : "a GGUF file is ") +
                                 (mode == LoadMode::map ? "mapped" : "read");
        all.push_back({what, [=, this] { return load(folder ? test::tiny_vl() : gguf, mode); }, [this] {
                         Session fresh = test::open_session({}, *model);
                         const bool speaks = fresh.ask("Hello").status().ok();  // not where tokenizer.json vanished
                         return !speaks || test::answers_first_question(fresh);
                       }});
      }
    all.push_back({"a session is loaded", [this] { return Session::load(test::tiny_model(), saved, small()).error(); }});
    all.push_back({"a PNG is shown", [] { return show(test::tiny_vl() / "demo" / "002.png"); }});
    all.push_back({"a JPEG is shown", [] { return show(test::data("tiny-vl/jpeg") / "000.jpg"); }});
    all.push_back({"a model is converted", [this] {
                     return convert(Folder::directory(test::tiny_vl()), place.path / "again.gguf", {});
                   }});
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
    auto loaded = Model::load(path, options);
    if (loaded) model = std::move(*loaded);
    return loaded.error();
  }
  static Status show(const std::filesystem::path& picture) {
    Session session = test::open_session(small());
    return session.ask(picture, "What is this?").status();
  }

  std::optional<Model> model;
};

/// The work with each of its calls of a kind going wrong in turn, until there is none left: an error, or the right result for
/// up to `well` of them.
long each_call(const Reading& reading, SystemCalls calls, long well = 0) {
  const long files = open_files();
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
    CHECK_MESSAGE(std::string(status.text()).find(": ") != std::string::npos, status.text());
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
    each_call(reading, calls);
    calls = {};
    calls.counted = SystemCalls::size;
    for (const long longer : {-1L, -4096L}) {
      calls.longer = longer;
      each_call(reading, calls, kAny);
    }
    if (reading.what.find("read") == std::string::npos) continue;  // what is mapped must not be cut off
    calls.longer = 4096;
    each_call(reading, calls, kAny);
  }
}
