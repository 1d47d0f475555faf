// PromptBuilder: from a conversation, a text or ids to the tokens of a prompt.
//
//   conversation or text -> segments -> ids (a run of image tokens for each picture) -> tokens (rows of embeddings)
//
// The ids are known before the pictures are encoded, so a prompt that is too long is found before that work is done.
#ifndef DSVL_CHAT_INTERNAL_PROMPT_BUILDER_HPP
#define DSVL_CHAT_INTERNAL_PROMPT_BUILDER_HPP

#include "../../base/host_macros_push.hpp"

#include "../../base/bump_allocator.hpp"
#include "../../engine/limits.hpp"
#include "../../engine/tokens.hpp"
#include "../../model/config.hpp"
#include "conversation.hpp"
#include "token_roles.hpp"

DSVL_BEGIN_NAMESPACE
namespace detail {

/// Makes one prompt at a time, in memory of fixed size. The last one stays until the next is made.
class PromptBuilder {
 public:
  /// `config` must outlive this object, and so must what `roles` views. Memory beyond what carve() declares comes from
  /// `from`.
  PromptBuilder(const ModelConfig& config, const TokenRoles& roles, Allocator* from) noexcept
      : config_(config), roles_(roles), scratch_(from) {}
  PromptBuilder(const PromptBuilder&) = delete;
  PromptBuilder& operator=(const PromptBuilder&) = delete;

  /// Declares the lists of a prompt, and scratch for encoding texts.
  void carve(Arena& arena, const Limits& limits) noexcept {
    context_ = limits.context;
    segments_ = arena.buffer<Segment>("prompt", 3 * context_ + 8);
    spans_ = arena.buffer<ImageSpan>("prompt", context_);
    ids_ = arena.buffer<std::int32_t>("ids", context_);
    beside_ = arena.buffer<std::int32_t>("ids", 2 * context_ + 2);
    // Encoding needs this much, unless the text is one word of that length; then it asks for more.
    const Index bytes = 8 * limits.text_bytes + (Index{64} << 10);
    std::byte* const scratch = arena.array<std::byte>("text scratch", bytes);
    if (!arena.measuring()) scratch_.use({scratch, static_cast<std::size_t>(bytes)});
  }

  // Each of these three makes the prompt. When one fails, the prompt that it leaves must not be used. Texts must be
  // UTF-8: whoever lets them into the session has looked.

  /// Makes the prompt of the whole conversation, as the model's chat template writes it. `system` may be empty.
  ///
  /// Codes  limit (longer than the context), bad_argument (those of the template and the tokenizer), out_of_memory
  Status render(Conversation& conversation, std::string_view system) noexcept {
    ChatTemplate how;
    how.style = config_.layout == Layout::original ? ChatTemplate::Style::original : ChatTemplate::Style::hf;
    how.system = system;
    DSVL_CHECK_STATUS(render_chat(conversation.messages(), how, segments_));
    return encode();
  }
  /// Makes the prompt of a text behind its pictures, or with them inside where it has placeholders on purpose; there is
  /// no template. The text must stay until the call returns.
  ///
  /// Codes  those of render(), bad_argument (places and pictures differ in number)
  Status take_text(std::string_view text, std::size_t pictures, bool placeholders) noexcept {
    segments_.clear();
    bool fits = !placeholders || split_placeholders(text, segments_);
    for (std::size_t i = 0; fits && !placeholders && i < pictures; ++i) fits = segments_.push_back(Segment::image());
    if (!placeholders) fits = fits && segments_.push_back(Segment::plain(text));
    if (!fits)
      return fail(Code::limit, "a text of %zu bytes with %zu pictures is too long for a context of %td tokens",
                  text.size(), pictures, context_);
    DSVL_CHECK_STATUS(check_places(segments_.span(), pictures));
    return encode();
  }
  /// Makes the prompt of ids as they are; runs of the image token are pictures.
  ///
  /// Codes  limit, bad_argument (ids outside the vocabulary, a run of another length than a picture has), out_of_memory
  Status take_ids(std::span<const std::int32_t> ids) noexcept {
    DSVL_CHECK_STATUS(check_length(std::ssize(ids)));
    if (!ids_.assign(ids.data(), ids.size())) return fail(Code::out_of_memory, "no memory for the prompt's ids");
    return find_images();
  }
  /// Forgets the prompt.
  void clear() noexcept {
    ids_.clear();
    spans_.clear();
  }

  /// Ok when the prompt is not empty, fits the context, and has as many places as there are pictures.
  ///
  /// Codes  bad_argument, limit
  [[nodiscard]] Status check(std::size_t pictures) const noexcept {
    if (ids_.empty()) return fail(Code::bad_argument, "the prompt is empty");
    DSVL_CHECK_STATUS(check_length(std::ssize(ids_)));
    return check_pictures(spans_.size(), pictures);
  }

  /// The ids of the prompt; valid until the next is made.
  [[nodiscard]] std::span<const std::int32_t> ids() const noexcept { return ids_.span(); }
  /// The places of pictures among them; likewise.
  [[nodiscard]] std::span<const ImageSpan> places() const noexcept { return spans_.span(); }

