// AnswerAttention: how much the tokens of an answer looked at the pictures of its prompt.
//
// A session keeps it where SessionOptions::attention_maps asks for it. It tells where the decoder read, averaged over
// all of its heads and layers. That is a hint at what an answer rests on, and no proof: tokens of a picture know more
// than their own place, and a head may look at a token for other reasons than what it shows.
#ifndef DSVL_CHAT_ANSWER_ATTENTION_HPP
#define DSVL_CHAT_ANSWER_ATTENTION_HPP

#include "../base/host_macros_push.hpp"

#include <span>

#include "../base/status.hpp"
#include "../base/view.hpp"

DSVL_BEGIN_NAMESPACE

/// A view of the attention maps of an answer; see Answer::attention() for how long it is valid. Pictures are those of
/// the whole prompt: earlier turns' come first, and the last are the question's own, in the order of
/// Answer::pictures().
class AnswerAttention {
 public:
  /// No maps.
  AnswerAttention() noexcept = default;
  /// A view of maps (tokens, pictures * cells), whose rows may have more room. For the session.
  AnswerAttention(View<const float> maps, Index pictures, Index cells) noexcept
      : maps_(maps), pictures_(pictures), cells_(cells) {}

  /// Tokens of the answer that have a map: its first ones, the end token included.
  [[nodiscard]] Index tokens() const noexcept { return maps_.rows; }
  /// Pictures of the prompt.
  [[nodiscard]] Index pictures() const noexcept { return pictures_; }
  /// Image tokens of a picture, the numbers of a map.
  [[nodiscard]] Index cells() const noexcept { return cells_; }

  /// The map of one token of the answer over one picture, (cells) in the order of TokenMap: the share of its attention
  /// that went to each image token when it was chosen, averaged over layers and heads. What went to text and to other
  /// pictures makes it add up to less than 1. Empty for a token or a picture that has none.
  [[nodiscard]] std::span<const float> map(Index token, Index picture) const noexcept {
    if (token < 0 || token >= tokens() || picture < 0 || picture >= pictures_) return {};
    return {maps_.row(token) + picture * cells_, static_cast<std::size_t>(cells_)};
  }
  /// Writes the mean of the maps of `count` tokens from `first` on: of a word, or of the whole answer.
  ///
  /// to     (cells)
  /// Codes  bad_argument (tokens or a picture that have no map, `to` of another size)
  [[nodiscard]] Status mean(Index first, Index count, Index picture, std::span<float> to) const noexcept {
    if (first < 0 || count < 1 || first >= tokens() || count > tokens() - first || picture < 0 || picture >= pictures_)
      return fail(Code::bad_argument,
                  "no attention maps of %td tokens from %td on over picture %td: there are maps of %td tokens over %td "
                  "pictures (SessionOptions::attention_maps)", count, first, picture, tokens(), pictures_);
    if (std::ssize(to) != cells_)
      return fail(Code::bad_argument, "room for %zu numbers is given, a map has %td", to.size(), cells_);
    for (float& cell : to) cell = 0;
    for (Index t = first; t < first + count; ++t) {
      const std::span<const float> map = this->map(t, picture);
      for (std::size_t i = 0; i < to.size(); ++i) to[i] += map[i] / static_cast<float>(count);
    }
    return {};
  }

 private:
  View<const float> maps_;
  Index pictures_ = 0, cells_ = 0;
};

DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_CHAT_ANSWER_ATTENTION_HPP
