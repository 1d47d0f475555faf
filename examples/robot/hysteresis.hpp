// Hysteresis: from probabilities that waver to a yes or no that does not.
#ifndef DSVL_ROBOT_HYSTERESIS_HPP
#define DSVL_ROBOT_HYSTERESIS_HPP

namespace robot {

/// When a gate opens and closes. Between the two thresholds it stays as it is.
struct Thresholds {
  double on = 0.6;   ///< it opens at this probability or a higher one
  double off = 0.4;  ///< it closes at this one or a lower one
  int hold = 1;      ///< once so many frames one after another have said so
};

/// One gate, closed at first.
class Hysteresis {
 public:
  explicit Hysteresis(const Thresholds& thresholds = {}) : thresholds_(thresholds) {}

  /// Takes in what a frame says. True when that has opened or closed the gate.
  bool observe(double probability) {
    const bool against = on_ ? probability <= thresholds_.off : probability >= thresholds_.on;
    if (!against) return held_ = 0, false;
    if (++held_ < thresholds_.hold) return false;
    on_ = !on_;
    held_ = 0;
    return true;
  }
  [[nodiscard]] bool on() const { return on_; }

 private:
  Thresholds thresholds_;
  int held_ = 0;  // frames in a row that speak against what it is
  bool on_ = false;
};

}  // namespace robot

#endif  // DSVL_ROBOT_HYSTERESIS_HPP
