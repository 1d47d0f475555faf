// Reads tokenizer.json (and bos and eos from tokenizer_config.json), into lists or into a Tokenizer.
//
// Only a tokenizer that this library computes exactly is accepted: byte-level BPE with DeepSeek-LLM's pre-tokenizer.
// The file's patterns are parsed and compared with the ranges of unicode.hpp, so that a model with other rules is
// refused rather than read wrongly.
// Source: the format of HF `tokenizers`. The files are untrusted.
#ifndef DSVL_TEXT_TOKENIZER_JSON_HPP
#define DSVL_TEXT_TOKENIZER_JSON_HPP

#include "../base/host_macros_push.hpp"

#include <algorithm>
#include <optional>
#include <string_view>
#include <vector>

#include "../base/heap_sort.hpp"
#include "../io/json.hpp"
#include "../io/printable.hpp"
#include "tokenizer_source.hpp"

DSVL_BEGIN_NAMESPACE
namespace tokenizer_json {

/// The characters between the brackets of a regular expression's class, as sorted ranges that do not touch. Nothing
/// when it uses more than characters, ranges and escaped single characters.
inline std::optional<std::vector<unicode::CodepointRange>> parse_class(std::string_view inside) {
  std::vector<unicode::CodepointRange> ranges;
  std::size_t at = 0;
  const auto next = [&]() -> std::optional<std::uint32_t> {
    utf8::Character c = utf8::read(inside, at);
    if (c.code == U'[' || c.code == U'^') return std::nullopt;  // nested or negated classes are not understood
    at += c.bytes;
    if (c.code != U'\\') return c.code;
    if (at == inside.size()) return std::nullopt;
    const char escaped = inside[at++];
    if (escaped == 'r') return U'\r';
    if (escaped == 'n') return U'\n';
    if (std::string_view("\\]-^/[").find(escaped) == std::string_view::npos) return std::nullopt;
    return static_cast<unsigned char>(escaped);
  };
  while (at < inside.size()) {
    const auto first = next();
    if (!first) return std::nullopt;
    unicode::CodepointRange range{*first, *first};
    if (inside.substr(at).starts_with('-') && at + 1 < inside.size()) {
      ++at;
      const auto last = next();
      if (!last || *last < range.first) return std::nullopt;
      range.last = *last;
    }
    ranges.push_back(range);
  }
  heap_sort(ranges, [](auto a, auto b) { return a.first < b.first; });
  std::size_t n = 0;
  for (const unicode::CodepointRange r : ranges) {
    if (n > 0 && r.first <= ranges[n - 1].last + 1) ranges[n - 1].last = (std::max)(ranges[n - 1].last, r.last);
    else ranges[n++] = r;
  }
  ranges.resize(n);
  return ranges;
}

/// True when `regex` is before + "[class]" + after, with exactly the characters `wanted` in the class.
inline bool is_class(std::string_view regex, std::string_view before, std::span<const unicode::CodepointRange> wanted,
                     std::string_view after) {
  if (regex.size() < before.size() + after.size() + 2 || !regex.starts_with(before) || !regex.ends_with(after))
    return false;
  regex = regex.substr(before.size(), regex.size() - before.size() - after.size());
  if (regex.front() != '[' || regex.back() != ']') return false;
  const auto found = parse_class(regex.substr(1, regex.size() - 2));
  return found && std::equal(found->begin(), found->end(), wanted.begin(), wanted.end());
}

/// True when pre-tokenizer step `i` of the file is the step that pretokenizer::split() has there.
inline bool is_known_step(json::Value step, std::size_t i) {
  static constexpr unicode::CodepointRange kNewlines[] = {{U'\n', U'\n'}, {U'\r', U'\r'}};
  const std::string_view type = step.find("type").string().value_or("");
  if (i == 5) return type == "Digits" && step.find("individual_digits").boolean() == true;
  if (i == 6)
    return type == "ByteLevel" && step.find("add_prefix_space").boolean() == false &&
           step.find("use_regex").boolean() == false;
  if (type != "Split" || step.find("behavior").string() != "Isolated" || step.find("invert").boolean() == true)
    return false;
  const std::string_view regex = step.find("pattern").find("Regex").string().value_or("");
  switch (i) {
    case 0: return is_class(regex, "", kNewlines, "");
    case 1: return is_class(regex, "\\s?", unicode::kLetters, "+");
    case 2: return is_class(regex, "\\s?", unicode::kPunctuation, "+");
    case 3: return regex == "\\s+$";
    case 4: return is_class(regex, "", unicode::kCjk, "+");
  }
  return false;
}

/// Ok when the file's tokenizer is of the kind implemented here; else unsupported, with the part that differs.
inline Status check_kind(json::Value root, const char* what) {
  const auto unsupported = [&](const char* part, std::string_view found, const char* needed) {
    return fail(Code::unsupported, "%s: %s is '%s', supported is %s", what, part, Printable(found).text(), needed);
  };
  const json::Value model = root.find("model"), pre = root.find("pre_tokenizer"), normalizer = root.find("normalizer");
  if (!root.is_object() || !model.is_object()) return fail(Code::bad_file, "%s: there is no object 'model'", what);
  const std::string_view type = model.find("type").string().value_or("BPE");  // old files do not write it
  if (type != "BPE") return unsupported("model.type", type, "BPE");
  for (const char* name : {"continuing_subword_prefix", "end_of_word_suffix"})
    if (const auto mark = model.find(name).string(); mark && !mark->empty()) return unsupported(name, *mark, "null");
  for (const char* name : {"byte_fallback", "ignore_merges"})
    if (model.find(name).boolean() == true) return unsupported(name, "true", "false");
  if (const auto dropout = model.find("dropout").number(); dropout && *dropout != 0)
    return unsupported("model.dropout", "not 0", "null");
  if (pre.find("type").string() == "Metaspace")
    return fail(Code::unsupported,
                "%s: the pre-tokenizer is Metaspace, that of DeepSeek splits bytes: some versions of transformers 5 "
                "replace it when they load and save a LlamaTokenizer, and lose the spaces; take tokenizer.json from "
                "where the model was published", what);
  const bool idle = normalizer.find("type").string() == "Sequence" && normalizer.find("normalizers").size() == 0;
  if (!normalizer.missing() && !normalizer.is_null() && !idle)
    return unsupported("normalizer", normalizer.find("type").string().value_or("?"), "none");
  if (pre.find("type").string() != "Sequence")
    return unsupported("pre_tokenizer", pre.find("type").string().value_or(json::name(pre.kind())), "a Sequence");
  std::size_t i = 0;
  for (const json::Value step : pre.find("pretokenizers")) {
    if (!is_known_step(step, i))
      return fail(Code::unsupported, "%s: step %zu of the pre-tokenizer (%s '%s') is not the one of DeepSeek", what, i,
                  Printable(step.find("type").string().value_or("?")).text(),
                  Printable(step.find("pattern").find("Regex").string().value_or("")).text());
    ++i;
  }
  if (i != 7) return fail(Code::unsupported, "%s: the pre-tokenizer has %zu steps, that of DeepSeek has 7", what, i);
  return {};
}

/// Reads model.vocab, an object from text to id, into an array by id.
inline Status read_tokens(json::Value vocab, const char* what, Buffer<std::string_view>& tokens) {
  Index highest = -1;
  for (const json::Value token : vocab) {
    const auto id = token.integer();
    if (!id || *id < 0 || *id >= static_cast<Index>(kMaxVocabulary))
      return fail(Code::bad_file, "%s: the id of token '%s' is not an integer from 0 to %zu", what,
                  Printable(token.key()).text(), kMaxVocabulary - 1);
    highest = (std::max)(highest, *id);
  }
  if (highest < 0) return fail(Code::bad_file, "%s: model.vocab has no tokens", what);
  if (!tokens.resize(static_cast<std::size_t>(highest) + 1))
    return fail(Code::out_of_memory, "%s: no memory for %td tokens", what, highest + 1);
  std::fill(tokens.begin(), tokens.end(), std::string_view());
  for (const json::Value token : vocab) {
    const Index id = *token.integer();
    std::string_view& place = tokens[static_cast<std::size_t>(id)];
    if (!place.empty()) return fail(Code::bad_file, "%s: two tokens have the id %td", what, id);
    place = token.key();
  }
  return {};
}

/// Reads model.merges, written as "left right" or as ["left", "right"].
inline Status read_merges(json::Value merges, const char* what, Buffer<TokenizerSpec::Merge>& out) {
  if (!merges.is_array()) return fail(Code::bad_file, "%s: there is no array model.merges", what);
  if (!out.reserve(merges.size()))
    return fail(Code::out_of_memory, "%s: no memory for %zu merges", what, merges.size());
  for (const json::Value merge : merges) {
    TokenizerSpec::Merge pair;
    if (const auto text = merge.string()) {
      pair = split_merge(*text);
    } else if (merge.size() == 2) {
      pair = {merge[0].string().value_or(""), merge[1].string().value_or("")};
    }
    if (pair.left.empty() || pair.right.empty())
      return fail(Code::bad_file, "%s: merge %zu is not a pair of tokens", what, out.size());
    if (!out.push_back(pair)) return fail(Code::out_of_memory, "%s: no memory for the merges", what);
  }
  return {};
}

/// Reads added_tokens. Options that would make a token match in other places are refused.
inline Status read_added(json::Value added, const char* what, Buffer<TokenizerSpec::Added>& out) {
  for (const json::Value token : added) {
    const auto id = token.find("id").integer();
    const auto text = token.find("content").string();
    if (!id || !text || *id < 0 || *id >= static_cast<Index>(kMaxVocabulary))
      return fail(Code::bad_file, "%s: added token %zu needs 'content' and an 'id' from 0 to %zu", what, out.size(),
                  kMaxVocabulary - 1);
    for (const char* name : {"lstrip", "rstrip", "single_word"})
      if (token.find(name).boolean() == true)
        return fail(Code::unsupported, "%s: added token '%s' has %s, which is not supported", what,
                    Printable(*text).text(), name);
    if (!out.push_back({static_cast<std::int32_t>(*id), *text, token.find("special").boolean() == true}))
      return fail(Code::out_of_memory, "%s: no memory for the added tokens", what);
  }
  return {};
}

/// Finds the id of bos or eos. The configuration names its text (as a string, or an object with `content`); otherwise
/// it is the text that DeepSeek uses, if there is such a token.
inline Status read_named(json::Value config, const char* key, std::string_view otherwise, const char* what,
                         const TokenizerSpec& spec, std::optional<std::int32_t>& id) {
  const json::Value entry = config.find(key);
  auto text = entry.is_object() ? entry.find("content").string() : entry.string();
  const bool named = text.has_value();
  if (!named && !entry.missing() && !entry.is_null())
    return fail(Code::bad_file, "%s: '%s' of tokenizer_config is not a string and has no 'content'", what, key);
  if (!named) text = otherwise;
  for (const TokenizerSpec::Added& added : spec.added)
    if (added.text == *text) id = added.id;
  for (std::size_t i = 0; i < spec.tokens.size() && !id && !text->empty(); ++i)
    if (spec.tokens[i] == *text) id = static_cast<std::int32_t>(i);
  if (named && !id)
    return fail(Code::bad_file, "%s: %s '%s' of tokenizer_config is not among the tokens", what, key,
                Printable(*text).text());
  return {};
}

}  // namespace tokenizer_json

