// answers.jsonl: the replies of a run, written as they come, from which it is resumed and scored again. Its first line
// says what was run; each other line is one reply.
#ifndef DSVL_CLI_EVALUATION_ANSWERS_HPP
#define DSVL_CLI_EVALUATION_ANSWERS_HPP

#include "../library.hpp"

#include <filesystem>
#include <string>

#include "../append_file.hpp"
#include "benchmark.hpp"

namespace cli::evaluation {

/// What replies depend on. Those of another run are not taken for this one's.
struct Run {
  std::string benchmark, style, model;
  std::string settings;  ///< sampling, longest answer and context, as a text
};

/// Whether a text is an answers.jsonl.
bool is_answers_file(std::string_view text);
/// Gives the replies of an answers.jsonl to the benchmark, a last line that is torn left out. Replies to questions that
/// it does not have are passed over: a limit may have been higher before. Sets `run` to what the file says of itself.
///
/// Codes  bad_file (another benchmark's, lines that are no replies)
dsvl::Status read_answers(std::string_view text, const std::string& file, Benchmark& benchmark, Run& run);

/// Appends replies to an answers.jsonl.
class AnswersFile {
 public:
  /// Opens the file, gives what is there to the benchmark, and cuts off a torn last line.
  ///
  /// Codes  io, bad_file, bad_argument (it is another run's)
  static dsvl::Result<AnswersFile> open(const std::filesystem::path& path, const Run& run, Benchmark& benchmark);
  /// Codes  io
  dsvl::Status append(const Question& question);

 private:
  explicit AnswersFile(AppendFile file) : file_(std::move(file)) {}

  AppendFile file_;
};

}  // namespace cli::evaluation

#endif  // DSVL_CLI_EVALUATION_ANSWERS_HPP
