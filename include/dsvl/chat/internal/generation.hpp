// Generation: one answer behind one prompt, token by token: prefill, choose, decode, with drafts.
//
//   prefill -> ready -> (chosen -> decode -> ready)* -> idle
//
// It owns what the choice of tokens and their text need; the cache and the decoding it works with are the session's.
#ifndef DSVL_CHAT_INTERNAL_GENERATION_HPP
#define DSVL_CHAT_INTERNAL_GENERATION_HPP

#include "../../base/host_macros_push.hpp"

#include <optional>

#include "../../base/bump_allocator.hpp"
#include "../../engine/decoding.hpp"
#include "../../engine/usage.hpp"
#include "../../text/sampler.hpp"
#include "../options.hpp"
#include "detokenizer.hpp"
#include "drafts.hpp"
#include "token_roles.hpp"

DSVL_BEGIN_NAMESPACE
namespace detail {

class Generation {
 public:
  /// Both must outlive this object. Memory beyond what carve() declares comes from `from`.
  Generation(PrefixCache& cache, Decoding& decoding, const TokenRoles& roles, Allocator* from) noexcept
      : cache_(cache), decoding_(decoding), roles_(roles), steady_(from) {}
  Generation(const Generation&) = delete;
  Generation& operator=(const Generation&) = delete;

  void carve(Arena& arena, const Limits& limits, Index vocab) noexcept {
    pass_.tokens.carve(arena, "prompt", limits.context);
    ids_ = arena.buffer<std::int32_t>("ids", 2 * limits.context + 2);
    drafts_.carve(arena, limits.context);
    const std::size_t bytes = Sampler::bytes_for(vocab) + StreamingDetokenizer::bytes_for(limits.text_bytes);
    std::byte* const steady = arena.array<std::byte>("sampler and detokenizer", static_cast<Index>(bytes));
    if (!arena.measuring()) steady_.use({steady, bytes});
  }
  /// Call once, behind carve(). False: there is no memory.
  [[nodiscard]] bool open(Index vocab, Index text_bytes) noexcept {
    sampler_.emplace(vocab, &steady_);
    text_.emplace(roles_.tokenizer, text_bytes, &steady_);
    return sampler_->ready() && text_->ready();
  }

  /// Takes the options of a new answer; the ids of the one before become a source of drafts, as `draft_text` is.
  /// `fork`: the number of the session's fork, which draws other random numbers; 0: it is none.
  /// Codes: bad_argument (an option out of its range).
  Status set(const GenerateOptions& options, std::uint64_t fork, std::span<const std::int32_t> draft_text) noexcept {
    DSVL_CHECK_STATUS(set_sampling(options.sampling, fork));
    max_tokens_ = options.max_tokens;
    draft_ = options.draft;
    drafts_.set(draft_text, ids_.span());
    ids_.clear();
    return text_->begin(options.stop);
  }
  /// Forgets the answer: nothing has been said.
  void clear() noexcept {
    text_->restart();
    ids_.clear();
  }
  /// As if these ids were what was said last: a fork may repeat its parent's answer.
  void inherit(std::span<const std::int32_t> ids) noexcept { (void)ids_.assign(ids.data(), ids.size()); }

  /// The list that the prompt's tokens go into before begin().
  [[nodiscard]] TokenList& tokens() noexcept { return pass_.tokens; }
  /// Begins to compute the prompt, whose ids are `prompt`, as far as the cache does not hold it. Codes: limit.
  Status begin(std::span<const std::int32_t> prompt, Usage& usage) noexcept {
    prompt_end_ = pass_.tokens[prompt.size() - 1];
    prompt_ = prompt.size();
    sampler_->begin(prompt);
    drafts_.begin(prompt);
    const auto reused = static_cast<std::size_t>(cache_.reuse(pass_.tokens.span().keys));
    usage.prompt_tokens = static_cast<Index>(prompt_);
    usage.reused_tokens = static_cast<Index>(reused);
    pass_.row = 0;
    pass_.drafted = 0;
    seen_row_.reset();
    phase_ = Phase::prefill;
    return decoding_.begin(cache_, pass_.tokens.span().from(reused), 1, Stage::prefill);
  }

