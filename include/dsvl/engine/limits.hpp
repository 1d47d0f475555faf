// Limits: how much a session may take. All of its memory follows from them.
//
// An application sets them once, in SessionOptions. complete_limits.hpp fills in the defaults and checks the ranges.
#ifndef DSVL_ENGINE_LIMITS_HPP
#define DSVL_ENGINE_LIMITS_HPP

#include <optional>

#include "../base/precision.hpp"
#include "../base/view.hpp"

DSVL_BEGIN_NAMESPACE

/// The sizes of a session, declared when it is opened. All its memory follows from them, and plan() lists it in bytes.
/// After that a conversation takes no memory as long as pictures come as pixels. A value out of its range is an error
/// of Session::open: bad_argument, or limit where it is only too large. None is corrected silently, except where the
/// field says so.
struct Limits {
  /// Tokens of prompt and answers together: 1 to ModelInfo::max_context. 0 means the 4096 that the models were trained
  /// with, or less if the model says so; a longer context is allowed, and the log gets a warning. A token takes 2 x
  /// layers x heads x head size numbers in the format that `kv` names: in float 384 KiB with the 1.3B models, 960 KiB
  /// with the 7B.
  Index context = 0;
  /// Tokens that go through the decoder at once during prefill, at least 1; a chunk longer than the context is cut to
  /// it. The default takes a picture and a question in one go. A larger chunk is faster and takes more memory; the
  /// results are equal.
  Index chunk = 640;
  /// Different pictures whose embeddings are kept, 0 to 2^20. When all places are taken, the least recently used
  /// embedding that no conversation refers to makes room. Each takes ModelInfo::image_tokens x hidden floats (1.3B: 4.5
  /// MiB, 7B: 9 MiB). -1 means as many as the context can hold, and at least one. 0 means none, for questions about
  /// text only; then there is no memory for the towers either.
  Index pictures = -1;
  /// Longest side, in pixels, of a picture that is resized in memory taken beforehand: at least 1; more than 2^20 means
  /// 2^20. For larger pictures the rest comes from the allocator and goes back afterwards; they give the same answers.
  Index picture_side = 4096;
  /// Most pixels, width times height, of a picture file: at least 1; the default admits a photo of 108 megapixels. A
  /// larger file is an error of the answer, found before it is decoded. Decoding takes 3 bytes a pixel and more while
  /// it lasts. The limit does not apply to Pixels, which need no decoding.
  Index picture_pixels = 128'000'000;
  /// Bytes of text that the conversation may have, answers included: up to 2^40. 0 means 16 per token of context. The
  /// session takes about ten times as many bytes, because encoding a text needs scratch.
  Index text_bytes = 0;
  /// Positions whose logits are kept at a time, at least 1; more than `chunk` means `chunk`. A pass checks up to
  /// logit_rows - 1 draft tokens, or scores up to logit_rows tokens of a choice. Each position takes a float per token
  /// of the vocabulary (the published models: 400 KiB).
  Index logit_rows = 8;
  /// Tokens of KV cache beyond the session's own context, 0 to 2^40. They keep the prefixes of earlier conversations,
  /// so that a question about a picture that was talked about before costs only its own text. Each takes as much memory
  /// as a token of `context`.
  Index cached_tokens = 0;
  /// The format of keys and values: float, rounded to bf16 at half the memory, or in 8 bits at a good quarter of it.
  /// Unless given, it is float. With quantised weights it is bf16, which adds little to the error of the weights and is
  /// read faster.
  std::optional<KvFormat> kv = {};
  /// The precision in which activations enter products. bf16 rounds them where weights are bf16, for a faster prefill
  /// on some processors.
  ActivationPrecision activations = ActivationPrecision::f32;

  /// Whether all sizes are equal.
  bool operator==(const Limits&) const noexcept = default;
};

DSVL_END_NAMESPACE

#endif  // DSVL_ENGINE_LIMITS_HPP
