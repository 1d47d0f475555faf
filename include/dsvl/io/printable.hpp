// Printable: a name from a file, made fit for one line of a Status.
//
// Names in headers and index files are untrusted: they may be long, or hold NUL, newlines and terminal escapes.
#ifndef DSVL_IO_PRINTABLE_HPP
#define DSVL_IO_PRINTABLE_HPP

#include <cstddef>
#include <string_view>

#include "../base/config.hpp"

DSVL_BEGIN_NAMESPACE

/// Use it as `Printable(name).text()`. Control characters and bytes that are not UTF-8 become '?'. The middle of a name
/// longer than kMax bytes is replaced by "...", between characters, since a path says most at its end. Never allocates.
class Printable {
 public:
  static constexpr std::size_t kMax = 120;  ///< bytes of the longest text

  /// Copies `from`.
  explicit Printable(std::string_view from) noexcept {
    if (from.size() <= kMax) {
      put(from);
      return;
    }
    std::size_t head = kHead, tail = from.size() - (kMax - 3 - kHead);
    while (head > 0 && continues(from[head])) --head;
    while (tail < from.size() && continues(from[tail])) ++tail;
    put(from.substr(0, head));
    put("...");
    put(from.substr(tail));
  }

  /// The text, zero-terminated. It lives as long as this object, for a temporary to the end of the full expression.
  [[nodiscard]] const char* text() const noexcept { return text_; }

 private:
  static constexpr std::size_t kHead = 40;  // bytes that stay in front of "..."

  /// True for bytes inside a UTF-8 character.
  static bool continues(char c) noexcept { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

  /// Appends text, with '?' for everything that must not be printed.
  void put(std::string_view part) noexcept {
    while (!part.empty()) {
      const std::size_t length = character(part);
      if (length == 0) text_[size_++] = '?';
      for (std::size_t i = 0; i < length; ++i) text_[size_++] = part[i];
      part.remove_prefix(length ? length : 1);
    }
  }

  /// Bytes of the character at the front; 0 when it must not be printed. Overlong forms pass, since they do no harm
  /// here.
  static std::size_t character(std::string_view s) noexcept {
    const auto lead = static_cast<unsigned char>(s[0]);
    if (lead < 0x80) return lead >= 0x20 && lead != 0x7F ? 1 : 0;
    const std::size_t length = lead >= 0xF8 ? 0 : lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC2 ? 2 : 0;
    if (length > s.size()) return 0;
    for (std::size_t i = 1; i < length; ++i)
      if (!continues(s[i])) return 0;
    return length;
  }

  char text_[kMax + 1] = {};
  std::size_t size_ = 0;
};

DSVL_END_NAMESPACE

#endif  // DSVL_IO_PRINTABLE_HPP
