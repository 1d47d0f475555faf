// Base64, as tables carry their pictures.
#ifndef DSVL_CLI_BASE64_HPP
#define DSVL_CLI_BASE64_HPP

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cli {

inline constexpr std::string_view kBase64Digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The text of bytes, with = at its end where they are no multiple of three.
inline std::string encode_base64(std::span<const std::byte> bytes) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::size_t count = bytes.size() - at < 3 ? bytes.size() - at : 3;
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < 3; ++i)
      bits = bits << 8 | (i < count ? std::to_integer<std::uint32_t>(bytes[at + i]) : 0);
    for (std::size_t i = 0; i < 4; ++i) out += i <= count ? kBase64Digits[bits >> (18 - 6 * i) & 63] : '=';
  }
  return out;
}

/// The bytes; nothing when the text is not base64: other characters, or cut off in the middle of a byte.
inline std::optional<std::vector<std::byte>> decode_base64(std::string_view text) {
  std::uint8_t values[256];
  for (std::uint8_t& value : values) value = 64;
  for (std::uint8_t i = 0; i < kBase64Digits.size(); ++i) values[static_cast<unsigned char>(kBase64Digits[i])] = i;
  while (text.ends_with('=')) text.remove_suffix(1);
  if (text.empty() || text.size() % 4 == 1) return std::nullopt;
  std::vector<std::byte> out;
  out.reserve(text.size() / 4 * 3 + 2);
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const std::uint8_t value = values[static_cast<unsigned char>(c)];
    if (value == 64) return std::nullopt;
    bits = bits << 6 | value;
    if ((count += 6) < 8) continue;
    count -= 8;
    out.push_back(static_cast<std::byte>(bits >> count & 0xFF));
  }
  return out;
}

}  // namespace cli

#endif  // DSVL_CLI_BASE64_HPP
