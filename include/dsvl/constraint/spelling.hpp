// Spelling: from bytes to the characters of a text: UTF-8 as it is, or the inside of a JSON string with its escapes.
//
// A byte is taken only if some text of the automaton can go on behind it, so that half a character or half an escape
// never leads where no character fits.
// Sources: RFC 3629, RFC 8259 (section 7). A surrogate is taken only as half of a pair.
#ifndef DSVL_CONSTRAINT_SPELLING_HPP
#define DSVL_CONSTRAINT_SPELLING_HPP

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "../base/utf8.hpp"
#include "character_automaton.hpp"
#include "character_bits.hpp"
#include "grammar.hpp"

DSVL_BEGIN_NAMESPACE
namespace constraint {

/// A place in a text: the state in front of the character, and what there is of that already.
struct TextPlace {
  std::uint32_t state = 0;    ///< text state
  std::uint32_t partial = 0;  ///< Part * 2^24 + bits read; 0 between characters
};

/// Steps over the bytes of one automaton's texts.
class Speller {
 public:
  /// What a byte led to.
  enum class Step : std::uint8_t { dead, inside, closed };

  /// `grammar` must outlive the object.
  explicit Speller(const Grammar& grammar) noexcept : g_(grammar) {}

  /// Goes on by one byte.
  Step step(TextPlace& at, Spelling spelling, std::uint8_t byte) const noexcept {
    const auto part = static_cast<Part>(at.partial >> 24);
    if (part == Part::none) {
      if (byte >= 0x80) return spelling != Spelling::raw && g_.ascii ? Step::dead : lead(at, byte);
      if (spelling == Spelling::raw) return take(at, byte);
      if (byte == '"') return g_.text_states[at.state].accepting ? Step::closed : Step::dead;
      if (byte < 0x20) return Step::dead;
      if (byte != '\\') return take(at, byte);
      return live(at, Part::escape, 0, spelling,
                  spelling == Spelling::key ? escapable(at.state) : any(at.state, 0, kLastCode));
    }
    if (part <= Part::four_1) return continuation(at, part, byte);
    return escape(at, part, spelling, byte);
  }

 private:
  // What there is of a character. Of UTF-8: its length, and how many bytes are missing. Of an escape: what was read.
  enum class Part : std::uint8_t { none, two_1, three_2, three_1, four_3, four_2, four_1,
                                   escape, hex_0, hex_1, hex_2, hex_3, pair, pair_escape, low_0, low_1, low_2, low_3 };

  static void set(TextPlace& at, Part part, std::uint32_t bits) noexcept {
    at.partial = static_cast<std::uint32_t>(part) << 24 | bits;
  }
  Step live(TextPlace& at, Part part, std::uint32_t bits, Spelling, bool alive) const noexcept {
    if (!alive) return Step::dead;
    set(at, part, bits);
    return Step::inside;
  }
  /// Steps over a whole character.
  Step take(TextPlace& at, char32_t code) const noexcept {
    const TextAutomaton& a = g_.texts[g_.text_states[at.state].automaton];
    const std::uint32_t c = code < 128 ? a.ascii[code] : class_of(a, code);
    const std::uint32_t to = g_.next[a.next + std::size_t{at.state - a.first} * a.classes + c];
    if (to == kDead) return Step::dead;
    at = {to, 0};
    return Step::inside;
  }
  [[nodiscard]] std::size_t interval(const TextAutomaton& a, char32_t code) const noexcept {
    const char32_t* const first = g_.starts.data() + a.starts;
    return static_cast<std::size_t>(std::upper_bound(first, first + a.intervals, code) - first) - 1;
  }
  [[nodiscard]] std::uint32_t class_of(const TextAutomaton& a, char32_t code) const noexcept {
    return g_.classes[a.starts + interval(a, code)];
  }
  /// True when some character of first..last leads on from the state.
  [[nodiscard]] bool any(std::uint32_t state, char32_t first, char32_t last) const noexcept {
    if (first > last) return false;
    const TextState& s = g_.text_states[state];
    if (s.open == kAllCharacters && (first < kFirstSurrogate || last >= kBehindSurrogates)) return true;
    const TextAutomaton& a = g_.texts[s.automaton];
    const std::uint32_t* const row = g_.next.data() + a.next + std::size_t{state - a.first} * a.classes;
    for (std::size_t i = interval(a, first); i < a.intervals && g_.starts[a.starts + i] <= last; ++i)
      if (row[g_.classes[a.starts + i]] != kDead) return true;
    return false;
  }

