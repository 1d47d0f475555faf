// Prompt lookup: it drafts the next tokens by finding where the last few occurred before.
//
// Answers repeat what is in the prompt, in an earlier answer, or in a text that the application knows (a form, the
// answer to the previous frame). A wrong draft costs little, because the model checks all drafted tokens in one pass.
// Source: Saxena, "Prompt lookup decoding" (2023); the idea is that of arXiv:2304.04487.
#ifndef DSVL_TEXT_LOOKUP_HPP
#define DSVL_TEXT_LOOKUP_HPP

#include <algorithm>
#include <cstdint>
#include <span>

#include "../base/view.hpp"

DSVL_BEGIN_NAMESPACE

/// The ids that followed, in `source`, the latest occurrence of the longest suffix of `history` (from `longest` down to
/// `shortest` ids). At most `most` ids; none when there is no occurrence. `history` may itself be `source`.
///
/// Cost   one pass over `source` for each length that is tried
inline std::span<const std::int32_t> look_up(std::span<const std::int32_t> history,
                                             std::span<const std::int32_t> source, Index most, Index longest = 4,
                                             Index shortest = 2) noexcept {
  const Index known = std::ssize(history), size = std::ssize(source);
  for (Index n = std::min<Index>(longest, known); n >= shortest; --n) {
    const std::int32_t* const end = history.data() + known;
    for (Index at = size - n - 1; at >= 0; --at) {
      const std::int32_t* const begin = source.data() + at;
      if (begin[n - 1] != end[-1] || !std::equal(begin, begin + n, end - n)) continue;
      return source.subspan(static_cast<std::size_t>(at + n),
                            static_cast<std::size_t>(std::min<Index>(most, size - at - n)));
    }
  }
  return {};
}

DSVL_END_NAMESPACE

#endif  // DSVL_TEXT_LOOKUP_HPP
