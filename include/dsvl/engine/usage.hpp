// Usage: what an answer took.
#ifndef DSVL_ENGINE_USAGE_HPP
#define DSVL_ENGINE_USAGE_HPP

#include "../base/view.hpp"

DSVL_BEGIN_NAMESPACE

/// Counts and seconds of one answer.
struct Usage {
  Index prompt_tokens = 0;     ///< the whole conversation up to the answer
  Index reused_tokens = 0;     ///< of these, found in the cache
  Index answer_tokens = 0;     ///< generated, the end token included
  Index passes = 0;            ///< of the decoder for them; fewer than tokens where drafts were right
  Index drafted = 0, accepted = 0;  ///< tokens guessed, and those that the model chose too
  double decode_image = 0, preprocess = 0, encode = 0, prefill = 0, decode = 0;  ///< seconds by stage
};

DSVL_END_NAMESPACE

#endif  // DSVL_ENGINE_USAGE_HPP
