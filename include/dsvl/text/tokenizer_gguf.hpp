// Reads the tokenizer that a GGUF file carries. convert/tokenizer_gguf_writer.hpp writes one.
//
// The keys are llama.cpp's, for byte-level BPE ("gpt2") with DeepSeek-LLM's pre-tokenizer; other kinds are refused. All
// tokens are in one list there, with a type beside each, which tells added tokens from base ones. The list has as many
// entries as the embedding has rows; entries without a token are called [PAD<id>].
// Source: llama.cpp, convert_hf_to_gguf.py (get_vocab_base) and src/llama-vocab.cpp. The files are untrusted.
#ifndef DSVL_TEXT_TOKENIZER_GGUF_HPP
#define DSVL_TEXT_TOKENIZER_GGUF_HPP

#include "../base/host_macros_push.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../io/gguf.hpp"
#include "tokenizer_source.hpp"

DSVL_BEGIN_NAMESPACE
namespace tokenizer_gguf {

inline constexpr std::string_view kModelKey = "tokenizer.ggml.model";       ///< kind of tokenizer
inline constexpr std::string_view kModel = "gpt2";                          ///< byte-level BPE
inline constexpr std::string_view kPreKey = "tokenizer.ggml.pre";           ///< pre-tokenizer, by name
inline constexpr std::string_view kPre = "deepseek-llm";                    ///< the one in pretokenizer.hpp
inline constexpr std::string_view kTokensKey = "tokenizer.ggml.tokens";     ///< texts by id
inline constexpr std::string_view kTypesKey = "tokenizer.ggml.token_type";  ///< a Type by id
inline constexpr std::string_view kMergesKey = "tokenizer.ggml.merges";     ///< "left right" by rank
inline constexpr std::string_view kBosKey = "tokenizer.ggml.bos_token_id";  ///< id of bos
inline constexpr std::string_view kEosKey = "tokenizer.ggml.eos_token_id";  ///< id of eos

/// The types of a token, from llama.h, enum llama_token_type. Types left out here (unknown, byte) belong to other kinds
/// of tokenizers.
enum Type : std::int32_t {
  kNormal = 1,       ///< a base token
  kControl = 3,      ///< an added token that is a control token
  kUserDefined = 4,  ///< an added token that is not
  kUnused = 5,       ///< no token
};

/// The text of an id that has no token.
inline std::string padding_text(std::size_t id) { return "[PAD" + std::to_string(id) + "]"; }

/// Ok when `key` has the text `needed`; else unsupported.
inline Status check_text(const Gguf& file, std::string_view key, std::string_view needed, const char* what) noexcept {
  const gguf::Value value = file.value(key);
  if (value.string() == needed) return {};
  const std::string_view found = value.string().value_or(gguf::name(value.kind()));
  return fail(Code::unsupported, "%s: %s is '%s', supported is '%s'", what, key.data(), Printable(found).text(),
              needed.data());
}

/// The list under `key`, which must be one of strings.
inline Result<gguf::Value> strings(const Gguf& file, std::string_view key, const char* what) noexcept {
  const gguf::Value list = file.value(key);
  if (list.element_kind() != gguf::Kind::string)
    return fail(Code::bad_file, "%s: there is no array of strings %s", what, key.data());
  return list;
}

/// Puts every entry where its type says. Ids without a token behind the last base token are dropped, since they only
/// pad the embedding.
inline Status read_tokens(const Gguf& file, const char* what, TokenizerSource& out) {
  DSVL_TRY(texts, strings(file, kTokensKey, what));
  const gguf::Value types = file.value(kTypesKey);
  if (!types.is_array() || types.size() != texts.size())
    return fail(Code::bad_file, "%s: %s has %zu entries, %s has %zu", what, kTypesKey.data(), types.size(),
                kTokensKey.data(), texts.size());
  if (texts.size() > kMaxVocabulary)
    return fail(Code::limit, "%s: has %zu tokens, at most %zu are accepted", what, texts.size(), kMaxVocabulary);
  if (!out.tokens.reserve(texts.size()))
    return fail(Code::out_of_memory, "%s: no memory for %zu tokens", what, texts.size());
  std::size_t id = 0, end = 0;
  bool fits = true;
  auto type = types.begin();
  for (const gguf::Value entry : texts) {
    const std::string_view text = entry.string().value_or("");
    const auto kind = (*type).integer();
    // Older converters mark padding as user-defined. No tokenizer.json has such tokens, so "[PAD7]" in a text must not
    // become one.
    const bool added = kind == kControl || (kind == kUserDefined && text != padding_text(id));
    if (!added && kind != kUserDefined && kind != kNormal && kind != kUnused)
      return fail(Code::unsupported, "%s: token %zu '%s' has the type %td, supported are 1, 3, 4 and 5", what, id,
                  Printable(text).text(), kind.value_or(-1));
    if (added) fits = fits && out.added.push_back({static_cast<std::int32_t>(id), text, kind == kControl});
    fits = fits && out.tokens.push_back(kind == kNormal ? text : std::string_view());
    if (!fits) return fail(Code::out_of_memory, "%s: no memory for the tokens", what);
    ++id, ++type;
    if (kind == kNormal) end = id;
  }
  (void)out.tokens.resize(end);  // cannot fail, because it gets smaller
  return {};
}

/// Reads the merges, each written as "left right".
inline Status read_merges(const Gguf& file, const char* what, Buffer<TokenizerSpec::Merge>& out) noexcept {
  DSVL_TRY(merges, strings(file, kMergesKey, what));
  if (!out.reserve(merges.size()))
    return fail(Code::out_of_memory, "%s: no memory for %zu merges", what, merges.size());
  for (const gguf::Value merge : merges) {
    const TokenizerSpec::Merge pair = split_merge(merge.string().value_or(""));
    if (pair.left.empty() || pair.right.empty())
      return fail(Code::bad_file, "%s: merge %zu is not a pair of tokens", what, out.size());
    if (!out.push_back(pair)) return fail(Code::out_of_memory, "%s: no memory for the merges", what);
  }
  return {};
}

/// Reads the id under `key`, which may be absent.
inline Status read_id(const Gguf& file, std::string_view key, const char* what,
                      std::optional<std::int32_t>& id) noexcept {
  const gguf::Value value = file.value(key);
  if (value.missing()) return {};
  const auto number = value.integer();
  if (!number || *number < 0 || *number >= static_cast<Index>(kMaxVocabulary))
    return fail(Code::bad_file, "%s: %s is not an integer from 0 to %zu", what, key.data(), kMaxVocabulary - 1);
  id = static_cast<std::int32_t>(*number);
  return {};
}

}  // namespace tokenizer_gguf

