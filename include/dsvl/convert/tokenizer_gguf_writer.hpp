// write_tokenizer_gguf(): a tokenizer in the head of a GGUF file.
//
// The keys are those of text/tokenizer_gguf.hpp, which reads it back; llama.cpp reads the same ones.
#ifndef DSVL_CONVERT_TOKENIZER_GGUF_WRITER_HPP
#define DSVL_CONVERT_TOKENIZER_GGUF_WRITER_HPP

#include "../base/host_macros_push.hpp"

#include <algorithm>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "../text/tokenizer_gguf.hpp"
#include "gguf_writer.hpp"

DSVL_BEGIN_NAMESPACE

/// Writes a tokenizer into the head of a GGUF file, so that read_tokenizer_gguf makes one that encodes and decodes
/// alike. `vocab` is the number of rows of the embedding, at least one more than the highest id.
///
/// Codes  bad_argument (ids beyond `vocab`, merges that cannot be written as "left right")
DSVL_COLD
inline Status write_tokenizer_gguf(GgufHead& head, const TokenizerSpec& spec, Index vocab) {
  using namespace tokenizer_gguf;
  const auto rows = static_cast<std::size_t>((std::max<Index>)(vocab, 0));
  if (spec.tokens.size() > rows)
    return fail(Code::bad_argument, "%zu tokens do not fit into a vocabulary of %td", spec.tokens.size(), vocab);
  // GGUF has one text and one type for each row of the embedding, so ids without a token get a text of their own below.
  std::vector<std::string_view> texts(spec.tokens.begin(), spec.tokens.end());
  texts.resize(rows);
  std::vector<std::int32_t> types(rows, kNormal);
  for (const TokenizerSpec::Added& added : spec.added) {
    if (added.id < 0 || added.id >= vocab)
      return fail(Code::bad_argument, "added token %d does not fit into a vocabulary of %td", added.id, vocab);
    texts[static_cast<std::size_t>(added.id)] = added.text;
    types[static_cast<std::size_t>(added.id)] = added.special ? kControl : kUserDefined;
  }
  std::deque<std::string> made;  // owns the texts made here; a deque, because it does not move them and views are taken
  for (std::size_t id = 0; id < rows; ++id) {
    if (!texts[id].empty()) continue;
    texts[id] = made.emplace_back(padding_text(id));
    types[id] = kUnused;
  }
  // A merge is stored as "left right", so a token with a space in it could not be told apart again.
  std::vector<std::string_view> merges;
  merges.reserve(spec.merges.size());
  for (const TokenizerSpec::Merge& merge : spec.merges) {
    std::string& pair = made.emplace_back(merge.left);
    (pair += ' ') += merge.right;
    const TokenizerSpec::Merge back = split_merge(pair);
    if (merge.left.empty() || merge.right.empty() || back.left != merge.left)
      return fail(Code::bad_argument, "merge %zu is not a pair of tokens", merges.size());
    merges.push_back(pair);
  }
  head.set(kModelKey, kModel).set(kPreKey, kPre);
  head.set(kTokensKey, texts).set(kTypesKey, types).set(kMergesKey, merges);
  if (spec.bos) head.set(kBosKey, static_cast<std::uint32_t>(*spec.bos));
  if (spec.eos) head.set(kEosKey, static_cast<std::uint32_t>(*spec.eos));
  return {};
}

DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_CONVERT_TOKENIZER_GGUF_WRITER_HPP
