// AppendFile: a file that grows by whole lines, so that a run that is killed leaves at most its last line torn.
#ifndef DSVL_CLI_APPEND_FILE_HPP
#define DSVL_CLI_APPEND_FILE_HPP

#include "library.hpp"

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace cli {

class AppendFile {
 public:
  /// Opens a file to write behind its end; makes it where there is none.
  ///
  /// Codes  io
  static dsvl::Result<AppendFile> open(const std::filesystem::path& path);
  /// Hands whole lines, their ends included, to the system, which keeps them from then on whatever becomes of this
  /// process.
  ///
  /// Codes  io
  dsvl::Status append(std::string_view lines);
  /// Waits for the disk, so that they survive a power failure too.
  ///
  /// Codes  io
  dsvl::Status sync();
  /// Keeps other processes that ask for the same out, as long as this object lives. False when another one has it for
  /// more than three seconds: one that was killed may take a moment to be gone. File systems that know no locks let
  /// everybody in.
  [[nodiscard]] bool lock();

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  AppendFile(std::unique_ptr<std::FILE, Close> file, std::filesystem::path path)
      : file_(std::move(file)), path_(std::move(path)) {}

  std::unique_ptr<std::FILE, Close> file_;
  std::filesystem::path path_;  // for messages
};

}  // namespace cli

#endif  // DSVL_CLI_APPEND_FILE_HPP
