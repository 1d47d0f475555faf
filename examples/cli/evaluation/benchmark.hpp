// Benchmark: official files as questions to a model, and what its replies score.
//
// Each benchmark is one file beside this one. Reading, asking and scoring are apart from each other: replies come from
// a model (runner.hpp) or from a file (answers.hpp), and nothing here knows which.
#ifndef DSVL_CLI_EVALUATION_BENCHMARK_HPP
#define DSVL_CLI_EVALUATION_BENCHMARK_HPP

#include "../library.hpp"

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "../pictures.hpp"
#include "records.hpp"
#include "report.hpp"

namespace cli::evaluation {

/// What the user chose of how a benchmark is run.
struct Protocol {
  std::vector<std::string> files;  ///< as published
  std::string style;               ///< how prompts are formed; empty: the first that the benchmark knows
  std::string pictures;            ///< folder; empty: where the benchmark's archive puts them
  std::string examples;            ///< solved examples of the prompt; empty: where the archive has them
  std::size_t limit = 0;           ///< records of each file; 0: all
  bool asks = true;                ///< false: a model is not asked, so pictures need not be there
};

/// What a model is to do for a question.
struct Request {
  enum class Kind : unsigned char {
    ask,       ///< answer a question about a picture, with the chat template
    complete,  ///< continue a text behind bos
    score,     ///< say how likely each ending is behind a text behind bos
  };
  Kind kind = Kind::ask;
  std::string prompt;
  std::vector<std::string> shorter;  ///< to take instead where the prompt is too long, in this order
  std::vector<std::string> endings;  ///< to score
  dsvl::Index max_tokens = 512;      ///< unless the user says another number
  std::vector<std::string> stops;
};

/// The likelihood of an ending.
struct Ending {
  double log_probability = 0;
  std::size_t tokens = 0;
};
struct Reply {
  std::string text;             ///< raw
  std::vector<Ending> endings;  ///< where endings were scored
  double seconds = 0;
};

struct Question {
  std::string id;                      ///< the file's own where it has one
  Place place;                         ///< in that file
  std::size_t group = 0;               ///< questions of a group share a beginning, and are asked one after the other
  const NamedPicture* picture = nullptr;
  std::optional<Reply> reply = {};
};

class Benchmark {
 public:
  virtual ~Benchmark() = default;

  /// Reads the official files, and says what is wrong with them, by line.
  ///
  /// Codes  io, bad_file, bad_argument
  dsvl::Status open(const Protocol& protocol);
  [[nodiscard]] std::span<const Question> questions() const { return questions_; }
  /// Number of the question with that id.
  [[nodiscard]] std::optional<std::size_t> find(const std::string& id) const;
  void take(std::size_t question, Reply reply);
  /// Mean score of the replies so far, for the progress line: "61.2 %"; empty where nothing can be scored yet.
  [[nodiscard]] std::string so_far() const;
  [[nodiscard]] std::size_t replies() const { return replies_; }

  /// Ways to form prompts, the usual one first.
  [[nodiscard]] virtual std::vector<std::string> styles() const = 0;
  [[nodiscard]] virtual Request request(std::size_t question) const = 0;
  /// Figures of all questions that have a reply.
  [[nodiscard]] virtual Report report() const = 0;
  /// Writes what the official program reads, when all questions have replies.
  ///
  /// Codes  io
  virtual dsvl::Status write(const std::filesystem::path& folder, const std::string& model,
                             std::vector<std::string>& written) const {
    static_cast<void>(folder), static_cast<void>(model), static_cast<void>(written);
    return {};
  }
  /// Takes replies from the official result file number `number` of those that are given.
  ///
  /// Codes  bad_file, unsupported (the benchmark has none)
  virtual dsvl::Status read_official(const std::string& text, const std::string& file, std::size_t number) {
    static_cast<void>(text), static_cast<void>(number);
    return dsvl::fail(dsvl::Code::unsupported,
                      "%s: is not an answers.jsonl, and this benchmark has no official file of answers", file.c_str());
  }
  /// Takes what a judge said.
  ///
  /// Codes  bad_file, unsupported (the benchmark needs no judge)
  virtual dsvl::Status read_judged(const std::string& text, const std::string& file) {
    static_cast<void>(text);
    return dsvl::fail(dsvl::Code::unsupported, "%s: this benchmark needs no judge", file.c_str());
  }

 protected:
  /// Reads the files of protocol().
  virtual dsvl::Status read() = 0;
  /// The score of a question that has a reply, 0 to 1; NaN where it has none.
  [[nodiscard]] virtual double score(std::size_t question) const = 0;

  [[nodiscard]] const Protocol& protocol() const { return protocol_; }
  [[nodiscard]] bool is_style(std::string_view name) const { return protocol_.style == name; }
  /// True when `count` records of a file were taken and no more are wanted.
  [[nodiscard]] bool enough(std::size_t count) const { return protocol_.limit > 0 && count >= protocol_.limit; }
  /// Adds a question. Without a picture its group is `group`, else those who share the picture are one.
  ///
  /// Codes  bad_file (the id occurs twice)
  dsvl::Status add(std::string id, Place place, std::size_t group, const NamedPicture* picture = nullptr);
  /// A picture in a folder, checked to be there if a model is to see it.
  ///
  /// Codes  bad_file (it is not)
  dsvl::Result<const NamedPicture*> picture_file(const std::filesystem::path& file, const Place& place);
  /// A picture that stands in the file itself.
  ///
  /// Codes  bad_file (no base64)
  dsvl::Result<const NamedPicture*> picture_bytes(std::string_view base64, const Place& place);
  /// The reply's text, stripped; empty without one.
  [[nodiscard]] std::string_view answer(std::size_t question) const;
  [[nodiscard]] bool replied(std::size_t question) const { return questions_[question].reply.has_value(); }
  [[nodiscard]] bool all_replied() const { return replies_ == questions_.size(); }
  /// Takes a text as the reply to the question of that id.
  ///
  /// Codes  bad_file (there is no such question)
  dsvl::Status take_text(const std::string& id, std::string text, const Place& place);

 private:
  Protocol protocol_;
  std::vector<Question> questions_;
  std::map<std::string, std::size_t, std::less<>> numbers_;  // of the questions, by id
  std::map<std::string, std::unique_ptr<NamedPicture>> files_;
  std::vector<std::unique_ptr<NamedPicture>> embedded_;
  std::map<const NamedPicture*, std::size_t> groups_;
  std::size_t replies_ = 0;
  Mean mean_;  // of the replies in the order in which they came
};

/// One that `dsvl eval` knows.
struct BenchmarkName {
  std::string_view name, title, files;
  std::unique_ptr<Benchmark> (*make)();
};
/// All of them, in the order of the paper's table.
std::span<const BenchmarkName> benchmarks();
const BenchmarkName* find_benchmark(std::string_view name);

std::unique_ptr<Benchmark> make_hellaswag();
std::unique_ptr<Benchmark> make_mmlu();
std::unique_ptr<Benchmark> make_gsm8k();
std::unique_ptr<Benchmark> make_pope();
std::unique_ptr<Benchmark> make_mmbench();
std::unique_ptr<Benchmark> make_mathvista();
std::unique_ptr<Benchmark> make_mmvet();
std::unique_ptr<Benchmark> make_vqav2();
std::unique_ptr<Benchmark> make_textvqa();

}  // namespace cli::evaluation

#endif  // DSVL_CLI_EVALUATION_BENCHMARK_HPP
