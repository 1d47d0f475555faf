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
  Index drafted = 0,        ///< draft tokens that were checked
      accepted = 0;         ///< draft tokens that the model chose too
  // Wall time by stage.
  double decode_image = 0,  ///< seconds of decoding picture files and hashing pixels
      preprocess = 0,       ///< seconds of resizing pictures
      encode = 0,           ///< seconds of running the towers
      prefill = 0,          ///< seconds of running the decoder over the prompt
      decode = 0;           ///< seconds of making tokens
};

DSVL_END_NAMESPACE

#endif  // DSVL_ENGINE_USAGE_HPP
