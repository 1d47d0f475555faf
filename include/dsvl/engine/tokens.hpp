// Token, TokenSpan, TokenList: tokens to be computed, as the prefix cache and the decoder take them.
//
// A token of text is known by its id. A row of a picture stands in the place of an image token; it is known by the
// picture's content hash and the number of the row, and the decoder reads it from the picture's embedding.
#ifndef DSVL_ENGINE_TOKENS_HPP
#define DSVL_ENGINE_TOKENS_HPP

#include <span>

#include "../nn/embedding.hpp"
#include "page_pool.hpp"

DSVL_BEGIN_NAMESPACE

/// One token: the key that the cache knows it by, and the input that the decoder reads for it.
struct Token {
  /// Compared by the cache. Its id is also that of the decoder's input.
  TokenKey key;
  /// (hidden): a row of a picture's embedding; null for text, which has the embedding table's row of key.id.
  const float* embedding = nullptr;
};

/// A view of tokens. It has two arrays of one length, because the cache compares keys and the decoder reads inputs.
struct TokenSpan {
  std::span<const TokenKey> keys;             ///< one for each token, for the cache
  std::span<const TokenInput<float>> inputs;  ///< one for each token, for the decoder

  /// Number of tokens.
  [[nodiscard]] std::size_t size() const noexcept { return keys.size(); }
  /// The tokens from number `first` on.
  [[nodiscard]] TokenSpan from(std::size_t first) const noexcept {
    return {keys.subspan(first), inputs.subspan(first)};
  }
};

/// A list of tokens in memory of fixed size, kept as the two arrays of a TokenSpan.
class TokenList {
 public:
  /// Declares room for `most` tokens, under one name of the plan.
  void carve(Arena& arena, std::string_view name, Index most) noexcept {
    keys_ = arena.buffer<TokenKey>(name, most);
    inputs_ = arena.buffer<TokenInput<float>>(name, most);
  }
  /// Removes all tokens and keeps the memory.
  void clear() noexcept {
    keys_.clear();
    inputs_.clear();
  }
  /// Appends a token. False, with nothing changed, when the list is full.
  [[nodiscard]] bool push_back(const Token& token) noexcept {
    if (!keys_.push_back(token.key)) return false;
    return inputs_.push_back({token.key.id, token.embedding});  // cannot fail, since both arrays have the same room
  }

  /// Number of tokens.
  [[nodiscard]] std::size_t size() const noexcept { return keys_.size(); }
  /// Token i, put together from the two arrays.
  [[nodiscard]] Token operator[](std::size_t i) const noexcept { return {keys_[i], inputs_[i].picture}; }
  /// All tokens; valid until the list changes.
  [[nodiscard]] TokenSpan span() const noexcept { return {keys_.span(), inputs_.span()}; }

 private:
  Buffer<TokenKey> keys_;             // of the tokens, in order
  Buffer<TokenInput<float>> inputs_;  // of the same tokens
};

DSVL_END_NAMESPACE

#endif  // DSVL_ENGINE_TOKENS_HPP
