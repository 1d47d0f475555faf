// Pre-tokenizer: it cuts text into the pieces inside which byte pairs are merged.
//
// DeepSeek's is a sequence of isolating splits. Each step runs on every piece that the step before has left; a match
// becomes a piece of its own, and so does the text between matches. (It is not an alternation of patterns: step 3
// splits "café" again, because its set has the ASCII letters and not é.) Every step is one linear scan; there is no
// regular-expression engine and no recursion over the text.
// Source: `pre_tokenizer` of DeepSeek-LLM's tokenizer.json.
#ifndef DSVL_TEXT_PRETOKENIZER_HPP
#define DSVL_TEXT_PRETOKENIZER_HPP

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "../base/utf8.hpp"
#include "unicode.hpp"

DSVL_BEGIN_NAMESPACE
namespace pretokenizer {

/// Marks the second and later bytes of a character, which otherwise have the classes of their character.
inline constexpr std::uint8_t kContinuation = 128;

/// Fills classes[i] for every byte of `text`, which must be valid UTF-8. classes.size() == text.size().
inline void classify(std::string_view text, std::span<std::uint8_t> classes) noexcept {
  for (std::size_t at = 0; at < text.size();) {
    const utf8::Character c = utf8::read(text, at);
    const std::uint8_t of = unicode::classify(c.code);
    classes[at] = of;
    for (std::size_t i = 1; i < c.bytes; ++i) classes[at + i] = static_cast<std::uint8_t>(of | kContinuation);
    at += c.bytes;
  }
}

/// The classes of a text, a byte for each of its bytes.
using Classes = std::span<const std::uint8_t>;

/// Splits off each character of class `what` alone: `[what]`.
template <class Found>
void split_each(Classes c, std::size_t begin, std::size_t end, std::uint8_t what, Found found) {
  std::size_t gap = begin;
  for (std::size_t at = begin; at < end;) {
    if (!(c[at] & what)) { ++at; continue; }
    if (gap < at) found(gap, at);
    gap = at++;
    while (at < end && (c[at] & kContinuation)) ++at;
    found(gap, at);
    gap = at;
  }
  if (gap < end) found(gap, end);
}

/// Splits off runs of class `what`: `[what]+`, or `\s?[what]+` with `space_before`.
template <class Found>
void split_runs(Classes c, std::size_t begin, std::size_t end, std::uint8_t what, bool space_before, Found found) {
  std::size_t gap = begin;
  for (std::size_t at = begin; at < end;) {
    if (!(c[at] & what)) { ++at; continue; }
    std::size_t match = at;
    if (space_before && at > gap && (c[at - 1] & unicode::kSpace))
      for (--match; c[match] & kContinuation;) --match;  // back to the first byte of the space before the run
    if (gap < match) found(gap, match);
    while (at < end && (c[at] & what)) ++at;
    found(match, at);
    gap = at;
  }
  if (gap < end) found(gap, end);
}

/// Splits off the white space at the end: `\s+$`.
template <class Found>
void split_trailing_space(Classes c, std::size_t begin, std::size_t end, Found found) {
  std::size_t at = end;
  while (at > begin && (c[at - 1] & unicode::kSpace)) --at;
  if (begin < at) found(begin, at);
  if (at < end) found(at, end);
}

/// Calls found(begin, end) for each piece, from left to right; together they are [begin, end). The six steps are nested
/// callbacks, so that no list of pieces is stored.
template <class Found>
void split(Classes c, std::size_t begin, std::size_t end, Found found) {
  using namespace unicode;
  using At = std::size_t;
  split_each(c, begin, end, kNewline, [&](At b1, At e1) {
    split_runs(c, b1, e1, kLetter, true, [&](At b2, At e2) {
      split_runs(c, b2, e2, kPunct, true, [&](At b3, At e3) {
        split_trailing_space(c, b3, e3, [&](At b4, At e4) {
          split_runs(c, b4, e4, kCjkChar, false, [&](At b5, At e5) {
            split_each(c, b5, e5, kNumber, found);
          });
        });
      });
    });
  });
}

}  // namespace pretokenizer
DSVL_END_NAMESPACE

#endif  // DSVL_TEXT_PRETOKENIZER_HPP
