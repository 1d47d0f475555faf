// SessionState: what a Session and its Answers share: a conversation with a model, and the answer that is going on.
//
// Every turn renders and encodes the whole conversation anew, as the reference does, and compares the tokens with those
// in the cache; whatever they have in common is reused. So going back, forking and editing need no bookkeeping of their
// own.
//
// An answer is worked on in slices, and can be left at any of them:
//
//   pictures -> generating -> over
//
// The definitions are in session_answers.hpp, session_branches.hpp and session_scores.hpp.
#ifndef DSVL_CHAT_INTERNAL_SESSION_STATE_HPP
#define DSVL_CHAT_INTERNAL_SESSION_STATE_HPP

#include "../../base/host_macros_push.hpp"

#include "../../base/function_ref.hpp"
#include "../answer.hpp"
#include "model_state.hpp"
#include "session_group.hpp"
#include "session_parts.hpp"
#include "snapshot.hpp"

DSVL_BEGIN_NAMESPACE

namespace detail {

/// The state behind the handles Session and Answer, which own it together. It is used by one thread at a time.
class SessionState {
 public:
  /// Takes options with complete limits. A fork gets what the session shares that it was made of, a member of a group
  /// what the group has; others make their own. Call open() before anything else.
  SessionState(std::shared_ptr<const ModelState> model, const SessionOptions& options, SharedParts shared = {});
  SessionState(const SessionState&) = delete;
  SessionState& operator=(const SessionState&) = delete;
  /// Leaves its group.
  ~SessionState();
  /// Takes all memory, and joins its group. A fork shares `shared_pages` full pages of the cache, so it reserves fewer.
  ///
  /// Codes  out_of_memory, limit (the group is full)
  Status open(Index shared_pages = 0);

  // Each of these begins an answer; the one before, if any, is ended first. Nothing is computed yet, and errors are the
  // answer's. Texts and ids may be those of the answer that ends: they are used before its memory is.

  /// Begins the answer to the next question of the conversation.
  void ask(std::span<const Picture> pictures, std::string_view question, const GenerateOptions& options);
  /// Begins the continuation of a text.
  void complete(std::span<const Picture> pictures, std::string_view text, const GenerateOptions& options);
  /// Begins the continuation of ids.
  void generate(std::span<const std::int32_t> ids, std::span<const Picture> pictures, const GenerateOptions& options);

  /// Notes where the handle of the last answer is, which calls this again when it moves; null when it is gone. Then
  /// nobody can ask for more of an answer that has not ended, so nothing of the application's is touched for it again.
  void tie(AnswerTie* handle) noexcept;
  /// Computes until the first token can be chosen, or `pause` has come. Errors and its deadline end the answer.
  void make_ready(Clock::time_point pause = (Clock::time_point::max)());
  /// make_ready(), and whether the first token can be chosen and has not been.
  bool prepare(Clock::time_point pause);
  /// Works until there is a token, the answer is over, or the deadline has passed. Returns the token when there is one.
  std::optional<Piece> step(Clock::time_point deadline);
  /// Takes back the answer's tokens from number `tokens` on, and goes on with `sampling`.
  ///
  /// Codes  bad_argument
  Status rewind_answer(std::size_t tokens, const SamplerOptions& sampling);

  /// Goes back to the first `turns` questions and answers.
  ///
  /// Codes  bad_argument
  Status rewind_turns(std::size_t turns);
  /// Forgets the conversation; the cache stays.
  void clear();
  /// Scores each continuation behind the prompt of the answer, which is over afterwards; see Session::score.
  Result<std::vector<Score>> score(std::span<const std::string_view> continuations);
  /// Scores each sequence of ids likewise.
  Result<std::vector<Score>> score(std::span<const std::span<const std::int32_t>> sequences);

  /// Makes a session of its own that goes on from here.
  ///
  /// Codes  those of open(); limit (a context that is too small)
  Result<std::shared_ptr<SessionState>> fork(Index context);
  /// A view of what is settled, valid until this session does something.
  ///
  /// Codes  out_of_memory
  Result<Snapshot> snapshot() const;
  /// Puts this session, which has just been opened, into a state that was saved or is another session's. After an error
  /// it must not be used.
  ///
  /// Codes  limit (more than this session's limits allow), out_of_memory
  Status restore(const Snapshot& from);

