// Limits: how much a session may take, from which all its memory follows.
#ifndef DSVL_ENGINE_LIMITS_HPP
#define DSVL_ENGINE_LIMITS_HPP

#include <optional>

#include "../base/precision.hpp"
#include "../base/view.hpp"

DSVL_BEGIN_NAMESPACE

/// Declared once, when a session is opened; all its memory follows from them (plan() lists it in bytes). After that a
/// conversation takes none, as long as pictures come as pixels. A value out of its range is an error of
/// Session::open (bad_argument, or limit where it is only too large); none is corrected silently but where it says so.
struct Limits {
  /// Tokens of prompt and answers together: 1 to ModelInfo::max_context. 0: 4096 (what the models were trained with),
  /// or less if the model says so; more than that is warned of. A token takes 2 x layers x heads x head size numbers as
  /// `kv` keeps them: in float 384 KiB with the 1.3B models, 960 KiB with the 7B.
  Index context = 0;
  /// Tokens that go through the decoder at once during prefill, at least 1; more than the context means the context.
  /// The default takes a picture and a question in one go. More is faster and takes more memory; results are equal.
  Index chunk = 640;
  /// Different pictures whose embeddings are kept, 0 to 2^20; those that nobody refers to make room for others. Each
  /// takes ModelInfo::image_tokens x hidden floats (1.3B: 4.5 MiB, 7B: 9 MiB). -1: as many as the context can hold, and
  /// at least one. 0: none, for questions about text only; then there is no memory for the towers either.
  Index pictures = -1;
  /// Longest side, in pixels, of a picture that is resized in memory taken beforehand: at least 1, and more than 2^20
  /// means that. What larger ones need comes from the allocator and goes back; they give the same answers.
  Index picture_side = 4096;
  /// Most pixels, width times height, of a picture file: at least 1; a 108-megapixel photo passes. A larger one is an
  /// error of the answer, found before it is decoded. Decoding takes 3 bytes a pixel and more while it lasts. Does not
  /// bound Pixels.
  Index picture_pixels = 128'000'000;
  /// Bytes of text that the conversation may have, answers included: up to 2^40. 0: 16 per token of context. The
  /// session takes about ten times as many, for what encoding it needs.
  Index text_bytes = 0;
  /// Positions whose logits are kept at a time: what drafts are checked and choices are scored with in one pass. At
  /// least 1; more than `chunk` means that. Each takes a float per token of the vocabulary (the published models: 400
  /// KiB).
  Index logit_rows = 8;
  /// Tokens of cache beyond the session's own context, for the beginnings of earlier conversations, 0 to 2^40: with
  /// them a question about a picture that was talked about before costs only its own text. Each takes what one of
  /// `context` takes.
  Index cached_tokens = 0;
  /// How keys and values are kept: float, rounded to bf16 at half the memory, or in 8 bits at a good quarter of it.
  /// Unless given: float; with quantised weights bf16, which is little beside what those are off, and read sooner.
  std::optional<KvFormat> kv = {};
  /// How activations enter products: bf16 rounds them where weights are bf16, for a faster prefill on some processors.
  ActivationPrecision activations = ActivationPrecision::f32;
};

DSVL_END_NAMESPACE

#endif  // DSVL_ENGINE_LIMITS_HPP
