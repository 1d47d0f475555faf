// MMLU: prompts with five solved examples, the letter that is likeliest next, and the categories of its 57 subjects.
//
// Sources: hendrycks/test, evaluate.py and categories.py; lm-eval, task mmlu.
#ifndef DSVL_CLI_EVALUATION_MMLU_HPP
#define DSVL_CLI_EVALUATION_MMLU_HPP

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "python.hpp"

namespace cli::evaluation {

enum class Category : unsigned char { stem, humanities, social_sciences, other };
inline constexpr std::string_view kCategoryNames[] = {"STEM", "humanities", "social sciences", "other"};

struct MmluSubject {
  std::string_view name;
  Category official, lm_eval;  ///< anatomy is elsewhere for lm-eval
};
inline constexpr MmluSubject kMmluSubjects[] = {
    {"abstract_algebra", Category::stem, Category::stem},
    {"anatomy", Category::other, Category::stem},
    {"astronomy", Category::stem, Category::stem},
    {"business_ethics", Category::other, Category::other},
    {"clinical_knowledge", Category::other, Category::other},
    {"college_biology", Category::stem, Category::stem},
    {"college_chemistry", Category::stem, Category::stem},
    {"college_computer_science", Category::stem, Category::stem},
    {"college_mathematics", Category::stem, Category::stem},
    {"college_medicine", Category::other, Category::other},
    {"college_physics", Category::stem, Category::stem},
    {"computer_security", Category::stem, Category::stem},
    {"conceptual_physics", Category::stem, Category::stem},
    {"econometrics", Category::social_sciences, Category::social_sciences},
    {"electrical_engineering", Category::stem, Category::stem},
    {"elementary_mathematics", Category::stem, Category::stem},
    {"formal_logic", Category::humanities, Category::humanities},
    {"global_facts", Category::other, Category::other},
    {"high_school_biology", Category::stem, Category::stem},
    {"high_school_chemistry", Category::stem, Category::stem},
    {"high_school_computer_science", Category::stem, Category::stem},
    {"high_school_european_history", Category::humanities, Category::humanities},
    {"high_school_geography", Category::social_sciences, Category::social_sciences},
    {"high_school_government_and_politics", Category::social_sciences, Category::social_sciences},
    {"high_school_macroeconomics", Category::social_sciences, Category::social_sciences},
    {"high_school_mathematics", Category::stem, Category::stem},
    {"high_school_microeconomics", Category::social_sciences, Category::social_sciences},
    {"high_school_physics", Category::stem, Category::stem},
    {"high_school_psychology", Category::social_sciences, Category::social_sciences},
    {"high_school_statistics", Category::stem, Category::stem},
    {"high_school_us_history", Category::humanities, Category::humanities},
    {"high_school_world_history", Category::humanities, Category::humanities},
    {"human_aging", Category::other, Category::other},
    {"human_sexuality", Category::social_sciences, Category::social_sciences},
    {"international_law", Category::humanities, Category::humanities},
    {"jurisprudence", Category::humanities, Category::humanities},
    {"logical_fallacies", Category::humanities, Category::humanities},
    {"machine_learning", Category::stem, Category::stem},
    {"management", Category::other, Category::other},
    {"marketing", Category::other, Category::other},
    {"medical_genetics", Category::other, Category::other},
    {"miscellaneous", Category::other, Category::other},
    {"moral_disputes", Category::humanities, Category::humanities},
    {"moral_scenarios", Category::humanities, Category::humanities},
    {"nutrition", Category::other, Category::other},
    {"philosophy", Category::humanities, Category::humanities},
    {"prehistory", Category::humanities, Category::humanities},
    {"professional_accounting", Category::other, Category::other},
    {"professional_law", Category::humanities, Category::humanities},
    {"professional_medicine", Category::other, Category::other},
    {"professional_psychology", Category::social_sciences, Category::social_sciences},
    {"public_relations", Category::social_sciences, Category::social_sciences},
    {"security_studies", Category::social_sciences, Category::social_sciences},
    {"sociology", Category::social_sciences, Category::social_sciences},
    {"us_foreign_policy", Category::social_sciences, Category::social_sciences},
    {"virology", Category::other, Category::other},
    {"world_religions", Category::humanities, Category::humanities}
};
/// The category of a subject; nothing of one that MMLU does not have.
inline std::optional<Category> mmlu_category(std::string_view subject, bool lm_eval) {
  for (const MmluSubject& s : kMmluSubjects)
    if (s.name == subject) return lm_eval ? s.lm_eval : s.official;
  return std::nullopt;
}

inline constexpr std::string_view kMmluLetters = "ABCD";

/// A row of a subject's file, its cells as pandas prints them.
struct MmluQuestion {
  std::string question;
  std::array<std::string, 4> options;
  std::string answer;  ///< a letter
};

/// Officially each word of the subject has a blank in front, which makes two behind "about"; lm-eval has one there, and
/// strips the question.
enum class MmluStyle : unsigned char { official, lm_eval };

inline std::string mmlu_subject_text(std::string_view subject) {
  std::string out;
  for (const std::string& word : python::split(subject, "_")) out += " " + word;
  return out;
}

/// A question up to "Answer:".
inline std::string mmlu_question_text(const MmluQuestion& q, MmluStyle style) {
  std::string out(style == MmluStyle::lm_eval ? python::strip(q.question) : std::string_view(q.question));
  for (std::size_t i = 0; i < q.options.size(); ++i)
    out += std::string("\n") + kMmluLetters[i] + ". " + q.options[i];
  return out += "\nAnswer:";
}

/// The whole prompt, which the letter follows, with its blank.
inline std::string mmlu_prompt(std::string_view subject, std::span<const MmluQuestion> examples, const MmluQuestion& q,
                               MmluStyle style = MmluStyle::official) {
  std::string out = "The following are multiple choice questions (with answers) about";
  out += (style == MmluStyle::official ? " " : "") + mmlu_subject_text(subject) + ".\n\n";
  for (const MmluQuestion& example : examples)
    out += mmlu_question_text(example, style) + " " + example.answer + "\n\n";
  return out += mmlu_question_text(q, style);
}

}  // namespace cli::evaluation

#endif  // DSVL_CLI_EVALUATION_MMLU_HPP
