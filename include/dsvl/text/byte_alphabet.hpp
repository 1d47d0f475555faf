// The byte alphabet: how a vocabulary file spells arbitrary bytes as printable characters.
//
// Printable bytes stand for themselves, the other 68 in increasing order for U+0100, U+0101, … (space is U+0120 "Ġ").
// Source: bytes_to_unicode() of OpenAI's GPT-2, which every byte-level BPE file follows.
#ifndef DSVL_TEXT_BYTE_ALPHABET_HPP
#define DSVL_TEXT_BYTE_ALPHABET_HPP

#include <cstdint>
#include <string>
#include <string_view>

#include "../base/utf8.hpp"

DSVL_BEGIN_NAMESPACE

class ByteAlphabet {
 public:
  constexpr ByteAlphabet() noexcept {
    for (std::int16_t& b : byte_) b = -1;
    unsigned next = 0x100;
    for (unsigned b = 0; b < 256; ++b) {
      const bool printable = (b >= 0x21 && b <= 0x7E) || (b >= 0xA1 && b != 0xAD);
      byte_[printable ? b : next++] = static_cast<std::int16_t>(b);
    }
  }

  /// The byte a letter stands for, or -1.
  [[nodiscard]] constexpr int byte(char32_t letter) const noexcept { return letter < kLetters ? byte_[letter] : -1; }

  /// Replaces `bytes` by what `spelled` stands for; false when it has a character that is no letter of the alphabet.
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

inline constexpr ByteAlphabet kByteAlphabet;

DSVL_END_NAMESPACE

#endif  // DSVL_TEXT_BYTE_ALPHABET_HPP
