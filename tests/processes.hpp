// What tests of files need of POSIX processes: writers that are killed, and a small file system of one's own.
#ifndef DSVL_TESTS_PROCESSES_HPP
#define DSVL_TESTS_PROCESSES_HPP

#ifndef _WIN32

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <random>
#include <string>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sched.h>
#include <sys/mount.h>
#endif

#include "support.hpp"

namespace test {

/// Runs work() in a process of its own, which ends with what that returns. No doctest macros in there.
template <class Work>
::pid_t in_child(Work work) {
  const ::pid_t child = ::fork();
  if (child != 0) return child;
  ::alarm(120);  // no orphan stays for long
  ::_exit(work());
}
/// The status as waitpid() has it.
inline int end_of(::pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {}
  return status;
}
inline bool killed(int status) { return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL; }

/// DSVL_KILL_ROUNDS, or the few that a run of all tests can afford.
inline int kill_rounds() {
  const char* const rounds = std::getenv("DSVL_KILL_ROUNDS");
  return rounds ? std::atoi(rounds) : 8;
}

struct KillCount {
  int rounds = 0, absent = 0, broken = 0, left_over = 0;  ///< rounds that ended so; temporary files seen
  int ended = 0;  ///< writers that ended by themselves, which none should
};

/// Two processes call write(0) and write(1) again and again until each is killed, at random moments within
/// `microseconds`; then `file` must be absent, or whole() true. So often, from an empty folder and from what is there.
template <class Write, class Whole>
KillCount kill_writers(const std::filesystem::path& file, int rounds, unsigned microseconds, Write write, Whole whole) {
  KillCount out;
  std::mt19937 random(static_cast<unsigned>(rounds));
  for (; out.rounds < rounds; ++out.rounds) {
    if (out.rounds % 2 == 0) std::filesystem::remove(file);
    ::pid_t children[2];
    for (int which = 0; which < 2; ++which)
      children[which] = in_child([&] {
        while (write(which)) {}
        return 1;
      });
    for (const ::pid_t child : children) {
      ::usleep(static_cast<::useconds_t>(random() % microseconds));
      ::kill(child, SIGKILL);
    }
    for (const ::pid_t child : children) out.ended += !killed(end_of(child));
    if (!std::filesystem::exists(file)) ++out.absent;
    else if (!whole()) ++out.broken;
    for (const auto& entry : std::filesystem::directory_iterator(file.parent_path())) {
      if (entry.path().extension() != ".part") continue;
      ++out.left_over;
      std::filesystem::remove(entry.path());
    }
  }
  return out;
}

/// The largest file that this process may write, as `ulimit -f`; everything else as before when it goes.
struct FileSizeLimit {
  explicit FileSizeLimit(::rlim_t bytes) : handler(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before);
    ::rlimit less = before;
    less.rlim_cur = bytes;
    ::setrlimit(RLIMIT_FSIZE, &less);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before);
    std::signal(SIGXFSZ, handler);
  }
  ::rlimit before = {};
  void (*handler)(int);
};

/// Calls work(folder), in a process of its own, where `folder` is an empty file system of so many bytes; gives the
/// std::string that it returns. Nothing where no such file system is to be had, and then stderr says so.
template <class Work>
std::optional<std::string> in_small_file_system(const std::filesystem::path& folder, std::size_t bytes, Work work) {
#ifdef __linux__
  int ends[2];
  if (::pipe(ends) != 0) return std::nullopt;
  const ::pid_t child = in_child([&] {
    const bool root = ::geteuid() == 0;
    const auto user = std::to_string(::geteuid()), group = std::to_string(::getegid());
    if (::unshare(root ? CLONE_NEWNS : CLONE_NEWNS | CLONE_NEWUSER) != 0) return 77;
    if (!root) {
      std::ofstream("/proc/self/uid_map") << "0 " + user + " 1";
      std::ofstream("/proc/self/setgroups") << "deny";
      std::ofstream("/proc/self/gid_map") << "0 " + group + " 1";
      if (::geteuid() != 0 || ::getegid() != 0) return 77;
    }
    if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return 77;
    const std::string size = "size=" + std::to_string(bytes);
    if (::mount("tmpfs", folder.c_str(), "tmpfs", 0, size.c_str()) != 0) return 77;
    const std::string said = work(folder);
    return ::write(ends[1], said.data(), said.size()) == static_cast<::ssize_t>(said.size()) ? 0 : 1;
  });
  ::close(ends[1]);
  std::string said;
  char block[4096];
  for (::ssize_t n = 0; (n = ::read(ends[0], block, sizeof block)) > 0;) said.append(block, static_cast<std::size_t>(n));
  ::close(ends[0]);
  const int status = end_of(child);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return said;
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 77) return "the process failed, status " + std::to_string(status);
#else
  (void)folder, (void)bytes, (void)work;
#endif
  std::fprintf(stderr, "SKIPPED: no small file system can be mounted here, so a full one was not checked\n");
  return std::nullopt;
}

}  // namespace test

#endif  // _WIN32

#endif  // DSVL_TESTS_PROCESSES_HPP
