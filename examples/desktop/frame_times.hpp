// FrameTimes: how long frames took.
#ifndef DSVL_DESKTOP_FRAME_TIMES_HPP
#define DSVL_DESKTOP_FRAME_TIMES_HPP

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

namespace desktop {

/// Counts milliseconds in classes a fiftieth wide, so that a day of frames takes no more memory than a second of them.
class FrameTimes {
 public:
  void add(double milliseconds) {
    longest_ = std::max(longest_, milliseconds);
    ++frames_;
    ++classes_[class_of(milliseconds)];
  }
  [[nodiscard]] std::uint64_t frames() const { return frames_; }
  [[nodiscard]] double longest() const { return longest_; }
  /// The time that this share of the frames stayed within, rounded up by at most 2 %; 0 without frames.
  [[nodiscard]] double percentile(double share) const {
    const double wanted = std::ceil(share * static_cast<double>(frames_));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < classes_.size(); ++i) {
      seen += classes_[i];
      if (frames_ > 0 && static_cast<double>(seen) >= wanted) return std::min(upper(i), longest_);
    }
    return longest_;
  }

 private:
  static constexpr double kFirst = 0.01, kStep = 1.02;  // milliseconds; the last class begins at a quarter of an hour
  static std::size_t class_of(double milliseconds) {
    if (!(milliseconds > kFirst)) return 0;
    const double at = std::ceil(std::log(milliseconds / kFirst) / std::log(kStep));
    return std::min(static_cast<std::size_t>(at), std::tuple_size_v<decltype(classes_)> - 1);
  }
  static double upper(std::size_t i) { return kFirst * std::pow(kStep, static_cast<double>(i)); }

  std::array<std::uint64_t, 924> classes_{};
  std::uint64_t frames_ = 0;
  double longest_ = 0;
};

}  // namespace desktop

#endif  // DSVL_DESKTOP_FRAME_TIMES_HPP
