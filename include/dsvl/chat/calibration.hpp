// Calibration: from how likely the model finds each of some choices to probabilities that mean what they say.
//
//   Session::score -> log-likelihoods -> divided by a temperature -> probabilities -> a choice, or none if unsure
//
// A model that says 0.99 is not right 99 times of a hundred. One number for each set of choices, a temperature fitted
// on a handful of answers that a person has labelled, mends most of it and never changes which choice is likeliest
// (Guo, Pleiss, Sun, Weinberger: On Calibration of Modern Neural Networks, arXiv:1706.04599, 4.2).
#ifndef DSVL_CHAT_CALIBRATION_HPP
#define DSVL_CHAT_CALIBRATION_HPP

#include "../base/host_macros_push.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "session.hpp"

DSVL_BEGIN_NAMESPACE

/// What makes probabilities of one set of choices: those of one question, or of questions that are answered alike.
struct Calibration {
  double temperature = 1;    ///< log-likelihoods are divided by it: above 1 makes less sure, below 1 surer
  double abstain_below = 0;  ///< a choice that is less probable than this is not made

  bool operator==(const Calibration&) const noexcept = default;
};

/// The likelihoods of some choices, and which of them a person found to be right.
struct LabelledChoice {
  std::vector<double> log_likelihoods;  ///< of the choices, as Score::log_likelihood
  std::size_t right = 0;                ///< the number of the right one
};

/// Probabilities of choices, and the one that was made.
struct Classification {
  std::vector<double> probabilities;  ///< of the choices; they add up to 1
  std::optional<std::size_t> choice;  ///< the likeliest; nothing when it is below Calibration::abstain_below
};

/// The log-likelihoods of scored choices, for choice_probabilities() and LabelledChoice.
inline std::vector<double> log_likelihoods(std::span<const Score> scores) {
  std::vector<double> out;
  for (const Score& score : scores) out.push_back(score.log_likelihood);
  return out;
}

/// Probabilities that add up to 1: exp(log-likelihood / temperature) of each, scaled. `temperature` is above 0.
inline std::vector<double> choice_probabilities(std::span<const double> log_likelihoods, double temperature = 1) {
  std::vector<double> shares;
  // Dividing by the largest likelihood first keeps exp() from becoming zero for all of them.
  double largest = -std::numeric_limits<double>::infinity(), sum = 0;
  for (const double l : log_likelihoods) largest = std::max<double>(largest, l);
  for (const double l : log_likelihoods) sum += shares.emplace_back(std::exp((l - largest) / temperature));
  for (double& share : shares) share /= sum;
  return shares;
}

/// Makes the likeliest choice, unless it is less probable than the calibration asks for.
inline Classification decide(std::span<const double> log_likelihoods, const Calibration& calibration) {
  Classification out{choice_probabilities(log_likelihoods, calibration.temperature), std::nullopt};
  const auto best = std::max_element(out.probabilities.begin(), out.probabilities.end());
  if (best != out.probabilities.end() && *best >= calibration.abstain_below)
    out.choice = static_cast<std::size_t>(best - out.probabilities.begin());
  return out;
}

/// Session::classify() with a calibration: which choice it is, or that the model is not sure enough.
///
/// Codes  those of Session::score
inline Result<Classification> classify(Session& session, std::span<const Picture> pictures, std::string_view question,
                                       std::span<const std::string_view> choices, const Calibration& calibration,
                                       const GenerateOptions& options = {}) {
  DSVL_TRY(scores, session.score(pictures, question, choices, options));
  return decide(log_likelihoods(scores), calibration);
}

namespace detail {

/// Checks that there are examples, and that each has a right choice among several of finite likelihood.
///
/// Codes  bad_argument
inline Status check_labels(std::span<const LabelledChoice> examples) noexcept {
  if (examples.empty()) return fail(Code::bad_argument, "a calibration needs labelled examples, and there are none");
  for (std::size_t i = 0; i < examples.size(); ++i) {
    const std::vector<double>& all = examples[i].log_likelihoods;
    if (examples[i].right >= all.size())
      return fail(Code::bad_argument, "labelled example %zu: choice %zu is right, of %zu", i, examples[i].right,
                  all.size());
    for (const double l : all)
      if (!std::isfinite(l)) return fail(Code::bad_argument, "labelled example %zu: a likelihood is not finite", i);
  }
  return {};
}

/// How badly a temperature exp(`x`) fits: the negative logarithm of the right choices' probabilities, and of a prior.
/// Without the prior, examples that are all right would ask for a temperature of nothing. It is normal in x with a
/// standard deviation of 1: it weighs as much as one example or two.
inline double misfit(std::span<const LabelledChoice> examples, double x) {
  double sum = x * x / 2;
  for (const LabelledChoice& e : examples) {
    const std::vector<double>& all = e.log_likelihoods;
    const double temperature = std::exp(x), best = *std::max_element(all.begin(), all.end());
    double shares = 0;
    for (const double l : all) shares += std::exp((l - best) / temperature);
    sum += std::log(shares) - (all[e.right] - best) / temperature;
  }
  return sum;
}

/// How many of `all` are a share of them, rounded up.
inline std::size_t share_of(double share, std::size_t all) noexcept {
  const double exact = std::clamp<double>(share, 0, 1) * static_cast<double>(all);
  return static_cast<std::size_t>(std::ceil(std::max<double>(exact - 1e-9, 0)));
}

}  // namespace detail

