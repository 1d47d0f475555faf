// Means and their standard errors, as lm-eval has them.
#ifndef DSVL_CLI_EVALUATION_STATISTICS_HPP
#define DSVL_CLI_EVALUATION_STATISTICS_HPP

#include <cmath>
#include <cstddef>
#include <limits>
#include <span>

namespace cli::evaluation {

inline constexpr double kNotANumber = std::numeric_limits<double>::quiet_NaN();

/// Scores of questions, one by one; the sums that mean and error need are kept.
class Mean {
 public:
  void add(double score) {
    ++count_;
    sum_ += score;
    // Welford: the squares of large sums would cancel.
    const double before = score - running_;
    running_ += before / static_cast<double>(count_);
    squares_ += before * (score - running_);
  }
  [[nodiscard]] std::size_t count() const { return count_; }
  [[nodiscard]] double sum() const { return sum_; }
  /// NaN without scores.
  [[nodiscard]] double mean() const { return count_ ? sum_ / static_cast<double>(count_) : kNotANumber; }
  /// Sample variance, divided by n - 1; NaN below two scores.
  [[nodiscard]] double variance() const {
    return count_ > 1 ? squares_ / static_cast<double>(count_ - 1) : kNotANumber;
  }
  /// Standard error of the mean.
  [[nodiscard]] double error() const { return std::sqrt(variance() / static_cast<double>(count_)); }

 private:
  std::size_t count_ = 0;
  double sum_ = 0, running_ = 0, squares_ = 0;
};

/// A group of questions whose mean has this standard error.
struct GroupError {
  std::size_t count;
  double error;
};

/// Standard error of the mean of all questions of several groups.
inline double pooled_error(std::span<const GroupError> groups) {
  double squares = 0, count = 0;
  for (const GroupError& g : groups) {
    const auto n = static_cast<double>(g.count);
    if (g.count > 1) squares += (n - 1) * g.error * g.error * n;
    count += n;
  }
  return std::sqrt(squares / (count - static_cast<double>(groups.size())) / count);
}

}  // namespace cli::evaluation

#endif  // DSVL_CLI_EVALUATION_STATISTICS_HPP
