// SessionParts: everything of a session that works in its memory, and how much memory that is.
//
// The memory follows from a SessionShape alone, so plan() measures the same parts without a session.
#ifndef DSVL_CHAT_INTERNAL_SESSION_PARTS_HPP
#define DSVL_CHAT_INTERNAL_SESSION_PARTS_HPP

#include <memory>
#include <optional>

#include "../../engine/decoding.hpp"
#include "../../engine/image_cache.hpp"
#include "../../engine/prefix_cache.hpp"
#include "../../model/deepseek_vl.hpp"
#include "attention_record.hpp"
#include "conversation.hpp"
#include "generation.hpp"
#include "image_queue.hpp"
#include "prompt_builder.hpp"

DSVL_BEGIN_NAMESPACE
namespace detail {

/// The facts that the sizes of a session follow from. They are views; `limits` are as complete_limits() gives them.
struct SessionShape {
  const DeepseekVl& net;      ///< sizes; the formats of its weights are known
  const ModelConfig& config;  ///< of the same model
  const Limits& limits;       ///< with every default filled in
  int workers = 1;            ///< threads that there is scratch for
  const ConstraintSupport* constraints = nullptr;  ///< of LoadOptions
  Index attention_maps = 0;                        ///< tokens of an answer whose attention is kept, not negative

  /// Pages of the cache for the prefixes of earlier conversations.
  [[nodiscard]] Index cached_pages() const noexcept { return ceil_div(limits.cached_tokens, kKvBlock); }
  /// Pages that a session takes, with one into which a shared page can be copied. A fork takes fewer: it shares full
  /// pages, and uses the cached ones of the session that it was made of.
  [[nodiscard]] Index pages() const noexcept { return ceil_div(limits.context, kKvBlock) + 1 + cached_pages(); }
  /// Bytes of a page: keys and values of 64 tokens, of all layers and heads.
  [[nodiscard]] std::size_t page_bytes() const noexcept {
    const DecoderDims& d = config.decoder;
    return static_cast<std::size_t>(kv_page_bytes<float>(d.heads, d.layers, *limits.kv));
  }
};

/// The parts of a session. Later ones refer to earlier ones, so they are destroyed in the opposite order.
struct SessionParts {
  /// Constructs all parts without their memory. `images` may be null: then there are no pictures; `shared` too: then it
  /// has a decoding of its own. What `shape` and `roles` view must outlive this object, `limits` aside.
  SessionParts(const SessionShape& shape, const TokenRoles& roles, std::shared_ptr<PagePool> pages,
               const std::shared_ptr<ImageCache>& images, Decoding* shared, const ImageLimits& image_limits,
               const Host& host)
      : cache(std::move(pages)),
        decoding(shared ? *shared : own_decoding.emplace(shape.net.decoder, shape.limits, shape.workers, 1,
                                                        shape.attention_maps > 0)),
        queue(images, image_limits, host.decode_picture, host.allocator), conversation(images.get()),
        prompt(shape.config, roles, host.allocator), generation(cache, decoding, roles, host.allocator) {}

  /// Declares the memory of all parts: once to measure, which plan() does too, and once to carve.
  void lay_out(Arena& arena, const SessionShape& shape) noexcept {
    const Limits& limits = shape.limits;
    cache.carve(arena, shape.config.decoder.heads, limits.context, *limits.kv);
    if (own_decoding) own_decoding->lay_out(arena);
    queue.carve(arena, limits.context, limits.context / shape.config.image_tokens() + 1);
    conversation.carve(arena, limits.text_bytes, limits.context);
    prompt.carve(arena, limits);
    const Index vocab = shape.config.decoder.vocab;
    generation.carve(arena, limits, vocab, !own_decoding);
    if (shape.constraints) generation.held().carve(arena, *shape.constraints, vocab);
    const Index cells = shape.config.image_tokens(), maps = std::min<Index>(shape.attention_maps, limits.context);
    if (maps > 0) attention.carve(arena, maps, limits.context / cells, cells);
  }

  PrefixCache cache;                     ///< keys and values of the sequence
  std::optional<Decoding> own_decoding;  ///< of a session that is in no group
  Decoding& decoding;                    ///< prefill and decode: its own, or the group's
  ImageQueue queue;                      ///< pictures of the question at hand
  Conversation conversation;             ///< turns so far
  PromptBuilder prompt;                  ///< of the question at hand
  Generation generation;                 ///< the answer to it
  AttentionRecord attention;             ///< what its tokens looked at, where that is kept
};

}  // namespace detail
DSVL_END_NAMESPACE

#endif  // DSVL_CHAT_INTERNAL_SESSION_PARTS_HPP
