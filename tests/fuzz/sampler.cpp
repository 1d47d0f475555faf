// Any options over any logits: bad ones are refused, and what is chosen is among what the options leave, as a slow sampler
// written down here finds it.
#include <dsvl/text/sampler.hpp>

#include <cmath>

#include "target.hpp"

namespace fuzz_sampler {
using namespace dsvl;

/// What a mutated byte makes of an option: often sensible, sometimes any float.
float real(fuzz::Input& in) {
  const std::uint8_t kind = in.byte();
  return kind < 224 ? static_cast<float>(kind) / 64.0f : in.value<float>();
}

SamplerOptions options(fuzz::Input& in, int vocab) {
  SamplerOptions o;
  const std::uint8_t which = in.byte();
  if (which & 1) o.temperature = real(in);
  if (which & 2) o.top_k = in.byte() % 16 == 0 ? in.value<Index>() : static_cast<Index>(in.byte() % 12);
  if (which & 4) o.top_p = real(in);
  if (which & 8) o.repetition_penalty = real(in);
  o.penalize_prompt = which & 16;
  o.seed = in.value<std::uint16_t>();
  const auto id = [&] { return static_cast<std::int32_t>(in.byte()) % (vocab + 2) - 1; };
  if (which & 32)
    for (std::size_t n = in.number(4); n > 0; --n) o.bias.push_back({id(), real(in)});
  if (which & 64)
    for (std::size_t n = in.number(6); n > 0; --n) o.banned.push_back(id());
  return o;
}

bool sensible(const SamplerOptions& o, int vocab) {
  if (!(o.temperature >= 0) || std::isinf(o.temperature) || o.top_k < 0 || !(o.top_p > 0) || o.top_p > 1) return false;
  if (!(o.repetition_penalty > 0) || std::isinf(o.repetition_penalty)) return false;
  for (const TokenBias& b : o.bias)
    if (b.id < 0 || b.id >= vocab || std::isnan(b.bias) || b.bias > 3.4e38f) return false;
  for (const std::int32_t id : o.banned)
    if (id < 0 || id >= vocab) return false;
  return true;
}

float finite_above(float x) { return x > 0 && std::isinf(x) ? std::numeric_limits<float>::max() : x; }

/// The logits as the options have them; what overflows is the largest number.
std::vector<float> adjusted(const SamplerOptions& o, std::span<const float> logits,
                            std::span<const std::int32_t> seen) {
  std::vector<float> scores(logits.begin(), logits.end());
  std::vector<float> bias(scores.size());
  std::vector<bool> biased(scores.size()), penalised(scores.size());
  for (const TokenBias& b : o.bias) {
    const auto i = static_cast<std::size_t>(b.id);
    bias[i] = finite_above(biased[i] ? bias[i] + b.bias : b.bias);
    biased[i] = true;
  }
  for (std::size_t i = 0; i < scores.size(); ++i)
    if (biased[i]) scores[i] += bias[i];
  for (const std::int32_t id : seen) penalised[static_cast<std::size_t>(id)] = true;
  for (std::size_t i = 0; i < scores.size(); ++i)
    if (penalised[i] && o.repetition_penalty != 1)
      scores[i] = scores[i] > 0 ? scores[i] / o.repetition_penalty : scores[i] * o.repetition_penalty;
  for (float& score : scores) score = finite_above(score);
  for (const std::int32_t id : o.banned) scores[static_cast<std::size_t>(id)] = -INFINITY;
  return scores;
}

/// Whether the options let `id` be drawn, with a hair's breadth where sums are compared.
bool may_draw(const SamplerOptions& o, const std::vector<float>& scores, std::int32_t id) {
  const float mine = scores[static_cast<std::size_t>(id)];
  const auto before = [&](std::size_t i) {
    return scores[i] > mine || (scores[i] == mine && static_cast<std::int32_t>(i) < id);
  };
  std::vector<std::size_t> better, all;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (!(scores[i] > -INFINITY)) continue;
    all.push_back(i);
    if (before(i)) better.push_back(i);
  }
  if (o.temperature == 0) return better.empty();
  if (o.top_k > 0 && static_cast<Index>(better.size()) >= o.top_k) return false;
  if (o.top_p >= 1) return true;
  float best = -INFINITY;
  for (const std::size_t i : all) best = std::max(best, scores[i]);
  std::sort(all.begin(), all.end(), [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
  if (o.top_k > 0 && static_cast<Index>(all.size()) > o.top_k) all.resize(static_cast<std::size_t>(o.top_k));
  const auto weight = [&](std::size_t i) { return std::exp((double{scores[i]} - double{best}) / double{o.temperature}); };
  double total = 0, front = 0;
  for (const std::size_t i : all) total += weight(i);
  for (const std::size_t i : better) front += weight(i);
  return better.empty() || front < double{o.top_p} * total * (1 + 1e-9) + 1e-12;
}

void run(fuzz::Input in) {
  const int vocab = 1 + static_cast<int>(in.number(40));
  const SamplerOptions o = options(in, vocab);
  fuzz::Memory memory;
  Sampler sampler(vocab, &memory), twin(vocab, &memory);
  FUZZ_CHECK(sampler.ready() && twin.ready());
  const Status set = sampler.set(o);
  FUZZ_CHECK(set.ok() == sensible(o, vocab));
  if (!set.ok()) return fuzz::check_error(set);
  FUZZ_CHECK(twin.set(o).ok());
  std::vector<std::int32_t> prompt, seen;
  for (std::size_t n = in.number(4); n > 0; --n) prompt.push_back(static_cast<std::int32_t>(in.byte()) % vocab);
  sampler.begin(prompt), twin.begin(prompt);
  if (o.penalize_prompt) seen = prompt;
  for (std::uint64_t position = 0; position < 4 && !in.empty(); ++position) {
    std::vector<float> logits(static_cast<std::size_t>(vocab));
    bool possible = false, broken = false;
    const bool wild = in.byte() % 4 == 0;
    for (float& x : logits) {
      x = wild ? in.value<float>() : static_cast<float>(in.byte()) / 16.0f - 8.0f;
      broken = broken || std::isnan(x) || x == INFINITY;
      possible = possible || x > -INFINITY;
    }
    const auto choice = sampler.choose(logits, position), same = twin.choose(logits, position);
    FUZZ_CHECK(choice.has_value() == same.has_value());
    if (!choice) {
      const std::vector<float> scores = adjusted(o, broken || !possible ? std::vector<float>(logits.size()) : logits, seen);
      const bool left = std::any_of(scores.begin(), scores.end(), [](float x) { return x > -INFINITY; });
      FUZZ_CHECK(broken || !possible || !left);
      fuzz::check_error(choice.error());
      continue;
    }
    FUZZ_CHECK(!broken && possible && choice->id == same->id && choice->log_probability == same->log_probability);
    FUZZ_CHECK(choice->id >= 0 && choice->id < vocab && choice->log_probability <= 1e-12);
    FUZZ_CHECK(may_draw(o, adjusted(o, logits, seen), choice->id));
    sampler.accept(choice->id), twin.accept(choice->id);
    seen.push_back(choice->id);
  }
}

}  // namespace fuzz_sampler

DSVL_FUZZ_TARGET(sampler)
