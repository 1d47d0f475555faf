// Sampler: from the logits of one position to a token.
//
// The order of operations is bias, repetition penalty, bans, constraint, temperature, top-k, top-p, draw. The
// log-probability that is reported comes from the logits as the model gave them.
// Source: the logits processors and warpers of transformers, which the reference uses (its sampling default top_k 50 is
// not a default here).
#ifndef DSVL_TEXT_SAMPLER_HPP
#define DSVL_TEXT_SAMPLER_HPP

#include "../base/host_macros_push.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>

#include "../base/buffer.hpp"
#include "../base/status.hpp"
#include "../base/strict_math.hpp"
#include "../base/view.hpp"
#include "random.hpp"
#include "sampler_options.hpp"

DSVL_BEGIN_NAMESPACE

/// The chosen token.
struct Choice {
  std::int32_t id = 0;         ///< of the token
  double log_probability = 0;  ///< log softmax of the raw logits: temperature 1, no bias, penalty or cut
};

/// log(sum(exp(logits))) in two parts, so that log p(i) = (logits[i] - largest) - log_sum loses no digits.
struct LogSum {
  std::size_t best = 0;  ///< the first token with the largest logit
  double largest = 0;    ///< that logit
  double log_sum = 0;    ///< log(sum(exp(logits - largest)))
  /// Log-probability of a token with this logit.
  [[nodiscard]] double log_probability(float logit) const noexcept { return double{logit} - largest - log_sum; }
};

/// Computes it in float64, summed in the order of ids.
///
/// Codes  bad_argument when a logit is NaN or +inf, or all are -inf
inline Result<LogSum> log_sum_exp(std::span<const float> logits) noexcept {
  float largest = -std::numeric_limits<float>::infinity();
  std::size_t best = 0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    if (!(logits[i] < std::numeric_limits<float>::infinity()))
      return fail(Code::bad_argument, "the logit of token %zu is %s", i, std::isnan(logits[i]) ? "NaN" : "infinite");
    if (logits[i] > largest) largest = logits[i], best = i;
  }
  if (!(largest > -std::numeric_limits<float>::infinity()))
    return fail(Code::bad_argument, "none of the %zu logits is finite", logits.size());
  double sum = 0;
  for (const float x : logits) sum += std::exp(double{x} - double{largest});
  return LogSum{best, largest, std::log(sum)};
}

/// Chooses the tokens of one sequence. Not for several threads at once.
class Sampler {
  struct Candidate { double weight; float score; std::int32_t id; };  // weight: not yet normalised probability

 public:
  /// Takes the memory for a vocabulary, bytes_for(vocab); set() and choose() need none. Check ready().
  explicit Sampler(Index vocab, Allocator* from = nullptr) noexcept
      : scores_(from), candidates_(from), bias_(from), marks_(from) {
    const auto n = static_cast<std::size_t>(vocab);
    ready_ = vocab > 0 && vocab <= (std::numeric_limits<std::int32_t>::max)() && scores_.resize(n) &&
             candidates_.resize(n) && bias_.resize(n) && marks_.resize(n);
    if (ready_) std::fill(marks_.begin(), marks_.end(), std::uint8_t{0});
  }
  /// False when the constructor had no memory; then nothing else may be called.
  [[nodiscard]] bool ready() const noexcept { return ready_; }
  /// Bytes that the constructor allocates.
  static constexpr std::size_t bytes_for(Index vocab) noexcept {
    return static_cast<std::size_t>(vocab) * (2 * sizeof(float) + sizeof(Candidate) + 1) + 5 * kAlignment;
  }
  /// Changes to another stream of random numbers, with the same options.
  void reseed(std::uint64_t seed) noexcept { seed_ = seed; }

  /// Replaces the options and begins a new sequence.
  ///
  /// Codes  bad_argument (an option out of its range; then nothing has changed)
  Status set(const SamplerOptions& options) noexcept {
    DSVL_CHECK_STATUS(check(options, std::ssize(marks_)));
    temperature_ = options.temperature;
    top_k_ = options.top_k;
    top_p_ = options.top_p;
    repetition_penalty_ = options.repetition_penalty;
    penalize_prompt_ = options.penalize_prompt;
    seed_ = options.seed;
    std::fill(marks_.begin(), marks_.end(), std::uint8_t{0});
    for (const TokenBias& b : options.bias) {
      const auto id = static_cast<std::size_t>(b.id);
      bias_[id] = finite_above(marks_[id] & kBiased ? bias_[id] + b.bias : b.bias);
      marks_[id] |= kBiased;
    }
    for (const std::int32_t id : options.banned) marks_[static_cast<std::size_t>(id)] |= kBanned;
    plain_ = temperature_ == 0 && repetition_penalty_ == 1 && options.bias.empty() && options.banned.empty();
    return {};
  }

