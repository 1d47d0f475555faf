// Added tokens: texts that become one id wherever they are found, before any other rule looks at the text.
//
// The leftmost match wins, and of those that start at one place the longest. Source: AddedVocabulary of HF
// `tokenizers`.
#ifndef DSVL_TEXT_ADDED_TOKENS_HPP
#define DSVL_TEXT_ADDED_TOKENS_HPP

#include "../base/host_macros_push.hpp"

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "../base/heap_sort.hpp"
#include "vocabulary.hpp"

DSVL_BEGIN_NAMESPACE

/// The added tokens of a vocabulary, sorted by text so that a search narrows them byte by byte.
class AddedTokens {
 public:
  /// Bytes [begin, end) of a text that are the added token `id`; id -1 for no match.
  struct Match { std::size_t begin = 0, end = 0; std::int32_t id = -1; };

  /// An empty set; build() fills it.
  explicit AddedTokens(Allocator* from = nullptr) noexcept : sorted_(from) {}

  /// Collects the added tokens of `vocabulary`. Their texts stay there, so the other members take the vocabulary again.
  ///
  /// Codes  bad_file (two have the same text), out_of_memory
  Status build(const Vocabulary& vocabulary) noexcept {
    for (std::int32_t id = 0; id < vocabulary.size(); ++id) {
      const Vocabulary::Kind kind = vocabulary.kind(id);
      if (kind != Vocabulary::Kind::added && kind != Vocabulary::Kind::special) continue;
      if (!sorted_.push_back(id)) return fail(Code::out_of_memory, "no memory for the added tokens");
      starts_[static_cast<unsigned char>(vocabulary.bytes(id)[0])] = true;
    }
    heap_sort(sorted_,
              [&](std::int32_t a, std::int32_t b) { return vocabulary.bytes(a) < vocabulary.bytes(b); });
    for (std::size_t i = 1; i < sorted_.size(); ++i)
      if (vocabulary.bytes(sorted_[i - 1]) == vocabulary.bytes(sorted_[i]))
        return fail(Code::bad_file, "added tokens %d and %d are the same text", sorted_[i - 1], sorted_[i]);
    return {};
  }

  /// The id of the added token with exactly this text, or -1.
  [[nodiscard]] std::int32_t find(const Vocabulary& vocabulary, std::string_view text) const noexcept {
    const Match m = text.empty() ? Match{} : longest_at(vocabulary, text, 0, text.size());
    return m.id >= 0 && m.end == text.size() ? m.id : -1;
  }

  /// The longest added token that starts at text[at]. A special one counts only if it ends at or before `special_end`.
  ///
  /// Cost   a few comparisons per byte matched, and one table look-up when no token starts with this byte
  [[nodiscard]] Match longest_at(const Vocabulary& vocabulary, std::string_view text, std::size_t at,
                                 std::size_t special_end) const noexcept {
    Match best;
    if (!starts_[static_cast<unsigned char>(text[at])]) return best;
    // Texts that agree in the first `depth` bytes are neighbours when sorted, so [low, high) narrows byte by byte.
    const std::int32_t* low = sorted_.begin();
    const std::int32_t* high = sorted_.end();
    for (std::size_t depth = 0; low != high; ++depth) {
      if (vocabulary.bytes(*low).size() == depth) {  // the shortest of the range comes first
        const bool special = vocabulary.kind(*low) == Vocabulary::Kind::special;
        if (!special || at + depth <= special_end) best = {at, at + depth, *low};
        ++low;
      }
      if (at + depth == text.size()) break;
      const auto wanted = static_cast<unsigned char>(text[at + depth]);
      const auto byte = [&](std::int32_t id) { return static_cast<unsigned char>(vocabulary.bytes(id)[depth]); };
      low = std::partition_point(low, high, [&](std::int32_t id) { return byte(id) < wanted; });
      high = std::partition_point(low, high, [&](std::int32_t id) { return byte(id) == wanted; });
    }
    return best;
  }

 private:
  Buffer<std::int32_t> sorted_;  // ids by text
  bool starts_[256] = {};        // true where an added token begins with this byte
};

DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_TEXT_ADDED_TOKENS_HPP
