// The byte alphabet: how a vocabulary file spells arbitrary bytes as printable characters.
//
// Printable bytes are spelled as themselves, the other 68 in increasing order as U+0100, U+0101, … (space is U+0120
// "Ġ"). So a JSON file can hold tokens that are not valid UTF-8.
// Source: bytes_to_unicode() of OpenAI's GPT-2, which every byte-level BPE file follows.
#ifndef DSVL_TEXT_BYTE_ALPHABET_HPP
#define DSVL_TEXT_BYTE_ALPHABET_HPP

#include <cstdint>
#include <string>
#include <string_view>

#include "../base/utf8.hpp"

DSVL_BEGIN_NAMESPACE

/// The table from letter to byte.
class ByteAlphabet {
 public:
  /// Fills the table; done once, at compile time.
  constexpr ByteAlphabet() noexcept {
    for (std::int16_t& b : byte_) b = -1;
    unsigned next = 0x100;
    for (unsigned b = 0; b < 256; ++b) {
      const bool printable = (b >= 0x21 && b <= 0x7E) || (b >= 0xA1 && b != 0xAD);
      byte_[printable ? b : next++] = static_cast<std::int16_t>(b);
    }
  }

  /// The byte that a letter stands for, or -1.
  [[nodiscard]] constexpr int byte(char32_t letter) const noexcept { return letter < kLetters ? byte_[letter] : -1; }

  /// Replaces `bytes` by those that `spelled` stands for. False when it has a character that is not in the alphabet.
  bool decode(std::string_view spelled, std::string& bytes) const {
    bytes.clear();
    for (std::size_t at = 0; at < spelled.size();) {
      const utf8::Character c = utf8::read(spelled, at);
      const int b = c.valid ? byte(c.code) : -1;
      if (b < 0) return false;
      bytes.push_back(static_cast<char>(static_cast<unsigned char>(b)));
      at += c.bytes;
    }
    return true;
  }

 private:
  static constexpr char32_t kLetters = 0x100 + 68;
  std::int16_t byte_[kLetters] = {};
};

/// The one alphabet there is.
inline constexpr ByteAlphabet kByteAlphabet;

DSVL_END_NAMESPACE

#endif  // DSVL_TEXT_BYTE_ALPHABET_HPP
