// FileWriter: it writes a file from its beginning to its end. The file is there whole or not at all.
//
//   dsvl::FileWriter file("a.bin");
//   file.write(bytes);
//   const dsvl::Status status = file.commit();
#ifndef DSVL_IO_FILE_WRITER_HPP
#define DSVL_IO_FILE_WRITER_HPP

#include "../base/host_macros_push.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <span>
#include <utility>

#include "new_file.hpp"

DSVL_BEGIN_NAMESPACE

/// Collects small writes into blocks of 16 KiB for a NewFile, which does the rest. Not for several threads at a time.
class FileWriter {
 public:
  /// Begins to write the file at `path`; errors are told by status() and commit().
  explicit FileWriter(const std::filesystem::path& path, const NewFileOptions& options = {}) : file_(path, options) {}

  /// Appends bytes. An error is remembered and told by status() and commit(), so that not every call has to be checked.
  void write(std::span<const std::byte> bytes) noexcept {
    if (bytes.size() > buffer_.size() - held_) flush();
    if (bytes.size() >= buffer_.size()) {
      file_.write_at(end_, bytes);
      end_ += bytes.size();
    } else if (!bytes.empty()) {
      std::memcpy(buffer_.data() + held_, bytes.data(), bytes.size());
      held_ += bytes.size();
    }
  }
  /// True once something went wrong.
  [[nodiscard]] bool failed() const noexcept { return file_.failed(); }
  /// The first error.
  ///
  /// Codes  io, bad_argument (the path is empty)
  [[nodiscard]] Status status() const { return file_.status(); }

  /// Makes sure that everything was written; see NewFile::finish.
  Status finish() { return flush(), file_.finish(); }
  /// Puts the file in its place, once, as the last call; see NewFile::commit.
  Status commit() { return flush(), file_.commit(); }

 private:
  /// Hands the buffer to the file.
  void flush() noexcept {
    if (held_ > 0) file_.write_at(end_, {buffer_.data(), held_});
    end_ += std::exchange(held_, 0);
  }

  NewFile file_;
  std::uint64_t end_ = 0;  // bytes that were handed to file_
  std::size_t held_ = 0;   // bytes that wait in the buffer
  std::array<std::byte, 16384> buffer_;
};

DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_IO_FILE_WRITER_HPP