  // --- UTF-8 --------------------------------------------------------------------------------------------------------

  Step lead(TextPlace& at, std::uint8_t byte) const noexcept {
    if (byte < 0xC2 || byte > 0xF4) return Step::dead;
    if (byte < 0xE0) return range(at, Part::two_1, byte & 0x1Fu, 6, 0x80, 0x7FF);
    if (byte < 0xF0) return range(at, Part::three_2, byte & 0x0Fu, 12, 0x800, 0xFFFF);
    return range(at, Part::four_3, byte & 0x07u, 18, 0x10000, kLastCode);
  }
  Step continuation(TextPlace& at, Part part, std::uint8_t byte) const noexcept {
    if (byte < 0x80 || byte > 0xBF) return Step::dead;
    const std::uint32_t bits = (at.partial & 0xFFFFFFu) << 6 | (byte & 0x3Fu);
    switch (part) {
      case Part::three_2: return range(at, Part::three_1, bits, 6, 0x800, 0xFFFF);
      case Part::four_3: return range(at, Part::four_2, bits, 12, 0x10000, kLastCode);
      case Part::four_2: return range(at, Part::four_1, bits, 6, 0x10000, kLastCode);
      default: return take(at, bits);
    }
  }
  /// Goes on if a character is possible that begins with `bits` and has `missing` bits more.
  Step range(TextPlace& at, Part part, std::uint32_t bits, int missing, char32_t least, char32_t most) const noexcept {
    const char32_t first = std::max<char32_t>(bits << missing, least);
    const char32_t last = std::min<char32_t>((bits + 1) << missing, most + 1) - 1;
    return live(at, part, bits, Spelling::raw, any(at.state, first, last));
  }

  // --- escapes ------------------------------------------------------------------------------------------------------

