// SessionState: what a Session and its Answers share: the conversation, the tokens it stands for, the answer.
//
// Token ids are the truth: a turn renders and encodes the whole conversation as the reference does, and what the cache
// holds of it is reused. An answer goes through phases, and every phase can be left and taken up again:
//
//   pictures -> prefill -> ready -> (decode -> ready)* -> over
#ifndef DSVL_CHAT_INTERNAL_SESSION_STATE_HPP
#define DSVL_CHAT_INTERNAL_SESSION_STATE_HPP

#include "../../base/host_macros_push.hpp"

#include "../../base/bump_allocator.hpp"
#include "../../text/lookup.hpp"
#include "../../text/sampler.hpp"
#include "../answer.hpp"
#include "conversation.hpp"
#include "../../engine/decoding.hpp"
#include "image_queue.hpp"
#include "model_state.hpp"
#include "detokenizer.hpp"

DSVL_BEGIN_NAMESPACE

namespace detail {

class SessionState {
 public:
  /// `options` with complete limits. Without a pool and a gallery it makes its own.
  SessionState(std::shared_ptr<const ModelState> model, const SessionOptions& options,
               std::shared_ptr<PagePool> pool = nullptr, std::shared_ptr<ImageCache> gallery = nullptr);
  /// Takes all memory; `shared_pages` of the cache come with a fork. Codes: out_of_memory.
  Status open(Index shared_pages = 0);

  /// A session of its own that goes on from here. Codes: those of open(), limit (a context that is too small).
  Result<std::shared_ptr<SessionState>> fork(Index context);

  /// Each begins an answer; the one before, if any, is ended first. Nothing is computed yet.
  void ask(std::span<const Picture> pictures, std::string_view question, const GenerateOptions& options);
  void complete(std::span<const Picture> pictures, std::string_view text, const GenerateOptions& options);
  void generate(std::span<const std::int32_t> ids, std::span<const Picture> pictures, const GenerateOptions& options);
  /// Where the handle of the answer that was begun last is: it moves. Null: nobody holds one.
  void tie(AnswerTie* handle) noexcept { tie_ = handle; }
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

  [[nodiscard]] Finish finish() const noexcept { return finish_; }
  [[nodiscard]] const Status& status() const noexcept { return status_; }
  [[nodiscard]] std::string_view text() const noexcept { return transcript_->text(); }
  [[nodiscard]] std::span<const std::int32_t> ids() const noexcept { return answer_ids_.span(); }
  [[nodiscard]] std::span<const std::int32_t> prompt_ids() const noexcept { return prompt_ids_.span(); }
  [[nodiscard]] const Usage& usage() const noexcept { return usage_; }
  [[nodiscard]] std::span<const SeenPicture> seen() const noexcept { return intake_.seen(); }
  [[nodiscard]] std::span<const float> logits() const noexcept {
    return seen_row_ && phase_ != Phase::over ? engine_.logits(*seen_row_) : std::span<const float>();
  }
  [[nodiscard]] const Decoding& engine() const noexcept { return engine_; }
  [[nodiscard]] const ModelState& model() const noexcept { return *model_; }
  [[nodiscard]] const SessionOptions& options() const noexcept { return options_; }
  /// Whole turns: questions with their answers.
  [[nodiscard]] std::size_t turns() const noexcept { return conversation_.turns() / 2; }
  [[nodiscard]] std::size_t bytes() const noexcept;

  ~SessionState();

  /// For plan(): what open() would take.
  void measure(Arena& arena) noexcept { lay_out(arena); }
  void measure_gallery(Arena& arena) const noexcept { gallery_->lay_out(arena); }
  [[nodiscard]] std::size_t cache_bytes() const noexcept;

  // For saving and loading.
  friend class SavedSession;  // chat/internal/saved_session.hpp

 private:
  enum class Phase : unsigned char {
    over,      ///< no answer, or it has ended
    pictures,  ///< being decoded and encoded
    prefill,   ///< the prompt goes through the decoder
    ready,     ///< logits of a token are there
    chosen,    ///< a token was chosen and has not been computed
    decode,    ///< it is being computed
  };

