// Prompt: what goes into the decoder, as a row of segments, and its encoding into ids.
//
// Segments instead of one string, so that text somebody typed can not turn into a control token. Yet neighbouring text
// is encoded as one, across the borders, because pieces and merges cross them: the ids are those of the reference,
// which encodes one string. chat_template.hpp makes prompts from conversations.
// Source: DeepSeek-VL, VLChatProcessor (bos in front, then every placeholder id replaced by copies of itself).
#ifndef DSVL_TEXT_PROMPT_HPP
#define DSVL_TEXT_PROMPT_HPP

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "../base/view.hpp"
#include "tokenizer.hpp"

DSVL_BEGIN_NAMESPACE

struct Segment {
  enum class Kind : unsigned char {
    text,         ///< `text`
    image,        ///< the place of the next picture
    tokens,       ///< `ids`, as they are: an answer as it was generated
    end_of_turn,  ///< the tokenizer's eos
  };

  Kind kind = Kind::text;
  std::string text = {};
  /// Whether `text` may name control tokens. If it may, a placeholder in it is a picture's place.
  ControlTokens control = ControlTokens::as_text;
  std::vector<std::int32_t> ids = {};

  static Segment plain(std::string_view text, ControlTokens control = ControlTokens::as_text) {
    return {Kind::text, std::string(text), control, {}};
  }
  static Segment image() { return {Kind::image, {}, ControlTokens::as_text, {}}; }
  static Segment tokens(std::vector<std::int32_t> ids) {
    return {Kind::tokens, {}, ControlTokens::as_text, std::move(ids)};
  }
  static Segment end_of_turn() { return {Kind::end_of_turn, {}, ControlTokens::as_text, {}}; }
};

struct Prompt {
  std::vector<Segment> segments;

  /// The reference's string, for logs and tests; given ids show as their number.
  [[nodiscard]] std::string to_string() const {
    std::string out;
    for (const Segment& s : segments) {
      switch (s.kind) {
        case Segment::Kind::text: out += s.text; break;
        case Segment::Kind::image: out += kImageText; break;
        case Segment::Kind::tokens: out += "<" + std::to_string(s.ids.size()) + " tokens>"; break;
        case Segment::Kind::end_of_turn: out += kEosText; break;
      }
    }
    return out;
  }
};

/// Positions [first, first + count) of a prompt's ids stand for one picture.
struct ImageSpan {
  Index first = 0, count = 0;
  bool operator==(const ImageSpan&) const noexcept = default;
};

/// Replaces every `image_id` among `ids` by `count` >= 1 copies and notes where they are, from left to right.
inline Status expand_images(std::int32_t image_id, Index count, Buffer<std::int32_t>& ids,
                            std::vector<ImageSpan>& images) {
  images.clear();
  for (const std::int32_t id : ids)
    if (id == image_id) images.push_back({0, count});
  const auto copies = static_cast<std::size_t>(count);
  const std::size_t before = ids.size(), places = images.size(), room = SIZE_MAX / sizeof(std::int32_t) - before;
  if ((places > 0 && copies - 1 > room / places) || !ids.resize(before + places * (copies - 1)))
    return fail(Code::out_of_memory, "no memory for a prompt with %zu images of %td tokens", places, count);
  std::size_t to = ids.size(), place = places;
  for (std::size_t from = before; place > 0;) {  // from the back, in place
    const std::int32_t id = ids[--from];
    if (id != image_id) { ids[--to] = id; continue; }
    for (std::size_t i = 0; i < copies; ++i) ids[--to] = id;
    images[--place].first = static_cast<Index>(to);
  }
  return {};
}

/// Encodes a prompt: bos (when the tokenizer has one), then the segments, each picture's place as `image_tokens` copies
/// of `image_id`. `ids` and `images` are replaced. Codes: bad_text (a segment that is not UTF-8), bad_argument
/// (image_tokens < 1, a turn ends and the tokenizer has no eos), limit, out_of_memory.
inline Status encode_prompt(const Tokenizer& tokenizer, const Prompt& prompt, std::int32_t image_id,
                            Index image_tokens, Buffer<std::int32_t>& ids, std::vector<ImageSpan>& images) {
  const auto no_memory = [] { return fail(Code::out_of_memory, "no memory for the prompt's ids"); };
  if (image_tokens < 1)
    return fail(Code::bad_argument, "an image must take at least 1 token, not %td", image_tokens);
  ids.clear();
  if (tokenizer.bos() && !ids.push_back(*tokenizer.bos())) return no_memory();
  std::string run;
  std::vector<TextSpan> as_text;
  for (std::size_t i = 0; i < prompt.segments.size(); ++i) {
    const Segment& s = prompt.segments[i];
    if (s.kind == Segment::Kind::text) {
      DSVL_CHECK_STATUS(utf8::validate(s.text, "a text of the prompt"));
      if (s.control == ControlTokens::as_text) as_text.push_back({run.size(), run.size() + s.text.size()});
      run += s.text;
      if (i + 1 < prompt.segments.size()) continue;
    }
    DSVL_CHECK_STATUS(tokenizer.encode(run, as_text, ids));
    run.clear();
    as_text.clear();
    if (s.kind == Segment::Kind::image && !ids.push_back(image_id)) return no_memory();
    if (s.kind == Segment::Kind::tokens && !ids.append(s.ids.data(), s.ids.size())) return no_memory();
    if (s.kind != Segment::Kind::end_of_turn) continue;
    if (!tokenizer.eos()) return fail(Code::bad_argument, "a turn ends, and the tokenizer has no eos token");
    if (!ids.push_back(*tokenizer.eos())) return no_memory();
  }
  return expand_images(image_id, image_tokens, ids, images);
}

/// Ok when a prompt has as many places for pictures as there are pictures.
inline Status check_pictures(std::size_t places, std::size_t pictures) noexcept {
  if (places == pictures) return {};
  return fail(Code::bad_argument, "the prompt has %zu place%s for images, and %zu image%s given", places,
              places == 1 ? "" : "s", pictures, pictures == 1 ? " was" : "s were");
}

DSVL_END_NAMESPACE

#endif  // DSVL_TEXT_PROMPT_HPP
