// Metrics: what the server counts, and its text for Prometheus.
#ifndef DSVL_SERVER_METRICS_HPP
#define DSVL_SERVER_METRICS_HPP

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>

namespace server {

/// Seconds, counted by how long they were.
class Histogram {
 public:
  void add(double seconds) noexcept;
  /// In Prometheus' text format, under that name.
  void print(const std::string& name, const std::string& help, std::string& out) const;

 private:
  static constexpr std::array kBounds = {0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0};
  std::array<std::uint64_t, kBounds.size() + 1> counts_ = {};
  double sum_ = 0;
};

/// Any thread may call anything.
class Metrics {
 public:
  /// Adds to a counter; `labels` is as in Prometheus' text (`finish="stop"`), or empty.
  void count(const std::string& name, const std::string& labels = {}, std::uint64_t by = 1);
  void first_token_after(double seconds);
  void answered_after(double seconds);
  /// Everything, with gauges that the caller knows.
  [[nodiscard]] std::string text(const std::map<std::string, double>& gauges) const;

 private:
  mutable std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, std::uint64_t> counters_;
  Histogram first_token_, answer_;
};

}  // namespace server

#endif  // DSVL_SERVER_METRICS_HPP
