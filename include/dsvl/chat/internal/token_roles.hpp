// TokenRoles: the tokens of a model that mean something to a session.
#ifndef DSVL_CHAT_INTERNAL_TOKEN_ROLES_HPP
#define DSVL_CHAT_INTERNAL_TOKEN_ROLES_HPP

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>

#include "../../text/tokenizer.hpp"

DSVL_BEGIN_NAMESPACE
namespace detail {

/// Views of what the model owns, for the parts of a session that work with ids.
struct TokenRoles {
  const Tokenizer* tokenizer = nullptr;      ///< null: the model's files had none, and there is no text
  std::optional<std::int32_t> image_token;   ///< stands for each row of a picture
  std::span<const std::int32_t> end_tokens;  ///< sorted

  /// True for a token that ends an answer.
  [[nodiscard]] bool ends_answer(std::int32_t id) const noexcept {
    return std::binary_search(end_tokens.begin(), end_tokens.end(), id);
  }
};

}  // namespace detail
DSVL_END_NAMESPACE

#endif  // DSVL_CHAT_INTERNAL_TOKEN_ROLES_HPP
