// Prompt: the input of the decoder as a row of segments, and its encoding into ids.
//
// Segments take the place of one string so that text a user typed cannot turn into a control token. Neighbouring texts
// are still encoded as one, across their borders, because pieces and merges cross them: the ids are those of the
// reference, which encodes one string. chat_template.hpp makes prompts from conversations.
// Source: DeepSeek-VL, VLChatProcessor (bos in front, then every placeholder id replaced by copies of itself).
#ifndef DSVL_TEXT_PROMPT_HPP
#define DSVL_TEXT_PROMPT_HPP

#include "../base/host_macros_push.hpp"

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "../base/view.hpp"
#include "tokenizer.hpp"

DSVL_BEGIN_NAMESPACE

/// A part of a prompt: a view of text or ids that live elsewhere, so that making a prompt copies nothing.
struct Segment {
  /// The forms of a segment.
  enum class Kind : unsigned char {
    text,         ///< `text`, to be encoded
    image,        ///< the place of the next picture
    tokens,       ///< `ids` as they are, such as an answer that was generated
    end_of_turn,  ///< the tokenizer's eos
  };

  Kind kind = Kind::text;  ///< decides which of the fields below are read
  /// Says if `text` may name control tokens. If it may, a placeholder in it is the place of a picture.
  ControlTokens control = ControlTokens::as_text;
  std::string_view text = {};              ///< of Kind::text
  std::span<const std::int32_t> ids = {};  ///< of Kind::tokens

  /// A text.
  static constexpr Segment plain(std::string_view text, ControlTokens control = ControlTokens::as_text) noexcept {
    return {Kind::text, control, text, {}};
  }
  /// The place of a picture.
  static constexpr Segment image() noexcept { return {Kind::image, ControlTokens::as_text, {}, {}}; }
  /// Ids that need no encoding.
  static constexpr Segment tokens(std::span<const std::int32_t> ids) noexcept {
    return {Kind::tokens, ControlTokens::as_text, {}, ids};
  }
  /// The end of an answer.
  static constexpr Segment end_of_turn() noexcept { return {Kind::end_of_turn, ControlTokens::as_text, {}, {}}; }
};

/// Segments in order. Valid as long as the texts and ids that they point to.
using Prompt = Buffer<Segment>;

/// The prompt as the reference's string, for logs and tests. Segments of ids are shown as their number.
DSVL_COLD inline std::string to_string(const Prompt& prompt) {
  std::string out;
  for (const Segment& s : prompt) {
    switch (s.kind) {
      case Segment::Kind::text: out += s.text; break;
      case Segment::Kind::image: out += kImageText; break;
      case Segment::Kind::tokens: out += "<" + std::to_string(s.ids.size()) + " tokens>"; break;
      case Segment::Kind::end_of_turn: out += kEosText; break;
    }
  }
  return out;
}

/// Positions [first, first + count) of a prompt's ids stand for one picture.
struct ImageSpan {
  Index first = 0;  ///< position of the first
  Index count = 0;  ///< as many as the picture has rows
  bool operator==(const ImageSpan&) const noexcept = default;
};

/// Replaces every `image_id` among `ids` by `count` >= 1 copies, and notes their positions in `images`, from left to
/// right.
///
/// Codes  out_of_memory
inline Status expand_images(std::int32_t image_id, Index count, Buffer<std::int32_t>& ids,
                            Buffer<ImageSpan>& images) noexcept {
  const auto copies = static_cast<std::size_t>(count);
  const auto places = static_cast<std::size_t>(std::count(ids.begin(), ids.end(), image_id));
  const std::size_t before = ids.size(), room = SIZE_MAX / sizeof(std::int32_t) - before;
  if ((places > 0 && copies - 1 > room / places) || !ids.resize(before + places * (copies - 1)) ||
      !images.resize(places))
    return fail(Code::out_of_memory, "no memory for a prompt with %zu images of %td tokens", places, count);
  std::size_t to = ids.size(), place = places;
  for (std::size_t from = before; place > 0;) {  // from the back, so that ids move in place without being overwritten
    const std::int32_t id = ids[--from];
    if (id != image_id) { ids[--to] = id; continue; }
    for (std::size_t i = 0; i < copies; ++i) ids[--to] = id;
    images[--place] = {static_cast<Index>(to), count};
  }
  return {};
}

