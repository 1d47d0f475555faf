// SamplerOptions: how a token is chosen from the logits. sampler.hpp carries it out.
#ifndef DSVL_TEXT_SAMPLER_OPTIONS_HPP
#define DSVL_TEXT_SAMPLER_OPTIONS_HPP

#include <cstdint>
#include <vector>

#include "../base/view.hpp"

DSVL_BEGIN_NAMESPACE

/// A number that is added to a token's logit, in natural-log units: +0.69 doubles its odds. Any id of the vocabulary is
/// allowed, and any number below infinity; -infinity bans the token.
struct TokenBias {
  std::int32_t id = 0;  ///< the token
  float bias = 0;       ///< what is added to its logit
};

/// The rules by which the next token is chosen. The defaults change nothing: the likeliest token is taken. An option
/// out of its range is bad_argument, and nothing is chosen.
///
/// Cost   beside a pass of the model: an exp per token of the vocabulary, a second one with a temperature, and with
///        top_k or top_p a sort of the candidates that may stay
struct SamplerOptions {
  /// Logits are divided by it; 0 or more, finite. 0 means greedy: the likeliest token, among equals the lowest id.
  float temperature = 0;
  /// Draws among the k likeliest tokens; 0 means all. Of equals at the border the lower ids stay. Not read without a
  /// temperature.
  Index top_k = 0;
  /// Draws among the fewest likeliest tokens whose probabilities (after top_k) sum to at least p; above 0, at most 1,
  /// which means all. Not read without a temperature.
  float top_p = 1;
  /// Logits of tokens that were seen before are divided by it if positive, multiplied by it if not; above 0, finite.
  /// 1 means no penalty.
  float repetition_penalty = 1;
  bool penalize_prompt = false;  ///< the prompt's tokens count as seen, as in HF; in the original only the answer's do
  std::uint64_t seed = 0;        ///< the same seed draws the same answer; forks draw others. Not read when greedy
  std::vector<TokenBias> bias = {};  ///< several for one token add up
  std::vector<std::int32_t> banned = {};  ///< ids of the vocabulary that are never chosen; not all of them
};

DSVL_END_NAMESPACE

#endif  // DSVL_TEXT_SAMPLER_OPTIONS_HPP
