// Text: bytes that grow in the host's memory.
#ifndef DSVL_TEXT_TEXT_HPP
#define DSVL_TEXT_TEXT_HPP

#include <string_view>

#include "../base/buffer.hpp"

DSVL_BEGIN_NAMESPACE

/// Like std::string where memory may end: what does not fit is dropped, and full() says so from then on.
class Text {
 public:
  explicit Text(Allocator* from = nullptr) noexcept : bytes_(from) {}
  /// Never more than fits `room`.
  explicit Text(std::span<char> room) noexcept : bytes_(room) {}

  void append(std::string_view more) noexcept { full_ = !bytes_.append(more.data(), more.size()) || full_; }
  Text& operator+=(std::string_view more) noexcept { return append(more), *this; }
  void push_back(char c) noexcept { full_ = !bytes_.push_back(c) || full_; }
  /// Takes away the first n bytes.
  void remove_prefix(std::size_t n) noexcept {
    if (n == 0) return;
    std::memmove(bytes_.data(), bytes_.data() + n, bytes_.size() - n);
    (void)bytes_.resize(bytes_.size() - n);  // smaller: cannot fail
  }
  void clear() noexcept {
    bytes_.clear();
    full_ = false;
  }
  [[nodiscard]] bool reserve(std::size_t n) noexcept { return bytes_.reserve(n); }

  [[nodiscard]] std::string_view view() const noexcept { return {bytes_.data(), bytes_.size()}; }
  [[nodiscard]] std::size_t size() const noexcept { return bytes_.size(); }
  [[nodiscard]] bool empty() const noexcept { return bytes_.empty(); }
  [[nodiscard]] bool full() const noexcept { return full_; }

 private:
  Buffer<char> bytes_;
  bool full_ = false;
};

DSVL_END_NAMESPACE

#endif  // DSVL_TEXT_TEXT_HPP
