// Generation: one answer behind one prompt, token by token: prefill, choose, decode, with drafts.
//
//   prefill -> ready -> (chosen -> decode -> ready)* -> idle
//
// In `ready` there are logits, and a token can be chosen. A pass runs the decoder over the chosen token and over
// guesses of the tokens behind it. What has to be computed is request(); Decoding runs it alone, or a scheduler runs it
// beside those of other answers. Where a guess turns out right, the logits of the next token are there already,
// without another pass. Wrong guesses are dropped, so the answer is the same with drafts and without.
//
// It owns the sampler, the text and the drafts. The cache and the decoding that it works with are the session's.
#ifndef DSVL_CHAT_INTERNAL_GENERATION_HPP
#define DSVL_CHAT_INTERNAL_GENERATION_HPP

#include "../../base/host_macros_push.hpp"

#include <optional>

#include "../../base/bump_allocator.hpp"
#include "../../engine/decoding.hpp"
#include "../../engine/usage.hpp"
#include "../../text/sampler.hpp"
#include "../options.hpp"
#include "answer_constraint.hpp"
#include "detokenizer.hpp"
#include "drafts.hpp"
#include "token_roles.hpp"

DSVL_BEGIN_NAMESPACE
namespace detail {

/// The state of one answer. It is used again for the next one, since its memory is planned.
class Generation {
 public:
  /// `cache` and `decoding` must outlive this object, and so must what `roles` views. Memory beyond what carve()
  /// declares comes from `from`.
  Generation(PrefixCache& cache, Decoding& decoding, const TokenRoles& roles, Allocator* from) noexcept
      : cache_(cache), decoding_(decoding), roles_(roles), steady_(from), held_(from) {}
  Generation(const Generation&) = delete;
  Generation& operator=(const Generation&) = delete;

  /// Declares all lists, and memory for the sampler and the detokenizer, which allocate it when open() makes them.
  /// With `own_logits` there is memory for logits too, so that passes of others leave them alone.
  void carve(Arena& arena, const Limits& limits, Index vocab, bool own_logits) noexcept {
    if (own_logits) {
      request_.keep_logits(arena.view<float>("logits", decoding_.logit_rows(), vocab));
      seen_copy_ = arena.view<float>("logits", 1, vocab);
    }
    pass_.tokens.carve(arena, "prompt", limits.context);
    ids_ = arena.buffer<std::int32_t>("ids", 2 * limits.context + 2);
    drafts_.carve(arena, limits.context);
    const std::size_t bytes = Sampler::bytes_for(vocab) + StreamingDetokenizer::bytes_for(limits.text_bytes);
    std::byte* const steady = arena.array<std::byte>("sampler and detokenizer", static_cast<Index>(bytes));
    if (!arena.measuring()) steady_.use({steady, bytes});
  }
  /// Makes the sampler, the detokenizer and, where there are tables for it, the filter of constraints. Call it once,
  /// after carve(); `tables` must outlive this object. False when there is no memory.
  [[nodiscard]] bool open(Index vocab, Index text_bytes, const FilterTables* tables) noexcept {
    sampler_.emplace(vocab, &steady_);
    text_.emplace(roles_.tokenizer, text_bytes, &steady_);
    return sampler_->ready() && text_->ready() && (!tables || held_.open(*tables));
  }

  /// Takes the options of a new answer. The ids of the answer before become a source of drafts, as `draft_text` is.
  /// `fork` is the number of the session's fork, which draws other random numbers; 0 means that it is none.
  ///
  /// Codes  bad_argument (an option out of its range), those of StopStrings::set
  Status set(const GenerateOptions& options, std::uint64_t fork, std::span<const std::int32_t> draft_text) noexcept {
    DSVL_CHECK_STATUS(set_sampling(options.sampling, fork));
    DSVL_CHECK_STATUS(held_.begin(options.constraint, roles_));
    max_tokens_ = options.max_tokens;
    draft_ = options.draft;
    drafts_.set(draft_text, ids_.span());
    ids_.clear();
    return text_->begin(options.stop);
  }
  /// Forgets the answer, so that nothing has been said.
  void clear() noexcept {
    text_->restart();
    ids_.clear();
  }
  /// Takes ids as if they were the answer before: a fork may repeat its parent's answer.
  void inherit(std::span<const std::int32_t> ids) noexcept { (void)ids_.assign(ids.data(), ids.size()); }

