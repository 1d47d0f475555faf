// MM-Vet: what a judge's grades add up to, by capability and by set of capabilities. Grading itself needs the judge.
//
// Sources: yuweihao/MM-Vet, mm-vet_evaluator.py; VLMEvalKit, mmvet.py.
#ifndef DSVL_CLI_EVALUATION_MMVET_HPP
#define DSVL_CLI_EVALUATION_MMVET_HPP

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "python.hpp"

namespace cli::evaluation {

/// The last row of the table that the judge is to complete.
inline std::string mmvet_judge_row(std::string_view question, std::string_view reference, std::string_view prediction) {
  std::string row = "\n";
  ((row += question) += " | ") += python::replace(python::replace(reference, "<AND>", " <AND> "), "<OR>", " <OR> ");
  return ((row += " | ") += prediction) += " | ";
}

/// The grade that a reply begins with; nothing when it is none.
inline std::optional<double> mmvet_read_reply(std::string_view reply) {
  const std::optional<double> grade = python::to_float(reply.substr(0, reply.find(' ')));
  return grade && *grade >= 0 && *grade <= 1 ? grade : std::nullopt;
}

/// What the official program notes of the replies that it got: it asks up to six times, and does not read the last.
struct MmVetGrade {
  std::string content;
  double score = 0;
};
inline MmVetGrade mmvet_grade(std::span<const std::string> replies) {
  MmVetGrade grade;
  for (std::size_t i = 0; i < replies.size(); ++i) {
    grade.content = python::strip(replies[i].substr(0, replies[i].find(' ')));
    const auto read = i < 5 ? mmvet_read_reply(replies[i]) : std::nullopt;
    if (read) return grade.score = *read, grade;
  }
  return grade;
}
/// VLMEvalKit's: the whole of the first of five replies that is a number, unless that is below 0 or above 1.
inline double mmvet_vlmevalkit_grade(std::span<const std::string> replies) {
  for (const std::string& reply : replies.first(std::min<std::size_t>(replies.size(), 5))) {
    const std::optional<double> grade = python::to_float(reply);
    if (grade && !(*grade < 0) && !(*grade > 1)) return *grade;
  }
  return 0;
}

/// A question with the grades of all runs.
struct MmVetGraded {
  std::vector<std::string> capabilities;
  std::vector<double> grades;
};
/// Percent of all points of a group of questions, in each run.
using RunTotals = std::vector<double>;

inline double mean_of(std::span<const double> values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}
/// Population deviation.
inline double deviation_of(std::span<const double> values) {
  const double mean = mean_of(values);
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return std::sqrt(squares / static_cast<double>(values.size()));
}

/// Totals of those questions that `in_group` says.
template <class InGroup>
RunTotals mmvet_totals(std::span<const MmVetGraded> questions, const InGroup& in_group) {
  RunTotals totals;
  std::size_t count = 0;
  for (const MmVetGraded& q : questions) {
    if (!in_group(q)) continue;
    totals.resize(q.grades.size());
    for (std::size_t run = 0; run < q.grades.size(); ++run) totals[run] += q.grades[run];
    ++count;
  }
  for (double& total : totals) total = total / static_cast<double>(count) * 100;
  return totals;
}

inline bool has_capability(const MmVetGraded& q, std::string_view capability) {
  return std::find(q.capabilities.begin(), q.capabilities.end(), capability) != q.capabilities.end();
}
/// Its capabilities without their order: "math_ocr".
inline std::string capability_set(const MmVetGraded& q) {
  std::vector<std::string> sorted = q.capabilities;
  std::sort(sorted.begin(), sorted.end());
  return python::join(sorted, "_");
}

/// A row of VLMEvalKit's tables. They count a question of one capability twice, since that is also a set, and take sets
/// in another order for other sets.
struct MmVetRow {
  std::size_t count = 0;
  double sum = 0;
  [[nodiscard]] double percent() const { return sum / static_cast<double>(count) * 100; }
};
inline std::map<std::string, MmVetRow> mmvet_vlmevalkit_rows(std::span<const MmVetGraded> questions) {
  static constexpr std::string_view kCapabilities[] = {"rec", "ocr", "know", "gen", "spat", "math"};
  std::map<std::string, MmVetRow> rows;
  for (const MmVetGraded& q : questions) {
    const auto add = [&](std::string_view row) {
      MmVetRow& to = rows[std::string(row)];
      ++to.count;
      to.sum += q.grades[0];
    };
    for (const std::string_view capability : kCapabilities)
      if (has_capability(q, capability)) add(capability);
    add("Overall");
    add(python::join(q.capabilities, "_"));
  }
  return rows;
}

}  // namespace cli::evaluation

#endif  // DSVL_CLI_EVALUATION_MMVET_HPP
