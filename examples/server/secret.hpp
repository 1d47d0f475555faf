// Comparing secrets without telling by the time how much of them was right.
#ifndef DSVL_SERVER_SECRET_HPP
#define DSVL_SERVER_SECRET_HPP

#include <cstddef>
#include <string_view>

namespace server {

/// True when both are the same. The time depends on the length of what was given, and on nothing else.
inline bool equal_secrets(std::string_view given, std::string_view secret) noexcept {
  volatile unsigned char different = given.size() == secret.size() ? 0 : 1;
  for (std::size_t i = 0; i < given.size(); ++i) {
    const char other = secret.empty() ? '\0' : secret[i % secret.size()];
    different = static_cast<unsigned char>(different | static_cast<unsigned char>(given[i] ^ other));
  }
  return different == 0;
}

}  // namespace server

#endif  // DSVL_SERVER_SECRET_HPP
