// What an application chooses: limits of a session, how to generate, and what it is told afterwards.
#ifndef DSVL_CHAT_OPTIONS_HPP
#define DSVL_CHAT_OPTIONS_HPP

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "../base/host.hpp"
#include "../engine/limits.hpp"
#include "../engine/usage.hpp"
#include "../text/sampler_options.hpp"
#include "../text/system_text.hpp"

DSVL_BEGIN_NAMESPACE

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
  SamplerOptions sampling = {};          ///< greedy unless a temperature is given
  /// Texts that end the answer and are not part of it, wherever tokens begin and end: UTF-8, up to 64, none of them
  /// empty, 4096 bytes in all.
  std::vector<std::string> stop = {};
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
