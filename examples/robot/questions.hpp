// Questions: what is asked of every frame that shows something new, from a file of JSON or the command line.
#ifndef DSVL_ROBOT_QUESTIONS_HPP
#define DSVL_ROBOT_QUESTIONS_HPP

#include "../cli/library.hpp"

#include <dsvl/chat/calibration.hpp>
#include <dsvl/constraint/constraint.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hysteresis.hpp"

namespace robot {

struct Question {
  std::string name;  ///< in the lines; the question itself unless it has one
  std::string text;  ///< what the model is asked
  std::chrono::milliseconds deadline{0};  ///< so long after its frame was taken an answer is cut off; 0: never

  // An answer.
  int max_tokens = 64;
  std::optional<dsvl::Constraint> schema = {};  ///< the answer is JSON that it accepts

  // Or a yes or no.
  bool is_gate = false;
  Thresholds thresholds = {};
  double least_mass = 0;  ///< a frame to which yes and no had less of the model's probability is not counted
  dsvl::Calibration calibration = {};  ///< see dsvl::fit_calibration
};

/// Reads an array of questions:
///
///   [{"name": "people", "ask": "How many people are there?", "schema": {"type": "integer"}, "deadline_ms": 2000},
///    {"name": "door", "gate": "Is the door open?", "on": 0.8, "off": 0.3, "hold": 3}]
///
/// An answer may have "max_tokens" besides, a gate "least_mass" and "temperature". What is not known is refused by
/// name.
///
/// Codes  bad_file, those of Schema::compile
dsvl::Result<std::vector<Question>> read_questions(std::string_view json);

}  // namespace robot

#endif  // DSVL_ROBOT_QUESTIONS_HPP
