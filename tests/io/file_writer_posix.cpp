// Files that are there whole or not at all: what POSIX systems add, as permissions, links, full disks and kills.
#include <doctest/doctest.h>

#ifndef _WIN32

#include <dsvl/io/file_writer.hpp>
#include <set>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>
#include <vector>
#ifdef __linux__
#include <sys/syscall.h>
#endif

#include "messages.hpp"
#include "processes.hpp"
#include "temporary_folder.hpp"

using dsvl::Code;
using dsvl::FileWriter;
using dsvl::Status;

namespace fs = std::filesystem;

#ifdef __linux__
namespace {

/// What fsync() and close() shall answer instead of doing their work, and the order of what was asked for.
struct System {
  int fsync_file = 0, fsync_folder = 0, close_file = 0;  ///< errno, 0: as ever
  std::vector<std::string> log;
  bool watched = false;
};
System g_system;

bool is_folder(int file) {
  struct stat about = {};
  return ::fstat(file, &about) == 0 && S_ISDIR(about.st_mode);
}

}  // namespace

// These take the place of the C library's, for this program.
extern "C" int fsync(int file) {
  const bool folder = is_folder(file);
  if (g_system.watched) g_system.log.push_back(folder ? "folder" : "file");
  const int refused = folder ? g_system.fsync_folder : g_system.fsync_file;
  if (refused != 0) return errno = refused, -1;
  return static_cast<int>(::syscall(SYS_fsync, file));
}
extern "C" int close(int file) {
  const bool refused = g_system.close_file != 0 && !is_folder(file);
  const int result = static_cast<int>(::syscall(SYS_close, file));
  return refused ? (errno = g_system.close_file, -1) : result;
}
#endif

namespace {

using Names = std::set<std::string>;

using test::names_in;
using test::TemporaryFolder;

/// The rights of a file, and the bits beside them; all ones where there is none.
unsigned mode_of(const fs::path& file) {
  struct stat about = {};
  return ::stat(file.c_str(), &about) == 0 ? about.st_mode & 07777u : ~0u;
}

using test::put;
Status write(const fs::path& path, const std::string& text, const dsvl::NewFileOptions& options = {}) {
  FileWriter file(path, options);
  put(file, text);
  return file.commit();
}

using test::has;

/// Warnings that were logged.
struct Log {
  std::vector<std::string> lines;
  [[nodiscard]] dsvl::NewFileOptions options() {
    dsvl::NewFileOptions out;
    out.log = {[](void* self, dsvl::Level level, std::string_view text) {
                 if (level == dsvl::Level::warning) static_cast<Log*>(self)->lines.emplace_back(text);
               },
               this};
    return out;
  }
};

struct Umask {
  explicit Umask(::mode_t mask) : before(::umask(mask)) {}
  ~Umask() { ::umask(before); }
  ::mode_t before;
};

/// Somebody without root's rights, when this process has them.
struct Nobody {
  Nobody() { if (root) was_changed = ::seteuid(65534) == 0; }
  ~Nobody() { if (root) was_changed = ::seteuid(0) == 0; }
  bool root = ::geteuid() == 0, was_changed = false;
};

}  // namespace

TEST_CASE("a new file has the permissions of any new file, one that replaces another has those of that") {
  const TemporaryFolder folder;
  {
    const Umask mask(027);
    CHECK(write(folder.path / "new", "x").ok());
    CHECK(mode_of(folder.path / "new") == 0640);
  }
  const Umask mask(077);
  for (const unsigned mode : {0600u, 0666u, 0640u, 0755u}) {
    CAPTURE(mode);
    folder.write("a", "old");
    fs::permissions(folder.path / "a", static_cast<fs::perms>(mode));
    FileWriter file(folder.path / "a");
    for (const std::string& name : folder.names())
      if (name.ends_with(".part")) CHECK(mode_of(folder.path / name) == mode);  // nobody reads meanwhile who might not
    CHECK(file.commit().ok());
    CHECK(mode_of(folder.path / "a") == mode);
  }
}

