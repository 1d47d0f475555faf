// MMBench: prompts of its rows, the letter that an answer means, and circular evaluation: a question counts when it is
// answered right in all rotations of its options.
//
// Source: VLMEvalKit, matching_util.py, multiple_choice.py and image_mcq.py, as of March 2024 and of today.
#ifndef DSVL_CLI_EVALUATION_MMBENCH_HPP
#define DSVL_CLI_EVALUATION_MMBENCH_HPP

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "python.hpp"

namespace cli::evaluation {

/// An option's letter and text.
struct Choice {
  char letter;
  std::string text;
};
/// The rules of the time of the paper, or those that VLMEvalKit has now.
enum class MatchingRules : unsigned char { of_2024, current };

/// What stands for "none of them" beside the letters; it is wrong.
inline constexpr char kRefused = 'Z';

namespace detail {

inline bool is_option(std::span<const Choice> choices, char letter) {
  return std::any_of(choices.begin(), choices.end(), [&](const Choice& c) { return c.letter == letter; });
}

/// "answer is B", in any case and without a look at what follows the letter.
inline std::optional<char> letter_behind_answer_is(std::string_view answer) {
  const std::string text = python::lower(answer);
  for (std::size_t at = text.find("answer"); at != text.npos; at = text.find("answer", at + 1)) {
    std::string_view rest = std::string_view(text).substr(at + 6);
    const std::string_view is = python::lstrip(rest);
    if (is.size() == rest.size() || !is.starts_with("is")) continue;
    rest = is.substr(2);
    std::string_view letter = python::lstrip(rest);
    if (letter.size() == rest.size()) continue;
    letter.remove_prefix(std::min(letter.find_first_not_of('*'), letter.size()));
    if (!letter.empty() && letter[0] >= 'a' && letter[0] <= 'd') return static_cast<char>(letter[0] - 'a' + 'A');
  }
  return std::nullopt;
}

}  // namespace detail

/// The one option letter that stands alone in the answer; kRefused for refusals.
inline std::optional<char> find_option(std::string_view answer, std::span<const Choice> choices, MatchingRules rules) {
  static constexpr std::string_view kRefusals[] = {
      "Sorry, I can't help with images of people yet.", "I can't process this file.",
      "I'm sorry, but without the image provided", "Cannot determine the answer"};
  if (python::contains(answer, "Failed to obtain answer via API")) return std::nullopt;
  for (const std::string_view refusal : kRefusals)
    if (python::contains(answer, refusal)) return kRefused;
  std::string blanked(answer);
  for (char& c : blanked)
    if (std::string_view(".()[],:;!*#{}").find(c) != std::string_view::npos) c = ' ';
  const std::vector<std::string> words = python::split(blanked);
  const auto place = [&](char letter) { return std::find(words.begin(), words.end(), std::string(1, letter)); };
  std::vector<char> found;
  for (const Choice& c : choices)
    if (place(c.letter) != words.end()) found.push_back(c.letter);
  const bool lone = found.size() == 1;
  if (lone && (rules == MatchingRules::of_2024 || words.end() - place(found[0]) < 5)) return found[0];
  if (found.empty() && place(kRefused) != words.end()) return kRefused;
  if (rules == MatchingRules::of_2024) return std::nullopt;
  const std::optional<char> letter = detail::letter_behind_answer_is(answer);
  return letter && detail::is_option(choices, *letter) ? letter : std::nullopt;
}

/// The one option whose text is in the answer.
inline std::optional<char> find_option_text(std::string_view answer, std::span<const Choice> choices,
                                            MatchingRules rules) {
  const std::string text = python::lower(answer);
  std::size_t length = 0;
  for (const Choice& c : choices) length += python::length(c.text);
  if (rules == MatchingRules::current && python::length(text) > 2 * length) return std::nullopt;
  std::optional<char> found;
  for (const Choice& c : choices) {
    if (!python::contains(text, python::lower(c.text))) continue;
    if (found) return std::nullopt;
    found = c.letter;
  }
  return found;
}

/// What an answer means: a letter, or else the text of an option; nothing when only a judge could tell.
inline std::optional<char> find_choice(std::string_view answer, std::span<const Choice> choices, MatchingRules rules) {
  const std::optional<char> option = find_option(answer, choices, rules);
  return option ? option : find_option_text(answer, choices, rules);
}

/// VLMEvalKit's prompt for questions with options, or LLaVA's.
enum class ChoicePrompt : unsigned char { vlmevalkit, llava, llava_chinese };

inline std::string choice_prompt(const std::optional<std::string>& hint, std::string_view question,
                                 std::span<const Choice> choices, ChoicePrompt style = ChoicePrompt::vlmevalkit) {
  const bool official = style == ChoicePrompt::vlmevalkit;
  std::string out;
  if (hint) out += (official ? "Hint: " : "") + *hint + "\n";
  out += (official ? "Question: " : "") + std::string(question) + "\n";
  if (official && !choices.empty()) out += "Options:\n";
  for (const Choice& c : choices) out += std::string(1, c.letter) + ". " + c.text + "\n";
  if (style == ChoicePrompt::llava) return out += "Answer with the option's letter from the given choices directly.";
  if (style == ChoicePrompt::llava_chinese)  // 请直接回答选项字母。
    return out += "\xE8\xAF\xB7\xE7\x9B\xB4\xE6\x8E\xA5\xE5\x9B\x9E\xE7\xAD\x94"
                  "\xE9\x80\x89\xE9\xA1\xB9\xE5\xAD\x97\xE6\xAF\x8D\xE3\x80\x82";
  return choices.empty() ? out : out += "Please select the correct answer from the options above. \n";
}

/// Rotations of a question are this far from each other in the file's index.
inline constexpr std::int64_t kRotationStep = 1'000'000;

/// A row as it was answered.
struct RotationAnswer {
  std::int64_t index;
  char right;                  ///< the row's own letter
  std::optional<char> chosen;  ///< nothing: only a judge could tell
};
/// What comes of a question: without a judge, those that hang on one are misses.
enum class Circular : unsigned char { hit, miss, needs_judge };

/// Results of the questions, by index of their base row.
inline std::map<std::int64_t, Circular> evaluate_circular(std::span<const RotationAnswer> rows) {
  std::map<std::int64_t, Circular> groups;
  for (const RotationAnswer& row : rows) {
    Circular& group = groups.emplace(row.index % kRotationStep, Circular::hit).first->second;
    if (row.chosen && row.chosen != row.right) group = Circular::miss;
    if (!row.chosen && group == Circular::hit) group = Circular::needs_judge;
  }
  return groups;
}

}  // namespace cli::evaluation

#endif  // DSVL_CLI_EVALUATION_MMBENCH_HPP
