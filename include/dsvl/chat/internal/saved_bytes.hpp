// Plain numbers and runs of bytes, written to a file and read from one that nobody vouches for.
#ifndef DSVL_CHAT_INTERNAL_SAVED_BYTES_HPP
#define DSVL_CHAT_INTERNAL_SAVED_BYTES_HPP

#include "../../base/host_macros_push.hpp"

#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>

#include "../../base/hash.hpp"
#include "../../io/file_writer.hpp"

DSVL_BEGIN_NAMESPACE
namespace detail {

/// Adds bytes to a hash, eight at a time; what is left makes a word of its own.
inline void add_bytes(ContentHash& to, std::span<const std::byte> bytes) noexcept {
  while (!bytes.empty()) {
    const std::size_t n = std::min<std::size_t>(bytes.size(), sizeof(std::uint64_t));
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data(), n);
    to.add(word ^ std::uint64_t{n} << 56);
    bytes = bytes.subspan(n);
  }
}

/// The hash of a stream of bytes, the same however it is cut into pieces.
class StreamHash {
 public:
  void add(std::span<const std::byte> bytes) noexcept {
    const std::size_t missing = std::min<std::size_t>((sizeof word_ - filled_) % sizeof word_, bytes.size());
    keep(bytes.first(missing));
    bytes = bytes.subspan(missing);
    const std::size_t whole = bytes.size() / sizeof word_ * sizeof word_;
    add_bytes(hash_, bytes.first(whole));
    keep(bytes.subspan(whole));
  }
  [[nodiscard]] ContentHash value() const noexcept {
    ContentHash out = hash_;
    add_bytes(out, {word_, filled_});
    return out;
  }

 private:
  /// Fewer bytes than fill a word, or as many.
  void keep(std::span<const std::byte> bytes) noexcept {
    if (bytes.empty()) return;
    std::memcpy(word_ + filled_, bytes.data(), bytes.size());
    filled_ += bytes.size();
    if (filled_ < sizeof word_) return;
    add_bytes(hash_, word_);
    filled_ = 0;
  }

  ContentHash hash_;
  std::byte word_[sizeof(std::uint64_t)] = {};
  std::size_t filled_ = 0;
};

/// Appends to a file, with a hash over all; or only counts, for the sizes that stand in front of what they are of.
class SavedWriter {
 public:
  SavedWriter() noexcept = default;
  explicit SavedWriter(FileWriter& file) noexcept : file_(&file) {}

  void put(std::span<const std::byte> bytes) noexcept {
    count_ += bytes.size();
    if (!file_ || bytes.empty()) return;  // an empty run has no address, which the system's writer must not get
    hash_.add(bytes);
    file_->write(bytes);
  }
  template <class T>
    requires std::is_trivially_copyable_v<T>
  void value(const T& x) noexcept {
    put(std::as_bytes(std::span<const T, 1>(&x, 1)));
  }
  void size(std::size_t n) noexcept { value(static_cast<std::uint64_t>(n)); }
  /// A count, and that many values.
  template <class T>
  void run(std::span<const T> values) noexcept {
    size(values.size());
    put(std::as_bytes(values));
  }
  void text(std::string_view s) noexcept { run(std::span<const char>(s.data(), s.size())); }

  [[nodiscard]] bool counting() const noexcept { return file_ == nullptr; }
  /// A write failed, so that there is no use in going on; FileWriter::commit says why.
  [[nodiscard]] bool failed() const noexcept { return file_ && file_->failed(); }
  [[nodiscard]] std::size_t count() const noexcept { return count_; }
  [[nodiscard]] ContentHash hash() const noexcept { return hash_.value(); }

 private:
  FileWriter* file_ = nullptr;
  std::size_t count_ = 0;
  StreamHash hash_;
};

/// Reads the same backwards. What is not there makes everything after it fail, and is zeros or empty. It hashes the
/// pieces that are taken, each by itself, where it is told to: version 1 had its hash over those.
class SavedReader {
 public:
  explicit SavedReader(std::span<const std::byte> bytes, bool hashes = false) noexcept
      : left_(bytes), hashes_(hashes) {}

  [[nodiscard]] std::span<const std::byte> take(std::size_t n) noexcept {
    if (n > left_.size()) return good_ = false, left_ = {}, std::span<const std::byte>();
    const auto out = left_.first(n);
    left_ = left_.subspan(n);
    if (hashes_) add_bytes(pieces_, out);
    return out;
  }
  template <class T>
    requires std::is_trivially_copyable_v<T>
  T value() noexcept {
    T out{};
    if (const auto bytes = take(sizeof out); good_) std::memcpy(&out, bytes.data(), sizeof out);
    return out;
  }
  /// A count of things that take at least `each` bytes: no more than the rest of the file can hold.
  [[nodiscard]] std::size_t size(std::size_t each) noexcept {
    const auto n = value<std::uint64_t>();
    if (n > left_.size() / each) return good_ = false, std::size_t{0};
    return static_cast<std::size_t>(n);
  }
  [[nodiscard]] std::string_view text() noexcept {
    const auto bytes = take(size(1));
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }

  [[nodiscard]] std::size_t left() const noexcept { return left_.size(); }
  [[nodiscard]] bool good() const noexcept { return good_; }
  /// The hash over the pieces.
  [[nodiscard]] const ContentHash& hash_of_pieces() const noexcept { return pieces_; }

 private:
  std::span<const std::byte> left_;
  bool hashes_, good_ = true;
  ContentHash pieces_;
};

}  // namespace detail
DSVL_END_NAMESPACE

#include "../../base/host_macros_pop.hpp"

#endif  // DSVL_CHAT_INTERNAL_SAVED_BYTES_HPP
