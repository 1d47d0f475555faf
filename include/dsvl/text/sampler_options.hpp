// SamplerOptions: how a token is chosen; sampler.hpp does it.
#ifndef DSVL_TEXT_SAMPLER_OPTIONS_HPP
#define DSVL_TEXT_SAMPLER_OPTIONS_HPP

#include <cstdint>
#include <vector>

#include "../base/view.hpp"

DSVL_BEGIN_NAMESPACE

/// Added to a token's logit, in natural-log units: +0.69 doubles its odds. Any id of the vocabulary; any number below
/// infinity, and -infinity bans it.
struct TokenBias { std::int32_t id = 0; float bias = 0; };

/// How the next token is chosen. The defaults change nothing: the likeliest token. An option out of its range is
/// bad_argument, and nothing is chosen. Cost, beside a pass of the model: an exp per token of the vocabulary, a second
/// one with a temperature, and with top_k or top_p a sort of what may stay.
struct SamplerOptions {
  float temperature = 0;         ///< 0 or more, finite; logits are divided by it. 0: greedy, among equals the lowest id
  Index top_k = 0;               ///< draw among the k best; 0, or more than there are: all. Equals at the border: lower
                                 ///< ids stay. Not read without a temperature
  float top_p = 1;               ///< draw among the fewest best whose probabilities, cut by top_k, reach p: above 0, at
                                 ///< most 1 (all). Not read without a temperature
  float repetition_penalty = 1;  ///< above 0, finite: logits of tokens seen before are divided (if positive) or
                                 ///< multiplied by it; 1: none
  bool penalize_prompt = false;  ///< whether the prompt counts as seen (HF does so; the original can not)
  std::uint64_t seed = 0;        ///< the same one draws the same answer; forks draw others. Not read when greedy
  std::vector<TokenBias> bias = {};       ///< those of one token add up
  std::vector<std::int32_t> banned = {};  ///< ids of the vocabulary that are never chosen; not all of them
};

DSVL_END_NAMESPACE

#endif  // DSVL_TEXT_SAMPLER_OPTIONS_HPP
