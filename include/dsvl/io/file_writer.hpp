// FileWriter: a file written from its beginning to its end, that is there whole or not at all.
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

/// Collects small writes; the rest is NewFile's, see there. Not for several threads at a time.
class FileWriter {
 public:
  explicit FileWriter(const std::filesystem::path& path, const NewFileOptions& options = {}) : file_(path, options) {}

  /// Appends; what goes wrong is remembered and told by status() and commit().
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
  [[nodiscard]] bool failed() const noexcept { return file_.failed(); }
  /// Codes: io, bad_argument (no name).
  [[nodiscard]] Status status() const { return file_.status(); }

  /// As NewFile's: that everything was written; and puts the file in its place, once, as the last call.
  Status finish() { return flush(), file_.finish(); }
  Status commit() { return flush(), file_.commit(); }

 private:
  void flush() noexcept {
    if (held_ > 0) file_.write_at(end_, {buffer_.data(), held_});
    end_ += std::exchange(held_, 0);
  }

  NewFile file_;
  std::uint64_t end_ = 0;  ///< bytes handed on
  std::size_t held_ = 0;   ///< bytes in the buffer behind them
  std::array<std::byte, 16384> buffer_;
};

DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_IO_FILE_WRITER_HPP