  // What the group of this session does for it. An error stays here until the answer is worked on.

  /// True while there is an answer that has not ended, and somebody who may ask for more of it.
  [[nodiscard]] bool in_work() const noexcept { return answer_.phase != Phase::over && !answer_.dropped; }
  /// True until the prompt can be computed, unless something went wrong.
  [[nodiscard]] bool begins() const noexcept {
    return in_work() && answer_.phase == Phase::pictures && answer_.trouble.ok();
  }
  /// True while it begins and pictures of the question are to be looked at.
  [[nodiscard]] bool has_pictures() const noexcept { return begins() && parts_.queue.busy(); }
  /// What ends the answer before its end: the application's token, and its deadline.
  [[nodiscard]] Until until() const noexcept { return {answer_.cancel, answer_.deadline}; }
  /// True when there are logits to choose a token from.
  [[nodiscard]] bool ready() const noexcept { return parts_.generation.ready(); }
  /// While it begins: works on the pictures until the deadline. When they are done, the prompt can be computed.
  void advance_pictures(Clock::time_point deadline);
  /// The tokens that have to be computed before there are logits; null when there is nothing to compute.
  [[nodiscard]] DecodeRequest* request();
  /// Counts the seconds that request() took in a pass.
  void computed(double seconds) { parts_.generation.computed(seconds, answer_.usage); }
  /// Reports to the application how far the prompt or the answer is.
  void report_progress() const;
  /// Ends the work on the answer with an error, which whoever works on it next gets.
  void fail_later(const Status& status) noexcept { answer_.trouble = status; }
  /// Takes that error; ok if there is none.
  [[nodiscard]] Status take_trouble() noexcept { return std::exchange(answer_.trouble, Status()); }

  /// Why the answer ended, or Finish::none.
  [[nodiscard]] Finish finish() const noexcept { return answer_.finish; }
  /// The answer's error, if there is one.
  [[nodiscard]] const Status& status() const noexcept { return answer_.status; }
  /// The answer's counts so far.
  [[nodiscard]] const Usage& usage() const noexcept { return answer_.usage; }
  /// True when the answer satisfies its constraint as a whole.
  [[nodiscard]] bool whole() const noexcept { return answer_.phase == Phase::over && parts_.generation.held().whole(); }
  /// The answer's text so far.
  [[nodiscard]] std::string_view text() const noexcept { return parts_.generation.text().text(); }
  /// The answer's ids so far.
  [[nodiscard]] std::span<const std::int32_t> ids() const noexcept { return parts_.generation.ids(); }
  /// The ids of the prompt in front of it.
  [[nodiscard]] std::span<const std::int32_t> prompt_ids() const noexcept { return parts_.prompt.ids(); }
  /// The pictures of the question that were looked at.
  [[nodiscard]] std::span<const SeenPicture> pictures() const noexcept { return parts_.queue.seen(); }
  /// What the answer's tokens so far looked at.
  [[nodiscard]] AnswerAttention attention() const noexcept { return parts_.attention.view(std::ssize(ids())); }
  /// (vocab) logits of the last choice, or of the next; see Generation::logits.
  [[nodiscard]] std::span<const float> logits() const noexcept { return parts_.generation.logits(); }

  /// The model, which lives as long as this.
  [[nodiscard]] const ModelState& model() const noexcept { return *model_; }
  /// The options, with complete limits.
  [[nodiscard]] const SessionOptions& options() const noexcept { return options_; }
  /// Whole turns: questions with their answers.
  [[nodiscard]] std::size_t turns() const noexcept { return parts_.conversation.turns() / 2; }
  /// Tokens that there is room for.
  [[nodiscard]] Index context() const noexcept { return parts_.cache.context(); }
  /// Bytes that it took from the allocator: its slab, its pages, and unless it is a fork what its forks share.
  [[nodiscard]] std::size_t bytes() const noexcept;