  /// The list that the prompt's tokens go into before begin().
  [[nodiscard]] TokenList& tokens() noexcept { return pass_.tokens; }
  /// Begins to compute the prompt, whose ids are `prompt` and whose tokens are in tokens(), as far as the cache does
  /// not hold it.
  ///
  /// Codes  limit (see DecodeRequest::begin)
  Status begin(std::span<const std::int32_t> prompt, Usage& usage) noexcept {
    // Passes use the same list of tokens, so the last one is kept for rewind().
    prompt_end_ = pass_.tokens[prompt.size() - 1];
    prompt_ = prompt.size();
    sampler_->begin(prompt);
    drafts_.begin(prompt);
    const auto reused = static_cast<std::size_t>(cache_.reuse(pass_.tokens.span().keys));
    usage.prompt_tokens = static_cast<Index>(prompt_);
    usage.reused_tokens = static_cast<Index>(reused);
    pass_.row = 0;
    pass_.drafted = 0;
    seen_ = {};
    phase_ = Phase::prefill;
    return request_.begin(cache_, pass_.tokens.span().from(reused), 1, Stage::prefill);
  }

  /// Computes until logits are there or the deadline has passed; ready() tells which. No other answer may be in a pass.
  ///
  /// Codes  those of Decoding
  Status advance(Executor& executor, const Control& control, Usage& usage) noexcept {
    DSVL_TRY(request, this->request(usage));
    if (!request) return {};
    const auto began = Clock::now();
    const Status status = decoding_.advance(*request, executor, control);
    computed(seconds_since(began), usage);
    return status;
  }
  /// The tokens that have to be computed before there are logits; null when they are there, or there is no answer.
  /// Behind a token that was chosen it begins a pass.
  ///
  /// Codes  limit (see DecodeRequest::begin)
  Result<DecodeRequest*> request(Usage& usage) noexcept {
    if (phase_ == Phase::chosen) DSVL_CHECK_STATUS(begin_pass(usage));
    return phase_ == Phase::prefill || phase_ == Phase::decode ? &request_ : nullptr;
  }
  /// Counts the seconds that request() took, and notices when it is done.
  void computed(double seconds, Usage& usage) noexcept {
    (phase_ == Phase::prefill ? usage.prefill : usage.decode) += seconds;
    if (request_.busy()) return;
    if (phase_ == Phase::prefill) seen_ = logits_of(pass_.row);
    phase_ = Phase::ready;
  }
  /// True while there are logits to choose a token from.
  [[nodiscard]] bool ready() const noexcept { return phase_ == Phase::ready; }
  /// True once logits have been there, so that the answer has begun.
  [[nodiscard]] bool started() const noexcept { return phase_ > Phase::prefill; }
  /// True when the chosen token stands behind the last position of the context, so that it cannot be computed.
  [[nodiscard]] bool context_full() const noexcept {
    return phase_ == Phase::chosen && position() > cache_.context();
  }

  /// Chooses the next token from the logits that are there, and makes it part of the answer and its text.
  ///
  /// Codes  bad_argument (logits that are not finite, every token banned)
  Result<Choice> choose(Usage& usage) noexcept {
    const auto began = Clock::now();
    DSVL_TRY(allowed, held_.allowed(roles_.end_tokens));
    DSVL_TRY(choice, sampler_->choose(logits_of(pass_.row), static_cast<std::uint64_t>(position()), allowed));
    // An end token is chosen only where the text may end, and is no part of it.
    if (!roles_.ends_answer(choice.id)) DSVL_CHECK_STATUS(held_.accept(choice.id));
    seen_ = logits_of(pass_.row);
    last_ = choice;
    (void)ids_.push_back(choice.id);
    ++usage.answer_tokens;
    usage.decode += seconds_since(began);
    text_->push(choice.id);  // an end token that is no control token is part of the text, as in the reference
    return choice;
  }
  /// Goes on behind the chosen token: to the row of logits that a right guess has computed already, or else to a pass
  /// over it.
  void advance_past(std::int32_t id, Usage& usage) noexcept {
    sampler_->accept(id);
    drafts_.accept(id);
    const auto next = static_cast<std::size_t>(pass_.row) + 1;
    if (next <= pass_.drafted && pass_.tokens[next].key.id == id) {
      ++pass_.row;
      ++usage.accepted;
      return;
    }
    // The keys and values of wrong guesses must not stay behind the tokens that were said.
    cache_.truncate(position() - 1);
    pass_.drafted = 0;
    phase_ = Phase::chosen;
  }
  /// True when as many tokens were said as the options allow.
  [[nodiscard]] bool long_enough() const noexcept { return std::ssize(ids_) >= max_tokens_; }

