// Lines: what the program says, an object of JSON a line.
#ifndef DSVL_ROBOT_LINES_HPP
#define DSVL_ROBOT_LINES_HPP

#include <chrono>
#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>

#include "frame.hpp"

namespace robot {

using Json = nlohmann::ordered_json;  // members stay in their order: a schema's properties are asked for in it
/// Takes a line: main.cpp prints it, a node of ROS would publish it.
using Lines = std::function<void(const Json&)>;

/// A number to 1 / `scale`: digits that mean nothing are not said.
inline double rounded(double value, double scale) { return std::round(value * scale) / scale; }
/// Milliseconds, to a tenth.
inline double milliseconds(Clock::duration time) {
  return std::round(std::chrono::duration<double, std::milli>(time).count() * 10) / 10;
}
/// Seconds since 1970, as ROS and logs have them.
inline double seconds_since_1970() {
  using std::chrono::system_clock;
  return std::round(std::chrono::duration<double, std::milli>(system_clock::now().time_since_epoch()).count()) / 1000;
}

/// A line of some kind, with the time at which it is said.
inline Json line(const char* kind) { return {{"time", seconds_since_1970()}, {"kind", kind}}; }
/// A line about a frame, with the time that has passed since it was taken.
inline Json line(const char* kind, const Frame& frame, Clock::time_point now = Clock::now()) {
  Json out = line(kind);
  out["frame"] = frame.number;
  out["frame_age_ms"] = milliseconds(now - frame.taken);
  return out;
}
/// The text of a line. What is not UTF-8 in it becomes U+FFFD.
inline std::string to_text(const Json& line) { return line.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace robot

#endif  // DSVL_ROBOT_LINES_HPP