  /// Begins a new sequence: forgets the tokens that were seen, and looks at the prompt if the options say so.
  void begin(std::span<const std::int32_t> prompt) noexcept {
    for (std::uint8_t& mark : marks_) mark &= static_cast<std::uint8_t>(~kSeen);
    if (penalize_prompt_)
      for (const std::int32_t id : prompt) accept(id);
  }

  /// Makes the token part of the sequence. It is separate from choose(), so that a draft can be compared before it
  /// counts.
  void accept(std::int32_t id) noexcept {
    if (id >= 0 && static_cast<std::size_t>(id) < marks_.size()) marks_[static_cast<std::size_t>(id)] |= kSeen;
  }

  /// Chooses from (vocab) logits. The same logits, options, accepted tokens and `position` give the same token.
  ///
  /// With `allowed`, only from tokens whose bit is set there (bit id % 64 of word id / 64); empty means from all.
  ///
  /// Codes  bad_argument (a wrong number of logits, NaN or +inf among them, every token banned)
  /// Cost   an exp per logit, a second one when drawing; with top-k or top-p a sort of the candidates that may stay
  Result<Choice> choose(std::span<const float> logits, std::uint64_t position,
                        std::span<const std::uint64_t> allowed = {}) noexcept {
    if (logits.size() != scores_.size())
      return fail(Code::bad_argument, "%zu logits were given, the vocabulary has %zu tokens", logits.size(),
                    scores_.size());
    DSVL_TRY(raw, log_sum_exp(logits));
    if (plain_ && allowed.empty())
      return Choice{static_cast<std::int32_t>(raw.best), raw.log_probability(logits[raw.best])};
    adjust(logits);
    if (!allowed.empty()) keep_only(allowed);
    std::size_t best = 0;
    for (std::size_t i = 1; i < scores_.size(); ++i)
      if (scores_[i] > scores_[best]) best = i;
    if (!(scores_[best] > -std::numeric_limits<float>::infinity()))
      return fail(Code::bad_argument, "%s leave no token to choose",
                  allowed.empty() ? "bans and biases" : "the constraint, bans and biases");
    if (temperature_ > 0) best = draw(scores_[best], random_unit(seed_, position));
    return Choice{static_cast<std::int32_t>(best), raw.log_probability(logits[best])};
  }

 private:
  static constexpr std::uint8_t kSeen = 1, kBiased = 2, kBanned = 4;  // bits of a mark

  /// bad_argument when an option is out of its range.
  static Status check(const SamplerOptions& o, Index vocab) noexcept {
    const auto bad = [](const char* name, double found, const char* needed) {
      return fail(Code::bad_argument, "%s is %g, must be %s", name, found, needed);
    };
    if (!(o.temperature >= 0) || !std::isfinite(o.temperature)) return bad("temperature", o.temperature, "0 or more");
    if (o.top_k < 0) return bad("top_k", static_cast<double>(o.top_k), "0 (all) or more");
    if (!(o.top_p > 0 && o.top_p <= 1)) return bad("top_p", o.top_p, "above 0 and at most 1");
    if (!(o.repetition_penalty > 0) || !std::isfinite(o.repetition_penalty))
      return bad("repetition_penalty", o.repetition_penalty, "above 0");
    for (const TokenBias& b : o.bias)
      if (b.id < 0 || b.id >= vocab || !(b.bias < std::numeric_limits<float>::infinity()))
        return fail(Code::bad_argument,
                    "a bias of %g for token %d: ids go from 0 to %td, a bias is a number below infinity",
                    double{b.bias}, b.id, vocab - 1);
    for (const std::int32_t id : o.banned)
      if (id < 0 || id >= vocab)
        return fail(Code::bad_argument, "token %d cannot be banned: ids go from 0 to %td", id, vocab - 1);
    return {};
  }

