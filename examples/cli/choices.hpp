// dsvl eval --choices: how often the likeliest of some choices is right, and whether its probability means that.
#ifndef DSVL_CLI_CHOICES_HPP
#define DSVL_CLI_CHOICES_HPP

#include <filesystem>
#include <span>
#include <string_view>

#include "console.hpp"
#include "library.hpp"
#include "setup.hpp"

namespace cli {

/// A question with its picture (a file; empty: none) and the answer that is right.
struct ChoiceQuestion {
  std::string_view image, question, answer;
};

/// Scores the choices of every question that has several, and prints the report. Pictures lie in `folder`. Returns the
/// exit code.
int run_choices(std::span<const ChoiceQuestion> questions, const std::filesystem::path& folder, Talk& talk,
                const dsvl::GenerateOptions& options, bool json, ProgressLine& progress);

}  // namespace cli

#endif  // DSVL_CLI_CHOICES_HPP
