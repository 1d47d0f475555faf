// StateFile: what the window shows, for programs that look at it: the tests.
#ifndef DSVL_DESKTOP_STATE_FILE_HPP
#define DSVL_DESKTOP_STATE_FILE_HPP

#include "../cli/library.hpp"

#include <filesystem>
#include <string>

#include "../cli/histogram.hpp"
#include "screen.hpp"

namespace desktop {

/// What is true of a frame besides what its areas show.
struct FrameState {
  std::uint64_t frame = 0;  ///< its number, from 1 on
  bool settled = false;     ///< no other follows by itself
  const char* phase = "";
  bool light = false;
};

class StateFile {
 public:
  /// Empty: nothing is written.
  explicit StateFile(const std::string& path) : path_(dsvl::utf8_to_path(path)) {}
  /// Writes the file, whole or not at all, if what it says has changed since the last time. `all` and `answering` are
  /// the times of all frames, and of those while an answer came, in milliseconds.
  void write(const FrameState& frame, const Screen& screen, const cli::Histogram& all,
             const cli::Histogram& answering);

 private:
  std::filesystem::path path_;
  std::string shown_;
};

}  // namespace desktop

#endif  // DSVL_DESKTOP_STATE_FILE_HPP
