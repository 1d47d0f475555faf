// Texts and numbers as Python has them: the official scorers are Python programs, and their figures hang on what it
// calls white space, a digit, lower case, a number, and on how it prints and rounds one.
//
// Texts are valid UTF-8. Sources: the language's reference, and its behaviour; the tests have Python's own results.
#ifndef DSVL_CLI_EVALUATION_PYTHON_HPP
#define DSVL_CLI_EVALUATION_PYTHON_HPP

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "unicode_tables.hpp"

namespace cli::python {

// --- characters ---------------------------------------------------------------------------------

/// The character that begins at byte `at`, which moves behind it.
inline char32_t next_character(std::string_view text, std::size_t& at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(i < text.size() ? text[i] : '\0'); };
  const unsigned char first = byte(at++);
  if (first < 0xC0) return first;
  const int more = first < 0xE0 ? 1 : first < 0xF0 ? 2 : 3;
  char32_t c = first & (0x3Fu >> more);
  for (int i = 0; i < more; ++i) c = c << 6 | (byte(at++) & 0x3Fu);
  return c;
}

inline void append(std::string& to, char32_t c) {
  const auto add = [&](char32_t byte) { to += static_cast<char>(static_cast<unsigned char>(byte)); };
  if (c < 0x80) return add(c);
  if (c < 0x800) return add(0xC0 | c >> 6), add(0x80 | (c & 0x3F));
  if (c < 0x10000) return add(0xE0 | c >> 12), add(0x80 | (c >> 6 & 0x3F)), add(0x80 | (c & 0x3F));
  add(0xF0 | c >> 18), add(0x80 | (c >> 12 & 0x3F)), add(0x80 | (c >> 6 & 0x3F)), add(0x80 | (c & 0x3F));
}

inline std::u32string characters(std::string_view text) {
  std::u32string out;
  for (std::size_t at = 0; at < text.size();) out += next_character(text, at);
  return out;
}
inline std::string utf8(std::u32string_view text) {
  std::string out;
  for (const char32_t c : text) append(out, c);
  return out;
}
/// len(text): characters, not bytes.
inline std::size_t length(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

constexpr bool is_space(char32_t c) {
  return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x20) || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}
/// The value of a decimal digit of any script, what \d matches; -1 of another character.
inline int digit_value(char32_t c) {
  const auto* const next = std::upper_bound(std::begin(unicode::kZeros), std::end(unicode::kZeros), c);
  if (next == std::begin(unicode::kZeros)) return -1;
  const char32_t value = c - *std::prev(next);
  return value < 10 ? static_cast<int>(value) : -1;
}
inline bool is_digit(char32_t c) { return digit_value(c) >= 0; }
constexpr bool is_ascii_digit(char32_t c) { return c >= '0' && c <= '9'; }

// --- case ---------------------------------------------------------------------------------------

namespace detail {

template <std::size_t N>
char32_t mapped(const unicode::CaseRange (&ranges)[N], char32_t c) {
  // Ranges of every second character lie inside each other: all that begin before c can have it.
  for (const unicode::CaseRange& range : ranges) {
    if (range.first > c) break;
    if (c <= range.last && (c - range.first) % static_cast<unsigned>(range.step) == 0)
      return static_cast<char32_t>(static_cast<std::int32_t>(c) + range.change);
  }
  return c;
}
template <std::size_t N>
bool contains(const unicode::Range (&ranges)[N], char32_t c) {
  const auto* const next = std::upper_bound(std::begin(ranges), std::end(ranges), c,
                                            [](char32_t value, const unicode::Range& r) { return value < r.first; });
  return next != std::begin(ranges) && c <= std::prev(next)->last;
}

/// A capital sigma at the end of a word has a form of its own: behind a cased character and before none.
inline bool is_final_sigma(std::u32string_view text, std::size_t at) {
  std::size_t before = at, after = at + 1;
  while (before > 0 && contains(unicode::kIgnorable, text[before - 1])) --before;
  while (after < text.size() && contains(unicode::kIgnorable, text[after])) ++after;
  return before > 0 && contains(unicode::kCased, text[before - 1]) &&
         !(after < text.size() && contains(unicode::kCased, text[after]));
}

inline void append_lower(std::string& to, std::u32string_view text, std::size_t at) {
  const char32_t c = text[at];
  if (c == 0x130) return append(to, U'i'), append(to, 0x307);
  if (c == 0x3A3) return append(to, is_final_sigma(text, at) ? 0x3C2 : 0x3C3);
  append(to, mapped(unicode::kLower, c));
}

}  // namespace detail

