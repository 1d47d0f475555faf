// Base64, as tables carry their pictures.
#ifndef DSVL_CLI_EVALUATION_BASE64_HPP
#define DSVL_CLI_EVALUATION_BASE64_HPP

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace cli::evaluation {

/// The bytes; nothing when the text is not base64: other characters, or cut off in the middle of a byte.
inline std::optional<std::vector<std::byte>> decode_base64(std::string_view text) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::uint8_t values[256];
  for (std::uint8_t& value : values) value = 64;
  for (std::uint8_t i = 0; i < kDigits.size(); ++i) values[static_cast<unsigned char>(kDigits[i])] = i;
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

}  // namespace cli::evaluation

#endif  // DSVL_CLI_EVALUATION_BASE64_HPP
