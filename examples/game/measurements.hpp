// Measurements: how long frames took, with an answer running and without, and how long the model took of them.
#ifndef DSVL_GAME_MEASUREMENTS_HPP
#define DSVL_GAME_MEASUREMENTS_HPP

#include <string>
#include <vector>

#include "../cli/histogram.hpp"

namespace game {

using cli::Histogram;

inline constexpr double kFrameMs = 1000.0 / 60;  ///< a frame must not take longer
inline constexpr double kGraceMs = 0.5;          ///< that a slice may take beyond its budget

/// All in milliseconds of a frame's work, from its beginning until it is shown; waiting for the next one is not in it.
struct Measurements {
  Histogram quiet;      ///< frames in which nobody was asked anything
  Histogram answering;  ///< frames with an answer running, or beginning
  Histogram step_wall;  ///< Answer::step in those with one running
  Histogram step_cpu;   ///< what of that the thread computed
  double budget = 2;    ///< milliseconds that step() is given
  int answered = 0, right = 0;
  std::string what;     ///< model, threads, size and format of frames: for headlines
};

/// A promise, and what was measured.
struct Bar {
  std::string name;
  double value, limit;
  const char* unit;
  [[nodiscard]] bool is_reached() const { return value <= limit; }
};
/// The three of a game loop: frames in time, CPU time in step, and time by the clock in step.
std::vector<Bar> bars_of(const Measurements& m);

}  // namespace game

#endif  // DSVL_GAME_MEASUREMENTS_HPP