  /// True when a character that names have to escape leads on.
  [[nodiscard]] bool escapable(std::uint32_t state) const noexcept {
    return any(state, 0, 0x1F) || any(state, '"', '"') || any(state, '\\', '\\') ||
           any(state, 0x80, kLastCode);
  }
  Step escape(TextPlace& at, Part part, Spelling spelling, std::uint8_t byte) const noexcept {
    const std::uint32_t bits = at.partial & 0xFFFFFFu;
    if (part == Part::escape) {
      if (byte == 'u') return live(at, Part::hex_0, 0, spelling, units(at.state, spelling, 0, 0xFFFF));
      static constexpr std::string_view kLetters = "\"\\/bfnrt", kCodes = "\"\\/\b\f\n\r\t";
      const std::size_t which = kLetters.find(static_cast<char>(byte));
      if (which == std::string_view::npos || (byte == '/' && spelling == Spelling::key)) return Step::dead;
      return take(at, static_cast<unsigned char>(kCodes[which]));
    }
    if (part == Part::pair) return byte == '\\' ? (set(at, Part::pair_escape, bits), Step::inside) : Step::dead;
    if (part == Part::pair_escape) return byte == 'u' ? (set(at, Part::low_0, bits << 12), Step::inside) : Step::dead;
    const bool lower = byte >= 'a' && byte <= 'f', upper = byte >= 'A' && byte <= 'F' && spelling != Spelling::key;
    if (!lower && !upper && (byte < '0' || byte > '9')) return Step::dead;
    const std::uint32_t digit = byte <= '9' ? byte - '0' : (byte | 0x20u) - 'a' + 10;
    return part >= Part::low_0 ? low(at, part, bits, digit) : hex(at, part, spelling, bits << 4 | digit);
  }
  /// Behind a digit of \uXXXX.
  Step hex(TextPlace& at, Part part, Spelling spelling, std::uint32_t value) const noexcept {
    const int missing = 4 * (3 - (static_cast<int>(part) - static_cast<int>(Part::hex_0)));
    const std::uint32_t first = value << missing, last = ((value + 1) << missing) - 1;
    if (!units(at.state, spelling, first, last)) return Step::dead;
    if (missing > 0) return set(at, static_cast<Part>(static_cast<int>(part) + 1), value), Step::inside;
    if (value >= 0xD800 && value < 0xDC00) return set(at, Part::pair, value - 0xD800), Step::inside;
    return take(at, value);
  }
  /// Behind a digit of the second half of a pair. `bits` are 10 of the first half, then 12 for the digits so far.
  Step low(TextPlace& at, Part part, std::uint32_t bits, std::uint32_t digit) const noexcept {
    const std::uint32_t high = bits >> 12;
    const std::uint32_t value = (bits & 0xFFFu) << 4 | digit;
    const int missing = 4 * (3 - (static_cast<int>(part) - static_cast<int>(Part::low_0)));
    const std::uint32_t first = (std::max)(value << missing, 0xDC00u);
    const std::uint32_t last = (std::min)(((value + 1) << missing) - 1, 0xDFFFu);
    if (first > last) return Step::dead;
    const char32_t base = 0x10000 + (high << 10) - 0xDC00;
    if (!any(at.state, base + first, base + last)) return Step::dead;
    if (missing == 0) return take(at, base + value);
    set(at, static_cast<Part>(static_cast<int>(part) + 1), high << 12 | value);
    return Step::inside;
  }
  /// True when some UTF-16 unit of first..last, as \uXXXX, leads on.
  [[nodiscard]] bool units(std::uint32_t state, Spelling spelling, std::uint32_t first,
                           std::uint32_t last) const noexcept {
    const auto part = [&](char32_t low, char32_t high) {
      return any(state, std::max<char32_t>(first, low), std::min<char32_t>(last, high));
    };
    if (spelling == Spelling::key && (part(0, 7) || part(0xB, 0xB) || part(0xE, 0x1F))) return true;
    if (part(spelling == Spelling::key ? 0x80 : 0, 0xD7FF) || part(0xE000, 0xFFFF)) return true;
    const std::uint32_t high = (std::max)(first, 0xD800u), end = (std::min)(last, 0xDBFFu);
    return high <= end && any(state, 0x10000 + ((high - 0xD800) << 10), 0x10000 + ((end - 0xD800) << 10) + 0x3FF);
  }

  const Grammar& g_;
};

/// A text as a JSON string with its quotes, as names are written: with `ascii`, other characters are escaped.
inline std::string quote(std::string_view text, bool ascii) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out = "\"";
  const auto unit = [&](char32_t u) {
    out += "\\u";
    for (int shift = 12; shift >= 0; shift -= 4) out += kHex[u >> shift & 15];
  };
  for (const char32_t c : characters(text)) {
    constexpr std::string_view kCodes = "\"\\\b\f\n\r\t", kLetters = "\"\\bfnrt";
    if (const auto which = c < 128 ? kCodes.find(static_cast<char>(c)) : std::string_view::npos; which != kCodes.npos) {
      out += '\\';
      out += kLetters[which];
    } else if (c < 0x20 || (ascii && c >= 0x80 && c < 0x10000)) {
      unit(c);
    } else if (ascii && c >= 0x80) {
      unit(0xD800 + ((c - 0x10000) >> 10));
      unit(0xDC00 + ((c - 0x10000) & 0x3FF));
    } else {
      utf8::append(out, c);
    }
  }
  return out + '"';
}

}  // namespace constraint
DSVL_END_NAMESPACE

#endif  // DSVL_CONSTRAINT_SPELLING_HPP
