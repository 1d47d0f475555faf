// TokenFilter: decides which tokens an answer may go on with. An answer asks it in front of every choice.
//
// It is an interface, so that the front door does not have to know what a constraint is made of:
// constraint/answer_filter.hpp implements it for JSON schemas, patterns and choices.
#ifndef DSVL_TEXT_TOKEN_FILTER_HPP
#define DSVL_TEXT_TOKEN_FILTER_HPP

#include "../base/host_macros_push.hpp"

#include <cstdint>
#include <span>

#include "../base/status.hpp"
#include "tokenizer.hpp"

DSVL_BEGIN_NAMESPACE

/// The state of one constrained text. One answer uses it at a time. No call allocates.
class TokenFilter {
 public:
  TokenFilter() noexcept = default;
  TokenFilter(const TokenFilter&) = delete;
  TokenFilter& operator=(const TokenFilter&) = delete;

  /// Begins a text, whose tokens are `tokenizer`'s; null when the model has none.
  ///
  /// Codes  bad_argument (the filter was made for another tokenizer, or has nothing to hold)
  virtual Status begin(const Tokenizer* tokenizer) noexcept = 0;
  /// The tokens that may come next, as bits by id: bit id % 64 of word id / 64. Ids behind the last word may not come.
  /// Tokens of `end_tokens`, which end the answer, are among them when the text is whole. Valid until the next call.
  ///
  /// Codes  limit (the text needs more memory than was taken)
  virtual Result<std::span<const std::uint64_t>> allowed(std::span<const std::int32_t> end_tokens) noexcept = 0;
  /// Makes a token part of the text. False when it may not come; then nothing has changed.
  virtual bool accept(std::int32_t id) noexcept = 0;
  /// True when the text may end here.
  [[nodiscard]] virtual bool whole() const noexcept = 0;
  /// Writes tokens of what must come next, as far as there is no choice; returns how many. They are a guess: the text
  /// is certain, its tokens are not.
  virtual std::size_t forced(std::span<std::int32_t> ids) noexcept = 0;

 protected:
  ~TokenFilter() = default;
};

DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_TEXT_TOKEN_FILTER_HPP
