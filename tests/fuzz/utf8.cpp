// UTF-8 and UTF-16 of any bytes, held against a table machine that is written down here from The Unicode Standard, table
// 3-7, and shares nothing with the library's reader.
#include <dsvl/base/utf16.hpp>
#include <dsvl/base/utf8.hpp>

#include "target.hpp"

namespace fuzz_utf8 {
using namespace dsvl;

/// A row of table 3-7: which lead bytes, and the ranges of the bytes behind.
struct Row {
  unsigned char first, last;
  int more;
  unsigned char ranges[3][2];
};
constexpr Row kRows[] = {
    {0x00, 0x7F, 0, {}},
    {0xC2, 0xDF, 1, {{0x80, 0xBF}}},
    {0xE0, 0xE0, 2, {{0xA0, 0xBF}, {0x80, 0xBF}}},
    {0xE1, 0xEC, 2, {{0x80, 0xBF}, {0x80, 0xBF}}},
    {0xED, 0xED, 2, {{0x80, 0x9F}, {0x80, 0xBF}}},
    {0xEE, 0xEF, 2, {{0x80, 0xBF}, {0x80, 0xBF}}},
    {0xF0, 0xF0, 3, {{0x90, 0xBF}, {0x80, 0xBF}, {0x80, 0xBF}}},
    {0xF1, 0xF3, 3, {{0x80, 0xBF}, {0x80, 0xBF}, {0x80, 0xBF}}},
    {0xF4, 0xF4, 3, {{0x80, 0x8F}, {0x80, 0xBF}, {0x80, 0xBF}}},
};

/// What the machine sees at the front of `text`: a character, or the bytes that one U+FFFD replaces.
struct Seen {
  std::size_t bytes = 1;
  bool valid = false, cut_off = false;
  char32_t code = 0xFFFD;
};
Seen look(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  for (const Row& row : kRows) {
    if (byte(0) < row.first || byte(0) > row.last) continue;
    Seen seen;
    char32_t code = row.more == 0 ? byte(0) : byte(0) & (0x3F >> row.more);
    for (int i = 0; i < row.more; ++i, ++seen.bytes) {
      if (seen.bytes == text.size()) return seen.cut_off = true, seen;
      const unsigned char next = byte(seen.bytes);
      if (next < row.ranges[i][0] || next > row.ranges[i][1]) return seen;
      code = code * 64 + (next - 0x80);
    }
    seen.valid = true;
    seen.code = code;
    return seen;
  }
  return {};
}

/// The whole text through the machine: what it repairs to, and where it is first broken.
struct Whole {
  std::string repaired;
  std::size_t first_invalid = std::string_view::npos;
};
Whole look_through(std::string_view text) {
  Whole out;
  for (std::size_t at = 0; at < text.size();) {
    const Seen seen = look(text.substr(at));
    const utf8::Character found = utf8::read(text, at);
    FUZZ_CHECK(found.valid == seen.valid && found.cut_off == seen.cut_off && found.bytes == seen.bytes);
    FUZZ_CHECK(found.code == seen.code);
    if (seen.valid) {
      std::string written;
      utf8::append(written, seen.code);
      FUZZ_CHECK(written == text.substr(at, seen.bytes));
      out.repaired += written;
    } else {
      out.first_invalid = std::min(out.first_invalid, at);
      out.repaired += "\xEF\xBF\xBD";
    }
    at += seen.bytes;
  }
  if (out.first_invalid == std::string_view::npos) out.first_invalid = text.size();
  return out;
}

void run(fuzz::Input in) {
  const std::size_t seed = in.byte();
  const std::string_view text = in.rest();
  const Whole whole = look_through(text);
  FUZZ_CHECK(utf8::first_invalid(text) == whole.first_invalid);
  FUZZ_CHECK(utf8::validate(text).ok() == (whole.first_invalid == text.size()));
  FUZZ_CHECK(utf8::repair(text) == whole.repaired);

  // However the bytes are cut into pushes, and whole characters each time.
  utf8::Stream stream;
  std::string streamed;
  for (std::size_t at = 0, step = seed; at < text.size(); step = step * 5 + 3) {
    const std::size_t n = std::min<std::size_t>(step % 7, text.size() - at);
    std::string piece;
    stream.push(text.substr(at, n), piece);
    FUZZ_CHECK(utf8::validate(piece).ok());
    streamed += piece;
    at += n;
  }
  stream.flush(streamed);
  FUZZ_CHECK(streamed == whole.repaired);

  FUZZ_CHECK(utf16::to_utf8<char16_t>(utf16::from_utf8<char16_t>(text)) == whole.repaired);
  std::u16string units(text.size() / 2, u'\0');
  if (!units.empty()) std::memcpy(units.data(), text.data(), units.size() * 2);
  const std::string converted = utf16::to_utf8<char16_t>(units);
  FUZZ_CHECK(utf8::validate(converted).ok());
  FUZZ_CHECK(utf16::to_utf8<char16_t>(utf16::from_utf8<char16_t>(converted)) == converted);
}

}  // namespace fuzz_utf8

DSVL_FUZZ_TARGET(utf8)