  /// Computes until logits are there or it is late: ready() tells which. Codes: those of Decoding.
  Status advance(Executor& executor, const Control& control, Usage& usage) noexcept {
    if (phase_ == Phase::chosen) DSVL_CHECK_STATUS(begin_pass(usage));
    if (phase_ != Phase::prefill && phase_ != Phase::decode) return {};
    const auto began = Clock::now();
    const Status status = decoding_.advance(executor, control);
    (phase_ == Phase::prefill ? usage.prefill : usage.decode) += seconds_since(began);
    DSVL_CHECK_STATUS(status);
    if (decoding_.busy()) return {};
    if (phase_ == Phase::prefill) seen_row_ = pass_.row;
    phase_ = Phase::ready;
    return {};
  }
  [[nodiscard]] bool ready() const noexcept { return phase_ == Phase::ready; }
  /// Logits have been there: what the answer may begin with is known.
  [[nodiscard]] bool started() const noexcept { return phase_ > Phase::prefill; }
  /// The chosen token stands behind the last position of the context, so it cannot be computed.
  [[nodiscard]] bool context_full() const noexcept {
    return phase_ == Phase::chosen && position() > cache_.context();
  }

  /// Chooses the next token from the logits that are there, and makes it part of the answer and its text.
  /// Codes: bad_argument (logits that are not finite, every token banned).
  Result<Choice> choose(Usage& usage) noexcept {
    const auto began = Clock::now();
    DSVL_TRY(choice, sampler_->choose(logits_of(pass_.row), static_cast<std::uint64_t>(position())));
    seen_row_ = pass_.row;
    last_ = choice;
    (void)ids_.push_back(choice.id);
    ++usage.answer_tokens;
    usage.decode += seconds_since(began);
    text_->push(choice.id);  // an end token that is no control token is part of the text, as in the reference
    return choice;
  }
  /// Goes on behind the chosen token: to the row that a right guess has computed already, or else to a pass over it.
  void advance_past(std::int32_t id, Usage& usage) noexcept {
    sampler_->accept(id);
    drafts_.accept(id);
    const auto next = static_cast<std::size_t>(pass_.row) + 1;
    if (next <= pass_.drafted && pass_.tokens[next].key.id == id) {
      ++pass_.row;
      ++usage.accepted;
      return;
    }
    cache_.truncate(position() - 1);  // wrong guesses
    pass_.drafted = 0;
    phase_ = Phase::chosen;
  }
  /// As many tokens were said as may be.
  [[nodiscard]] bool long_enough() const noexcept { return static_cast<Index>(ids_.size()) >= max_tokens_; }

  /// Takes back the tokens from number `tokens` on, and goes on with `sampling`. Codes: bad_argument.
  Status rewind(std::size_t tokens, const SamplerOptions& sampling, std::uint64_t fork, Usage& usage) noexcept {
    const bool between = phase_ == Phase::ready || phase_ == Phase::chosen;
    if (!between || tokens > ids_.size())
      return fail(Code::bad_argument, "an answer %s can not go back to token %zu: it has %zu",
                  phase_ == Phase::idle ? "that has not begun, or is over," : "in work", tokens, ids_.size());
    DSVL_CHECK_STATUS(set_sampling(sampling, fork));
    const bool shorter = tokens < ids_.size();
    (void)ids_.resize(tokens);
    sampler_->begin(drafts_.history().first(prompt_));
    for (const std::int32_t id : ids_) sampler_->accept(id);
    if (!shorter) return {};  // the next choice is made from logits that are there, or about to be computed
    usage.answer_tokens = static_cast<Index>(tokens);
    text_->restart();
    for (const std::int32_t id : ids_) text_->push(id);
    text_->take();
    drafts_.truncate(prompt_ + tokens);
    // The token in front runs again: the next choice is made from its logits.
    cache_.truncate(position() - 1);
    last_.id = drafts_.history().back();
    pass_.drafted = 0;
    seen_row_.reset();
    phase_ = Phase::chosen;
    return {};
  }

  /// Ends it: what the cache holds is the prompt and the answer, held back text is part of the text.
  void end() noexcept {
    decoding_.abandon();
    if (started()) {
      cache_.truncate(position());
      text_->flush();
    }
    phase_ = Phase::idle;
  }

