// Session: one conversation with a model. Answer: what it says, token by token, when you ask for the next.
//
//   auto session = dsvl::Session::open(*model);
//   auto answer = session->ask("photo.jpg", "What is in this picture?");
//   while (auto piece = answer.next()) show(piece->text);
//
// A session belongs to one thread at a time (only CancelToken::cancel may come from elsewhere); different sessions of
// one model are independent. It keeps its model alive. After any error it is as it was before the call that failed.
#ifndef DSVL_CHAT_SESSION_HPP
#define DSVL_CHAT_SESSION_HPP

#include "../base/host_macros_push.hpp"

#include <chrono>

#include "model.hpp"
#include "options.hpp"
#include "picture.hpp"

DSVL_BEGIN_NAMESPACE

namespace detail {
class SessionState;
class SavedSession;
}

/// An answer being generated: a handle, cheap to move. At most one per session is going on; asking again ends the one
/// before. Keeps its session's memory alive.
class Answer {
 public:
  /// The next token; nothing at the end or on an error (see finish()). Runs the decoder once at most.
  std::optional<Piece> next();
  /// The same within about `budget`: a token when one was reached, otherwise nothing; finish() is then Finish::none as
  /// long as there is more to do. Work is left behind a tile, of a fifth of a millisecond as a rule, so a game loop can
  /// call this every frame. It covers everything that Session::start leaves to do, pictures included. Not cut into
  /// slices are decoding a picture file (hand in pixels) and choosing a token.
  std::optional<Piece> step(std::chrono::nanoseconds budget);
  /// Runs to the end, calling `show(piece)` for each token; returns status().
  template <class Show>
  Status each(Show&& show) {
    while (auto piece = next()) show(*piece);
    return status();
  }

  [[nodiscard]] Finish finish() const noexcept;
  /// Ok while all is well and at every regular end; otherwise what went wrong (cancelled included).
  [[nodiscard]] Status status() const noexcept;
  /// What has been said so far, without white space in front.
  [[nodiscard]] std::string_view text() const noexcept;
  /// Generated ids so far, the end token included.
  [[nodiscard]] std::span<const std::int32_t> ids() const noexcept;
  [[nodiscard]] Usage usage() const noexcept;
  /// Ids of the whole prompt, each picture as its run of image tokens.
  [[nodiscard]] std::span<const std::int32_t> prompt_ids() const noexcept;
  /// (vocab) logits that the last token was chosen from; before the first next(), those the first will be chosen from.
  /// Empty after the end.
  [[nodiscard]] std::span<const float> logits() const noexcept;

  /// Takes back all but the first `tokens` tokens; next() chooses anew behind them (the same token, unless a
  /// temperature and another seed, or a ban, say otherwise: see the options of a new answer). Codes: bad_argument (the
  /// answer is over or shorter, or a step() is under way).
  Status rewind(std::size_t tokens);

 private:
  friend class Session;
  Answer(std::shared_ptr<detail::SessionState> session, std::uint64_t number) noexcept
      : session_(std::move(session)), number_(number) {}
  [[nodiscard]] bool is_current() const noexcept;

  std::shared_ptr<detail::SessionState> session_;
  std::uint64_t number_ = 0;
};

class Session {
 public:
  /// Takes all memory that the limits call for. Codes: bad_argument, out_of_memory.
  static Result<Session> open(const Model& model, const SessionOptions& options = {});

  /// The next turn of the conversation. Pictures come before the text (or where GenerateOptions::placeholders says).
  /// Encodes what is new and prefills; errors are in the Answer's status(). Text is taken literally: nothing a user
  /// types becomes a control token. Codes: bad_text (not UTF-8), bad_argument (empty, placeholders and pictures differ
  /// in number, an option out of range), limit (context, pictures), what reading pictures gives, out_of_memory,
  /// cancelled.
  Answer ask(std::string_view question, const GenerateOptions& options = {});
  Answer ask(const Picture& picture, std::string_view question, const GenerateOptions& options = {});
  Answer ask(std::span<const Picture> pictures, std::string_view question, const GenerateOptions& options = {});

