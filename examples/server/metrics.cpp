#include "metrics.hpp"

#include <algorithm>
#include <cstdio>

namespace server {

namespace {

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.9g", value);
  return text;
}

void headline(const std::string& name, const std::string& kind, std::string& out) {
  out += "# TYPE " + name + " " + kind + "\n";
}

}  // namespace

void Histogram::add(double seconds) noexcept {
  const auto* const at = std::lower_bound(kBounds.begin(), kBounds.end(), seconds);
  ++counts_[static_cast<std::size_t>(at - kBounds.begin())];
  sum_ += seconds;
}

void Histogram::print(const std::string& name, const std::string& help, std::string& out) const {
  out += "# HELP " + name + " " + help + "\n";
  headline(name, "histogram", out);
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    below += counts_[i];
    const std::string bound = i < kBounds.size() ? number(kBounds[i]) : "+Inf";
    out += name + "_bucket{le=\"" + bound + "\"} " + std::to_string(below) + "\n";
  }
  out += name + "_sum " + number(sum_) + "\n" + name + "_count " + std::to_string(below) + "\n";
}

void Metrics::count(const std::string& name, const std::string& labels, std::uint64_t by) {
  const std::scoped_lock lock(mutex_);
  counters_[{name, labels}] += by;
}

void Metrics::first_token_after(double seconds) {
  const std::scoped_lock lock(mutex_);
  first_token_.add(seconds);
}

void Metrics::answered_after(double seconds) {
  const std::scoped_lock lock(mutex_);
  answer_.add(seconds);
}

std::string Metrics::text(const std::map<std::string, double>& gauges) const {
  std::string out;
  for (const auto& [name, value] : gauges) {
    headline(name, "gauge", out);
    out += name + " " + number(value) + "\n";
  }
  const std::scoped_lock lock(mutex_);
  std::string last;
  for (const auto& [key, value] : counters_) {
    if (key.first != last) headline(last = key.first, "counter", out);
    out += key.first + (key.second.empty() ? "" : "{" + key.second + "}") + " " + std::to_string(value) + "\n";
  }
  first_token_.print("dsvl_first_token_seconds", "From a request's arrival to the first token of a choice.", out);
  answer_.print("dsvl_answer_seconds", "From a request's arrival to the end of a choice.", out);
  return out;
}

}  // namespace server
