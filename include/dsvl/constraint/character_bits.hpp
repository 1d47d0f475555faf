// CharacterBits: which characters there are, as 64 bits, so that a state and a piece of the vocabulary can be compared.
//
// Letters have a bit each, other characters share some. A text state has the bits whose characters all keep it; a node
// of the vocabulary has the bits of all characters below it. If the first has all of the second, nothing below the node
// has to be looked at.
#ifndef DSVL_CONSTRAINT_CHARACTER_BITS_HPP
#define DSVL_CONSTRAINT_CHARACTER_BITS_HPP

#include <cstdint>

#include "../base/config.hpp"

DSVL_BEGIN_NAMESPACE
namespace constraint {

inline constexpr std::uint64_t kQuoteBit = std::uint64_t{1} << 60;    ///< a quote
inline constexpr std::uint64_t kControlBit = std::uint64_t{1} << 61;  ///< U+0000 to U+001F
inline constexpr std::uint64_t kEscapeBit = std::uint64_t{1} << 62;  ///< a backslash, behind which any character may be
inline constexpr int kFirstBeyondAscii = 57;                          ///< bits for 2, 3 and 4 bytes of UTF-8

/// The bit of a character, by its first byte in UTF-8; 0 for bytes that begin none.
constexpr std::uint64_t character_bit(unsigned byte) noexcept {
  const auto bit = [](unsigned n) { return std::uint64_t{1} << n; };
  if (byte >= 'a' && byte <= 'z') return bit(byte - 'a');
  if (byte >= 'A' && byte <= 'Z') return bit(26 + byte - 'A');
  if (byte >= '0' && byte <= '9') return bit(52);
  if (byte == '"') return kQuoteBit;
  if (byte == '\\') return kEscapeBit;
  if (byte < 0x20) return kControlBit;
  if (byte == ' ') return bit(53);
  if (byte == '_' || byte == '-') return bit(54);
  if (byte == '.' || byte == ',') return bit(55);
  if (byte < 0x80) return bit(56);
  if (byte < 0xC0) return 0;
  return bit(kFirstBeyondAscii + (byte < 0xE0 ? 0 : byte < 0xF0 ? 1 : 2));
}
/// The bits of code points first..last.
constexpr std::uint64_t character_bits(char32_t first, char32_t last) noexcept {
  std::uint64_t bits = 0;
  for (char32_t c = first; c <= last && c < 0x80; ++c) bits |= character_bit(static_cast<unsigned>(c));
  constexpr char32_t kEnds[] = {0x80, 0x800, 0x10000, 0x110000};
  for (int i = 0; i < 3; ++i)
    if (first < kEnds[i + 1] && last >= kEnds[i]) bits |= std::uint64_t{1} << (kFirstBeyondAscii + i);
  return bits;
}
inline constexpr std::uint64_t kAllCharacters = character_bits(0, 0x10FFFF) | kEscapeBit;  ///< every bit that is used

}  // namespace constraint
DSVL_END_NAMESPACE

#endif  // DSVL_CONSTRAINT_CHARACTER_BITS_HPP