  /// Takes back the tokens from number `tokens` on, and goes on with `sampling`. A pass that others share, and may have
  /// begun, is given up.
  ///
  /// Codes  bad_argument (nothing has changed then)
  Status rewind(std::size_t tokens, const SamplerOptions& sampling, std::uint64_t fork, Usage& usage) noexcept {
    const bool shared = seen_copy_.data != nullptr;
    const bool between = phase_ == Phase::ready || phase_ == Phase::chosen || (shared && phase_ == Phase::decode);
    if (!between || tokens > ids_.size())
      return fail(Code::bad_argument, "an answer %s can not go back to token %zu: it has %zu",
                  phase_ == Phase::idle ? "that has not begun, or is over," : "in work", tokens, ids_.size());
    DSVL_CHECK_STATUS(set_sampling(sampling, fork));
    if (phase_ == Phase::decode) leave_pass(usage);
    const bool shorter = tokens < ids_.size();
    (void)ids_.resize(tokens);
    // The penalties depend on the tokens that stay, so the sampler sees them again.
    sampler_->begin(drafts_.history().first(prompt_));
    for (const std::int32_t id : ids_) sampler_->accept(id);
    if (!shorter) return {};  // the next choice is made from logits that are there, or about to be computed
    usage.answer_tokens = static_cast<Index>(tokens);
    // The text is made again from the tokens that stay; it was returned to the application before.
    text_->restart();
    for (const std::int32_t id : ids_) text_->push(id);
    text_->take();
    DSVL_CHECK_STATUS(held_.replay(ids_.span()));
    drafts_.truncate(prompt_ + tokens);
    // The token in front runs again: the next choice is made from its logits.
    cache_.truncate(position() - 1);
    last_.id = drafts_.history().back();
    pass_.drafted = 0;
    seen_ = {};
    phase_ = Phase::chosen;
    return {};
  }

  /// Ends the answer. The cache then holds the prompt and the answer, without guesses, and text that was held back is
  /// part of the text.
  void end() noexcept {
    held_.end(started() && !text_->stopped());
    decoding_.remove(request_);
    if (started()) {
      cache_.truncate(position());
      text_->flush();
    }
    phase_ = Phase::idle;
  }

  /// What the answer is held to.
  [[nodiscard]] AnswerConstraint& held() noexcept { return held_; }
  /// What the answer is held to, read only.
  [[nodiscard]] const AnswerConstraint& held() const noexcept { return held_; }

  // --- what there is to see -----------------------------------------------------------------------------------------

  /// The generated ids so far.
  [[nodiscard]] std::span<const std::int32_t> ids() const noexcept { return ids_.span(); }
  /// The text so far.
  [[nodiscard]] StreamingDetokenizer& text() noexcept { return *text_; }
  /// The text so far, read only.
  [[nodiscard]] const StreamingDetokenizer& text() const noexcept { return *text_; }
  /// The token that was chosen last.
  [[nodiscard]] const Choice& last() const noexcept { return last_; }
  /// (vocab) logits that the last token was chosen from, or the first will be; empty while there are none.
  [[nodiscard]] std::span<const float> logits() const noexcept {
    return phase_ != Phase::idle ? seen_ : std::span<const float>();
  }
  /// What the row that the last token was chosen from looked at; see DecodeRequest::attention. Valid until
  /// advance_past().
  [[nodiscard]] std::span<const float> attention() const noexcept { return request_.attention(pass_.row); }
  /// Tokens in front of the one that is chosen next: the prompt and the answer so far.
  [[nodiscard]] Index position() const noexcept { return std::ssize(drafts_.history()); }
  /// Tokens of the cache that belong to the prompt and the answer, as opposed to guesses.
  [[nodiscard]] Index settled() const noexcept {
    return phase_ == Phase::idle ? cache_.size() : std::min<Index>(cache_.size(), position());
  }

