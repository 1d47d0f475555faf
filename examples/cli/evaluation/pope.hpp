// The scorers of POPE: is there such a thing in the picture, yes or no?
//
// Sources: RUCAIBox/POPE, evaluate.py; VLMEvalKit, yorn.py.
#ifndef DSVL_CLI_EVALUATION_POPE_HPP
#define DSVL_CLI_EVALUATION_POPE_HPP

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "statistics.hpp"
#include "vqa.hpp"

namespace cli::evaluation {

/// The official rule: everything is a yes whose first sentence has none of the words No, not and no between blanks.
inline bool pope_says_yes(std::string_view text) {
  const std::string sentence = python::replace(text.substr(0, text.find('.')), ",", "");
  const std::vector<std::string> words = python::split(sentence, " ");
  return std::none_of(words.begin(), words.end(),
                      [](const std::string& w) { return w == "No" || w == "not" || w == "no"; });
}

enum class YesNo : unsigned char { yes, no, unknown };

/// VLMEvalKit's rule; it asks a judge when this gives unknown.
inline YesNo find_yes_or_no(std::string_view text, Dots dots = Dots::between_no_digits) {
  const std::vector<std::string> words = python::split(vqa_punctuation(python::lower(text), dots));
  const bool yes = std::find(words.begin(), words.end(), "yes") != words.end();
  const bool no = std::find(words.begin(), words.end(), "no") != words.end();
  return yes == no ? YesNo::unknown : yes ? YesNo::yes : YesNo::no;
}

/// Answers against labels; yes is positive.
struct PopeCounts {
  std::size_t true_yes = 0, false_yes = 0, true_no = 0, false_no = 0;
  std::size_t unreadable = 0;  ///< of those above, answers that were neither (VLMEvalKit): wrong, and not a yes

  void add(bool says_yes, bool is_yes) { ++(says_yes ? is_yes ? true_yes : false_yes : is_yes ? false_no : true_no); }
  void add(YesNo says, bool is_yes) {
    add(says == YesNo::yes, is_yes);
    unreadable += says == YesNo::unknown && !is_yes;
  }
  [[nodiscard]] std::size_t questions() const { return true_yes + false_yes + true_no + false_no; }
  [[nodiscard]] std::size_t right() const { return true_yes + true_no - unreadable; }

  // NaN where the official program would divide by zero, and stop.
  [[nodiscard]] double accuracy() const { return share(right(), questions()); }
  [[nodiscard]] double precision() const { return share(true_yes, true_yes + false_yes); }
  [[nodiscard]] double recall() const { return share(true_yes, true_yes + false_no); }
  [[nodiscard]] double f1() const {
    const double p = precision(), r = recall();
    return p + r > 0 ? 2 * p * r / (p + r) : kNotANumber;
  }
  [[nodiscard]] double yes_ratio() const { return share(true_yes + false_yes, questions()); }

 private:
  static double share(std::size_t part, std::size_t whole) {
    return whole ? static_cast<double>(part) / static_cast<double>(whole) : kNotANumber;
  }
};

}  // namespace cli::evaluation

#endif  // DSVL_CLI_EVALUATION_POPE_HPP
