// Report: the figures of a benchmark, for a reader and as JSON.
#ifndef DSVL_CLI_EVALUATION_REPORT_HPP
#define DSVL_CLI_EVALUATION_REPORT_HPP

#include <string>
#include <utility>
#include <vector>

#include "statistics.hpp"

namespace cli::evaluation {

/// A score with what it is made of, so that two of them can be compared to the question.
struct Figure {
  std::string name;
  double percent = kNotANumber;  ///< NaN where something would be divided by zero
  double error = kNotANumber;    ///< standard error, in percent; NaN: none is given
  double sum = 0;                ///< of the questions' scores
  std::size_t of = 0;            ///< questions; 0: the figure is no mean of questions
};
inline Figure figure_of(std::string name, const Mean& mean) {
  return {std::move(name), 100 * mean.mean(), 100 * mean.error(), mean.sum(), mean.count()};
}
/// A figure that is no mean of questions.
inline Figure figure_of(std::string name, double share) { return {std::move(name), 100 * share, kNotANumber, 0, 0}; }

struct Report {
  std::vector<Figure> figures;     ///< the headline first; empty when there is nothing to score against
  std::vector<std::string> notes;  ///< whole sentences

  void add(std::string name, const Mean& mean) { figures.push_back(figure_of(std::move(name), mean)); }
  void add(std::string name, double share) { figures.push_back(figure_of(std::move(name), share)); }
  /// The groups of a list of pairs or a map, each under a title: "by category: count".
  template <class Groups>
  void add_groups(const std::string& title, const Groups& groups) {
    for (const auto& [name, mean] : groups) add(title + ": " + name, mean);
  }
};

}  // namespace cli::evaluation

#endif  // DSVL_CLI_EVALUATION_REPORT_HPP
