// Runner: has a model answer the questions of a benchmark. Questions of a group follow each other in one session, whose
// cache then has what they begin with: the picture, the solved examples, the context of all endings.
#ifndef DSVL_CLI_EVALUATION_RUNNER_HPP
#define DSVL_CLI_EVALUATION_RUNNER_HPP

#include "../library.hpp"

#include <optional>
#include <span>
#include <string>
#include <vector>

#include <dsvl/text/tokenizer.hpp>

#include "benchmark.hpp"

namespace cli::evaluation {

/// The way in which questions are asked.
struct RunnerOptions {
  dsvl::SessionOptions session = {};
  dsvl::GenerateOptions generate = {};  ///< max_tokens 0: what the benchmark says
  dsvl::Index max_context = 4096;       ///< tokens of a text without template; longer ones are cut
  bool sharing = true;                  ///< false: everything is computed anew, to see what sharing saves
};

/// What was computed, and what was there already.
struct Work {
  std::size_t pictures = 0, pictures_known = 0;  ///< shown to the model; of these, not encoded again
  dsvl::Index tokens = 0, tokens_known = 0;      ///< in front of answers and of endings; of these, found in the cache
  std::size_t endings = 0;                       ///< scored
  dsvl::Index generated = 0;                     ///< tokens of answers
};

class Runner {
 public:
  Runner(const dsvl::Model& model, const RunnerOptions& options) : model_(model), options_(options) {}

  /// Opens the session.
  ///
  /// Codes  those of Session::open; unsupported (a model without tokenizer)
  dsvl::Status open();
  /// Codes  those of Session::ask, generate and score
  dsvl::Result<Reply> reply(const Request& request, const NamedPicture* picture);
  [[nodiscard]] const Work& work() const { return work_; }

 private:
  using Ids = std::vector<std::int32_t>;

  dsvl::Result<Reply> ask(const Request& request, const NamedPicture* picture);
  dsvl::Result<Reply> complete(const Request& request);
  dsvl::Result<Reply> score(const Request& request);
  dsvl::Result<Reply> finish(dsvl::Answer answer);
  /// Ids behind bos; `text` may be empty.
  [[nodiscard]] dsvl::Result<Ids> encode(const std::string& text) const;
  /// The ids of the longest prompt of a request that fits.
  [[nodiscard]] dsvl::Result<std::string> fitting_prompt(const Request& request) const;
  dsvl::Status score_behind(const Ids& prefix, std::span<const Ids> endings, std::vector<Ending>& out);
  void count_prefix(const Ids& prefix);
  dsvl::Status reopen();
  [[nodiscard]] dsvl::GenerateOptions generate(const Request& request) const;

  const dsvl::Model& model_;
  RunnerOptions options_;
  std::optional<dsvl::Session> session_;
  dsvl::Index most_ = 0;  // tokens of a text
  Ids last_;              // the prefix that the cache has from scoring
  Work work_;
};

}  // namespace cli::evaluation

#endif  // DSVL_CLI_EVALUATION_RUNNER_HPP
