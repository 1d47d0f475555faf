// The scorers of TextVQA: mmf's, which LLaVA and lmms-eval have too, and VLMEvalKit's.
#ifndef DSVL_CLI_EVALUATION_TEXTVQA_HPP
#define DSVL_CLI_EVALUATION_TEXTVQA_HPP

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vqa.hpp"

namespace cli::evaluation {

/// Commas and question marks go first, so that VQA's rule about them never applies, and 's stands alone.
inline std::string textvqa_tokens(std::string_view text) {
  std::string out = python::replace(python::replace(python::lower(text), ",", ""), "?", "");
  return std::string(python::strip(python::replace(out, "'s", " 's")));
}

enum class TextVqaRules : unsigned char {
  mmf,              ///< facebookresearch/mmf, m4c_evaluators.py
  vlmevalkit_2024,  ///< without the step before
  vlmevalkit,       ///< since May 2025 dots stay beside digits
};

inline std::string textvqa_normalise(std::string_view text, TextVqaRules rules = TextVqaRules::mmf) {
  const std::string tokens = rules == TextVqaRules::mmf ? textvqa_tokens(text) : std::string(text);
  const Dots dots = rules == TextVqaRules::vlmevalkit ? Dots::between_no_digits : Dots::before_no_digit;
  return vqa_words(vqa_punctuation(vqa_strip(tokens), dots));
}

/// Accuracy of an answer, 0 to 1: like VQA's, but references are always normalised and told apart by position.
inline double textvqa_accuracy(std::span<const std::string> references, std::string_view answer,
                               TextVqaRules rules = TextVqaRules::mmf) {
  const std::string given = textvqa_normalise(answer, rules);
  std::vector<VqaReference> normalised;
  for (const std::string& r : references)
    normalised.push_back({textvqa_normalise(r, rules), std::to_string(normalised.size())});
  return vqa_agreement(normalised, given);
}

}  // namespace cli::evaluation

#endif  // DSVL_CLI_EVALUATION_TEXTVQA_HPP