  /// Writes the prompt's tokens to `to`, with the rows of the n-th picture in the n-th place. `pictures` must be as
  /// many as there are places, and stay as long as the tokens are used.
  void list_tokens(std::span<ImageEmbedding* const> pictures, TokenList& to) const noexcept {
    const Index hidden = config_.decoder.hidden;
    to.clear();
    std::size_t place = 0;
    for (Index i = 0; i < std::ssize(ids_); ++i) {
      const std::int32_t id = ids_[static_cast<std::size_t>(i)];
      while (place < spans_.size() && i >= spans_[place].first + spans_[place].count) ++place;
      if (place == spans_.size() || i < spans_[place].first) {
        (void)to.push_back({{id}});  // fits, because check() has looked
        continue;
      }
      const Index row = i - spans_[place].first;
      const ImageEmbedding& picture = *pictures[place];
      (void)to.push_back({{id, static_cast<std::int32_t>(row), picture.hash}, picture.rows + row * hidden});
    }
  }

  /// The ids of a text that is no part of the prompt, such as a draft text or a continuation to score. Nothing in it
  /// becomes a control token. It must be UTF-8. Valid until the next call.
  ///
  /// Codes  those of Tokenizer::encode_valid; limit (more than twice the context)
  [[nodiscard]] Result<std::span<const std::int32_t>> encode_beside(std::string_view text) noexcept {
    scratch_.reset();
    beside_.clear();
    bool fits = true;
    const auto take = [&](std::span<const std::int32_t> ids) {
      fits = fits && beside_.append(ids.data(), ids.size());
      return true;
    };
    const TextSpan all{0, text.size()};
    DSVL_CHECK_STATUS(roles_.tokenizer->encode_valid(text, {&all, 1}, take, &scratch_));
    if (!fits)
      return fail(Code::limit, "a text of %zu bytes takes more tokens than the context of %td holds", text.size(),
                  context_);
    return std::span<const std::int32_t>(beside_.span());
  }

  /// Ok when `content` has as many places as there are pictures.
  ///
  /// Codes  bad_argument
  static Status check_places(std::span<const Segment> content, std::size_t pictures) noexcept {
    const auto is_place = [](const Segment& s) { return s.kind == Segment::Kind::image; };
    return check_pictures(static_cast<std::size_t>(std::count_if(content.begin(), content.end(), is_place)), pictures);
  }

  /// Ok when a prompt of that many tokens fits the context.
  ///
  /// Codes  limit
  [[nodiscard]] Status check_length(Index tokens) const noexcept {
    if (tokens <= context_) return {};
    return fail(Code::limit,
                "the prompt takes %td tokens, the context holds %td: ask less, rewind() or clear() the conversation, "
                "or open a session with a larger Limits::context (this model's positions end at %td)",
                tokens, context_, config_.max_positions);
  }

 private:
  /// Encodes the segments into ids and notes the places of pictures. Once the context is full, ids are only counted,
  /// for the message.
  ///
  /// Codes  those of encode_valid_prompt; limit
  Status encode() noexcept {
    scratch_.reset();
    // Without pictures the image token may be unknown; any id will do, because no place asks for it.
    const std::int32_t image = roles_.image_token.value_or(-1);
    Index tokens = 0;
    ids_.clear();
    const auto take = [&](std::span<const std::int32_t> ids) {
      const Index pictures = std::count(ids.begin(), ids.end(), image);
      tokens += std::ssize(ids) + pictures * (config_.image_tokens() - 1);
      return tokens > context_ || ids_.append(ids.data(), ids.size());
    };
    DSVL_CHECK_STATUS(encode_valid_prompt(*roles_.tokenizer, segments_.span(), image, take, &scratch_));
    DSVL_CHECK_STATUS(check_length(tokens));
    return expand_images(image, config_.image_tokens(), ids_, spans_);
  }

  /// Finds the runs of image tokens among ids that were given, each as long as a picture takes.
  ///
  /// Codes  bad_argument
  Status find_images() noexcept {
    const Index run = config_.image_tokens(), count = std::ssize(ids_);
    spans_.clear();
    for (const std::int32_t id : ids_)
      if (id < 0 || id >= config_.decoder.vocab)
        return fail(Code::bad_argument, "token id %d is outside the vocabulary of %td", id, config_.decoder.vocab);
    for (Index i = 0; roles_.image_token && i < count;) {
      const std::int32_t* const begin = ids_.data() + i;
      const auto other = [&](std::int32_t id) { return id != *roles_.image_token; };
      const Index found = std::find_if(begin, begin + std::min<Index>(run, count - i), other) - begin;
      if (found == 0) { ++i; continue; }
      if (found < run)
        return fail(Code::bad_argument, "a picture takes %td image tokens, the prompt has a run of %td", run, found);
      (void)spans_.push_back({i, run});  // there is room for as many as there are tokens
      i += run;
    }
    return {};
  }

  const ModelConfig& config_;          // sizes, and the layout that decides the template
  TokenRoles roles_;                   // views of the model
  BumpAllocator scratch_;              // of one call
  Index context_ = 0;                  // tokens that a prompt may have
  Buffer<Segment> segments_;           // of the prompt, unless it was given as ids
  Buffer<std::int32_t> ids_, beside_;  // of the prompt; of encode_beside()
  Buffer<ImageSpan> spans_;            // places of pictures among the prompt's ids
};

}  // namespace detail
DSVL_END_NAMESPACE

#include "../../base/host_macros_pop.hpp"

#endif  // DSVL_CHAT_INTERNAL_PROMPT_BUILDER_HPP
