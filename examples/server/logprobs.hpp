// The likeliest tokens at a place, with their log-probabilities.
#ifndef DSVL_SERVER_LOGPROBS_HPP
#define DSVL_SERVER_LOGPROBS_HPP

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace server {

/// The `count` likeliest tokens, best first; none when there are no logits.
std::vector<std::pair<std::int32_t, double>> likeliest(std::span<const float> logits, int count);

}  // namespace server

#endif  // DSVL_SERVER_LOGPROBS_HPP