  [[nodiscard]] const Tokenizer* tokenizer() const noexcept {
    return model_->tokenizer ? &*model_->tokenizer : nullptr;
  }
  [[nodiscard]] Control control(Clock::time_point deadline = (Clock::time_point::max)()) const noexcept {
    return {cancel_, progress_, deadline};
  }
  /// Declares the session's memory, all of it.
  void lay_out(Arena& arena) noexcept;

  void leave_answer();
  void begin(const GenerateOptions& options);
  void begun(const Status& status);
  Status prepare(const GenerateOptions& options);
  Status set_sampling(const SamplerOptions& sampling) noexcept;
  Status check_length(std::size_t tokens) const noexcept;
  Status needs_tokenizer() const noexcept;
  Status encode_segments(std::span<const Segment> prompt);
  Status find_images();
  Status take_prompt(std::span<const Picture> pictures);

  Status advance(const Control& control);
  Status begin_prefill();
  Status begin_decode();
  void guess(std::size_t most);
  std::optional<Piece> choose();
  void go_on_behind(std::int32_t id);
  Status compute(std::span<const std::int32_t> ids, Index logits);
  Status score_all(std::span<const std::string_view> continuations, std::vector<Score>& out);

  void end(Finish why);
  std::optional<Piece> end_with(const Status& status);
  std::optional<Piece> rest();
  Status keep_turn();
  void drop_turn();
  void release_pictures(Buffer<ImageEmbedding*>& pictures, std::size_t keep) noexcept;

  std::shared_ptr<const ModelState> model_;
  SessionOptions options_;
  Executor& executor_;
  bool first_;                       // not a fork: it makes the cache's pool and the gallery that its forks share
  std::shared_ptr<ImageCache> gallery_;  // null: no pictures
  Buffer<std::byte> slab_;
  BumpAllocator steady_, scratch_;  // inside the slab: for the whole life, for one call

  Decoding engine_;
  ImageQueue intake_;
  std::optional<Sampler> sampler_;        // both always there once open
  std::optional<StreamingDetokenizer> transcript_;
  std::uint64_t fork_ = 0, forks_ = 0;    // number of this fork (0: none), and how many were made of it

  // The conversation.
  Conversation conversation_;
  Buffer<ImageEmbedding*> pictures_;  // in the order of their places

  // The answer that is going on.
  AnswerTie* tie_ = nullptr;
  Phase phase_ = Phase::over;
  const CancelToken* cancel_ = nullptr;
  Progress progress_;
  Index max_tokens_ = 0, draft_ = 0;
  bool in_conversation_ = false;
  Conversation::Mark turn_;            // before its question
  Buffer<Segment> prompt_;
  Buffer<ImageSpan> spans_;
  Buffer<ImageEmbedding*> new_pictures_;
  Buffer<TokenKey> slots_;                 // of the prompt, then of what is decoded
  Buffer<TokenInput<float>> inputs_;
  TokenKey prompt_end_;                    // runs again when an answer is taken back whole; a picture's row, maybe
  TokenInput<float> prompt_end_input_;
  Buffer<std::int32_t> prompt_ids_, answer_ids_, last_answer_ids_, draft_ids_, history_;
  std::size_t drafted_ = 0;            // slots_[1 … drafted_] of the last pass are guesses
  Index row_ = 0;                      // of the logits that the next choice is made from
  std::optional<Index> seen_row_;      // of those that the last was made from; nothing while they are not there
  Index position_ = 0;                 // tokens in front of the one that is chosen next
  Choice last_;
  Finish finish_ = Finish::none;
  Status status_;
  Usage usage_;
};

}  // namespace detail

DSVL_END_NAMESPACE

#include "../../base/host_macros_pop.hpp"

#endif  // DSVL_CHAT_INTERNAL_SESSION_STATE_HPP
