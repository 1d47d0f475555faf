// Session: one conversation with a model, and everything that can be done with it.
//
//   auto session = dsvl::Session::open(*model);
//   auto answer = session->ask(dsvl::Picture::file("photo.jpg"), "What is in this picture?");
//   while (auto piece = answer.next()) show(piece->text);
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

class Scheduler;

/// One conversation with a model, which it keeps alive.
///
/// A session is used by one thread at a time (only CancelToken::cancel may come from elsewhere); different sessions of
/// one model are independent. After any error it is as it was before the call that failed, except that asking and
/// scoring end the answer before. It moves and does not copy: fork() makes another one. A session that was moved from
/// answers every call with an error, or with nothing.
class Session {
 public:
  /// Takes all memory that the limits call for. `options` is copied; what its Host points to must outlive the session,
  /// its forks and its answers.
  ///
  /// Codes  bad_argument, bad_text, limit, out_of_memory
  static Result<Session> open(const Model& model, const SessionOptions& options = {});

  /// Asks the next question of the conversation. Pictures come before the text, or where GenerateOptions::placeholders
  /// says. The call encodes what is new and prefills; errors are in the Answer's status(). Text is taken literally:
  /// nothing that a user types becomes a control token. The answer before ends, and its text and ids may be what is
  /// asked with.
  ///
  /// Pixels and bytes must stay until the call returns, `question` and everything in `options` too. All of it is used
  /// or copied by then, except what `cancel` and `progress` point to, which must stay as long as the answer is not over
  /// and is still asked for more (see GenerateOptions).
  ///
  /// Codes  bad_text (not UTF-8), bad_argument (empty, placeholders and pictures differ in number, an option out of
  ///        range), limit (context, pictures), unsupported (no tokenizer), those of reading pictures, out_of_memory,
  ///        cancelled
  [[nodiscard]] Answer ask(std::string_view question, const GenerateOptions& options = {});
  /// Asks about one picture.
  [[nodiscard]] Answer ask(const Picture& picture, std::string_view question, const GenerateOptions& options = {});
  /// Asks about several pictures, in their order.
  [[nodiscard]] Answer ask(std::span<const Picture> pictures, std::string_view question,
                           const GenerateOptions& options = {});
  /// Asks about pictures that are listed in the call: ask({first, second}, "…").
  [[nodiscard]] Answer ask(std::initializer_list<Picture> pictures, std::string_view question,
                           const GenerateOptions& options = {});

  /// Begins a question like ask(), and computes nothing yet: Answer::step or next() does. So pixels and bytes must stay
  /// until the first token has come or the answer is over, whichever is first; everything else as long as with ask().
  [[nodiscard]] Answer start(std::span<const Picture> pictures, std::string_view question,
                             const GenerateOptions& options = {});

  /// Continues a text, for base models and for prompts of your own: there is no template and no history; the text
  /// follows bos and the pictures. Everything must stay as long as with ask().
  [[nodiscard]] Answer complete(std::span<const Picture> pictures, std::string_view text,
                                const GenerateOptions& options = {});
  /// Continues ids, bos included if it is wanted; each picture stands as its run of image tokens. It works without a
  /// tokenizer (pieces then have no text). `ids` must stay until the call returns, all else as long as with ask().
  [[nodiscard]] Answer generate(std::span<const std::int32_t> ids, std::span<const Picture> pictures,
                                const GenerateOptions& options = {});
  /// Begins to continue ids like generate(), and computes nothing yet, like the other start(): for conversations that
  /// the session did not lead, such as those that a server is sent (text/chat_template.hpp and text/prompt.hpp make ids
  /// of them). `ids` must stay until the call returns, all else as long as with the other start().
  [[nodiscard]] Answer start(std::span<const std::int32_t> ids, std::span<const Picture> pictures,
                             const GenerateOptions& options = {});

  // These four end the answer before, as asking does, and add nothing to the conversation. Texts are taken exactly as
  // given: whether an answer begins with a space is the model's habit (the shipped model's do, " Yes"; the published
  // ones' do not), and model.tokenizer()->token_bytes(answer.ids()[0]) shows it. Everything that is handed in must stay
  // until the call returns.

