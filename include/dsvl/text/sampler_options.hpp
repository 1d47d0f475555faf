// SamplerOptions: how a token is chosen; sampler.hpp does it.
#ifndef DSVL_TEXT_SAMPLER_OPTIONS_HPP
#define DSVL_TEXT_SAMPLER_OPTIONS_HPP

#include <cstdint>
#include <vector>

#include "../base/view.hpp"

DSVL_BEGIN_NAMESPACE

/// Added to a token's logit.
struct TokenBias { std::int32_t id = 0; float bias = 0; };

struct SamplerOptions {
  float temperature = 0;         ///< 0: greedy, the best token; among equals the lowest id
  Index top_k = 0;               ///< draw among the k best; 0: all. Equals at the border: lower ids stay
  float top_p = 1;               ///< draw among the fewest best whose probabilities reach p; in (0, 1]
  float repetition_penalty = 1;  ///< > 0: logits of tokens seen before are divided (if positive) or multiplied by it
  bool penalize_prompt = false;  ///< whether the prompt counts as seen (HF does so; the original can not)
  std::uint64_t seed = 0;
  std::vector<TokenBias> bias = {};
  std::vector<std::int32_t> banned = {};  ///< tokens that are never chosen
};

DSVL_END_NAMESPACE

#endif  // DSVL_TEXT_SAMPLER_OPTIONS_HPP