  /// A score that overflowed becomes the largest number, because draw() needs the distance between scores, and infinite
  /// ones have none.
  static float finite_above(float x) noexcept { return std::min<float>(x, (std::numeric_limits<float>::max)()); }

  /// Copies the logits to scores_ and applies bias, penalty and bans. Most tokens have no mark and are skipped.
  void adjust(std::span<const float> logits) noexcept {
    std::copy(logits.begin(), logits.end(), scores_.begin());
    const float p = repetition_penalty_;
    for (std::size_t i = 0; i < scores_.size(); ++i) {
      if (marks_[i] == 0) continue;
      if (marks_[i] & kBiased) scores_[i] += bias_[i];
      if (marks_[i] & kSeen && p != 1) scores_[i] = scores_[i] > 0 ? scores_[i] / p : scores_[i] * p;
      scores_[i] = finite_above(scores_[i]);
      if (marks_[i] & kBanned) scores_[i] = -std::numeric_limits<float>::infinity();
    }
  }

  /// Bans all tokens whose bit is not set.
  void keep_only(std::span<const std::uint64_t> allowed) noexcept {
    constexpr float kBannedScore = -std::numeric_limits<float>::infinity();
    for (std::size_t begin = 0; begin < scores_.size(); begin += 64) {
      const std::uint64_t bits = begin / 64 < allowed.size() ? allowed[begin / 64] : 0;
      if (bits == ~std::uint64_t{0}) continue;
      const std::size_t end = (std::min)(begin + 64, scores_.size());
      for (std::size_t i = begin; i < end; ++i)
        if (!(bits >> (i - begin) & 1u)) scores_[i] = kBannedScore;
    }
  }

  /// Draws with the uniform number u from exp((score - best) / temperature), after the cut by top-k and top-p.
  std::size_t draw(float best, double u) noexcept {
    Candidate* const c = candidates_.data();
    std::size_t n = 0;
    double total = 0;
    for (std::size_t i = 0; i < scores_.size(); ++i) {
      if (!(scores_[i] > -std::numeric_limits<float>::infinity())) continue;
      const double weight = std::exp((double{scores_[i]} - double{best}) / double{temperature_});
      c[n++] = {weight, scores_[i], static_cast<std::int32_t>(i)};
      total += weight;
    }
    // Equal scores are ordered by id. The order is total, so every standard library keeps the same candidates and adds
    // them in the same order.
    const auto better = [](const Candidate& a, const Candidate& b) noexcept {
      return a.score != b.score ? a.score > b.score : a.id < b.id;
    };
    if (const auto k = static_cast<std::size_t>(top_k_); k > 0 && k < n) {
      std::partial_sort(c, c + k, c + n, better);
      n = k;
      total = 0;
      for (std::size_t i = 0; i < n; ++i) total += c[i].weight;
    }
    if (const double p = double{top_p_}; p < 1) {
      // All candidates below this weight together weigh less than 1 - p, so top-p never keeps them and they need not be
      // sorted.
      const double least = (1 - p) * total / static_cast<double>(n);
      n = static_cast<std::size_t>(std::partition(c, c + n, [&](const Candidate& x) { return x.weight >= least; }) - c);
      std::sort(c, c + n, better);
      double sum = c[0].weight;
      std::size_t kept = 1;
      while (kept < n && sum < p * total) sum += c[kept++].weight;
      n = kept;
      total = sum;
    }
    return walk(c, n, u * total);
  }

  /// The candidate in whose share of the sum `target` falls.
  static std::size_t walk(const Candidate* c, std::size_t n, double target) noexcept {
    std::size_t i = 0;
    for (double sum = c[0].weight; sum <= target && i + 1 < n; sum += c[i].weight) ++i;
    return static_cast<std::size_t>(c[i].id);
  }

  float temperature_ = 0, top_p_ = 1, repetition_penalty_ = 1;
  Index top_k_ = 0;
  bool penalize_prompt_ = false, ready_ = false;
  bool plain_ = true;              // the token with the largest logit is chosen
  std::uint64_t seed_ = 0;
  Buffer<float> scores_;           // the logits after adjust()
  Buffer<Candidate> candidates_;   // scratch of draw()
  Buffer<float> bias_;             // by token, where marked
  Buffer<std::uint8_t> marks_;     // by token: kSeen, kBiased, kBanned
};

DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_TEXT_SAMPLER_HPP
