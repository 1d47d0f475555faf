// EndTokens: the ids that end an answer, merged from all files that name some.
//
// The tokenizer's end of sentence always ends an answer, and so do the ids of generation_config.json, as in
// transformers' generate(). The text part of config.json counts only if the tokenizer's id is among its ids: there a
// lone 2 is the default of LLaMA's configuration class, and in DeepSeek's vocabulary 2 is an ordinary token.
#ifndef DSVL_MODEL_END_TOKENS_HPP
#define DSVL_MODEL_END_TOKENS_HPP

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "../base/heap_sort.hpp"
#include "fields.hpp"

DSVL_BEGIN_NAMESPACE

/// The eos_token_id that LLaMA's configuration class writes by default.
inline constexpr std::int32_t kLlamaEos = 2;

/// eos_token_id of an object: one id or a list of them, each below `vocab`; empty when the key is absent.
DSVL_COLD inline std::vector<std::int32_t> read_eos(const Fields& f, Index vocab) {
  constexpr std::string_view kKey = "eos_token_id";
  std::vector<Index> ids;
  if (f.value(kKey).is_array()) ids = f.integers(kKey, {}, 0, vocab - 1);
  else if (f.has(kKey)) ids = {f.integer(kKey, 0, 0, vocab - 1)};
  std::vector<std::int32_t> out;
  for (const Index id : ids) out.push_back(static_cast<std::int32_t>(id));
  return out;
}

/// The ids as the files have them, before the tokenizer is known.
struct EndTokens {
  std::vector<std::int32_t> generation;  ///< of generation_config.json
  std::vector<std::int32_t> text;        ///< of config.json's text part

  bool operator==(const EndTokens&) const noexcept = default;

  /// The set that ends an answer, sorted and without repeats. `eos` is the tokenizer's id, if there is a tokenizer.
  [[nodiscard]] std::vector<std::int32_t> with(std::optional<std::int32_t> eos) const {
    std::vector<std::int32_t> all;
    if (eos) all.push_back(*eos);
    const auto add = [&](const std::vector<std::int32_t>& ids) { all.insert(all.end(), ids.begin(), ids.end()); };
    if (!is_default(generation, eos)) add(generation);
    if (eos && std::find(text.begin(), text.end(), *eos) != text.end()) add(text);
    heap_sort(all);
    all.erase(std::unique(all.begin(), all.end()), all.end());
    return all;
  }

  /// True when `ids` are LLaMA's default and not a choice: a lone 2, while the tokenizer has another id.
  [[nodiscard]] static bool is_default(const std::vector<std::int32_t>& ids, std::optional<std::int32_t> eos) {
    return ids.size() == 1 && ids[0] == kLlamaEos && eos && *eos != kLlamaEos;
  }
};

/// The ids for a message, such as "100001, 100015".
DSVL_COLD inline std::string id_list(std::span<const std::int32_t> ids) {
  std::string out;
  for (const std::int32_t id : ids) out += (out.empty() ? "" : ", ") + std::to_string(id);
  return out;
}

DSVL_END_NAMESPACE

#endif  // DSVL_MODEL_END_TOKENS_HPP