/// text.lower()
inline std::string lower(std::string_view text) {
  const std::u32string all = characters(text);
  std::string out;
  for (std::size_t i = 0; i < all.size(); ++i) detail::append_lower(out, all, i);
  return out;
}

/// text.capitalize(): the first character in title case, all others in lower case.
inline std::string capitalize(std::string_view text) {
  const std::u32string all = characters(text);
  if (all.empty()) return {};
  std::string out;
  const auto* const longer = std::find_if(std::begin(unicode::kLongTitle), std::end(unicode::kLongTitle),
                                          [&](const unicode::LongTitle& t) { return t.from == all[0]; });
  if (longer != std::end(unicode::kLongTitle)) out = longer->to;
  else append(out, detail::mapped(unicode::kTitle, all[0]));
  for (std::size_t i = 1; i < all.size(); ++i) detail::append_lower(out, all, i);
  return out;
}

// --- cutting and replacing ----------------------------------------------------------------------

inline std::string_view lstrip(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t begin = at;
    if (!is_space(next_character(text, at))) return text.substr(begin);
  }
  return {};
}
inline std::string_view rstrip(std::string_view text) {
  std::size_t end = 0;
  for (std::size_t at = 0; at < text.size();)
    if (!is_space(next_character(text, at))) end = at;
  return text.substr(0, end);
}
/// text.strip()
inline std::string_view strip(std::string_view text) { return rstrip(lstrip(text)); }

/// text.split(): the words between any white space.
inline std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> words;
  bool inside = false;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t begin = at;
    const bool space = is_space(next_character(text, at));
    if (!space && !inside) words.emplace_back();
    if (!space) words.back() += text.substr(begin, at - begin);
    inside = !space;
  }
  return words;
}
/// text.split(separator): what stands between them, empty pieces too.
inline std::vector<std::string> split(std::string_view text, std::string_view separator) {
  std::vector<std::string> pieces;
  for (;;) {
    const std::size_t at = text.find(separator);
    pieces.emplace_back(text.substr(0, at));
    if (at == text.npos) return pieces;
    text.remove_prefix(at + separator.size());
  }
}
inline std::string join(std::span<const std::string> pieces, std::string_view with) {
  std::string out;
  for (std::size_t i = 0; i < pieces.size(); ++i) (out += i ? with : std::string_view()) += pieces[i];
  return out;
}

/// text.replace(from, to): all of them, in one pass from the left.
inline std::string replace(std::string_view text, std::string_view from, std::string_view to) {
  return join(split(text, from), to);
}
inline bool contains(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

// --- numbers ------------------------------------------------------------------------------------

namespace detail {

/// Stripped, with ASCII digits, and without the single underscores that may stand between digits. Nothing when one
/// stands elsewhere.
inline std::optional<std::string> plain_number(std::string_view text) {
  std::string digits;
  for (const char32_t c : characters(strip(text)))
    append(digits, is_digit(c) ? U'0' + static_cast<char32_t>(digit_value(c)) : c);
  std::string out;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    const bool between = i > 0 && i + 1 < digits.size() && is_ascii_digit(static_cast<unsigned char>(digits[i - 1])) &&
                         is_ascii_digit(static_cast<unsigned char>(digits[i + 1]));
    if (digits[i] != '_') out += digits[i];
    else if (!between) return std::nullopt;
  }
  return out;
}
inline std::size_t count_digits(std::string_view text) {
  return std::min(text.find_first_not_of("0123456789"), text.size());
}

}  // namespace detail