/// Fits a calibration to examples that have one set of choices: the temperature, and the threshold below which the
/// least sure of these examples are left out, so that `coverage` of them (above 0, up to 1) are answered. Five or ten
/// examples do; take them from pictures like those to come, and judge by others.
///
/// Codes  bad_argument
/// Cost   some two hundred looks at every likelihood
inline Result<Calibration> fit_calibration(std::span<const LabelledChoice> examples, double coverage = 1) {
  DSVL_CHECK_STATUS(detail::check_labels(examples));
  if (!(coverage > 0 && coverage <= 1))
    return fail(Code::bad_argument, "a coverage of %g was asked for, must be above 0 and at most 1", coverage);
  // The misfit has one valley for each example alone, but not always for all together, so the lowest of many points is
  // narrowed down.
  constexpr double kFrom = -3, kStep = 0.05, kNarrow = 0.6180339887498949;
  constexpr int kPoints = 121;  // temperatures from 1/20 to 20
  const auto at = [&](double x) { return detail::misfit(examples, x); };
  int best = 0;
  double least = at(kFrom);
  for (int i = 1; i < kPoints; ++i)
    if (const double misfit = at(kFrom + i * kStep); misfit < least) best = i, least = misfit;
  double low = kFrom + (best - 1) * kStep, high = low + 2 * kStep;
  for (int i = 0; i < 40; ++i) {
    const double a = high - kNarrow * (high - low), b = low + kNarrow * (high - low);
    if (at(a) < at(b)) high = b;
    else low = a;
  }
  Calibration out{std::exp((low + high) / 2), 0};
  if (coverage == 1) return out;
  std::vector<double> sure;
  for (const LabelledChoice& e : examples) {
    const std::vector<double> shares = choice_probabilities(e.log_likelihoods, out.temperature);
    sure.push_back(*std::max_element(shares.begin(), shares.end()));
  }
  std::sort(sure.begin(), sure.end());
  out.abstain_below = sure[sure.size() - detail::share_of(coverage, sure.size())];
  return out;
}

/// How sure a choice was, and whether it was right.
struct Judged {
  double probability = 0;  ///< of the choice that was made
  bool right = false;      ///< what a person says to it
};

/// The expected calibration error: how far the share of right choices is from what they claimed, in `bins` bins of
/// equal width (Naeini, Cooper, Hauskrecht: Obtaining Well Calibrated Probabilities Using Bayesian Binning, 2015). 0 is
/// best, 1 worst; 0 too where there are none.
inline double expected_calibration_error(std::span<const Judged> judged, std::size_t bins = 10) {
  std::vector<double> gaps(std::max<std::size_t>(bins, 1));  // the sum of right - claimed
  for (const Judged& j : judged) {
    const double place = std::clamp<double>(j.probability, 0, 1) * static_cast<double>(gaps.size());
    gaps[std::min<std::size_t>(static_cast<std::size_t>(place), gaps.size() - 1)] += j.right - j.probability;
  }
  double sum = 0;
  for (const double gap : gaps) sum += std::abs(gap);
  return judged.empty() ? 0 : sum / static_cast<double>(judged.size());
}

/// The share of right choices among the surest: `coverage` of all, rounded up. 0 where there are none.
inline double accuracy_at(std::span<const Judged> judged, double coverage) {
  std::vector<Judged> sorted(judged.begin(), judged.end());
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const Judged& a, const Judged& b) { return a.probability > b.probability; });
  sorted.resize(detail::share_of(coverage, sorted.size()));
  const auto right = std::count_if(sorted.begin(), sorted.end(), [](const Judged& j) { return j.right; });
  return sorted.empty() ? 0 : static_cast<double>(right) / static_cast<double>(sorted.size());
}

DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_CHAT_CALIBRATION_HPP