TEST_CASE("a symbolic link stays, and the file that it leads to is replaced, or made, in its own folder") {
  const TemporaryFolder folder;
  folder.write("disk/old", "old");
  folder.write("links/x", "");
  fs::create_symlink("../disk/old", folder.path / "links" / "one");
  fs::create_symlink("one", folder.path / "links" / "two");
  fs::create_symlink(folder.path / "disk" / "new", folder.path / "links" / "dangling");
  for (const auto& [link, name] : {std::pair{"two", "old"}, std::pair{"dangling", "new"}}) {
    FileWriter file(folder.path / "links" / link);
    CHECK(names_in(folder.path / "disk").size() == 2);  // old, and what is being written
    CHECK(names_in(folder.path / "links") == Names{"dangling", "one", "two", "x"});
    put(file, "written");
    CHECK(file.commit().ok());
    CHECK(fs::is_symlink(folder.path / "links" / link));
    CHECK(test::read_file(folder.path / "disk" / name) == "written");
  }
  CHECK(names_in(folder.path / "disk") == Names{"new", "old"});
  fs::create_symlink("round", folder.path / "round");
  const Status round = write(folder.path / "round", "x");
  CHECK_MESSAGE(has(round, "round: cannot be created: its symbolic links go round in a circle ("), round.text());
}

TEST_CASE("a temporary name that is taken, be it by a link that somebody laid there, is left alone") {
  const TemporaryFolder folder;
  folder.write("victim", "precious");
  const std::string mine = std::to_string(::getpid());
  fs::create_symlink("victim", folder.path / ("a.dsvl-" + mine + "-0.part"));
  fs::create_symlink("nothing", folder.path / ("a.dsvl-" + mine + "-1.part"));
  fs::create_directory(folder.path / ("a.dsvl-" + mine + "-2.part"));
  CHECK(write(folder.path / "a", "new").ok());
  CHECK(folder.read("a") == "new");
  CHECK(folder.read("victim") == "precious");
  CHECK_FALSE(fs::exists(folder.path / "nothing"));
  CHECK(folder.names().size() == 5);
}

TEST_CASE("a device, a pipe or a socket is not replaced by a file") {
  const TemporaryFolder folder;
  REQUIRE(::mkfifo((folder.path / "pipe").c_str(), 0666) == 0);
  for (const fs::path& path : {fs::path("/dev/null"), folder.path / "pipe"}) {
    const Status status = write(path, "x");
    CHECK(status.code() == Code::io);
    CHECK_MESSAGE(has(status, "is a device, a pipe or a socket"), status.text());
  }
  CHECK(fs::is_character_file("/dev/null"));
  CHECK(folder.names() == Names{"pipe"});
}

TEST_CASE("what may not be written is left as it is: a folder, and a file that is protected") {
  const TemporaryFolder folder;
  folder.write("closed/a", "old"), folder.write("protected", "old"), folder.write("no_entry/a", "old");
  fs::permissions(folder.path, fs::perms::all);
  fs::permissions(folder.path / "closed", static_cast<fs::perms>(0555));
  fs::permissions(folder.path / "protected", static_cast<fs::perms>(0444));
  fs::permissions(folder.path / "no_entry", static_cast<fs::perms>(0));
  Status closed, protected_file, no_entry;
  {
    const Nobody nobody;
    closed = write(folder.path / "closed" / "b", "x");
    protected_file = write(folder.path / "protected", "x");
    no_entry = write(folder.path / "no_entry" / "a", "x");
  }
  CHECK_MESSAGE(has(closed, "b: cannot be created: that is not allowed ("), closed.text());
  CHECK_MESSAGE(has(protected_file, "protected: cannot be written: that is not allowed ("), protected_file.text());
  CHECK_MESSAGE(has(no_entry, "a: cannot be created: that is not allowed ("), no_entry.text());
  for (const Status* status : {&closed, &protected_file, &no_entry}) CHECK(has(*status, "change the permissions"));
  CHECK(folder.read("protected") == "old");
  CHECK(names_in(folder.path / "closed") == Names{"a"});
  fs::permissions(folder.path / "closed", fs::perms::all), fs::permissions(folder.path / "no_entry", fs::perms::all);
}

