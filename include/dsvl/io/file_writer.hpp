// FileWriter: a file that is there whole or not at all.
//
// Bytes go to a file beside the one that is meant, which takes its place when everything was written.
#ifndef DSVL_IO_FILE_WRITER_HPP
#define DSVL_IO_FILE_WRITER_HPP

#include "../base/host_macros_push.hpp"

#include <cstdio>

#include "file.hpp"

DSVL_BEGIN_NAMESPACE

class FileWriter {
 public:
  explicit FileWriter(std::filesystem::path path) : path_(std::move(path)), part_(path_) {
    part_ += ".part";
#ifdef _WIN32
    file_ = _wfopen(part_.c_str(), L"wb");
#else
    file_ = std::fopen(part_.c_str(), "wbe");
#endif
  }
  FileWriter(const FileWriter&) = delete;
  FileWriter& operator=(const FileWriter&) = delete;
  ~FileWriter() {
    if (!file_) return;
    std::fclose(file_);
    discard();
  }

  /// Appends; an error is remembered and told by commit().
  void write(std::span<const std::byte> bytes) noexcept {
    failed_ = failed_ || !file_ || std::fwrite(bytes.data(), 1, bytes.size(), file_) != bytes.size();
  }
  [[nodiscard]] bool failed() const noexcept { return failed_ || !file_; }

  /// Puts the file in its place, once, as the last call. Codes: io.
  Status commit() {
    const bool opened = file_ != nullptr;
    const bool closed = opened && std::fclose(file_) == 0;
    file_ = nullptr;
    std::error_code refused;
    if (closed && !failed_) std::filesystem::rename(part_, path_, refused);
    if (closed && !failed_ && !refused) return {};
    if (opened) discard();
    return fail(Code::io, "%s: %s", Printable(path_to_utf8(path_)).text(),
                !opened ? "cannot be created" : "cannot be written: no room, or not allowed");
  }

 private:
  void discard() noexcept {
    std::error_code ignored;
    std::filesystem::remove(part_, ignored);
  }

  std::filesystem::path path_, part_;
  std::FILE* file_ = nullptr;
  bool failed_ = false;
};

DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_IO_FILE_WRITER_HPP
