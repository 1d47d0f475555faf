// UTF-16 as Windows has it (any 16-bit units) to UTF-8, and back.
//
// File names and command lines of Windows may hold surrogates without their other half, for which the standard library
// throws (std::filesystem::path::u8string). Here everything that is not a character becomes U+FFFD.
// Source: The Unicode Standard, 3.9.
#ifndef DSVL_BASE_UTF16_HPP
#define DSVL_BASE_UTF16_HPP

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "utf8.hpp"

DSVL_BEGIN_NAMESPACE
namespace utf16 {

/// Converts any units to UTF-8. Each surrogate without its other half becomes one U+FFFD. Unit is char16_t, or wchar_t
/// where that has 16 bits.
template <class Unit>
std::string to_utf8(std::basic_string_view<Unit> units) {
  const auto unit = [&](std::size_t i) { return static_cast<char32_t>(static_cast<std::uint16_t>(units[i])); };
  std::string out;
  for (std::size_t i = 0; i < units.size(); ++i) {
    const char32_t first = unit(i), second = i + 1 < units.size() ? unit(i + 1) : 0;
    if ((first & 0xFC00) == 0xD800 && (second & 0xFC00) == 0xDC00) {
      utf8::append(out, 0x10000 + ((first & 0x3FF) << 10 | (second & 0x3FF)));
      ++i;
    } else {
      utf8::append(out, first);
    }
  }
  return out;
}

/// Converts any bytes to units. Each maximal part that is not UTF-8 becomes one U+FFFD.
template <class Unit>
std::basic_string<Unit> from_utf8(std::string_view text) {
  std::basic_string<Unit> out;
  for (std::size_t at = 0; at < text.size();) {
    const utf8::Character c = utf8::read(text, at);
    at += c.bytes;
    if (c.code < 0x10000) {
      out.push_back(static_cast<Unit>(c.code));
    } else {
      out.push_back(static_cast<Unit>(0xD800 + ((c.code - 0x10000) >> 10)));
      out.push_back(static_cast<Unit>(0xDC00 + (c.code & 0x3FF)));
    }
  }
  return out;
}

}  // namespace utf16
DSVL_END_NAMESPACE

#endif  // DSVL_BASE_UTF16_HPP