TEST_CASE("a folder in which names may be used but not listed can be written to") {
  const TemporaryFolder folder;
  folder.write("blind/x", "");
  fs::permissions(folder.path / "blind", static_cast<fs::perms>(0333));
  fs::permissions(folder.path, fs::perms::all);
  Status status;
  {
    const Nobody nobody;
    Log log;
    status = write(folder.path / "blind" / "a", "new", log.options());
  }
  fs::permissions(folder.path / "blind", fs::perms::all);
#ifdef __linux__
  CHECK_MESSAGE(status.ok(), status.text());
  CHECK(folder.read("blind/a") == "new");
#endif
}

TEST_CASE("a limit of file sizes is an error with its own words, whenever it is met, and the file that was there stays") {
  const TemporaryFolder folder;
  folder.write("a", "old");
  for (const std::size_t size : {std::size_t{2000}, std::size_t{3000000}}) {
    const test::FileSizeLimit limit(1000);
    FileWriter file(folder.path / "a");
    CHECK_FALSE(file.failed());
    put(file, std::string(size, 'x'));
    CHECK(file.failed() == (size > 20000));  // less waits in the buffer
    put(file, "y");
    const Status status = file.commit();
    CHECK(status.code() == Code::io);
    CHECK_MESSAGE(has(status, "a: cannot be written: it would be larger than "), status.text());
    CHECK(has(status, "(File too large, system error "));
    CHECK(has(status, "raise the limit"));
    CHECK(has(file.status(), status.text()));
    CHECK(folder.names() == Names{"a"});
    CHECK(folder.read("a") == "old");
  }
}

#ifdef __linux__
TEST_CASE("on a full file system the file that was there stays, nothing is left, and there is room again") {
  const TemporaryFolder folder;
  const auto said = test::in_small_file_system(folder.path, 1 << 20, [](const fs::path& disk) {
    std::string faults;
    const auto check = [&](bool good, const char* what) { if (!good) faults += std::string(what) + "; "; };
    check(write(disk / "a", std::string(300000, 'o')).ok(), "the first file");
    for (const std::size_t size : {std::size_t{900000}, std::size_t{5000000}}) {
      const Status full = write(disk / "a", std::string(size, 'x'));
      check(full.code() == Code::io, "code io");
      check(has(full, "a: cannot be written: no room is left on its file system (No space left on device, system error 28)"), full.text());
      check(has(full, "make room there, or write to another disk"), "advice");
      check(test::read_file(disk / "a") == std::string(300000, 'o'), "the old file");
      check(names_in(disk) == Names{"a"}, "what is left");
    }
    check(write(disk / "a", std::string(600000, 'n')).ok(), "room for both");
    check(test::read_file(disk / "a") == std::string(600000, 'n'), "the new file");
    ::mount("none", disk.c_str(), nullptr, MS_REMOUNT | MS_RDONLY, nullptr);
    for (const char* name : {"a", "b"}) {
      const Status read_only = write(disk / name, "x");
      check(has(read_only, "its file system is read-only (Read-only file system, system error 30); write to another folder"),
            read_only.text());
    }
    return faults;
  });
  if (said) CHECK_MESSAGE(said->empty(), *said);
}

TEST_CASE("with sync the disk has the bytes before the name, then the name; without it nobody waits") {
  const TemporaryFolder folder;
  for (const bool sync : {false, true}) {
    g_system = {.log = {}, .watched = true};
    CHECK(write(folder.path / "a", "x", {sync, {}}).ok());
    const auto log = std::exchange(g_system, {}).log;
    CHECK(log == (sync ? std::vector<std::string>{"file", "folder"} : std::vector<std::string>{}));
  }
}

