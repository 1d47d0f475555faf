// Definitions of session_state.hpp: how likely continuations are.
//
// The prompt is computed once, and its logits give the first token of every continuation. The others run behind the
// prompt, one continuation after another, and are dropped from the cache again.
#ifndef DSVL_CHAT_INTERNAL_SESSION_SCORES_HPP
#define DSVL_CHAT_INTERNAL_SESSION_SCORES_HPP

#include "../../base/host_macros_push.hpp"

#include "../../base/float_environment.hpp"
#include "session_state.hpp"

DSVL_BEGIN_NAMESPACE

namespace detail {

/// Adds the log-probability of a token, from the logits in front of it.
///
/// Codes  bad_argument (logits that are not finite)
inline Status add_score(std::span<const float> logits, std::int32_t id, Score& to) {
  DSVL_TRY(sum, log_sum_exp(logits));
  to.tokens.push_back(sum.log_probability(logits[static_cast<std::size_t>(id)]));
  to.log_likelihood += to.tokens.back();
  return {};
}

/// The ids of a text to score, valid until the next one.
///
/// Codes  bad_argument (it is empty), bad_text, those of PromptBuilder::encode_beside
DSVL_INLINE Result<std::span<const std::int32_t>> SessionState::encode_continuation(std::string_view text) {
  if (text.empty()) return fail(Code::bad_argument, "a text to score is empty");
  DSVL_CHECK_STATUS(utf8::validate(text, "a text to score"));
  return parts_.prompt.encode_beside(text);
}

/// The same ids, when they can be scored.
///
/// Codes  bad_argument (there are none, or one is outside the vocabulary)
DSVL_INLINE Result<std::span<const std::int32_t>> SessionState::check_continuation(
    std::span<const std::int32_t> ids) const noexcept {
  if (ids.empty()) return fail(Code::bad_argument, "a sequence of ids to score is empty");
  const Index vocab = model_->config.decoder.vocab;
  for (const std::int32_t id : ids)
    if (id < 0 || id >= vocab)
      return fail(Code::bad_argument, "token id %d is outside the vocabulary of %td", id, vocab);
  return ids;
}

/// Scores the first tokens of all continuations from the logits of the prompt, before the passes over their other
/// tokens write over these logits. Texts are encoded twice for that, because there is memory for the ids of one.
DSVL_INLINE Status SessionState::score_all(std::size_t continuations, IdsOf ids_of, std::vector<Score>& out) {
  for (std::size_t c = 0; c < continuations; ++c) {
    DSVL_TRY(ids, ids_of(c));
    DSVL_CHECK_STATUS(add_score(logits(), ids[0], out.emplace_back()));
  }
  for (std::size_t c = 0; c < continuations; ++c) {
    DSVL_TRY(ids, ids_of(c));
    DSVL_CHECK_STATUS(score_behind(ids, out[c]));
  }
  return {};
}

/// Scores the tokens behind the first, as many at a time as logits are kept for: row r predicts the token behind it.
DSVL_INLINE Status SessionState::score_behind(std::span<const std::int32_t> ids, Score& to) {
  Decoding& decoding = parts_.decoding;
  DecodeRequest request;
  TokenList& tokens = parts_.generation.tokens();
  const auto most = static_cast<std::size_t>(decoding.logit_rows());
  // The continuation before is dropped; the prompt stays.
  parts_.cache.truncate(parts_.generation.position());
  for (std::size_t at = 0; at + 1 < ids.size();) {
    const std::size_t rows = std::min<std::size_t>(most, ids.size() - 1 - at);
    tokens.clear();
    for (const std::int32_t id : ids.subspan(at, rows)) (void)tokens.push_back({{id}});  // rows <= chunk <= context
    DSVL_CHECK_STATUS(request.begin(parts_.cache, tokens.span(), static_cast<Index>(rows), Stage::prefill));
    DSVL_CHECK_STATUS(decoding.advance(request, executor_, control()));
    if (request.busy()) return fail(Code::cancelled, "the deadline passed before everything was scored");
    for (std::size_t r = 0; r < rows; ++r)
      DSVL_CHECK_STATUS(add_score(request.logits(static_cast<Index>(r)), ids[at + 1 + r], to));
    at += rows;
  }
  return {};
}

/// Computes the prompt, scores all continuations behind it, and ends the answer.
DSVL_INLINE Result<std::vector<Score>> SessionState::score(std::size_t continuations, IdsOf ids_of) {
  const FloatEnvironment ours;
  make_ready();
  if (answer_.finish == Finish::deadline) return fail(Code::cancelled, "the deadline passed before there were scores");
  if (!parts_.generation.ready()) return answer_.status;
  std::vector<Score> out;
  out.reserve(continuations);
  const Status status = score_all(continuations, ids_of, out);
  // The question was asked only to be scored, so it does not become a turn.
  end_with(status.ok() ? fail(Code::cancelled, "the question was scored") : status);
  DSVL_CHECK_STATUS(status);
  return out;
}

DSVL_INLINE Result<std::vector<Score>> SessionState::score(std::span<const std::string_view> continuations) {
  return score(continuations.size(), [&](std::size_t i) { return encode_continuation(continuations[i]); });
}
DSVL_INLINE Result<std::vector<Score>> SessionState::score(
    std::span<const std::span<const std::int32_t>> sequences) {
  return score(sequences.size(), [&](std::size_t i) { return check_continuation(sequences[i]); });
}

}  // namespace detail

DSVL_END_NAMESPACE

#include "../../base/host_macros_pop.hpp"

#endif  // DSVL_CHAT_INTERNAL_SESSION_SCORES_HPP
