// Session: one conversation with a model, and everything that can be done with it.
//
//   auto session = dsvl::Session::open(*model);
//   auto answer = session->ask(dsvl::Picture::file("photo.jpg"), "What is in this picture?");
//   while (auto piece = answer.next()) show(piece->text);
//
// A session belongs to one thread at a time (only CancelToken::cancel may come from elsewhere); different sessions of
// one model are independent. It keeps its model alive. After any error it is as it was before the call that failed,
// except that asking and scoring end the answer before. It moves and does not copy: fork() makes another one. One that
// was moved from answers everything with an error, or with nothing.
#ifndef DSVL_CHAT_SESSION_HPP
#define DSVL_CHAT_SESSION_HPP

#include "../base/host_macros_push.hpp"

#include <filesystem>
#include <initializer_list>
#include <span>
#include <string_view>
#include <vector>

#include "answer.hpp"
#include "model.hpp"
#include "options.hpp"
#include "picture.hpp"

DSVL_BEGIN_NAMESPACE

class Session {
 public:
  /// Takes all memory that the limits call for. `options` is copied; what its Host points to must outlive the session,
  /// its forks and its answers. Codes: bad_argument, bad_text, limit, out_of_memory.
  static Result<Session> open(const Model& model, const SessionOptions& options = {});

  /// The next turn of the conversation. Pictures come before the text (or where GenerateOptions::placeholders says).
  /// Encodes what is new and prefills; errors are in the Answer's status(). Text is taken literally: nothing a user
  /// types becomes a control token. The answer before ends, and its text and ids may be what is asked with.
  ///
  /// Pixels and bytes must stay until the call returns, `question` and everything in `options` too: all of it is used
  /// or copied by then, except what `cancel` and `progress` point to, which must stay as long as the answer is not over
  /// and is still asked for more (see GenerateOptions).
  ///
  /// Codes: bad_text (not UTF-8), bad_argument (empty, placeholders and pictures differ in number, an option out of
  /// range), limit (context, pictures), what reading pictures gives, out_of_memory, cancelled.
  [[nodiscard]] Answer ask(std::string_view question, const GenerateOptions& options = {});
  [[nodiscard]] Answer ask(const Picture& picture, std::string_view question, const GenerateOptions& options = {});
  [[nodiscard]] Answer ask(std::span<const Picture> pictures, std::string_view question,
                           const GenerateOptions& options = {});
  [[nodiscard]] Answer ask(std::initializer_list<Picture> pictures, std::string_view question,
                           const GenerateOptions& options = {});

  /// The same without computing anything yet: Answer::step or next() does. So pixels and bytes must stay until the
  /// first token has come or the answer is over, whichever is first; all else as long as with ask().
  [[nodiscard]] Answer start(std::span<const Picture> pictures, std::string_view question,
                             const GenerateOptions& options = {});

  /// For base models, and for prompts of your own: no template, no history; the text follows bos (and the pictures).
  /// Everything must stay as long as with ask().
  [[nodiscard]] Answer complete(std::span<const Picture> pictures, std::string_view text,
                                const GenerateOptions& options = {});
  /// The same from ids, bos included if it is wanted; each picture stands as its run of image tokens. Works without a
  /// tokenizer (pieces then have no text). `ids` must stay until the call returns, all else as long as with ask().
  [[nodiscard]] Answer generate(std::span<const std::int32_t> ids, std::span<const Picture> pictures,
                                const GenerateOptions& options = {});

  // These three end the answer before, as asking does, and add nothing to the conversation. Texts are taken exactly as
  // given: whether an answer begins with a space is the model's habit (the shipped model's do, " Yes"; the published
  // ones' do not), and model.tokenizer()->token_bytes(answer.ids()[0]) shows it. Everything that is handed in must stay
  // until the call returns.

  /// How likely the model finds each continuation as the beginning of its answer; the prompt is computed once. Costs a
  /// pass over the prompt, and one over each continuation but its first token. Codes: those of ask; bad_argument (an
  /// empty continuation), limit.
  Result<std::vector<Score>> score(std::span<const Picture> pictures, std::string_view question,
                                   std::span<const std::string_view> continuations,
                                   const GenerateOptions& options = {});
  /// The choices' probabilities, as if the model could say nothing else: exp(log-likelihood) of each as score() has it,
  /// scaled so that they add up to 1. Longer choices are less likely by themselves: give choices of similar length, or
  /// use score(). Codes: those of score.
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
  /// nonsense. `saved` must stay until the call returns. Codes: not_found, io, bad_file, unsupported (another model or
  /// version), limit, out_of_memory.
  static Result<Session> load(const Model& model, const std::filesystem::path& file,
                              const SessionOptions& options = {});
  static Result<Session> load(const Model& model, std::span<const std::byte> saved, const SessionOptions& options = {});

  /// Questions that were answered, and back to the first `turns` of them: later ones, and the answer in work, end and
  /// are forgotten. Codes: bad_argument (there are not so many; then nothing has changed).
  [[nodiscard]] std::size_t turns() const noexcept;
  Status rewind(std::size_t turns);
  /// Forgets the conversation, and ends the answer in work. What was computed stays, as long as its memory is not
  /// needed: the same pictures and words in front of another question cost nothing.
  void clear();

  /// Tokens the session has room for, and bytes it took from the allocator when it opened (see plan()). 0 for one that
  /// was moved from.
  [[nodiscard]] Index context() const noexcept;
  [[nodiscard]] std::size_t bytes() const noexcept;

  Session(Session&&) noexcept = default;
  Session& operator=(Session&&) noexcept = default;
  ~Session() = default;

 private:
  explicit Session(std::shared_ptr<detail::SessionState> state) noexcept : state_(std::move(state)) {}
  std::shared_ptr<detail::SessionState> state_;
};

DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_CHAT_SESSION_HPP
