// What an application chooses: limits of a session, how to generate, and what it is told afterwards.
#ifndef DSVL_CHAT_OPTIONS_HPP
#define DSVL_CHAT_OPTIONS_HPP

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "../base/precision.hpp"
#include "../text/chat_template.hpp"
#include "../text/sampler_options.hpp"

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

/// Copied by Session::open; what `host` points to must outlive the session, its forks and its answers.
struct SessionOptions {
  Limits limits = {};
  Host host = {};  ///< null members: the model's own
  /// The system text in front of a conversation, UTF-8; may be empty. It takes tokens of the context every turn, and is
  /// computed once.
  std::string system = std::string(kDefaultSystem);
  /// Keep past answers as they were generated instead of as the template would write them (see README,
  /// "Conversations").
  bool keep_generated_ids = false;
  /// Turn photos upright as their EXIF data says. Off: like the original.
  bool apply_exif_orientation = false;
  /// 16-bit gray PNG pictures as Pillow has them, min(value, 255), which is nearly all white: for comparisons with the
  /// reference. Off: their high byte, which is what one sees.
  bool clip_gray16 = false;
  /// What picture files with alpha lie upon (r, g, b), those of Host::decode_picture too, unless their pixels name a
  /// colour. Pixels that are handed over say so themselves: Pixels::background. Empty: alpha is dropped, as by the
  /// reference, and what was invisible is seen.
  std::optional<std::array<std::uint8_t, 3>> background = {};
};

struct SaveOptions {
  /// Return when the disk has the file, not when the kernel has it: it outlives a power failure then. Takes as long as
  /// the disk does for all its bytes.
  bool sync = false;
};

/// Copied when an answer begins, texts and lists included, so they need not stay. A value out of its range ends the
/// answer at once with Finish::error, before anything is computed.
struct GenerateOptions {
  /// Tokens of the answer, the end token included: at least 1. When they are used up it ends with Finish::length. The
  /// context is a limit beside it.
  Index max_tokens = 512;
  SamplerOptions sampling;               ///< greedy unless a temperature is given
  /// Texts that end the answer and are not part of it, wherever tokens begin and end: UTF-8, up to 64, none of them
  /// empty, 4096 bytes in all.
  std::vector<std::string> stop;
  /// The text has "<image_placeholder>" where the pictures belong. Otherwise that is ordinary text and pictures come
  /// first.
  bool placeholders = false;
  /// Tokens guessed at a time and checked in one pass: 0 (none) to Limits::logit_rows - 1. The answer is the same to
  /// the last token, and so are its logits; it comes sooner where it repeats what was said before, and a wrong guess
  /// costs its row in the pass.
  Index draft = 0;
  /// A text that the answer may repeat: the answer to the frame before, a form, words of the application's. Guesses
  /// come from here first, then from the prompt, the answer itself, and the session's last answer. Not UTF-8, or longer
  /// than twice the context in tokens: no guesses come from it. Must stay until the call that begins the answer
  /// returns.
  std::string_view draft_text = {};
  /// Looked at before every tile of work. Must stay, as what `progress` points to, as long as the answer can be worked
  /// on: until it is over (finish() is not Finish::none), its session has gone on to something else, or its Answer is
  /// gone. Both are touched inside calls only.
  const CancelToken* cancel = nullptr;
  Progress progress = {};                ///< called on the thread that asks, about every 40 ms; see `cancel`
};

/// Why an answer ended. The session can be used after any of them.
enum class Finish : unsigned char {
  none,          ///< it has not ended
  eos,           ///< the model ended it
  stop,          ///< a stop text was met
  length,        ///< max_tokens
  /// By a CancelToken, or since the session went on to something else. What was said until then is the answer, and part
  /// of the conversation; where nothing was said, the question is forgotten too.
  cancelled,
  context_full,  ///< no room for another token, or for more text (Limits::text_bytes)
  /// See status(). The conversation is what it was before the question, which is forgotten with its pictures' places.
  /// text() and ids() keep what was said until then (nothing, if it could not begin); pictures that were encoded stay
  /// known.
  error,
};

constexpr std::string_view name(Finish finish) noexcept {
  switch (finish) {
    case Finish::none: return "none";
    case Finish::eos: return "eos";
    case Finish::stop: return "stop";
    case Finish::length: return "length";
    case Finish::cancelled: return "cancelled";
    case Finish::context_full: return "context_full";
    case Finish::error: return "error";
  }
  return "unknown";
}

/// Counts and seconds of one answer.
struct Usage {
  Index prompt_tokens = 0;     ///< the whole conversation up to the answer
  Index reused_tokens = 0;     ///< of these, found in the cache
  Index answer_tokens = 0;     ///< generated, the end token included
  Index passes = 0;            ///< of the decoder for them; fewer than tokens where drafts were right
  Index drafted = 0, accepted = 0;  ///< tokens guessed, and those that the model chose too
  double decode_image = 0, preprocess = 0, encode = 0, prefill = 0, decode = 0;  ///< seconds by stage
};

/// What the model thinks of a text behind a prompt.
struct Score {
  double log_likelihood = 0;      ///< natural logarithm; the sum of the tokens'
  std::vector<double> tokens;     ///< log-probability of each token
};

/// One generated token. `text` is whole characters only, so it can be empty while a character is incomplete or held
/// back as the possible beginning of a stop text; it may hold NUL, and is good until the next call.
struct Piece {
  std::string_view text;
  std::int32_t id = 0;
  double log_probability = 0;  ///< of this token, from the model's own distribution
};

DSVL_END_NAMESPACE

#endif  // DSVL_CHAT_OPTIONS_HPP