TEST_CASE("what the system refuses at the last moment has words of its own, and only a file in its place stays") {
  const TemporaryFolder folder;
  folder.write("a", "old");
  const auto with = [&](int file, int directory, int close) {
    g_system = {.fsync_file = file, .fsync_folder = directory, .close_file = close, .log = {}};
    FileWriter writer(folder.path / "a", {true, {}});
    put(writer, "new");
    const Status status = writer.commit();
    g_system = {};
    CHECK(folder.names() == Names{"a"});
    return status;
  };
  const Status sync = with(EIO, 0, 0);
  CHECK_MESSAGE(has(sync, "a: cannot be written through to the disk: the disk reports a fault ("), sync.text());
  const Status closed = with(0, 0, EDQUOT);
  CHECK_MESSAGE(has(closed, "a: cannot be closed: the quota of its file system is used up ("), closed.text());
  CHECK(folder.read("a") == "old");
  const Status placed = with(0, EIO, 0);
  CHECK_MESSAGE(has(placed, "a: is in its place, but its folder cannot be written through to the disk: "), placed.text());
  CHECK(folder.read("a") == "new");
  CHECK(with(0, EINVAL, 0).ok());  // a file system that knows no such thing
}
#endif

TEST_CASE("what killed writers of a name left is logged by the next one with path, size and advice, and stays") {
  const TemporaryFolder folder;
  const auto start = [&](bool stays) {
    const ::pid_t child = test::in_child([&] {
      FileWriter file(folder.path / "a");
      put(file, std::string(70000, 'x'));
      folder.write("ready", "");
      for (;;) ::usleep(1000);
      return 0;
    });
    while (!fs::exists(folder.path / "ready")) ::usleep(1000);
    fs::remove(folder.path / "ready");
    if (!stays) ::kill(child, SIGKILL), test::end_of(child);
    return child;
  };
  const ::pid_t gone = start(false), also_gone = start(false), alive = start(true);
  folder.write("a.part", "of somebody else");
  const std::string mine = std::to_string(::getpid());
  folder.write("a.dsvl-" + mine + "-7.part", "of another process 1 in another container");
  Log log, other, none;
  CHECK(write(folder.path / "b", "x", other.options()).ok());
  CHECK(other.lines.empty());
  {
    FileWriter here(folder.path / "a");
    CHECK(write(folder.path / "a", "new", log.options()).ok());
  }
  REQUIRE(log.lines.size() == 3);
  for (const ::pid_t process : {gone, also_gone}) {
    const std::string name = "a.dsvl-" + std::to_string(process) + "-0.part";
    bool found = false;
    for (const std::string& line : log.lines)
      found = found || (line.find((folder.path / name).string() + ": 70000 bytes") == 0 && line.find("delete it") != std::string::npos);
    CHECK(found);
    CHECK(fs::exists(folder.path / name));
  }
  ::kill(alive, SIGKILL), test::end_of(alive);
  CHECK(folder.names().size() == 7);
  CHECK(folder.read("a") == "new");
}

TEST_CASE("writers of one name that are killed at random moments leave the name absent or a whole file") {
  const TemporaryFolder folder;
  const std::string texts[2] = {std::string(3000000, 'a') + "1", std::string(1000000, 'b') + "2"};
  const auto count = test::kill_writers(
      folder.path / "a", test::kill_rounds(), 20000,
      [&](int which) {
        FileWriter file(folder.path / "a");
        const std::string& text = texts[which];
        for (std::size_t at = 0; at < text.size(); at += 10007) put(file, text.substr(at, 10007));
        return file.commit().ok();
      },
      [&] {
        const std::string got = folder.read("a");
        return got == texts[0] || got == texts[1];
      });
  CHECK(count.broken == 0);
  CHECK(count.ended == 0);
  MESSAGE(count.rounds, " rounds: absent after ", count.absent, ", broken after ", count.broken, "; ", count.left_over,
          " temporary files of killed writers");
}

#endif  // _WIN32