 private:
  /// The stages of an answer.
  enum class Phase : unsigned char {
    over,        ///< there is no answer, or it has ended
    pictures,    ///< the pictures are being decoded and encoded
    generating,  ///< see Generation
  };
  /// The answer that was begun last.
  struct AnswerState {
    AnswerTie* tie = nullptr;             ///< in its handle; null when that is gone
    Phase phase = Phase::over;            ///< of the work on it
    const CancelToken* cancel = nullptr;  ///< the application's, until the answer is over
    Clock::time_point deadline = (Clock::time_point::max)();  ///< when it ends at the latest
    Progress progress = {};               ///< the application's, until the answer is over
    bool dropped = false;                 ///< its handle is gone
    bool in_conversation = false;         ///< it will be a turn
    Conversation::Mark turn = {};         ///< in front of its question
    Finish finish = Finish::none;         ///< why it ended
    Status status = {};                   ///< its error
    Status trouble = {};                  ///< an error that its group met, until it is the answer's
    Usage usage = {};                     ///< its counts
  };

  /// The facts that the sizes of this session follow from.
  [[nodiscard]] SessionShape shape() const noexcept {
    return {model_->network->net, model_->config, options_.limits, executor_.workers(), model_->constraints,
            options_.attention_maps};
  }
  /// The conditions under which work on the answer stops.
  [[nodiscard]] Control control(Clock::time_point deadline = (Clock::time_point::max)()) const noexcept {
    return {answer_.cancel, answer_.progress, (std::min)(deadline, answer_.deadline), answer_.deadline};
  }

  // Beginning an answer.
  void leave_answer();
  void begin(const GenerateOptions& options, bool in_conversation);
  void start_or_fail(const Status& status);
  Status set_options(const GenerateOptions& options);
  Status check_tokenizer() const noexcept;
  Status take_pictures(std::span<const Picture> pictures);

  // Working on it.
  [[nodiscard]] bool cancelled() const noexcept { return answer_.cancel && answer_.cancel->cancelled(); }
  [[nodiscard]] bool late() const noexcept { return Until(nullptr, answer_.deadline).over(); }
  [[nodiscard]] bool stopped() const noexcept { return !answer_.trouble.ok() || cancelled() || late(); }
  Status look(const Control& control);
  Status advance(const Control& control);
  Status begin_generating();
  std::optional<Piece> choose();

  // Scoring.
  /// The ids of continuation number `i`, valid until the next one is asked for.
  using IdsOf = FunctionRef<Result<std::span<const std::int32_t>>(std::size_t i)>;
  Result<std::vector<Score>> score(std::size_t continuations, IdsOf ids_of);
  Status score_all(std::size_t continuations, IdsOf ids_of, std::vector<Score>& out);
  Status score_behind(std::span<const std::int32_t> ids, Score& to);
  Result<std::span<const std::int32_t>> encode_continuation(std::string_view text);
  Result<std::span<const std::int32_t>> check_continuation(std::span<const std::int32_t> ids) const noexcept;

  // Ending it.
  void end(Finish why);
  std::optional<Piece> end_with(const Status& status);
  std::optional<Piece> flush_tail();
  Status keep_turn();

  // The parts of restore().
  Status restore_pictures(const Snapshot& from);
  Status restore_cache(const Snapshot& from);

  std::shared_ptr<const ModelState> model_;  // outlives everything below
  SessionOptions options_;                   // with complete limits
  Executor& executor_;                       // the host's, or the model's threads
  bool first_;                               // it shares nothing that was there before, and counts it as its own
  std::shared_ptr<ImageCache> images_;       // shared with forks and the group; null: no pictures
  std::shared_ptr<SessionGroup> group_;      // decodes for it; null: it decodes for itself
  Buffer<std::byte> slab_;                   // memory of all parts, which are destroyed before it
  SessionParts parts_;                       // in that memory
  std::size_t cache_bytes_ = 0;              // of the pages that were reserved when it opened
  AnswerState answer_;                       // begun last
  std::uint64_t fork_ = 0, forks_ = 0;       // the number of this fork (0: none), and how many were made of it
};

}  // namespace detail

DSVL_END_NAMESPACE

#include "../../base/host_macros_pop.hpp"

#endif  // DSVL_CHAT_INTERNAL_SESSION_STATE_HPP