/// The tokenizer of a tokenizer.json as lists, together with the document that holds their texts.
struct TokenizerJson {
  json::Document document;  ///< holds the texts
  TokenizerSource source;   ///< views into it

  /// The lists; valid while this object lives.
  [[nodiscard]] TokenizerSpec spec() const noexcept { return source.spec(); }
};

/// Reads the text of tokenizer.json and, if there is one, of tokenizer_config.json, without building a tokenizer; the
/// converter writes the lists to GGUF. `what` names the file in errors. The texts are needed only during the call. eos
/// comes from here and never from a model's config, which in the HF layout may have LLaMA's 2.
///
/// Codes  bad_file (broken, or two tokens with one id), unsupported (another kind of tokenizer), limit, out_of_memory
inline Result<TokenizerJson> parse_tokenizer_json(std::string_view text, std::string_view what,
                                                  std::string_view config_text = {}, Allocator* from = nullptr) {
  using namespace tokenizer_json;
  const Printable name(what);
  DSVL_TRY(document, json::Document::parse(text, what, from));
  const json::Value root = document.root(), model = root.find("model");
  DSVL_CHECK_STATUS(check_kind(root, name.text()));
  TokenizerSource out(from);
  DSVL_CHECK_STATUS(read_tokens(model.find("vocab"), name.text(), out.tokens));
  DSVL_CHECK_STATUS(read_merges(model.find("merges"), name.text(), out.merges));
  DSVL_CHECK_STATUS(read_added(root.find("added_tokens"), name.text(), out.added));
  DSVL_TRY(config, json::Document::parse(config_text.empty() ? "{}" : config_text, "tokenizer_config.json", from));
  DSVL_CHECK_STATUS(read_named(config.root(), "bos_token", kBosText, name.text(), out.spec(), out.bos));
  DSVL_CHECK_STATUS(read_named(config.root(), "eos_token", kEosText, name.text(), out.spec(), out.eos));
  return TokenizerJson{std::move(document), std::move(out)};
}

/// Builds a Tokenizer from the same texts.
///
/// Codes  those of parse_tokenizer_json and of Tokenizer::build
/// Cost   under 0.2 s for the published 7.5 MB
inline Result<Tokenizer> read_tokenizer_json(std::string_view text, std::string_view what,
                                             std::string_view config_text = {}, Allocator* from = nullptr) {
  DSVL_TRY(file, parse_tokenizer_json(text, what, config_text, from));
  return build_tokenizer(file.spec(), what, from);
}

DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_TEXT_TOKENIZER_JSON_HPP
