// Histogram: times in hundredths of a millisecond, from which quantiles and shares follow: of frames that a game or a
// window shows. A day of them takes no more memory than a second.
#ifndef DSVL_CLI_HISTOGRAM_HPP
#define DSVL_CLI_HISTOGRAM_HPP

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numeric>

namespace cli {

class Histogram {
 public:
  void add(double milliseconds) {
    ++counts_[bin(milliseconds)];
    ++count_;
    longest_ = std::max(longest_, milliseconds);
  }

  [[nodiscard]] std::int64_t count() const { return count_; }
  [[nodiscard]] double longest() const { return longest_; }
  /// The time that a share `q` of all did not exceed, rounded up to a hundredth of a millisecond.
  [[nodiscard]] double quantile(double q) const {
    const auto wanted = static_cast<std::int64_t>(std::ceil(q * static_cast<double>(count_)));
    std::int64_t below = 0;
    for (std::size_t i = 0; i + 1 < kBins; ++i)
      if ((below += counts_[i]) >= wanted) return std::min(longest_, static_cast<double>(i + 1) / kBinsPerMs);
    return longest_;
  }
  /// How many were from one time to another, the latter left out; any time from 50 ms on counts as infinite.
  [[nodiscard]] std::int64_t between(double from, double to) const {
    const auto begin = counts_.begin();
    return std::accumulate(begin + static_cast<std::ptrdiff_t>(bin(from)),
                           begin + static_cast<std::ptrdiff_t>(bin(to)), std::int64_t{0});
  }
  /// The share of all that took longer.
  [[nodiscard]] double share_beyond(double limit) const {
    return count_ ? static_cast<double>(count_ - between(0, limit)) / static_cast<double>(count_) : 0;
  }

 private:
  static constexpr double kBinsPerMs = 100;
  static constexpr std::size_t kBins = 5001;  // the last one has all from 50 ms on

  static std::size_t bin(double milliseconds) {
    return static_cast<std::size_t>(std::clamp(milliseconds * kBinsPerMs, 0.0, kBins - 1.0));
  }

  std::array<std::int64_t, kBins> counts_ = {};
  std::int64_t count_ = 0;
  double longest_ = 0;
};

}  // namespace cli

#endif  // DSVL_CLI_HISTOGRAM_HPP
