// The choices of an application for a session and for an answer, and the forms in which it gets results.
#ifndef DSVL_CHAT_OPTIONS_HPP
#define DSVL_CHAT_OPTIONS_HPP

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "../base/host.hpp"
#include "../base/until.hpp"
#include "../engine/limits.hpp"
#include "../engine/usage.hpp"
#include "../text/sampler_options.hpp"
#include "../text/system_text.hpp"

DSVL_BEGIN_NAMESPACE

class Constraint;  // constraint/constraint.hpp

/// Choices for the whole life of a session. Session::open copies them; what `host` points to must outlive the session,
/// its forks and its answers.
struct SessionOptions {
  Limits limits = {};  ///< sizes, from which all its memory follows
  Host host = {};      ///< null members: the model's own
  /// The system text in front of a conversation, UTF-8; may be empty. It takes tokens of the context in every turn, and
  /// is computed once.
  std::string system = std::string(kDefaultSystem);
  /// Keeps past answers as the ids that were generated, instead of as the template would write their text (see README,
  /// "Conversations").
  bool keep_generated_ids = false;
  /// Turns photos upright as their EXIF data says. Off: they stay as they are stored, like in the original.
  bool apply_exif_orientation = false;
  /// Takes 16-bit gray PNG pictures as Pillow does, min(value, 255), which is nearly all white: for comparisons with
  /// the reference. Off: their high byte is taken, which is what a viewer shows.
  bool clip_gray16 = false;
  /// The colour (r, g, b) that picture files with alpha are blended onto, those of Host::decode_picture too unless
  /// their pixels name one. Pixels that the application hands in have Pixels::background instead. Empty: alpha is
  /// dropped, as by the reference, so what was invisible is seen.
  std::optional<std::array<std::uint8_t, 3>> background = {};

  /// Tokens of an answer, from its first on, whose attention to the pictures of the prompt is kept (see
  /// Answer::attention). 0: none, and nothing of the kind is computed; more than the context means the context. Answers
  /// have the same bits either way. Each takes a float for every image token that the context can hold, and decoding
  /// takes Limits::logit_rows x heads x context floats. Sessions of a Scheduler keep none: it refuses them.
  Index attention_maps = 0;

  /// Whether all choices are equal.
  bool operator==(const SessionOptions&) const noexcept = default;
};

/// The way in which a session is saved.
struct SaveOptions {
  /// Returns when the disk has the file, not when the kernel has it: then it also survives a power failure. It takes as
  /// long as the disk does for all its bytes.
  bool sync = false;
};

/// Choices for one answer. They are copied when it begins, texts and lists included, so they need not stay. A value out
/// of its range ends the answer at once with Finish::error, before anything is computed.
struct GenerateOptions {
  /// Tokens of the answer, the end token included: at least 1. When they are used up, it ends with Finish::length. The
  /// context is a limit beside it.
  Index max_tokens = 512;
  SamplerOptions sampling = {};  ///< greedy unless a temperature is given
  /// Stop strings: texts that end the answer and are not part of it, wherever tokens begin and end. They are UTF-8, up
  /// to 64, none of them empty, 4096 bytes in all.
  std::vector<std::string> stop = {};
  /// The text has "<image_placeholder>" where the pictures belong. Otherwise that is ordinary text, and pictures come
  /// first.
  bool placeholders = false;
  /// Draft tokens that are guessed at a time and checked in one pass: 0 (none) to Limits::logit_rows - 1. The answer is
  /// the same to the last token, and so are its logits. It comes sooner where it repeats what was said before; a wrong
  /// guess costs its row in the pass.
  Index draft = 0;
  /// A text that the answer may repeat: the answer to the frame before, a form, words of the application's. Guesses
  /// come from here first, then from the prompt, the answer itself, and the session's last answer. A text that is not
  /// UTF-8, or is longer than twice the context in tokens, is ignored. It must stay until the call that begins the
  /// answer returns.
  std::string_view draft_text = {};
  /// What the answer is held to: JSON of a schema, a pattern, choices (see constraint/constraint.hpp). Null: nothing.
  /// The model must have been loaded with LoadOptions::constraints. It must stay as long as the answer can be worked
  /// on; other answers may use it too. With `draft`, text that can not be otherwise is guessed. Saving and forking
  /// leave it out, as they do the answer.
  const Constraint* constraint = nullptr;
  /// The time at which the answer ends at the latest, with what was said until then and Finish::deadline: behind the
  /// tile of work that was under way, about a fifth of a millisecond as a rule. It covers pictures and prompt too.
  /// Later by more are only a PNG that is being decoded, a decoder of the application's, and a pass that a scheduler's
  /// other answers share. The largest time means none.
  Clock::time_point deadline = (Clock::time_point::max)();
  /// Looked at before every tile of work; null: cannot be cancelled. It must stay, like what `progress` points to, as
  /// long as the answer can be worked on: until it is over (finish() is not Finish::none), its session has gone on to
  /// something else, or its Answer is gone. Both are touched inside calls only.
  const CancelToken* cancel = nullptr;
  Progress progress = {};  ///< called on the thread that asks, about every 40 ms; see `cancel`
};

/// Why an answer ended. The session can be used after any of them.
enum class Finish : unsigned char {
  none,    ///< it has not ended
  eos,     ///< the model ended it
  stop,    ///< a stop string was met
  length,  ///< GenerateOptions::max_tokens were generated
  /// A CancelToken was set, or the session went on to something else. What was said until then is the answer, and part
  /// of the conversation; where nothing was said, the question is forgotten too.
  cancelled,
  /// GenerateOptions::deadline has come. As with `cancelled`, what was said until then is the answer.
  deadline,
  /// There is no room for another token, or for more text (Limits::text_bytes).
  context_full,
  /// See status(). The conversation is what it was before the question, which is forgotten with its pictures' places.
  /// text() and ids() keep what was said until then (nothing, if the answer could not begin); pictures that were
  /// encoded stay known.
  error,
};

/// The name ("eos"), for logs.
constexpr std::string_view name(Finish finish) noexcept {
  switch (finish) {
    case Finish::none: return "none";
    case Finish::eos: return "eos";
    case Finish::stop: return "stop";
    case Finish::length: return "length";
    case Finish::cancelled: return "cancelled";
    case Finish::deadline: return "deadline";
    case Finish::context_full: return "context_full";
    case Finish::error: return "error";
  }
  return "unknown";
}

/// The likelihood of a text behind a prompt, as the model sees it.
struct Score {
  double log_likelihood = 0;   ///< natural logarithm; the sum of the tokens'
  std::vector<double> tokens;  ///< log-probability of each token
};

/// One generated token with the text that it made visible. The text is whole characters only, so it can be empty while
/// a character is incomplete or held back as the possible beginning of a stop string. It may contain NUL.
struct Piece {
  std::string_view text;       ///< UTF-8; valid until the next call
  std::int32_t id = 0;         ///< of the token
  double log_probability = 0;  ///< of this token, from the model's own distribution
};

DSVL_END_NAMESPACE

#endif  // DSVL_CHAT_OPTIONS_HPP
