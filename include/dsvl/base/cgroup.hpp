// Reads how many processors the control groups (cgroups) of this process allow, which systemd's CPUQuota and containers
// set.
//
// More threads than that would be stopped in the middle of a tile while others wait for them. A quota is an amount of
// processor time in each period; a process is bound by the quotas of its own group and of every group around it.
// Version 2 keeps it in cpu.max, version 1 in cpu.cfs_quota_us and cpu.cfs_period_us; a machine may have both (hybrid).
// /proc/self/cgroup names the group, /proc/self/mountinfo says where its hierarchy is mounted.
// Sources: Linux Documentation/admin-guide/cgroup-v2.rst, cgroup-v1/, scheduler/sched-bwc.rst; cgroups(7), proc(5).
#ifndef DSVL_BASE_CGROUP_HPP
#define DSVL_BASE_CGROUP_HPP

#include <charconv>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <limits>
#include <string_view>

#include "config.hpp"

#if defined(__linux__)

DSVL_BEGIN_NAMESPACE

namespace cgroup_detail {

/// The version of a hierarchy of control groups.
enum class Version { v1, v2 };

/// Removes the text up to the separator, or all of it, and returns it; the separator is removed as well.
DSVL_COLD inline std::string_view take(std::string_view& text, char separator) noexcept {
  const std::size_t at = text.find(separator);
  const std::string_view out = text.substr(0, at);
  text.remove_prefix(at == std::string_view::npos ? text.size() : at + 1);
  return out;
}

/// True when a list separated by commas has the word.
DSVL_COLD inline bool lists(std::string_view list, std::string_view word) noexcept {
  while (!list.empty())
    if (take(list, ',') == word) return true;
  return false;
}

/// A path on the stack. One that does not fit becomes bad, instead of being cut to another path.
class Path {
 public:
  /// Appends text.
  Path& add(std::string_view text) noexcept {
    good_ = good_ && text.size() < kMax - size_;
    if (!good_) return *this;
    if (!text.empty()) std::memcpy(text_ + size_, text.data(), text.size());
    size_ += text.size();
    text_[size_] = '\0';
    return *this;
  }
  /// Appends text from mountinfo, which writes blanks, line ends and backslashes as a backslash with three octal
  /// digits.
  Path& add_escaped(std::string_view text) noexcept {
    while (!text.empty()) {
      const bool escaped = text.size() >= 4 && text[0] == '\\';
      int code = 0;
      for (std::size_t i = 1; escaped && i < 4; ++i) code = code * 8 + (text[i] - '0');
      const char c = escaped ? static_cast<char>(code) : text[0];
      add({&c, 1});
      text.remove_prefix(escaped ? 4 : 1);
    }
    return *this;
  }
  /// Cuts the path to its first `size` bytes.
  void cut(std::size_t size) noexcept { text_[size_ = size] = '\0'; }

  /// False when something did not fit.
  [[nodiscard]] bool good() const noexcept { return good_; }
  /// The path.
  [[nodiscard]] std::string_view view() const noexcept { return {text_, size_}; }
  /// The path, zero-terminated.
  [[nodiscard]] const char* c_str() const noexcept { return text_; }

 private:
  static constexpr std::size_t kMax = 2048;
  char text_[kMax] = {};
  std::size_t size_ = 0;
  bool good_ = true;
};

/// A file read line by line. Of a line that is longer than the buffer only the beginning is seen.
class Lines {
 public:
  /// Opens the file; one that cannot be opened has no lines.
  explicit Lines(const Path& path) noexcept : file_(path.good() ? std::fopen(path.c_str(), "re") : nullptr) {}
  Lines(const Lines&) = delete;
  Lines& operator=(const Lines&) = delete;
  /// Closes the file.
  ~Lines() { if (file_) std::fclose(file_); }

  /// Reads the next line, which is valid until the following call; false at the end.
  bool next(std::string_view& line) noexcept {
    if (!file_ || !std::fgets(buffer_, sizeof buffer_, file_)) return false;
    line = buffer_;
    if (!line.empty() && line.back() == '\n') return line.remove_suffix(1), true;
    for (int c = 0; c != EOF && c != '\n';) c = std::fgetc(file_);
    return true;
  }

