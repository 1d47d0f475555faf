// TokenizerSource: the lists of a TokenizerSpec, as a reader of tokenizer files fills them.
//
// tokenizer_json.hpp and tokenizer_gguf.hpp share it. Its spec() goes to Tokenizer::build, or into a file of another
// kind.
#ifndef DSVL_TEXT_TOKENIZER_SOURCE_HPP
#define DSVL_TEXT_TOKENIZER_SOURCE_HPP

#include <cstdint>
#include <optional>
#include <string_view>

#include "../io/printable.hpp"
#include "tokenizer.hpp"

DSVL_BEGIN_NAMESPACE

/// Owns the lists; the texts in them belong to the file that was read.
struct TokenizerSource {
  Buffer<std::string_view> tokens;       ///< by id
  Buffer<TokenizerSpec::Merge> merges;   ///< by rank
  Buffer<TokenizerSpec::Added> added;    ///< in the order of the file
  std::optional<std::int32_t> bos = {};  ///< begin of sentence
  std::optional<std::int32_t> eos = {};  ///< end of sentence

  /// Empty lists from an allocator; null means operator new.
  explicit TokenizerSource(Allocator* from = nullptr) noexcept : tokens(from), merges(from), added(from) {}
  /// The lists as views. They are valid while this object and the file live, even after the object was moved.
  [[nodiscard]] TokenizerSpec spec() const noexcept { return {tokens.span(), merges.span(), added.span(), bos, eos}; }
};

/// Splits "left right" into a pair; empty when there is no space. The byte alphabet has no space, so there is only one.
inline TokenizerSpec::Merge split_merge(std::string_view text) noexcept {
  const std::size_t space = text.find(' ');
  if (space == std::string_view::npos) return {};
  return {text.substr(0, space), text.substr(space + 1)};
}

/// Calls Tokenizer::build, and names the file `what` in its errors.
inline Result<Tokenizer> build_tokenizer(const TokenizerSpec& spec, std::string_view what, Allocator* from) {
  auto tokenizer = Tokenizer::build(spec, from);
  if (!tokenizer) return fail(tokenizer.error().code(), "%s: %s", Printable(what).text(), tokenizer.error().text());
  return tokenizer;
}

DSVL_END_NAMESPACE

#endif  // DSVL_TEXT_TOKENIZER_SOURCE_HPP
