// What an application chooses: limits of a session, how to generate, and what it is told afterwards.
#ifndef DSVL_CHAT_OPTIONS_HPP
#define DSVL_CHAT_OPTIONS_HPP

#include <optional>
#include <string>
#include <vector>

#include "../kernels/table.hpp"
#include "../text/chat_template.hpp"
#include "../text/sampler_options.hpp"

DSVL_BEGIN_NAMESPACE

/// Declared once, when a session is opened; all its memory follows from them (see plan()). After that a conversation
/// takes none, as long as pictures come as pixels.
struct Limits {
  /// Tokens of prompt and answers together. 0: 4096 (what the models were trained with), or less if the model says so.
  Index context = 0;
  /// Tokens that go through the decoder at once during prefill: the default takes a picture and a question in one go.
  /// More is faster and takes more memory; results are equal.
  Index chunk = 640;
  /// Different pictures whose embeddings are kept; those that nobody refers to make room for others. -1: as many as the
  /// context can hold. 0: none, for questions about text only; then there is no memory for the towers either.
  Index pictures = -1;
  /// Longest side of a picture that is resized in memory taken beforehand; what larger ones need comes from the
  /// allocator and goes back.
  Index picture_side = 4096;
  /// Pixels of a picture file; a 108-megapixel photo passes.
  Index picture_pixels = 128'000'000;
  /// Bytes of text that the conversation may have, answers included. 0: 16 per token of context.
  Index text_bytes = 0;
  /// Positions whose logits are kept at a time: what drafts are checked and choices are scored with in one pass.
  Index logit_rows = 8;
  /// Tokens of cache beyond the session's own context, for the beginnings of earlier conversations: with them a
  /// question about a picture that was talked about before costs only its own text.
  Index cached_tokens = 0;
  /// How keys and values are kept: float, rounded to bf16 at half the memory, or in 8 bits at a good quarter of it.
  /// Unless given: float; with quantised weights bf16, which is little beside what those are off, and read sooner.
  std::optional<KvFormat> kv = {};
  /// What products do to their input: with rounded, bf16 weights meet it in bf16 (see there what that gains and costs).
  Activations activations = Activations::exact;
};

struct SessionOptions {
  Limits limits = {};
  Host host = {};  ///< null members: the model's own
  /// The system text in front of a conversation; may be empty.
  std::string system = std::string(kDefaultSystem);
  /// Keep past answers as they were generated instead of as the template would write them (see README,
  /// "Conversations").
  bool keep_generated_ids = false;
  /// Turn photos upright as their EXIF data says. Off: like the original.
  bool apply_exif_orientation = false;
};

struct SaveOptions {
  /// Return when the disk has the file, not when the kernel has it: it outlives a power failure then. Takes as long as
  /// the disk does for all its bytes.
  bool sync = false;
};

struct GenerateOptions {
  Index max_tokens = 512;
  SamplerOptions sampling;               ///< greedy unless a temperature is given
  std::vector<std::string> stop;         ///< texts that end the answer and are not part of it
  /// The text has "<image_placeholder>" where the pictures belong. Otherwise that is ordinary text and pictures come
  /// first.
  bool placeholders = false;
  /// Tokens guessed at a time and checked in one pass; 0: none. The answer is the same to the last token, only sooner
  /// where it repeats what was said before. At most Limits::logit_rows - 1.
  Index draft = 0;
  /// A text that the answer may repeat: the answer to the frame before, a form, words of the application's. Guesses
  /// come from here first, then from the prompt, the answer itself, and the session's last answer.
  std::string_view draft_text = {};
  const CancelToken* cancel = nullptr;   ///< looked at before every tile of work
  Progress progress = {};
};

/// Why an answer ended.
enum class Finish : unsigned char {
  none,          ///< it has not ended
  eos,           ///< the model ended it
  stop,          ///< a stop text was met
  length,        ///< max_tokens
  cancelled,
  context_full,  ///< no room for another token
  error,         ///< see status()
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