  // --- what there is to see -----------------------------------------------------------------------------------------

  [[nodiscard]] std::span<const std::int32_t> ids() const noexcept { return ids_.span(); }
  [[nodiscard]] StreamingDetokenizer& text() noexcept { return *text_; }
  [[nodiscard]] const StreamingDetokenizer& text() const noexcept { return *text_; }
  [[nodiscard]] const Choice& last() const noexcept { return last_; }
  /// (vocab): the logits that the last token was chosen from, or the first will be; empty while there are none.
  [[nodiscard]] std::span<const float> logits() const noexcept {
    return seen_row_ && phase_ != Phase::idle ? logits_of(*seen_row_) : std::span<const float>();
  }
  /// Tokens in front of the one that is chosen next.
  [[nodiscard]] Index position() const noexcept { return static_cast<Index>(drafts_.history().size()); }
  /// Tokens of the cache that belong to what was said so far: guesses are none.
  [[nodiscard]] Index settled() const noexcept {
    return phase_ == Phase::idle ? cache_.size() : std::min<Index>(cache_.size(), position());
  }

 private:
  enum class Phase : unsigned char {
    idle,     ///< no answer, or it has ended
    prefill,  ///< the prompt goes through the decoder
    ready,    ///< logits of a token are there
    chosen,   ///< a token was chosen and has not been computed
    decode,   ///< it is being computed
  };
  /// One run of the decoder: a token and the guesses behind it, or a prompt.
  struct Pass {
    TokenList tokens;
    std::size_t drafted = 0;  ///< tokens [1, drafted] are guesses
    Index row = 0;            ///< whose logits the next choice is made from
  };

  [[nodiscard]] std::span<const float> logits_of(Index row) const noexcept { return decoding_.logits(row); }

  Status set_sampling(const SamplerOptions& sampling, std::uint64_t fork) noexcept {
    DSVL_CHECK_STATUS(sampler_->set(sampling));
    if (fork != 0) sampler_->reseed(fork_seed(sampling.seed, fork));
    return {};
  }

  /// Begins a pass over the token in front (the chosen one, or the prompt's end again) and over guesses behind it.
  Status begin_pass(Usage& usage) noexcept {
    pass_.tokens.clear();
    (void)pass_.tokens.push_back(ids_.empty() ? prompt_end_ : Token{{last_.id}});
    pass_.drafted = 0;
    pass_.row = 0;
    const Index room = std::min<Index>(cache_.context() - position(), max_tokens_ - static_cast<Index>(ids_.size()));
    if (draft_ > 0 && room > 0) add_guesses(std::min<Index>(draft_, room));
    usage.drafted += static_cast<Index>(pass_.drafted);
    ++usage.passes;
    seen_row_.reset();  // the pass writes over them
    phase_ = Phase::decode;
    return decoding_.begin(cache_, pass_.tokens.span(), static_cast<Index>(pass_.tokens.size()), Stage::decode);
  }
  void add_guesses(Index most) noexcept {
    for (const std::int32_t id : drafts_.guess(most)) {
      if (roles_.image_token == id) break;  // in a prompt it stands for a picture's row, which a guess is not
      (void)pass_.tokens.push_back({{id}});
      ++pass_.drafted;
    }
  }

  PrefixCache& cache_;
  Decoding& decoding_;
  TokenRoles roles_;
  BumpAllocator steady_;                      // for the whole life
  std::optional<Sampler> sampler_;            // both are always there once open
  std::optional<StreamingDetokenizer> text_;
  Drafts drafts_;

  Phase phase_ = Phase::idle;
  Index max_tokens_ = 0, draft_ = 0;
  std::size_t prompt_ = 0;                    // tokens of it
  Token prompt_end_;                          // runs again when an answer is taken back whole
  Buffer<std::int32_t> ids_;
  Choice last_;
  Pass pass_;
  std::optional<Index> seen_row_;             // whose logits the last choice was made from
};

}  // namespace detail
DSVL_END_NAMESPACE

#include "../../base/host_macros_pop.hpp"

#endif  // DSVL_CHAT_INTERNAL_GENERATION_HPP
