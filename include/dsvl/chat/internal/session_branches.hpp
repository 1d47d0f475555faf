// Definitions of chat/internal/session_state.hpp: what leaves the straight way: going back, forks, scores.
#ifndef DSVL_CHAT_INTERNAL_SESSION_BRANCHES_HPP
#define DSVL_CHAT_INTERNAL_SESSION_BRANCHES_HPP

#include "../../base/host_macros_push.hpp"

#include "session_phases.hpp"

DSVL_BEGIN_NAMESPACE

namespace detail {

// --- going back, and forks ----------------------------------------------------------------------

DSVL_INLINE Status SessionState::rewind_answer(std::size_t tokens, const SamplerOptions& sampling) {
  const FloatEnvironment ours;
  const bool began = phase_ == Phase::ready || phase_ == Phase::chosen;
  if (!began || tokens > answer_ids_.size())
    return fail(Code::bad_argument, "an answer %s of %zu tokens can not go back to token %zu",
                phase_ == Phase::over ? "that is over" : "in work", answer_ids_.size(), tokens);
  DSVL_CHECK_STATUS(set_sampling(sampling));
  const bool shorter = tokens < answer_ids_.size();
  (void)answer_ids_.resize(tokens);
  sampler_->begin(prompt_ids_.span());
  for (const std::int32_t id : answer_ids_) sampler_->accept(id);
  if (!shorter) return {};  // what the next is chosen from is there, or about to be computed
  usage_.answer_tokens = static_cast<Index>(tokens);
  transcript_->restart();
  for (const std::int32_t id : answer_ids_) transcript_->push(id);
  transcript_->take();
  (void)history_.resize(prompt_ids_.size() + tokens);
  position_ = static_cast<Index>(history_.size());
  drafted_ = 0;
  // The token in front runs again: its logits are what the next is chosen from.
  engine_.cache().truncate(position_ - 1);
  last_.id = history_[history_.size() - 1];
  seen_row_.reset();
  phase_ = Phase::chosen;
  return {};
}

DSVL_INLINE Status SessionState::rewind_turns(std::size_t turns) {
  if (turns > this->turns())
    return fail(Code::bad_argument, "a conversation of %zu turns can not go back to turn %zu", this->turns(), turns);
  leave_answer();
  conversation_.keep_turns(2 * turns);
  release_pictures(pictures_, conversation_.pictures(conversation_.turns()));
  return {};
}

DSVL_INLINE void SessionState::clear() {
  leave_answer();
  conversation_.rewind({});
  release_pictures(pictures_, 0);
}

DSVL_INLINE Result<std::shared_ptr<SessionState>> SessionState::fork(Index context) {
  SessionOptions options = options_;
  if (context > 0) options.limits.context = context;
  const PrefixCache& cache = engine_.cache();
  const Index shared = phase_ == Phase::over ? cache.size() : std::min<Index>(cache.size(), position_);
  if (options.limits.context < shared || options.limits.context > model_->info.max_context)
    return fail(Code::limit, "a fork of %td tokens of context: %td are shared, the model's positions end at %td",
                options.limits.context, shared, model_->info.max_context);
  auto child = std::make_shared<SessionState>(model_, options, cache.pool(), gallery_);
  DSVL_CHECK_STATUS(child->open(shared / kKvBlock));
  DSVL_CHECK_STATUS(child->engine_.cache().share(cache, shared));
  child->fork_ = mix_bits(fork_ + kGolden * ++forks_);
  const std::size_t whole = 2 * turns();  // an answer in work stays here
  for (std::size_t t = 0; t < whole; ++t) DSVL_CHECK_STATUS(child->conversation_.add_turn(conversation_, t));
  for (std::size_t p = 0; p < conversation_.pictures(whole); ++p) {
    gallery_->retain(pictures_[p]);
    (void)child->pictures_.push_back(pictures_[p]);
  }
  (void)child->answer_ids_.assign(answer_ids_.data(), answer_ids_.size());
  return child;
}

// --- scores -------------------------------------------------------------------------------------

/// Puts ids behind the cache; logits of the last `logits` of them.
DSVL_INLINE Status SessionState::compute(std::span<const std::int32_t> ids, Index logits) {
  slots_.clear();
  inputs_.clear();
  for (const std::int32_t id : ids)
    if (!slots_.push_back({id}) || !inputs_.push_back({id, nullptr}))
      return fail(Code::limit, "a text of %zu tokens does not fit a context of %td", ids.size(),
                  engine_.cache().context());
  DSVL_CHECK_STATUS(engine_.begin({slots_.span(), inputs_.span()}, logits, Stage::prefill));
  return engine_.advance(control());
}

inline Status add_score(std::span<const float> logits, std::int32_t id, Score& to) {
  DSVL_TRY(sum, log_sum_exp(logits));
  to.tokens.push_back(sum.log_probability(logits[static_cast<std::size_t>(id)]));
  to.log_likelihood += to.tokens.back();
  return {};
}

/// All continuations share the prompt's pass: it has the logits of their first tokens, and each runs its other tokens
/// behind it, as many at a time as logits are kept for.
DSVL_INLINE Status SessionState::score_all(std::span<const std::string_view> continuations, std::vector<Score>& out) {
  const auto encode = [&](std::string_view text) -> Status {
    scratch_.reset();
    draft_ids_.clear();
    if (text.empty()) return fail(Code::bad_argument, "a text to score is empty");
    DSVL_CHECK_STATUS(utf8::validate(text, "a text to score"));
    const Status encoded = tokenizer()->encode(text, ControlTokens::as_text, draft_ids_, &scratch_);
    if (encoded.code() == Code::out_of_memory)  // twice the context has room
      return fail(Code::limit, "a text of %zu bytes to score takes more tokens than the context of %td holds",
                  text.size(), engine_.cache().context());
    return encoded;
  };
  for (const std::string_view text : continuations) {
    DSVL_CHECK_STATUS(encode(text));
    DSVL_CHECK_STATUS(add_score(engine_.logits(row_), draft_ids_[0], out.emplace_back()));
  }
  for (std::size_t c = 0; c < continuations.size(); ++c) {
    DSVL_CHECK_STATUS(encode(continuations[c]));
    const std::span<const std::int32_t> ids = draft_ids_.span();
    const auto most = static_cast<std::size_t>(options_.limits.logit_rows);
    engine_.cache().truncate(position_);
    for (std::size_t at = 0; at + 1 < ids.size();) {
      const std::size_t rows = std::min<std::size_t>(most, ids.size() - 1 - at);
      DSVL_CHECK_STATUS(compute(ids.subspan(at, rows), static_cast<Index>(rows)));
      for (std::size_t r = 0; r < rows; ++r)
        DSVL_CHECK_STATUS(add_score(engine_.logits(static_cast<Index>(r)), ids[at + 1 + r], out[c]));
      at += rows;
    }
  }
  return {};
}

DSVL_INLINE Result<std::vector<Score>> SessionState::score(std::span<const std::string_view> continuations) {
  const FloatEnvironment ours;
  make_ready();
  if (phase_ != Phase::ready) return status_;
  std::vector<Score> out;
  out.reserve(continuations.size());
  const Status status = score_all(continuations, out);
  // The question was asked to be scored: it is no part of the conversation.
  end_with(status.ok() ? fail(Code::cancelled, "the question was scored") : status);
  DSVL_CHECK_STATUS(status);
  return out;
}

}  // namespace detail

DSVL_END_NAMESPACE

#include "../../base/host_macros_pop.hpp"

#endif  // DSVL_CHAT_INTERNAL_SESSION_BRANCHES_HPP
