// TokenizerSource: the lists of a TokenizerSpec, kept by whoever reads a tokenizer from a file.
//
// What tokenizer_json.hpp and tokenizer_gguf.hpp have in common: reading fills one, and its spec() goes to
// Tokenizer::build, or into a file of another kind.
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
  Buffer<std::string_view> tokens;
  Buffer<TokenizerSpec::Merge> merges;
  Buffer<TokenizerSpec::Added> added;
  std::optional<std::int32_t> bos = {}, eos = {};

  explicit TokenizerSource(Allocator* from = nullptr) noexcept : tokens(from), merges(from), added(from) {}
  /// Valid while this and the file live, also after this was moved.
  [[nodiscard]] TokenizerSpec spec() const noexcept { return {tokens.span(), merges.span(), added.span(), bos, eos}; }
};

/// "left right" as a pair; empty when it is none. The byte alphabet has no space, so there is one exactly.
inline TokenizerSpec::Merge split_merge(std::string_view text) noexcept {
  const std::size_t space = text.find(' ');
  if (space == std::string_view::npos) return {};
  return {text.substr(0, space), text.substr(space + 1)};
}

/// Tokenizer::build, whose errors name the file `what`.
inline Result<Tokenizer> build_tokenizer(const TokenizerSpec& spec, std::string_view what, Allocator* from) {
  auto tokenizer = Tokenizer::build(spec, from);
  if (!tokenizer) return fail(tokenizer.error().code(), "%s: %s", Printable(what).text(), tokenizer.error().text());
  return tokenizer;
}

DSVL_END_NAMESPACE

#endif  // DSVL_TEXT_TOKENIZER_SOURCE_HPP
