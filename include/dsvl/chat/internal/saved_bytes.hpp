// SavedWriter, SavedReader: plain numbers and runs of bytes, written to a file and read from one that is not trusted.
//
// Numbers are in the byte order of the machine, and nothing is aligned.
#ifndef DSVL_CHAT_INTERNAL_SAVED_BYTES_HPP
#define DSVL_CHAT_INTERNAL_SAVED_BYTES_HPP

#include "../../base/host_macros_push.hpp"

#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>

#include "../../base/byte_hash.hpp"
#include "../../io/file_writer.hpp"

DSVL_BEGIN_NAMESPACE
namespace detail {

/// Appends to a file, with a hash over everything. Without a file it only counts bytes: sections have their size in
/// front of them.
class SavedWriter {
 public:
  /// A writer that counts.
  SavedWriter() noexcept = default;
  /// A writer to a file, which must outlive it. Errors are in the file's status.
  explicit SavedWriter(FileWriter& file) noexcept : file_(&file) {}

  /// Appends bytes.
  void put(std::span<const std::byte> bytes) noexcept {
    count_ += bytes.size();
    if (!file_ || bytes.empty()) return;  // an empty run has no address, which the system's writer must not get
    hash_.add(bytes);
    file_->write(bytes);
  }
  /// Appends a value as it lies in memory.
  template <class T>
    requires std::is_trivially_copyable_v<T>
  void value(const T& x) noexcept {
    put(std::as_bytes(std::span<const T, 1>(&x, 1)));
  }
  /// Appends a count.
  void size(std::size_t n) noexcept { value(static_cast<std::uint64_t>(n)); }
  /// Appends a count, and that many values.
  template <class T>
  void run(std::span<const T> values) noexcept {
    size(values.size());
    put(std::as_bytes(values));
  }
  /// Appends a count of bytes, and a text.
  void text(std::string_view s) noexcept { run(std::span<const char>(s.data(), s.size())); }

  /// True when there is no file.
  [[nodiscard]] bool counting() const noexcept { return file_ == nullptr; }
  /// True when a write failed, so that going on is of no use; FileWriter::commit says why.
  [[nodiscard]] bool failed() const noexcept { return file_ && file_->failed(); }
  /// Bytes so far.
  [[nodiscard]] std::size_t count() const noexcept { return count_; }
  /// The hash of all bytes so far.
  [[nodiscard]] ContentHash hash() const noexcept { return hash_.value(); }

 private:
  FileWriter* file_ = nullptr;  // null: only counts
  std::size_t count_ = 0;       // bytes so far
  StreamHash hash_;             // of these bytes
};

/// Reads the same from a file that is not trusted. When something is not there, it and everything after it is zero or
/// empty, and good() is false, so that only the end of a group has to be checked.
class SavedReader {
 public:
  /// Reads from `bytes`, which must outlive the views that are taken. `hashes` asks for hash_of_pieces().
  explicit SavedReader(std::span<const std::byte> bytes, bool hashes = false) noexcept
      : left_(bytes), hashes_(hashes) {}

  /// The next n bytes.
  [[nodiscard]] std::span<const std::byte> take(std::size_t n) noexcept {
    if (n > left_.size()) return good_ = false, left_ = {}, std::span<const std::byte>();
    const auto out = left_.first(n);
    left_ = left_.subspan(n);
    if (hashes_) add_bytes(pieces_, out);
    return out;
  }
  /// The next value.
  template <class T>
    requires std::is_trivially_copyable_v<T>
  T value() noexcept {
    T out{};
    if (const auto bytes = take(sizeof out); good_) std::memcpy(&out, bytes.data(), sizeof out);
    return out;
  }
  /// The next count, of things that take at least `each` bytes. It is never more than what is left can hold, so it is
  /// safe to take memory for that many.
  [[nodiscard]] std::size_t size(std::size_t each) noexcept {
    const auto n = value<std::uint64_t>();
    if (n > left_.size() / each) return good_ = false, std::size_t{0};
    return static_cast<std::size_t>(n);
  }
  /// The next text; its encoding is not checked.
  [[nodiscard]] std::string_view text() noexcept {
    const auto bytes = take(size(1));
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }

  /// Bytes that are left.
  [[nodiscard]] std::size_t left() const noexcept { return left_.size(); }
  /// False once something was not there.
  [[nodiscard]] bool good() const noexcept { return good_; }
  /// The hash of version 1, over the pieces that were taken, each by itself. Version 2 hashes the file with StreamHash.
  [[nodiscard]] const ContentHash& hash_of_pieces() const noexcept { return pieces_; }

 private:
  std::span<const std::byte> left_;  // not read yet
  bool hashes_;                      // pieces are hashed
  bool good_ = true;                 // everything that was asked for was there
  ContentHash pieces_;               // see hash_of_pieces()
};

}  // namespace detail
DSVL_END_NAMESPACE

#include "../../base/host_macros_pop.hpp"

#endif  // DSVL_CHAT_INTERNAL_SAVED_BYTES_HPP