 private:
  /// The states of an answer; see the drawing at the top.
  enum class Phase : unsigned char {
    idle,     ///< there is no answer, or it has ended
    prefill,  ///< the prompt goes through the decoder
    ready,    ///< logits are there
    chosen,   ///< a token was chosen, and its keys and values are not computed yet
    decode,   ///< they are being computed
  };
  /// One run of the decoder: over a token and the guesses behind it, or over a prompt.
  struct Pass {
    TokenList tokens;         ///< for the prompt, all its tokens, the reused ones too
    std::size_t drafted = 0;  ///< tokens [1, drafted] are guesses
    Index row = 0;            ///< row of the logits that the next choice is made from
  };

  /// (vocab) logits of a row of the last pass.
  [[nodiscard]] std::span<const float> logits_of(Index row) const noexcept { return request_.logits(row); }

  /// Sets the sampler's options. A fork gets a stream of random numbers of its own.
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
    // Guesses behind the end of the context, or of the longest answer, could not be used.
    const Index room = std::min<Index>(cache_.context() - position(), max_tokens_ - std::ssize(ids_));
    if (draft_ > 0 && room > 0) add_guesses(std::min<Index>(draft_, room));
    usage.drafted += static_cast<Index>(pass_.drafted);
    ++usage.passes;
    // The pass writes over the logits that were seen. Where others may have asked for it, they are kept.
    if (seen_copy_.data) std::copy(seen_.begin(), seen_.end(), seen_copy_.data);
    seen_ = {seen_copy_.data, seen_copy_.data ? seen_.size() : 0};
    phase_ = Phase::decode;
    return request_.begin(cache_, pass_.tokens.span(), std::ssize(pass_.tokens), Stage::decode);
  }
  /// Goes back to the token that was chosen last, over which a pass will begin anew.
  void leave_pass(Usage& usage) noexcept {
    decoding_.remove(request_);
    usage.drafted -= static_cast<Index>(pass_.drafted);
    --usage.passes;
    pass_.drafted = 0;
    phase_ = Phase::chosen;
  }
  /// Adds at most `most` guesses to the pass, as far as they are tokens of text: what the constraint leaves no choice
  /// about, or else what was said before.
  void add_guesses(Index most) noexcept {
    std::int32_t forced[kMostForced];
    const std::span<std::int32_t> room(forced, std::min<std::size_t>(kMostForced, static_cast<std::size_t>(most)));
    const std::size_t known = held_.forced(room);
    for (const std::int32_t id : known > 0 ? room.first(known) : drafts_.guess(most)) {
      if (roles_.image_token == id) break;  // in a prompt it stands for a picture's row, which a guess is not
      (void)pass_.tokens.push_back({{id}});
      ++pass_.drafted;
    }
  }

  static constexpr std::size_t kMostForced = 64;

  PrefixCache& cache_;                        // the session's
  Decoding& decoding_;                        // the session's, or its scheduler's
  DecodeRequest request_;                     // what has to be computed, in the phases prefill and decode
  TokenRoles roles_;                          // views of the model
  BumpAllocator steady_;                      // memory of the next two, for the whole life
  std::optional<Sampler> sampler_;            // always there once open
  std::optional<StreamingDetokenizer> text_;  // always there once open
  Drafts drafts_;                             // has the sequence as well

  AnswerConstraint held_;             // what the answer is held to
  Phase phase_ = Phase::idle;
  Index max_tokens_ = 0, draft_ = 0;  // of the options
  std::size_t prompt_ = 0;            // tokens of the prompt
  Token prompt_end_;                  // runs again when an answer is taken back whole
  Buffer<std::int32_t> ids_;          // of the answer
  Choice last_;                       // chosen last
  Pass pass_;                         // that runs, or has run last
  std::span<const float> seen_;       // logits that the last choice was made from, or the first will be
  View<float> seen_copy_;             // (1, vocab), where passes are shared: keeps them while the next pass runs
};

}  // namespace detail
DSVL_END_NAMESPACE

#include "../../base/host_macros_pop.hpp"

#endif  // DSVL_CHAT_INTERNAL_GENERATION_HPP
