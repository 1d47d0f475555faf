// HellaSwag: which of four endings follows. Texts are cleaned up as lm-eval does, and endings compared by their
// likelihood, or by that for each character, byte or token.
//
// Source: lm-eval, tasks/hellaswag/utils.py and api/task.py (version 1).
#ifndef DSVL_CLI_EVALUATION_HELLASWAG_HPP
#define DSVL_CLI_EVALUATION_HELLASWAG_HPP

#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "python.hpp"

namespace cli::evaluation {

/// Strips first, then resolves [title], removes other brackets, and halves double blanks once: the order shows.
inline std::string hellaswag_clean(std::string_view text) {
  const std::string titled = python::replace(python::strip(text), " [title]", ". ");
  std::string out;
  for (std::size_t at = 0; at < titled.size();) {
    const std::size_t close = titled[at] == '[' ? titled.find_first_of("]\n", at) : titled.npos;
    if (close != titled.npos && titled[close] == ']') at = close + 1;
    else out += titled[at++];
  }
  return python::replace(out, "  ", " ");
}

inline std::string hellaswag_query(std::string_view activity, std::string_view first, std::string_view second) {
  return hellaswag_clean(std::string(activity) + ": " + std::string(first) + " " + python::capitalize(second));
}

/// A context and what follows it, with the blanks between them moved to the second.
struct ContextAndEnding {
  std::string context, ending;
};
inline ContextAndEnding move_blanks(std::string_view context, std::string_view ending) {
  const std::string_view kept = python::rstrip(context);
  return {std::string(kept), std::string(context.substr(kept.size())) + std::string(ending)};
}

/// The index of the largest, the first of equals.
inline std::size_t largest(std::span<const double> values) {
  std::size_t best = 0;
  for (std::size_t i = 1; i < values.size(); ++i)
    if (values[i] > values[best]) best = i;
  return best;
}

/// What numpy makes of a sum over a length, which may be none.
inline double for_each_of(double sum, std::size_t length) {
  if (length) return sum / static_cast<double>(length);
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  return sum == 0 ? std::numeric_limits<double>::quiet_NaN() : sum < 0 ? -kInfinity : kInfinity;
}

}  // namespace cli::evaluation

#endif  // DSVL_CLI_EVALUATION_HELLASWAG_HPP
