// UTF-8: check, read and write one character, repair, and a stream that never hands out half a character.
//
// The tokenizer uses it (its input must be valid), so do paths (utf16.hpp) and streaming answers (tokens are bytes and
// may end inside a character). Sources: RFC 3629; how many U+FFFD a broken part becomes is the practice of "maximal
// subparts" (The Unicode Standard, 3.9), which WHATWG decoders, Python and Rust follow too.
#ifndef DSVL_BASE_UTF8_HPP
#define DSVL_BASE_UTF8_HPP

#include "host_macros_push.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "status.hpp"

DSVL_BEGIN_NAMESPACE
namespace utf8 {

inline constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  ///< U+FFFD

/// The result of reading one character of a text.
struct Character {
  char32_t code = 0xFFFD;  ///< U+FFFD when not valid
  std::uint8_t bytes = 1;  ///< length of the character, or of the invalid part that one U+FFFD replaces; at least 1
  bool valid = false;      ///< true for a whole, well-formed character
  bool cut_off = false;    ///< not valid only because the text ends here
};

/// Reads the character that starts at text[at]; `at` < text.size(). Overlong forms, surrogates and codes above U+10FFFF
/// are not valid.
inline Character read(std::string_view text, std::size_t at) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned lead = byte(at);
  if (lead < 0x80) return {lead, 1, true, false};
  if (lead < 0xC2 || lead > 0xF4) return {};
  const int more = lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : 3;
  // Only the second byte has a narrower range, which excludes overlong forms, surrogates and codes that are too large.
  unsigned low = lead == 0xE0 ? 0xA0u : lead == 0xF0 ? 0x90u : 0x80u;
  unsigned high = lead == 0xED ? 0x9Fu : lead == 0xF4 ? 0x8Fu : 0xBFu;
  Character c;
  char32_t code = lead & (0x3Fu >> more);
  for (int i = 0; i < more; ++i, ++c.bytes) {
    if (at + c.bytes == text.size()) return c.cut_off = true, c;
    const unsigned next = byte(at + c.bytes);
    if (next < low || next > high) return c;
    code = code << 6 | (next & 0x3Fu);
    low = 0x80, high = 0xBF;
  }
  c.code = code;
  c.valid = true;
  return c;
}

/// Appends a character. A code that is not a Unicode scalar value becomes U+FFFD.
inline void append(std::string& to, char32_t code) {
  const auto put = [&](char32_t b) { to.push_back(static_cast<char>(static_cast<unsigned char>(b))); };
  const auto tail = [&](int shift) { put(0x80 | (code >> shift & 0x3F)); };
  if (code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) code = 0xFFFD;
  if (code < 0x80) return put(code);
  if (code < 0x800) return put(0xC0 | code >> 6), tail(0);
  if (code < 0x10000) return put(0xE0 | code >> 12), tail(6), tail(0);
  put(0xF0 | code >> 18), tail(12), tail(6), tail(0);
}

/// Offset of the first byte that is not part of a valid character; text.size() when all are.
inline std::size_t first_invalid(std::string_view text) noexcept {
  std::size_t at = 0;
  while (at < text.size()) {
    std::uint64_t eight;  // eight bytes are checked at once, because most text is ASCII
    if (text.size() - at >= sizeof eight) {
      std::memcpy(&eight, text.data() + at, sizeof eight);
      if (!(eight & 0x8080808080808080ull)) { at += sizeof eight; continue; }
    }
    const Character c = read(text, at);
    if (!c.valid) return at;
    at += c.bytes;
  }
  return at;
}

/// Ok, or Code::bad_text with the offset. `what` names the text in the error.
inline Status validate(std::string_view text, const char* what = "text") noexcept {
  const std::size_t at = first_invalid(text);
  if (at == text.size()) return {};
  return fail(Code::bad_text, "%s is not UTF-8: byte %zu (0x%02X) begins no whole character",
              what, at, static_cast<unsigned>(static_cast<unsigned char>(text[at])));
}

/// Appends `text` with U+FFFD for every maximal broken part; `to` is a std::string or a TextBuffer.
template <class To>
void append_repaired(To& to, std::string_view text) {
  while (!text.empty()) {
    const std::size_t good = first_invalid(text);
    to.append(text.substr(0, good));
    text.remove_prefix(good);
    if (text.empty()) return;
    to += kReplacement;
    text.remove_prefix(read(text, 0).bytes);
  }
}

/// Makes valid UTF-8 of any bytes.
inline std::string repair(std::string_view text) {
  std::string out;
  append_repaired(out, text);
  return out;
}

/// Takes bytes and gives whole characters. However the bytes are cut into pushes, the output in all is repair(all
/// bytes).
class Stream {
 public:
  /// Appends to `to` every character that is now complete, and keeps back at most three bytes.
  template <class To>
  void push(std::string_view bytes, To& to) {
    while (held_ > 0 && !bytes.empty()) {
      tail_[held_++] = bytes.front();
      bytes.remove_prefix(1);
      pass_on(to);
    }
    std::size_t keep = 0;
    for (std::size_t back = 1; back <= 3 && back <= bytes.size(); ++back) {
      const std::size_t at = bytes.size() - back;
      if ((static_cast<unsigned char>(bytes[at]) & 0xC0) == 0x80) continue;
      if (read(bytes, at).cut_off) keep = back;
      break;
    }
    append_repaired(to, bytes.substr(0, bytes.size() - keep));
    for (std::size_t i = bytes.size() - keep; i < bytes.size(); ++i) tail_[held_++] = bytes[i];
  }

  /// Ends the text: an incomplete character becomes one U+FFFD. The stream can then be used again.
  template <class To>
  void flush(To& to) {
    if (held_ > 0) to += kReplacement;
    held_ = 0;
  }

 private:
  /// Passes on what tail_ holds when it got one byte more: it is now complete, still a beginning, or broken.
  template <class To>
  void pass_on(To& to) {
    while (held_ > 0) {
      const std::string_view tail(tail_, held_);
      const Character c = read(tail, 0);
      if (c.cut_off) return;
      to.append(c.valid ? tail.substr(0, c.bytes) : kReplacement);
      held_ -= c.bytes;
      std::memmove(tail_, tail_ + c.bytes, held_);
    }
  }

  char tail_[4] = {};     // the beginning of a character
  std::size_t held_ = 0;  // bytes of it
};

}  // namespace utf8

using Utf8Stream = utf8::Stream;  ///< the name for users of the library

DSVL_END_NAMESPACE

#include "host_macros_pop.hpp"

#endif  // DSVL_BASE_UTF8_HPP
