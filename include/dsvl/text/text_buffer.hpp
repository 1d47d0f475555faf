// TextBuffer: bytes that grow in the host's memory.
//
// It lets text be collected in functions that must not throw, such as those that stream an answer.
#ifndef DSVL_TEXT_TEXT_BUFFER_HPP
#define DSVL_TEXT_TEXT_BUFFER_HPP

#include <string_view>

#include "../base/buffer.hpp"

DSVL_BEGIN_NAMESPACE

/// A string whose growth may fail: what does not fit is dropped, and full() is true from then on.
class TextBuffer {
 public:
  /// An empty text that grows with an allocator; null means operator new.
  explicit TextBuffer(Allocator* from = nullptr) noexcept : bytes_(from) {}
  /// An empty text in the caller's memory, which never grows beyond `room`.
  explicit TextBuffer(std::span<char> room) noexcept : bytes_(room) {}

  /// Appends all of `more`, or nothing when there is no memory for it.
  void append(std::string_view more) noexcept { full_ = !bytes_.append(more.data(), more.size()) || full_; }
  /// Appends like std::string does.
  TextBuffer& operator+=(std::string_view more) noexcept { return append(more), *this; }
  /// Appends one byte, if there is memory.
  void push_back(char c) noexcept { full_ = !bytes_.push_back(c) || full_; }
  /// Removes the first n bytes. Cost: moves the rest.
  void remove_prefix(std::size_t n) noexcept {
    if (n == 0) return;
    std::memmove(bytes_.data(), bytes_.data() + n, bytes_.size() - n);
    (void)bytes_.resize(bytes_.size() - n);  // cannot fail, because it gets smaller
  }
  /// Removes all bytes and forgets that some were dropped. The memory stays.
  void clear() noexcept {
    bytes_.clear();
    full_ = false;
  }
  /// Takes memory for n bytes; false when there is none.
  [[nodiscard]] bool reserve(std::size_t n) noexcept { return bytes_.reserve(n); }

  /// The bytes; valid until the next change.
  [[nodiscard]] std::string_view view() const noexcept { return {bytes_.data(), bytes_.size()}; }
  /// Number of bytes.
  [[nodiscard]] std::size_t size() const noexcept { return bytes_.size(); }
  /// True when there are no bytes.
  [[nodiscard]] bool empty() const noexcept { return bytes_.empty(); }
  /// True once something did not fit.
  [[nodiscard]] bool full() const noexcept { return full_; }

 private:
  Buffer<char> bytes_;
  bool full_ = false;
};

DSVL_END_NAMESPACE

#endif  // DSVL_TEXT_TEXT_BUFFER_HPP
