// AttentionRecord: keeps what each token of an answer looked at in the pictures of the prompt.
//
// Decoding has the attention of a token to all tokens in front of it, until its next pass. The record keeps of that
// what went to pictures, in memory of fixed size.
#ifndef DSVL_CHAT_INTERNAL_ATTENTION_RECORD_HPP
#define DSVL_CHAT_INTERNAL_ATTENTION_RECORD_HPP

#include <algorithm>
#include <span>

#include "../../run/arena.hpp"
#include "../../text/prompt.hpp"
#include "../answer_attention.hpp"

DSVL_BEGIN_NAMESPACE
namespace detail {

/// The attention maps of one answer at a time.
class AttentionRecord {
 public:
  /// Declares room for the maps of `tokens` tokens of an answer over `pictures` pictures of `cells` image tokens each.
  void carve(Arena& arena, Index tokens, Index pictures, Index cells) noexcept {
    cells_ = cells;
    maps_ = arena.view<float>("attention maps", tokens, pictures * cells);
  }
  /// Begins with a prompt that has pictures at these places, which must stay until the next call.
  void begin(std::span<const ImageSpan> places) noexcept { places_ = places; }
  /// Keeps the map of the answer's token number `token`, unless there is no room for it. `attention` is that of the row
  /// that it was chosen from, which sees the whole prompt.
  void keep(Index token, std::span<const float> attention) noexcept {
    if (token >= maps_.rows || attention.empty()) return;
    float* to = maps_.row(token);
    for (const ImageSpan& place : places_) to = std::copy_n(attention.data() + place.first, place.count, to);
  }
  /// The maps of an answer that has `tokens` tokens.
  [[nodiscard]] AnswerAttention view(Index tokens) const noexcept {
    return {maps_.row_range(0, std::min<Index>(tokens, maps_.rows)), std::ssize(places_), cells_};
  }

 private:
  View<float> maps_;  // (tokens, pictures * cells)
  Index cells_ = 0;
  std::span<const ImageSpan> places_;  // of the prompt's pictures
};

}  // namespace detail
DSVL_END_NAMESPACE

#endif  // DSVL_CHAT_INTERNAL_ATTENTION_RECORD_HPP
