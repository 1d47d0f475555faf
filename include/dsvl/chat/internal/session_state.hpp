// SessionState: what a Session and its Answers share: a conversation with a model, and the answer that is going on.
//
// Token ids are the truth: a turn renders and encodes the whole conversation as the reference does, and what the cache
// holds of it is reused. An answer is worked on in slices, and can be left at any of them:
//
//   pictures -> generating -> over
#ifndef DSVL_CHAT_INTERNAL_SESSION_STATE_HPP
#define DSVL_CHAT_INTERNAL_SESSION_STATE_HPP

#include "../../base/host_macros_push.hpp"

#include "../answer.hpp"
#include "model_state.hpp"
#include "session_parts.hpp"
#include "snapshot.hpp"

DSVL_BEGIN_NAMESPACE

namespace detail {

class SessionState {
 public:
  /// `options` with complete limits. A fork gets the pages and the images of the session it was made of; others make
  /// their own.
  SessionState(std::shared_ptr<const ModelState> model, const SessionOptions& options,
               std::shared_ptr<PagePool> pages = nullptr, std::shared_ptr<ImageCache> images = nullptr);
  SessionState(const SessionState&) = delete;
  SessionState& operator=(const SessionState&) = delete;
  /// Takes all memory; `shared_pages` of the cache come with a fork. Codes: out_of_memory.
  Status open(Index shared_pages = 0);

  // Each of these begins an answer; the one before, if any, is ended first. Nothing is computed yet. Texts and ids may
  // be those of the answer that ends: they are used before its memory is.

  void ask(std::span<const Picture> pictures, std::string_view question, const GenerateOptions& options);
  void complete(std::span<const Picture> pictures, std::string_view text, const GenerateOptions& options);
  void generate(std::span<const std::int32_t> ids, std::span<const Picture> pictures, const GenerateOptions& options);

  /// Where the handle of the answer that was begun last is: it moves. Null: nobody holds one.
  void tie(AnswerTie* handle) noexcept { answer_.tie = handle; }
  /// Computes until the answer can begin, without a deadline; errors end the answer.
  void make_ready();
  /// Works until there is a token, the answer is over, or it is late; a token when there is one.
  std::optional<Piece> step(Clock::time_point deadline);
  /// Takes back the answer's tokens from number `tokens` on. Codes: bad_argument.
  Status rewind_answer(std::size_t tokens, const SamplerOptions& sampling);

  /// Back to the first `turns` questions and answers. Codes: bad_argument.
  Status rewind_turns(std::size_t turns);
  void clear();
  /// Of each continuation behind the answer's prompt: what score() promises. The answer is over afterwards.
  Result<std::vector<Score>> score(std::span<const std::string_view> continuations);

  /// A session of its own that goes on from here. Codes: those of open(), limit (a context that is too small).
  Result<std::shared_ptr<SessionState>> fork(Index context);
  /// A view of what is settled, good until this session does something. Codes: out_of_memory.
  Result<Snapshot> snapshot() const;
  /// Puts this session, which has just been opened, into a state that was saved or is another's. Codes: limit (more
  /// than this session's limits allow), out_of_memory. After an error the session must not be used.
  Status restore(const Snapshot& from);

  [[nodiscard]] Finish finish() const noexcept { return answer_.finish; }
  [[nodiscard]] const Status& status() const noexcept { return answer_.status; }
  [[nodiscard]] const Usage& usage() const noexcept { return answer_.usage; }
  [[nodiscard]] std::string_view text() const noexcept { return parts_.generation.text().text(); }
  [[nodiscard]] std::span<const std::int32_t> ids() const noexcept { return parts_.generation.ids(); }
  [[nodiscard]] std::span<const std::int32_t> prompt_ids() const noexcept { return parts_.prompt.ids(); }
  [[nodiscard]] std::span<const SeenPicture> seen() const noexcept { return parts_.queue.seen(); }
  [[nodiscard]] std::span<const float> logits() const noexcept { return parts_.generation.logits(); }

  [[nodiscard]] const ModelState& model() const noexcept { return *model_; }
  [[nodiscard]] const SessionOptions& options() const noexcept { return options_; }
  /// Whole turns: questions with their answers.
  [[nodiscard]] std::size_t turns() const noexcept { return parts_.conversation.turns() / 2; }
  [[nodiscard]] Index context() const noexcept { return parts_.cache.context(); }
  /// That it took from the allocator: its slab, its pages, and as the first of its forks what they share.
  [[nodiscard]] std::size_t bytes() const noexcept;

 private:
  enum class Phase : unsigned char {
    over,        ///< no answer, or it has ended
    pictures,    ///< they are being decoded and encoded
    generating,  ///< see Generation
  };
  /// The answer that was begun last.
  struct AnswerState {
    AnswerTie* tie = nullptr;
    Phase phase = Phase::over;
    const CancelToken* cancel = nullptr;
    Progress progress = {};
    bool in_conversation = false;  ///< it will be a turn
    Conversation::Mark turn = {};  ///< before its question
    Finish finish = Finish::none;
    Status status = {};
    Usage usage = {};
  };

  [[nodiscard]] SessionShape shape() const noexcept {
    return {model_->network->net, model_->config, options_.limits, executor_.workers()};
  }
  [[nodiscard]] Control control(Clock::time_point deadline = (Clock::time_point::max)()) const noexcept {
    return {answer_.cancel, answer_.progress, deadline};
  }

  void leave_answer();
  void begin(const GenerateOptions& options, bool in_conversation);
  void start_or_fail(const Status& status);
  Status set_options(const GenerateOptions& options);
  Status check_tokenizer() const noexcept;
  Status take_pictures(std::span<const Picture> pictures);

  Status advance(const Control& control);
  Status begin_generating();
  std::optional<Piece> choose();

  Status score_all(std::span<const std::string_view> continuations, std::vector<Score>& out);
  Status score_behind(std::span<const std::int32_t> ids, Score& to);
  Result<std::span<const std::int32_t>> encode_continuation(std::string_view text);

  void end(Finish why);
  std::optional<Piece> end_with(const Status& status);
  std::optional<Piece> flush_tail();
  Status keep_turn();

  Status restore_pictures(const Snapshot& from);
  Status restore_cache(const Snapshot& from);

  std::shared_ptr<const ModelState> model_;
  SessionOptions options_;
  Executor& executor_;
  bool first_;                          // not a fork: it counts what its forks share as its own
  std::shared_ptr<ImageCache> images_;  // null: no pictures
  Buffer<std::byte> slab_;              // of all parts, which go before it
  SessionParts parts_;
  AnswerState answer_;
  std::uint64_t fork_ = 0, forks_ = 0;  // the number of this fork (0: none), and how many were made of it
};

}  // namespace detail

DSVL_END_NAMESPACE

#include "../../base/host_macros_pop.hpp"

#endif  // DSVL_CHAT_INTERNAL_SESSION_STATE_HPP