 private:
  std::FILE* file_;
  char buffer_[2048];
};

/// A whole positive number, or 0 for everything else: "max" and -1 mean no limit, and nonsense must not limit anything.
DSVL_COLD inline long long positive(std::string_view text) noexcept {
  long long value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && value > 0 ? value : 0;
}

/// The first line of a file in a folder; empty when there is no such file.
struct FirstLine {
  /// Reads it; `name` begins with a slash.
  FirstLine(Path path, const char* name) noexcept : lines(path.add(name)) { (void)lines.next(text); }
  Lines lines;            ///< holds the text
  std::string_view text;  ///< the line
};

/// The quota of one group in processors, rounded up; 0 when it has none.
DSVL_COLD inline int quota_of(const Path& group, Version version) noexcept {
  long long quota = 0, period = 0;
  if (version == Version::v2) {
    FirstLine line(group, "/cpu.max");
    quota = positive(take(line.text, ' '));
    period = positive(line.text);
  } else {
    quota = positive(FirstLine(group, "/cpu.cfs_quota_us").text);
    period = positive(FirstLine(group, "/cpu.cfs_period_us").text);
  }
  if (quota == 0 || period == 0) return 0;
  const long long processors = (quota - 1) / period + 1;
  return processors < (std::numeric_limits<int>::max)() ? static_cast<int>(processors) : 0;
}

/// The smallest quota of a group and the groups around it, up to the one whose path is the first `top` bytes; 0 for
/// none.
DSVL_COLD inline int least_quota(Path group, std::size_t top, Version version) noexcept {
  int least = 0;
  while (group.good()) {
    if (const int quota = quota_of(group, version); quota > 0 && (least == 0 || quota < least)) least = quota;
    const std::size_t slash = group.view().rfind('/');
    if (group.view().size() <= top || slash == std::string_view::npos) break;
    group.cut(slash > top ? slash : top);
  }
  return least;
}

/// Finds the group of this process in /proc/self/cgroup ("/user.slice/…"); false when it is in no such hierarchy.
DSVL_COLD inline bool find_group(std::string_view root, Version version, Path& group) noexcept {
  Lines lines(Path().add(root).add("/proc/self/cgroup"));
  for (std::string_view line; lines.next(line);) {
    const std::string_view number = take(line, ':'), controllers = take(line, ':');
    const bool right = version == Version::v2 ? number == "0" && controllers.empty() : lists(controllers, "cpu");
    if (right && !line.empty() && line[0] == '/') return group.add(line).good();
  }
  return false;
}

/// Reads a line of /proc/self/mountinfo. True when it mounts the wanted hierarchy; then the group `shown` is seen at
/// the path `point`.
DSVL_COLD
inline bool is_hierarchy(std::string_view line, Version version, std::string_view& shown,
                         std::string_view& point) noexcept {
  for (int field = 0; field < 3; ++field) take(line, ' ');
  shown = take(line, ' ');
  point = take(line, ' ');
  const std::size_t dash = line.find(" - ");
  if (dash == std::string_view::npos || point.empty()) return false;
  line.remove_prefix(dash + 3);
  const std::string_view type = take(line, ' ');
  take(line, ' ');  // skips the name of the device
  return version == Version::v2 ? type == "cgroup2" : type == "cgroup" && lists(line, "cpu");
}

/// The smallest quota that can be seen in one hierarchy. Where a mount shows another part of it than the one with our
/// group (in some containers), the group that it shows stands for ours.
DSVL_COLD
inline int quota_in(std::string_view root, Version version) noexcept {
  Path group;
  if (!find_group(root, version, group)) return 0;
  for (const bool inside : {true, false}) {
    Lines lines(Path().add(root).add("/proc/self/mountinfo"));
    for (std::string_view line, shown, point; lines.next(line);) {
      if (!is_hierarchy(line, version, shown, point)) continue;
      Path top;
      top.add_escaped(shown == "/" ? std::string_view() : shown);
      std::string_view rest = group.view();
      const bool within = top.good() && rest.starts_with(top.view()) && !rest.starts_with("/..") &&
                          (rest.size() == top.view().size() || rest[top.view().size()] == '/');
      if (within != inside) continue;
      rest.remove_prefix(within ? top.view().size() : rest.size());
      Path path;
      path.add(root).add_escaped(point);
      const std::size_t size = path.view().size();
      if (rest != "/") path.add(rest);
      return least_quota(path, size, version);
    }
  }
  return 0;
}

}  // namespace cgroup_detail

/// Processors that the control groups of this process allow, where a part of one counts as one; 0 when they set no
/// limit, or none that can be read. `root` is put in front of every path, for tests.
///
/// Cost   some tens of microseconds, for a handful of small files
DSVL_COLD inline int cgroup_processors(std::string_view root = {}) noexcept {
  using namespace cgroup_detail;
  const int v1 = quota_in(root, Version::v1), v2 = quota_in(root, Version::v2);
  return v1 > 0 && (v2 == 0 || v1 < v2) ? v1 : v2;
}

DSVL_END_NAMESPACE

#endif  // __linux__

#endif  // DSVL_BASE_CGROUP_HPP
