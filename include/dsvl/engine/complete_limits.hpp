// complete_limits(): the limits that a session is opened with, every default filled in.
//
// Session::open and plan() both call it before anything is laid out, so the plan and the session have the same sizes.
#ifndef DSVL_ENGINE_COMPLETE_LIMITS_HPP
#define DSVL_ENGINE_COMPLETE_LIMITS_HPP

#include <algorithm>
#include <cstdint>
#include <limits>

#include "../base/status.hpp"
#include "../language/decoder.hpp"
#include "../model/config.hpp"
#include "limits.hpp"

DSVL_BEGIN_NAMESPACE

/// Fills in every default and checks every range. `decoder` must know the formats of its weights, because they decide
/// how keys and values are kept; no weight is read.
///
/// Codes  bad_argument (limits that make no sense), limit (values that are too large)
DSVL_COLD
inline Result<Limits> complete_limits(const Limits& limits, const ModelConfig& config, const Decoder& decoder) {
  Limits out = limits;
  const Index positions = config.max_positions;
  if (out.context == 0) out.context = std::min<Index>(kTrainedContext, positions);
  if (out.context < 1 || out.chunk < 1)
    return fail(Code::bad_argument, "a context of %td tokens in chunks of %td: both must be at least 1", out.context,
                out.chunk);
  if (out.context > positions)
    return fail(Code::limit, "a context of %td tokens is too long: the model has positions for %td", out.context,
                positions);
  if (out.pictures < -1 || out.picture_pixels < 1 || out.picture_side < 1)
    return fail(Code::bad_argument,
                "limits of %td pictures (must be -1 or more), %td pixels and %td a side (1 or more)", out.pictures,
                out.picture_pixels, out.picture_side);
  if (out.logit_rows < 1 || out.text_bytes < 0 || out.cached_tokens < 0)
    return fail(Code::bad_argument,
                "limits of %td rows of logits (must be 1 or more), %td bytes of text and %td cached tokens (0 or more)",
                out.logit_rows, out.text_bytes, out.cached_tokens);
  // A prompt has no room for more pictures than this.
  if (out.pictures < 0) out.pictures = std::max<Index>(out.context / config.image_tokens(), 1);
  // Rounding keys and values to bf16 adds little to the error of quantised weights, and attention then reads half as
  // much.
  const bool few_bits = !decoder.blocks.empty() && quantized(decoder.blocks[0].qkv.weight.format);
  if (!out.kv) out.kv = few_bits ? KvFormat::bf16 : KvFormat::full;
  // Tokens are shorter than this on average, so the context is full before the text is.
  if (out.text_bytes == 0) out.text_bytes = 16 * out.context;
  out.picture_side = std::min<Index>(out.picture_side, kMaxPictureSide);
  // The bound is far above any memory and far below an overflow of the products to come. Where an Index has 32 bits, it
  // is a quarter of the largest Index.
  constexpr auto kMost = static_cast<Index>(
      (std::min<std::int64_t>)(std::int64_t{1} << 40, (std::numeric_limits<Index>::max)() / 4));
  if (out.pictures > (Index{1} << 20) || out.text_bytes > kMost || out.cached_tokens > kMost)
    return fail(Code::limit,
                "limits of %td pictures, %td bytes of text and %td cached tokens: at most %td, %td and %td are taken",
                out.pictures, out.text_bytes, out.cached_tokens, Index{1} << 20, kMost, kMost);
  return out;
}

DSVL_END_NAMESPACE

#endif  // DSVL_ENGINE_COMPLETE_LIMITS_HPP
