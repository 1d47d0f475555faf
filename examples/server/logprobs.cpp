#include "logprobs.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace server {

std::vector<std::pair<std::int32_t, double>> likeliest(std::span<const float> logits, int count) {
  const std::size_t most = std::min(logits.size(), static_cast<std::size_t>(count));
  if (most == 0) return {};
  std::vector<std::int32_t> order(logits.size());
  std::iota(order.begin(), order.end(), 0);
  const auto logit = [&](std::int32_t id) { return logits[static_cast<std::size_t>(id)]; };
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(most), order.end(),
                    [&](std::int32_t a, std::int32_t b) { return logit(a) != logit(b) ? logit(a) > logit(b) : a < b; });
  // Dividing by the largest first keeps exp() from overflowing.
  const double largest = logit(order[0]);
  double sum = 0;
  for (const float x : logits) sum += std::exp(x - largest);
  std::vector<std::pair<std::int32_t, double>> out;
  for (std::size_t i = 0; i < most; ++i) out.emplace_back(order[i], logit(order[i]) - largest - std::log(sum));
  return out;
}

}  // namespace server