  /// The same without computing anything yet: Answer::step or next() does. Pixels, bytes and the cancel token must stay
  /// until the first token has come.
  Answer start(std::span<const Picture> pictures, std::string_view question, const GenerateOptions& options = {});

  /// For base models, and for prompts of your own: no template, no history; the text follows bos (and the pictures).
  Answer complete(std::span<const Picture> pictures, std::string_view text, const GenerateOptions& options = {});
  /// The same from ids, bos included if it is wanted; each picture stands as its run of image tokens. Works without a
  /// tokenizer (pieces then have no text).
  Answer generate(std::span<const std::int32_t> ids, std::span<const Picture> pictures,
                  const GenerateOptions& options = {});

  /// How likely the model finds each continuation as the beginning of its answer; the prompt is computed once. Nothing
  /// is added to the conversation. Continuations are taken as they are: the models' answers begin with a space where
  /// the text they were trained on had one (" Yes"). Codes: those of ask; bad_argument (an empty continuation), limit.
  Result<std::vector<Score>> score(std::span<const Picture> pictures, std::string_view question,
                                   std::span<const std::string_view> continuations,
                                   const GenerateOptions& options = {});
  /// The choices' probabilities, as if the model could say nothing else: exp(log-likelihood of " " + choice), adding up
  /// to 1. Longer choices are less likely by themselves: give choices of similar length, or use score().
  Result<std::vector<double>> classify(std::span<const Picture> pictures, std::string_view question,
                                       std::span<const std::string_view> choices, const GenerateOptions& options = {});
  /// Log-probability of each token of a text behind bos, without template. Codes: unsupported (no tokenizer), limit, …
  Result<std::vector<double>> log_probabilities(std::string_view text, const GenerateOptions& options = {});

  /// Another session in the same state, which shares what has been computed (copy on write) and the place for pictures;
  /// an answer in work stays with this one. Draws other random numbers. For its own tokens it takes memory: `context`
  /// tokens in all (0: as many as this one). The two may be used on different threads. Codes: limit, out_of_memory.
  Result<Session> fork(Index context = 0);

  /// Writes what a fork would share to a file: the conversation with its pictures, and what the cache holds; an answer
  /// in work is left out. The file is there whole or not at all, and what was there stays until then; of several savers
  /// the last to finish wins (see io/new_file.hpp). Codes: io, bad_argument (no name), out_of_memory.
  Status save(const std::filesystem::path& file, const SaveOptions& options = {}) const;
  /// A session in a saved state; limits and host from `options`, the system text from the file. The model must be the
  /// same, and the kind of cache. Files need not be trusted: a broken or made-up one gives an error, or at the worst
  /// nonsense. Codes: not_found, io, bad_file, unsupported (another model or version), limit, out_of_memory.
  static Result<Session> load(const Model& model, const std::filesystem::path& file,
                              const SessionOptions& options = {});
  static Result<Session> load(const Model& model, std::span<const std::byte> saved, const SessionOptions& options = {});

  /// Questions that were answered, and back to the first `turns` of them. Codes: bad_argument.
  [[nodiscard]] std::size_t turns() const noexcept;
  Status rewind(std::size_t turns);
  /// Forgets the conversation. What was computed stays, as long as its memory is not needed: the same pictures and
  /// words in front of another question cost nothing.
  void clear();

  /// Tokens the session has room for, and bytes it took from the allocator when it opened (see plan()).
  [[nodiscard]] Index context() const noexcept;
  [[nodiscard]] std::size_t bytes() const noexcept;

 private:
  explicit Session(std::shared_ptr<detail::SessionState> state) noexcept : state_(std::move(state)) {}
  std::shared_ptr<detail::SessionState> state_;
};

DSVL_END_NAMESPACE

#if DSVL_HEADER_ONLY || defined(DSVL_IMPLEMENTATION)
#include "session_impl.hpp"
#endif

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_CHAT_SESSION_HPP