/// Encodes a prompt whose texts are known to be UTF-8: bos (when the tokenizer has one), then the segments, with one
/// `image_id` in the place of each picture. Hands the ids to `take` as they come; working memory comes from `scratch`.
///
/// Codes  bad_argument (a turn ends and the tokenizer has no eos), limit, out_of_memory
inline Status encode_valid_prompt(const Tokenizer& tokenizer, std::span<const Segment> prompt, std::int32_t image_id,
                                  TakeIds take, Allocator* scratch) noexcept {
  const auto no_memory = [] { return fail(Code::out_of_memory, "no memory for the prompt's ids"); };
  const auto take_one = [&](std::int32_t id) { return take({&id, 1}); };
  if (tokenizer.bos() && !take_one(*tokenizer.bos())) return no_memory();
  Buffer<char> run(scratch);
  Buffer<TextSpan> as_text(scratch);
  for (std::size_t i = 0; i < prompt.size(); ++i) {
    const Segment& s = prompt[i];
    if (s.kind == Segment::Kind::text) {
      if (s.control == ControlTokens::as_text && !as_text.push_back({run.size(), run.size() + s.text.size()}))
        return no_memory();
      if (!run.append(s.text.data(), s.text.size())) return no_memory();
      if (i + 1 < prompt.size()) continue;
    }
    DSVL_CHECK_STATUS(tokenizer.encode_valid({run.data(), run.size()}, as_text.span(), take, scratch));
    run.clear();
    as_text.clear();
    if (s.kind == Segment::Kind::image && !take_one(image_id)) return no_memory();
    if (s.kind == Segment::Kind::tokens && !take(s.ids)) return no_memory();
    if (s.kind != Segment::Kind::end_of_turn) continue;
    if (!tokenizer.eos()) return fail(Code::bad_argument, "a turn ends, and the tokenizer has no eos token");
    if (!take_one(*tokenizer.eos())) return no_memory();
  }
  return {};
}

/// Encodes a prompt: as encode_valid_prompt() does, but with the place of each picture as `image_tokens` copies of
/// `image_id`. `ids` and `images` are replaced; working memory comes from `scratch`.
///
/// Codes  bad_text (a segment that is not UTF-8), bad_argument (image_tokens < 1, or a turn ends and the tokenizer has
///        no eos), limit, out_of_memory
inline Status encode_prompt(const Tokenizer& tokenizer, std::span<const Segment> prompt, std::int32_t image_id,
                            Index image_tokens, Buffer<std::int32_t>& ids, Buffer<ImageSpan>& images,
                            Allocator* scratch = nullptr) noexcept {
  if (image_tokens < 1)
    return fail(Code::bad_argument, "an image must take at least 1 token, not %td", image_tokens);
  for (const Segment& s : prompt)
    if (s.kind == Segment::Kind::text) DSVL_CHECK_STATUS(utf8::validate(s.text, "a text of the prompt"));
  ids.clear();
  DSVL_CHECK_STATUS(encode_valid_prompt(tokenizer, prompt, image_id, [&](std::span<const std::int32_t> more) {
    return ids.append(more.data(), more.size());
  }, scratch));
  return expand_images(image_id, image_tokens, ids, images);
}

/// Ok when a prompt has as many places for pictures as there are pictures; else bad_argument.
DSVL_COLD inline Status check_pictures(std::size_t places, std::size_t pictures) noexcept {
  if (places == pictures) return {};
  return fail(Code::bad_argument, "the prompt has %zu place%s for pictures, and %zu picture%s given", places,
              places == 1 ? "" : "s", pictures, pictures == 1 ? " was" : "s were");
}

DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_TEXT_PROMPT_HPP