  /// Scores how likely the model finds each continuation as the beginning of its answer. The prompt is computed once.
  ///
  /// Codes  those of ask; bad_argument (an empty continuation), limit
  /// Cost   a pass over the prompt, and one over each continuation but its first token
  Result<std::vector<Score>> score(std::span<const Picture> pictures, std::string_view question,
                                   std::span<const std::string_view> continuations,
                                   const GenerateOptions& options = {});
  /// Scores how likely each sequence of ids is behind `prefix`, without template and history, as generate() takes it:
  /// bos included if it is wanted, each picture as its run of image tokens. It works without a tokenizer. The ids at
  /// the border of two texts depend on both, so encode them as one and cut where the prefix ends.
  ///
  /// Codes  those of generate; bad_argument (no ids to score, or one outside the vocabulary), limit
  /// Cost   a pass over what the cache lacks of `prefix`, and one over each sequence but its first token
  Result<std::vector<Score>> score(std::span<const std::int32_t> prefix, std::span<const Picture> pictures,
                                   std::span<const std::span<const std::int32_t>> sequences,
                                   const GenerateOptions& options = {});
  /// The choices' probabilities, as if the model could say nothing else: exp(log-likelihood) of each as score() has it,
  /// scaled so that they add up to 1. Longer choices are less likely by themselves: give choices of similar length, or
  /// use score().
  ///
  /// Codes  those of score
  Result<std::vector<double>> classify(std::span<const Picture> pictures, std::string_view question,
                                       std::span<const std::string_view> choices, const GenerateOptions& options = {});
  /// Log-probability of each token of a text behind bos, without the template.
  ///
  /// Codes  unsupported (no tokenizer, or one without bos), and those of score
  Result<std::vector<double>> log_probabilities(std::string_view text, const GenerateOptions& options = {});

  /// Makes another session in the same state, which shares what has been computed (copy on write) and the memory for
  /// pictures. An answer in work stays with this one. The fork draws other random numbers. For its own tokens it takes
  /// memory: `context` tokens in all (0: as many as this one). The two may be used on different threads, unless they
  /// are a scheduler's.
  ///
  /// Codes  bad_argument (a negative context), limit (also of a scheduler's session: more than the scheduler has for
  ///        each), out_of_memory
  Result<Session> fork(Index context = 0);

  /// Writes what a fork would share to a file: the conversation with its pictures, and what the cache holds. An answer
  /// in work is left out. The file is there whole or not at all, and what was there stays until then; of several savers
  /// the last to finish wins (see io/new_file.hpp).
  ///
  /// Codes  io, bad_argument (no name), out_of_memory
  Status save(const std::filesystem::path& file, const SaveOptions& options = {}) const;
  /// Opens a session in a saved state; limits and host come from `options`, the system text and keep_generated_ids from
  /// the file. The model must be the same, and the format of keys and values. Files need not be trusted: a broken or
  /// made-up one gives an error, or at the worst nonsense.
  ///
  /// Codes  not_found, io, bad_file, bad_text, unsupported (another model or version), limit, out_of_memory, and those
  ///        of open()
  static Result<Session> load(const Model& model, const std::filesystem::path& file,
                              const SessionOptions& options = {});
  /// Opens a session from a saved file that lies in memory, which must stay until the call returns.
  static Result<Session> load(const Model& model, std::span<const std::byte> saved, const SessionOptions& options = {});

  /// Number of questions that were answered.
  [[nodiscard]] std::size_t turns() const noexcept;
  /// Goes back to the first `turns` questions and their answers. Later ones, and the answer in work, end and are
  /// forgotten.
  ///
  /// Codes  bad_argument (there are not so many; nothing has changed then)
  Status rewind(std::size_t turns);
  /// Forgets the conversation, and ends the answer in work. What was computed stays as long as its memory is not
  /// needed: the same pictures and words in front of another question cost nothing.
  void clear();

  /// Tokens that the session has room for; 0 for one that was moved from.
  [[nodiscard]] Index context() const noexcept;
  /// Bytes that it took from the allocator when it opened (see plan()); 0 for one that was moved from.
  [[nodiscard]] std::size_t bytes() const noexcept;

  /// Takes the conversation over. Calls of the session that was moved from give errors, or nothing.
  Session(Session&&) noexcept = default;
  /// Lets its own conversation go first.
  Session& operator=(Session&&) noexcept = default;
  /// Lets the conversation go. Its memory stays until an Answer that is in work is gone too.
  ~Session() = default;

 private:
  friend class Scheduler;
  explicit Session(std::shared_ptr<detail::SessionState> state) noexcept : state_(std::move(state)) {}
  std::shared_ptr<detail::SessionState> state_;
};

DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_CHAT_SESSION_HPP
