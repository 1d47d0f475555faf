// Printable: a name that came from a file, made fit for one line of a Status.
//
// Names in headers and index files are untrusted: they may be long, or hold NUL, newlines and terminal escapes.
#ifndef DSVL_IO_PRINTABLE_HPP
#define DSVL_IO_PRINTABLE_HPP

#include <cstddef>
#include <string_view>

#include "../base/config.hpp"

DSVL_BEGIN_NAMESPACE

/// Use as `Printable(name).text()`: control characters and bytes that are not UTF-8 become '?', and what is longer than
/// kMax bytes is cut between characters and ends in "...". Never allocates.
class Printable {
 public:
  static constexpr std::size_t kMax = 120;

  explicit Printable(std::string_view from) noexcept {
    std::size_t n = from.size();
    const bool cut = n > kMax;
    if (cut)
      for (n = kMax - 3; n > 0 && (static_cast<unsigned char>(from[n]) & 0xC0) == 0x80;) --n;
    for (std::size_t i = 0; i < n;) {
      const std::size_t length = character(from.substr(i, n - i));
      if (length == 0) text_[i++] = '?';
      for (const std::size_t end = i + length; i < end; ++i) text_[i] = from[i];
    }
    for (int dots = cut ? 3 : 0; dots > 0; --dots) text_[n++] = '.';
    text_[n] = '\0';
  }

  /// Zero-terminated; lives as long as this object (to the end of the full expression when it is a temporary).
  [[nodiscard]] const char* text() const noexcept { return text_; }

 private:
  /// Bytes of the character at the front; 0 when it must not be printed. (Overlong forms pass: nobody is fooled here.)
  static std::size_t character(std::string_view s) noexcept {
    const auto lead = static_cast<unsigned char>(s[0]);
    if (lead < 0x80) return lead >= 0x20 && lead != 0x7F ? 1 : 0;
    const std::size_t length = lead >= 0xF8 ? 0 : lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC2 ? 2 : 0;
    if (length > s.size()) return 0;
    for (std::size_t i = 1; i < length; ++i)
      if ((static_cast<unsigned char>(s[i]) & 0xC0) != 0x80) return 0;
    return length;
  }

  char text_[kMax + 1] = {};
};

DSVL_END_NAMESPACE

#endif  // DSVL_IO_PRINTABLE_HPP
