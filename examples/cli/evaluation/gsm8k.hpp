// The scorers of GSM8K: finding the number that a solution ends in. None of them compares numbers: texts have to be
// equal. Patterns of the originals are regular expressions; here they are short loops.
//
// Sources: openai/grade-school-math, dataset.py; lm-eval, tasks gsm8k and gsm8k_cot (version 3).
#ifndef DSVL_CLI_EVALUATION_GSM8K_HPP
#define DSVL_CLI_EVALUATION_GSM8K_HPP

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "python.hpp"

namespace cli::evaluation {

enum class Gsm8kRule : unsigned char {
  official,  ///< behind the first "#### "
  strict,    ///< the same, compared more leniently
  flexible,  ///< the last number
  cot,       ///< behind "The answer is "
};

namespace detail {

inline constexpr std::string_view kNumberMarks = "0123456789.,";

/// Length of `-?[0-9.,]+` at the beginning of a text; 0 when it is not there.
inline std::size_t number_length(std::string_view text) {
  const std::size_t sign = text.starts_with('-');
  const std::size_t end = std::min(text.find_first_not_of(kNumberMarks, sign), text.size());
  return end > sign ? end : 0;
}

/// The number behind the first `mark` that has one, with one more character of any kind but a newline at its end if
/// `and_one_more`: then the number is as long as leaves it one.
inline std::optional<std::string> number_behind(std::string_view text, std::string_view mark, bool and_one_more) {
  for (std::size_t at = text.find(mark); at != text.npos; at = text.find(mark, at + 1)) {
    const std::string_view rest = text.substr(at + mark.size());
    std::size_t length = number_length(rest);
    const std::size_t least = rest.starts_with('-') ? 2 : 1;
    if (and_one_more && length && (length == rest.size() || rest[length] == '\n')) --length;
    if (length >= least) return std::string(rest.substr(0, length));
  }
  return std::nullopt;
}

/// Length of `-?[$0-9.,]{2,}` or else of `-?[0-9]+` at the beginning of a text.
inline std::size_t loose_number_length(std::string_view text) {
  const std::size_t sign = text.starts_with('-');
  const std::size_t end = std::min(text.find_first_not_of("$0123456789.,", sign), text.size());
  if (end >= sign + 2) return end;
  const std::size_t digits = std::min(text.find_first_not_of("0123456789", sign), text.size());
  return digits > sign ? digits : 0;
}
inline std::optional<std::string> last_number(std::string_view text) {
  std::optional<std::string> found;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = loose_number_length(text.substr(at));
    if (length) found = std::string(text.substr(at, length));
    at += length ? length : 1;
  }
  return found;
}

}  // namespace detail

/// The answer in a solution as it stands there (without commas by the official rule); nothing when there is none.
inline std::optional<std::string> gsm8k_extract(std::string_view solution, Gsm8kRule rule) {
  switch (rule) {
    case Gsm8kRule::official: {
      const auto found = detail::number_behind(solution, "#### ", false);
      return found ? std::optional(python::replace(*found, ",", "")) : std::nullopt;
    }
    case Gsm8kRule::strict: return detail::number_behind(solution, "#### ", false);
    case Gsm8kRule::flexible: return detail::last_number(solution);
    case Gsm8kRule::cot: return detail::number_behind(solution, "The answer is ", true);
  }
  return std::nullopt;
}

/// What lm-eval compares: without commas, dollars, all up to the last "#### ", and one dot at the end.
inline std::string gsm8k_normalise(std::string_view text) {
  std::string out = python::replace(python::replace(text, ",", ""), "$", "");
  const std::size_t mark = out.rfind("#### ");
  if (mark != out.npos) out.erase(0, mark + 5);
  const std::size_t last = out.ends_with('\n') ? out.size() - 1 : out.size();  // $ is also in front of a last newline
  if (last > 0 && out[last - 1] == '.') out.erase(last - 1, 1);
  return python::lower(out);
}

/// Whether a solution is right; `reference` is the file's worked solution.
inline bool gsm8k_is_right(std::string_view solution, std::string_view reference, Gsm8kRule rule) {
  const auto found = gsm8k_extract(solution, rule);
  if (rule == Gsm8kRule::official) return found && found == gsm8k_extract(reference, rule);
  if (rule == Gsm8kRule::cot) {
    const std::size_t mark = reference.rfind("####");
    reference = python::strip(mark == reference.npos ? reference : reference.substr(mark + 4));
  }
  return gsm8k_normalise(found.value_or("[invalid]")) == gsm8k_normalise(reference);
}

/// What generating stops at. A text is cut before the first of each in turn.
inline std::vector<std::string> gsm8k_stops(std::string_view question_mark) {
  return {std::string(question_mark), "</s>", "<|im_end|>"};
}
inline std::string_view cut_at(std::string_view text, std::span<const std::string> stops) {
  for (const std::string& stop : stops) text = text.substr(0, text.find(stop));
  return text;
}

/// A worked example of the prompt.
struct Gsm8kExample {
  std::string question, answer;
};
/// How the prompt is laid out.
struct Gsm8kStyle {
  std::string question = "Question: ", answer = "Answer:";  ///< "Q: " and "A:" for chains of thought
  std::string lead;                                         ///< behind the latter, in examples too
};

inline std::string gsm8k_prompt(std::span<const Gsm8kExample> examples, std::string_view question,
                                const Gsm8kStyle& style = {}) {
  std::string out;
  const auto ask = [&](std::string_view q) {
    ((((out += style.question) += q) += "\n") += style.answer) += style.lead;
  };
  for (const Gsm8kExample& example : examples) ask(example.question), out += " " + example.answer + "\n\n";
  ask(question);
  return out;
}

}  // namespace cli::evaluation

#endif  // DSVL_CLI_EVALUATION_GSM8K_HPP
