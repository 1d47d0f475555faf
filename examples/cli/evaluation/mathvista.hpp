// The scorers of MathVista: what an answer says by rules alone, and how that is compared with the reference.
//
// Sources: lupantech/MathVista, extract_answer.py, calculate_score.py and the layout of query.json; VLMEvalKit,
// mathvista.py.
#ifndef DSVL_CLI_EVALUATION_MATHVISTA_HPP
#define DSVL_CLI_EVALUATION_MATHVISTA_HPP

#include <cctype>
#include <cmath>
#include <cstdio>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mmbench.hpp"
#include "python.hpp"
#include "records.hpp"

namespace cli::evaluation {

struct MathVistaProblem {
  std::string question, unit, answer;
  std::string question_type;         ///< "multi_choice" or "free_form"
  std::string answer_type;           ///< "text", "integer", "float" or "list"
  std::vector<std::string> choices;
  int precision = 0;                 ///< places of a float

  [[nodiscard]] bool multi_choice() const { return question_type == "multi_choice"; }
};

/// The prompt as data/query.json has it.
inline std::string mathvista_query(const MathVistaProblem& p) {
  const bool real = p.answer_type == "float";
  std::string hint = "Please answer the question requiring ";
  if (p.multi_choice())
    hint = "Please answer the question and provide the correct option letter, e.g., A, B, C, D, at the end.";
  else if (p.answer_type == "integer")
    hint += "an integer answer and provide the final value, e.g., 1, 2, 3, at the end.";
  else if (real && p.precision == 2)
    hint += "a floating-point number with two decimal places and provide the final value, e.g., 1.23, 1.34, 1.45, "
            "at the end.";
  else if (real)
    hint += "a floating-point number with one decimal place and provide the final value, e.g., 1.2, 1.3, 1.4, at the "
            "end.";
  else
    hint += "a Python list as an answer and provide the final list, e.g., [1, 2, 3], [1.2, 1.3, 1.4], at the end.";
  std::string out = "Hint: " + hint + "\nQuestion: " + p.question;
  if (!p.unit.empty()) out += " (Unit: " + p.unit + ")";
  if (!p.choices.empty()) out += "\nChoices:";
  for (std::size_t i = 0; i < p.choices.size(); ++i)
    out += std::string("\n(") + static_cast<char>('A' + static_cast<int>(i)) + ") " + p.choices[i];
  return std::string(python::strip(out));
}

/// str(int(float(x))) of a number that is finite.
inline std::string truncated_text(double x) {
  char text[400];
  std::snprintf(text, sizeof text, "%.0f", std::trunc(x));
  return std::string(text) == "-0" ? "0" : text;
}

/// What extract_answer.py finds without its language model; empty where it would ask that.
inline std::string mathvista_extract(const MathVistaProblem& p, std::string_view response, bool quick) {
  if (response.empty()) return "";
  if (p.multi_choice())
    for (const std::string& choice : p.choices)
      if (choice == response) return choice;
  if (p.answer_type == "integer")
    if (const auto number = python::integer_text(response)) return *number;
  if (p.answer_type == "float")
    if (const auto number = python::to_float(response)) return python::float_text(*number);
  if (!quick) return "";
  static constexpr std::string_view kMark = "The answer is \"";
  for (std::size_t at = response.find(kMark); at != response.npos; at = response.find(kMark, at + 1)) {
    std::string_view line = response.substr(at + kMark.size());
    line = line.substr(0, line.find('\n'));
    const std::size_t end = line.rfind("\".");
    if (end != line.npos) return std::string(line.substr(0, end));
  }
  return "";
}

/// What follows the solved examples in the prompt of the model that reads answers.
inline std::string mathvista_judge_prompt(std::string_view query, std::string_view response) {
  return "\n\n" + std::string(query) + "\n\n" + std::string(response) + "\n\nExtracted answer: ";
}

/// Edits of single characters that turn one text into the other.
inline std::size_t edit_distance(std::string_view a, std::string_view b) {
  const std::u32string from = python::characters(a), to = python::characters(b);
  std::vector<std::size_t> row(to.size() + 1);
  for (std::size_t j = 0; j <= to.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= from.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= to.size(); ++j) {
      const std::size_t replaced = diagonal + (from[i - 1] != to[j - 1]);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

namespace detail {

inline std::string nearest_choice(std::span<const std::string> choices, std::string_view extraction) {
  std::size_t best = 0;
  for (std::size_t i = 1; i < choices.size(); ++i)
    if (edit_distance(extraction, choices[i]) < edit_distance(extraction, choices[best])) best = i;
  return choices.empty() ? "" : choices[best];
}
/// The letter of the first "(x)" in a text.
inline std::optional<char> letter_in_brackets(std::string_view text) {
  for (std::size_t i = 0; i + 2 < text.size(); ++i)
    if (text[i] == '(' && text[i + 2] == ')' && std::isalpha(static_cast<unsigned char>(text[i + 1])))
      return static_cast<char>(std::toupper(static_cast<unsigned char>(text[i + 1])));
  return std::nullopt;
}
inline std::string chosen_text(const MathVistaProblem& p, std::string_view extraction) {
  std::string text(python::strip(extraction));
  if (const auto letter = letter_in_brackets(text)) text = std::string(1, *letter);
  const std::size_t i = text.size() == 1 ? static_cast<std::size_t>(text[0] - 'A') : p.choices.size();
  return i < p.choices.size() ? p.choices[i] : nearest_choice(p.choices, text);
}

}  // namespace detail

/// An extraction as the file has it, which need not be a text: where a number is wanted, Python takes true as 1.
inline std::string mathvista_extraction(const MathVistaProblem& p, dsvl::json::Value value) {
  const bool numeric = p.answer_type == "integer" || p.answer_type == "float";
  if (numeric && value.is_boolean() && !p.multi_choice()) return *value.boolean() ? "1" : "0";
  return python_text(value);
}

/// What calculate_score.py compares with the answer; nothing when it is no number.
inline std::optional<std::string> mathvista_normalise(const MathVistaProblem& p, std::string_view extraction,
                                                      bool ignore_empty = false) {
  if (p.multi_choice()) {
    if (ignore_empty && python::strip(extraction).empty()) return std::nullopt;
    return detail::chosen_text(p, extraction);
  }
  if (p.answer_type != "integer" && p.answer_type != "float") return std::string(extraction);
  const std::optional<double> number = python::to_float(extraction);
  if (!number) return std::nullopt;
  if (p.answer_type == "float") return python::float_text(python::round(*number, p.precision));
  return std::isfinite(*number) ? std::optional(truncated_text(*number)) : std::nullopt;
}

/// The choices with their letters.
inline std::vector<Choice> mathvista_choices(const MathVistaProblem& p) {
  std::vector<Choice> out;
  for (const std::string& text : p.choices)
    out.push_back({static_cast<char>('A' + static_cast<int>(out.size())), text});
  return out;
}

/// An extraction by rules alone, where no judge has read the answer: the official ones, then the letter or the last
/// number. Whatever is found this way, a judge finds too, so the accuracy is a lower bound.
inline std::string mathvista_extract_offline(const MathVistaProblem& p, std::string_view response) {
  std::string found = mathvista_extract(p, response, true);
  if (!found.empty()) return found;
  if (p.multi_choice()) {
    const std::optional<char> letter = find_choice(response, mathvista_choices(p), MatchingRules::of_2024);
    return letter && *letter != kRefused ? std::string(1, *letter) : "";
  }
  if (p.answer_type != "integer" && p.answer_type != "float") return "";
  for (std::size_t end = response.size(); end > 0; --end) {
    if (!python::is_ascii_digit(static_cast<unsigned char>(response[end - 1]))) continue;
    std::size_t begin = end;
    while (begin > 0 && std::string_view("0123456789.,").find(response[begin - 1]) != response.npos) --begin;
    if (begin > 0 && response[begin - 1] == '-') --begin;
    return python::replace(response.substr(begin, end - begin), ",", "");
  }
  return "";
}

/// VLMEvalKit's rule: what it reads without its judge, which gets all other answers: a letter, or the right number.
struct MathVistaPrefetch {
  std::optional<std::string> value;  ///< as Python prints it; nothing where the judge is asked
  bool correct = false;
};
inline MathVistaPrefetch mathvista_prefetch(const MathVistaProblem& p, std::string_view response) {
  if (p.multi_choice()) {
    const std::optional<char> letter = find_choice(response, mathvista_choices(p), MatchingRules::current);
    if (!letter) return {};
    const auto i = static_cast<std::size_t>(*letter - 'A');
    return {std::string(1, *letter), i < p.choices.size() && p.choices[i] == p.answer};
  }
  const std::optional<double> number = python::to_float(response);
  if (p.answer_type == "integer" && python::integer_text(response)) {
    const auto same = python::integer_text(response);
    return same == python::integer_text(p.answer) ? MathVistaPrefetch{same, true} : MathVistaPrefetch();
  }
  if (p.answer_type == "float" && number && number == python::to_float(p.answer))
    return {python::float_text(*number), true};
  return {};
}

}  // namespace cli::evaluation

#endif  // DSVL_CLI_EVALUATION_MATHVISTA_HPP
