// What a batch says of itself while it runs: rate, time left, errors so far. On a terminal in one line, elsewhere now
// and then.
#ifndef DSVL_CLI_BATCH_PROGRESS_HPP
#define DSVL_CLI_BATCH_PROGRESS_HPP

#include <cstddef>
#include <cstdio>
#include <string>

#include "../console.hpp"
#include "../system.hpp"

namespace cli::batch {

/// "40 s", "12 min", "3.5 h".
inline std::string duration_text(double seconds) {
  char text[40];
  if (seconds < 90) std::snprintf(text, sizeof text, "%.0f s", seconds);
  else if (seconds < 5400) std::snprintf(text, sizeof text, "%.0f min", seconds / 60);
  else std::snprintf(text, sizeof text, "%.1f h", seconds / 3600);
  return text;
}

class Progress {
 public:
  Progress(std::size_t total, bool quiet, ProgressLine& line) : total_(total), quiet_(quiet), line_(line) {}

  /// Counts inputs that have a row from before, or need none.
  void skip(std::size_t inputs) { skipped_ += inputs; }
  /// Counts a row.
  void count(bool failed) {
    ++rows_, errors_ += failed;
    line_.show(text(), static_cast<double>(skipped_ + rows_), static_cast<double>(total_));
    if (quiet_ || is_terminal(stderr) || seconds_since(said_) < kSeconds) return;
    said_ = Clock::now();
    std::fprintf(stderr, "%zu of %zu: %s\n", skipped_ + rows_, total_, text().c_str());
  }
  /// Says something that is worth knowing.
  void remark(const std::string& text) {
    line_.clear();
    if (!quiet_) std::fprintf(stderr, "%s\n", text.c_str());
  }
  [[nodiscard]] std::size_t rows() const { return rows_; }
  [[nodiscard]] std::size_t errors() const { return errors_; }
  [[nodiscard]] std::size_t skipped() const { return skipped_; }
  [[nodiscard]] double seconds() const { return seconds_since(began_); }

 private:
  static constexpr double kSeconds = 30;  // between two lines

  [[nodiscard]] std::string text() const {
    const double rate = static_cast<double>(rows_) / std::max<double>(seconds(), 1e-3);
    char text[80];
    const auto left = static_cast<double>(total_ - std::min(total_, skipped_ + rows_));
    std::snprintf(text, sizeof text, "%.3g/s, %s left, %zu errors", rate, duration_text(left / rate).c_str(), errors_);
    return text;
  }

  std::size_t total_, rows_ = 0, errors_ = 0, skipped_ = 0;
  bool quiet_;
  ProgressLine& line_;
  Clock::time_point began_ = Clock::now(), said_ = began_;
};

}  // namespace cli::batch

#endif  // DSVL_CLI_BATCH_PROGRESS_HPP