/// The lists of the tokenizer in `file`. Their texts are views into the file, which must outlive them. `what` names the
/// file in errors.
///
/// Codes  bad_file, unsupported (another kind of tokenizer), limit, out_of_memory
inline Result<TokenizerSource> parse_tokenizer_gguf(const Gguf& file, std::string_view what,
                                                    Allocator* from = nullptr) {
  using namespace tokenizer_gguf;
  const Printable name(what);
  DSVL_CHECK_STATUS(check_text(file, kModelKey, kModel, name.text()));
  DSVL_CHECK_STATUS(check_text(file, kPreKey, kPre, name.text()));
  TokenizerSource out(from);
  DSVL_CHECK_STATUS(read_tokens(file, name.text(), out));
  DSVL_CHECK_STATUS(read_merges(file, name.text(), out.merges));
  DSVL_CHECK_STATUS(read_id(file, kBosKey, name.text(), out.bos));
  DSVL_CHECK_STATUS(read_id(file, kEosKey, name.text(), out.eos));
  return Result<TokenizerSource>(std::move(out));
}

/// Builds a Tokenizer from a GGUF file, which is needed only during the call.
///
/// Codes  those of parse_tokenizer_gguf and of Tokenizer::build
inline Result<Tokenizer> read_tokenizer_gguf(const Gguf& file, std::string_view what, Allocator* from = nullptr) {
  DSVL_TRY(source, parse_tokenizer_gguf(file, what, from));
  return build_tokenizer(source.spec(), what, from);
}

DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_TEXT_TOKENIZER_GGUF_HPP