/// str(int(text)), however long; nothing where Python raises ValueError.
inline std::optional<std::string> integer_text(std::string_view text) {
  const auto plain = detail::plain_number(text);
  if (!plain) return std::nullopt;
  std::string_view digits = *plain;
  const bool negative = digits.starts_with('-');
  if (negative || digits.starts_with('+')) digits.remove_prefix(1);
  if (digits.empty() || detail::count_digits(digits) != digits.size()) return std::nullopt;
  digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.size() - 1));
  return (negative && digits != "0" ? "-" : "") + std::string(digits);
}

/// float(text); nothing where Python raises ValueError.
inline std::optional<double> to_float(std::string_view text) {
  const auto plain = detail::plain_number(text);
  if (!plain) return std::nullopt;
  std::string_view rest = *plain;
  if (rest.starts_with('-') || rest.starts_with('+')) rest.remove_prefix(1);
  std::string word(rest);
  for (char& c : word) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  const bool is_word = word == "inf" || word == "infinity" || word == "nan";
  if (!is_word) {
    const std::size_t whole = detail::count_digits(rest);
    rest.remove_prefix(whole);
    std::size_t part = 0;
    if (rest.starts_with('.')) rest.remove_prefix(1), rest.remove_prefix(part = detail::count_digits(rest));
    if (whole + part == 0) return std::nullopt;
    if (!rest.empty()) {
      if (rest[0] != 'e' && rest[0] != 'E') return std::nullopt;
      rest.remove_prefix(1);
      if (rest.starts_with('-') || rest.starts_with('+')) rest.remove_prefix(1);
      if (rest.empty() || detail::count_digits(rest) != rest.size()) return std::nullopt;
    }
  }
  return std::strtod(plain->c_str(), nullptr);
}

/// str(x): the fewest digits that read back equal.
inline std::string float_text(double x) {
  if (std::isnan(x)) return "nan";
  if (std::isinf(x)) return x < 0 ? "-inf" : "inf";
  char text[40];
  for (int digits = 0; digits < 17; ++digits) {
    std::snprintf(text, sizeof text, "%.*e", digits, x);
    if (std::strtod(text, nullptr) == x) break;
  }
  const std::string_view shown(text);
  const std::size_t e = shown.find('e');
  const int exponent = std::atoi(text + e + 1);
  const bool negative = shown[0] == '-';
  std::string digits;
  for (const char c : shown.substr(0, e))
    if (is_ascii_digit(static_cast<unsigned char>(c))) digits += c;
  std::string out = negative ? "-" : "";
  if (exponent < -4 || exponent >= 16) {
    out += digits[0];
    if (digits.size() > 1) (out += '.') += digits.substr(1);
    std::snprintf(text, sizeof text, "e%c%02d", exponent < 0 ? '-' : '+', std::abs(exponent));
    return out += text;
  }
  if (exponent < 0) return out += "0." + std::string(static_cast<std::size_t>(-exponent - 1), '0') + digits;
  const auto whole = static_cast<std::size_t>(exponent) + 1;
  if (digits.size() <= whole) return out += digits + std::string(whole - digits.size(), '0') + ".0";
  return out += digits.substr(0, whole) + "." + digits.substr(whole);
}

/// round(x, places): what the binary value rounds to, halves to even.
inline double round(double x, int places) {
  if (!std::isfinite(x)) return x;
  char text[400];
  std::snprintf(text, sizeof text, "%.*f", places, x);
  return std::strtod(text, nullptr);
}

}  // namespace cli::python

#endif  // DSVL_CLI_EVALUATION_PYTHON_HPP
