// Tokens to be computed: a row of text tokens and of pictures' rows, as the cache and as the decoder take them.
#ifndef DSVL_ENGINE_TOKENS_HPP
#define DSVL_ENGINE_TOKENS_HPP

#include <span>

#include "../nn/embedding.hpp"
#include "page_pool.hpp"

DSVL_BEGIN_NAMESPACE

/// One token: what the cache knows it by, and what the decoder reads for it.
struct Token {
  TokenKey key;
  const float* embedding = nullptr;  ///< (hidden): a row of a picture; null: the embedding table's row of key.id
};

/// A view of tokens: two arrays of one length, because the cache compares keys and the decoder reads inputs.
struct TokenSpan {
  std::span<const TokenKey> keys;
  std::span<const TokenInput<float>> inputs;

  [[nodiscard]] std::size_t size() const noexcept { return keys.size(); }
  [[nodiscard]] bool empty() const noexcept { return keys.empty(); }
  /// The tokens from number `first` on.
  [[nodiscard]] TokenSpan from(std::size_t first) const noexcept {
    return {keys.subspan(first), inputs.subspan(first)};
  }
};

/// A list of tokens in memory of fixed size.
class TokenList {
 public:
  void carve(Arena& arena, std::string_view name, Index most) noexcept {
    keys_ = arena.buffer<TokenKey>(name, most);
    inputs_ = arena.buffer<TokenInput<float>>(name, most);
  }
  void clear() noexcept {
    keys_.clear();
    inputs_.clear();
  }
  /// False, with nothing changed, when the list is full.
  [[nodiscard]] bool push_back(const Token& token) noexcept {
    if (!keys_.push_back(token.key)) return false;
    return inputs_.push_back({token.key.id, token.embedding});  // both have the same room
  }

  [[nodiscard]] std::size_t size() const noexcept { return keys_.size(); }
  [[nodiscard]] Token operator[](std::size_t i) const noexcept { return {keys_[i], inputs_[i].picture}; }
  [[nodiscard]] TokenSpan span() const noexcept { return {keys_.span(), inputs_.span()}; }

 private:
  Buffer<TokenKey> keys_;
  Buffer<TokenInput<float>> inputs_;
};

DSVL_END_NAMESPACE

#endif  // DSVL_ENGINE_TOKENS_HPP
