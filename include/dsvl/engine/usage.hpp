// Usage: the tokens, passes and seconds that an answer took.
//
// The engine's parts add to it while they work; the application reads it from the Answer, at any time.
#ifndef DSVL_ENGINE_USAGE_HPP
#define DSVL_ENGINE_USAGE_HPP

#include "../base/view.hpp"

DSVL_BEGIN_NAMESPACE

/// Counts and seconds of one answer so far.
struct Usage {
  Index prompt_tokens = 0;  ///< tokens of the prompt: the whole conversation up to the answer
  Index reused_tokens = 0;  ///< of these, tokens found in the prefix cache and not computed
  Index answer_tokens = 0;  ///< tokens generated, the end token included
  Index passes = 0;         ///< runs of the decoder for them; fewer than tokens where drafts were right
  /// Draft tokens that were checked, and those of them that the model chose too.
  Index drafted = 0, accepted = 0;
  /// Wall time in seconds by stage: decoding files, resizing, the towers, the prompt, the answer.
  double decode_image = 0, preprocess = 0, encode = 0, prefill = 0, decode = 0;
};

DSVL_END_NAMESPACE

#endif  // DSVL_ENGINE_USAGE_HPP
