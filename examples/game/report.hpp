// What is said of the measurements in the end: a table with a plot in letters, JSON, and a plot as SVG.
#ifndef DSVL_GAME_REPORT_HPP
#define DSVL_GAME_REPORT_HPP

#include <string>

#include "measurements.hpp"

namespace game {

/// A table, a plot in letters, and the bars.
std::string report_text(const Measurements& m);
/// The same numbers without a plot.
std::string report_json(const Measurements& m);
/// The frame times with and without an answer as a plot.
std::string report_svg(const Measurements& m);

}  // namespace game

#endif  // DSVL_GAME_REPORT_HPP
