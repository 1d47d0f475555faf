// The names under which files are written until they are complete: NAME.dsvl-PID-N.part, in the folder of NAME.
//
// PID is the process that writes, N counts its attempts. So two writers of one file never meet, and the file of a
// writer that was killed can be told from files that are still being written, and from files of other programs.
#ifndef DSVL_IO_TEMPORARY_NAME_HPP
#define DSVL_IO_TEMPORARY_NAME_HPP

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>

#if defined(_WIN32)
#include "../base/windows.hpp"
#else
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/types.h>
#include <unistd.h>
#endif

#include "../base/hash.hpp"
#include "../base/host.hpp"
#include "file.hpp"

DSVL_BEGIN_NAMESPACE

/// The temporary names of one file.
class TemporaryNames {
 public:
  /// `longest` is the limit of the file system, in units of its names. A name that leaves no room for the suffix is
  /// shortened, with a hash of the whole name in place of the rest.
  TemporaryNames(const std::filesystem::path& name, std::size_t longest) : stem_(name.native()) {
    if (stem_.size() + kBehind <= longest) return;
    ContentHash hash;
    for (const auto unit : stem_) hash.add(static_cast<std::uint64_t>(unit));
    char digits[20];
    std::snprintf(digits, sizeof digits, "~%016llx", static_cast<unsigned long long>(hash.a));
    std::size_t size = longest > kBehind + 17 ? longest - kBehind - 17 : 0;  // 17 is "~" and 16 digits
    while (size > 0 && inside_character(stem_[size])) --size;
    stem_.resize(size);
    append(stem_, digits);
  }

  /// The name for a process and an attempt.
  [[nodiscard]] std::filesystem::path at(std::uint64_t process, unsigned attempt) const {
    std::filesystem::path::string_type out = stem_;
    append(out, ".dsvl-" + std::to_string(process) + "-" + std::to_string(attempt) + ".part");
    return out;
  }

  /// The process in a name of this form; 0 when it is not one.
  [[nodiscard]] std::uint64_t process_of(const std::filesystem::path& name) const {
    const auto& text = name.native();
    if (text.size() <= stem_.size() || text.compare(0, stem_.size(), stem_) != 0) return 0;
    std::size_t at = stem_.size();
    std::uint64_t process = 0, attempt = 0;
    const bool right = literal(text, at, ".dsvl-") && number(text, at, process) && literal(text, at, "-") &&
                       number(text, at, attempt) && literal(text, at, ".part") && at == text.size();
    return right ? process : 0;
  }

 private:
  using Native = std::filesystem::path::string_type;
  static constexpr std::size_t kBehind = 6 + 10 + 1 + 5 + 5;  // the longest ".dsvl-" PID "-" N ".part"

  /// Appends ASCII to a name of the system.
  static void append(Native& to, std::string_view ascii) { to.append(ascii.begin(), ascii.end()); }

  /// True when a name must not be cut in front of this unit: the second and later ones of UTF-8, or of UTF-16.
  static bool inside_character(Native::value_type unit) noexcept {
    if constexpr (sizeof unit == 1) return (static_cast<unsigned char>(unit) & 0xC0) == 0x80;
    else return (static_cast<unsigned>(unit) & 0xFC00u) == 0xDC00u;
  }

  /// Reads ASCII at `at` and moves behind it; false when something else is there.
  static bool literal(const Native& text, std::size_t& at, std::string_view ascii) noexcept {
    for (const char c : ascii)
      if (at >= text.size() || text[at++] != static_cast<Native::value_type>(c)) return false;
    return true;
  }
  /// Reads a number of at most 10 digits.
  static bool number(const Native& text, std::size_t& at, std::uint64_t& value) noexcept {
    const std::size_t begin = at;
    for (; at < text.size() && at - begin < 10 && text[at] >= '0' && text[at] <= '9'; ++at)
      value = value * 10 + static_cast<std::uint64_t>(text[at] - '0');
    return at > begin;
  }

  Native stem_;
};

/// The number of this process.
DSVL_COLD inline std::uint64_t this_process() noexcept {
#if defined(_WIN32)
  return GetCurrentProcessId();
#else
  return static_cast<std::uint64_t>(::getpid());
#endif
}

/// True when the file is not being written any more: its process has ended, or the lock that a writer holds is free.
/// The lock is needed because the system reuses numbers, and in containers most processes are number 1. When in doubt
/// the answer is false.
DSVL_COLD inline bool is_left_over(const std::filesystem::path& file, std::uint64_t process) noexcept {
#if defined(_WIN32)
  (void)file;
  // A process that has ended may still have its number while someone holds a handle to it.
  const HANDLE handle = OpenProcess(SYNCHRONIZE, FALSE, static_cast<DWORD>(process));
  if (!handle) return GetLastError() == ERROR_INVALID_PARAMETER;
  const bool ended = WaitForSingleObject(handle, 0) == WAIT_OBJECT_0;
  CloseHandle(handle);
  return ended;
#else
  if (process > 0x7FFFFFFF) return false;
  // Signal 0 is not sent; it only tells if the process is there.
  if (::kill(static_cast<::pid_t>(process), 0) != 0 && errno == ESRCH) return true;
  const int handle = ::open(file.c_str(), O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
  if (handle < 0) return false;
  const bool unlocked = ::flock(handle, LOCK_SH | LOCK_NB) == 0;
  ::close(handle);
  return unlocked;
#endif
}

/// Writes a warning to the log for each temporary file of `names` in the folder that no process writes any more.
/// Removes nothing. Without a log it does not search.
DSVL_COLD
inline void report_leftovers(const std::filesystem::path& folder, const TemporaryNames& names, const Logger& log) {
  if (!log.write) return;
  std::error_code stop, unknown;
  std::filesystem::directory_iterator entry(folder.empty() ? std::filesystem::path(".") : folder, stop), end;
  for (; !stop && entry != end; entry.increment(stop)) {
    const std::filesystem::path name = entry->path().filename();
    const std::uint64_t process = names.process_of(name);
    // Only names of exactly this form count, and only files, so that nothing else is ever reported.
    if (process == 0 || !entry->is_regular_file(unknown)) continue;
    const std::filesystem::path path = folder / name;
    if (!is_left_over(path, process)) continue;
    const std::uintmax_t bytes = std::filesystem::file_size(path, unknown);
    if (unknown) continue;  // its writer has just finished it
    log(Level::warning, std::string(Printable(path_to_utf8(path)).text()) + ": " + std::to_string(bytes) +
                            " bytes of a file that process " + std::to_string(process) +
                            " did not finish; delete it, unless another machine or container is writing it");
  }
}

DSVL_END_NAMESPACE

#endif  // DSVL_IO_TEMPORARY_NAME_HPP
