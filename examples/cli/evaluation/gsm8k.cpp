// GSM8K as a benchmark: test.jsonl, with examples from train.jsonl or from a file of worked solutions.
#include "gsm8k.hpp"

#include "benchmark.hpp"
#include "files.hpp"
#include "random.hpp"

namespace cli::evaluation {

namespace {

constexpr std::size_t kShots = 5;
constexpr std::uint32_t kSeed = 1234;  // lm-eval's

class Gsm8k : public Benchmark {
 public:
  [[nodiscard]] std::vector<std::string> styles() const override { return {"lm-eval", "cot", "deepseek"}; }

  [[nodiscard]] Request request(std::size_t i) const override {
    Gsm8kStyle style;
    if (chain_of_thought()) style = {"Q: ", "A:", is_style("deepseek") ? " Let's think step by step." : ""};
    std::vector<Gsm8kExample> shots;
    for (const std::size_t shot : items_[i].shots) shots.push_back(examples_[shot]);
    return {Request::Kind::complete, gsm8k_prompt(shots, items_[i].question, style), {}, {}, 256, stops()};
  }

  [[nodiscard]] Report report() const override {
    Mean flexible, strict, official, cot;
    for (std::size_t i = 0; i < items_.size(); ++i) {
      if (!replied(i)) continue;
      flexible.add(is_right(i, Gsm8kRule::flexible));
      strict.add(is_right(i, Gsm8kRule::strict));
      official.add(is_right(i, Gsm8kRule::official));
      cot.add(is_right(i, Gsm8kRule::cot));
    }
    Report report;
    report.add("flexible-extract (the last number)", flexible);
    if (chain_of_thought()) {
      report.add("strict-match (behind \"The answer is \")", cot);
    } else {
      report.add("strict-match (behind \"#### \")", strict);
      report.add("official (the same, letter by letter)", official);
    }
    return report;
  }

 protected:
  dsvl::Status read() override {
    std::string examples = protocol().examples;
    for (const std::string& file : protocol().files) {
      // Both official files may be named: the examples come from train.jsonl.
      if (stem(file).starts_with("train") && examples.empty() && protocol().files.size() > 1) examples = file;
      else DSVL_CHECK_STATUS(read_questions(file));
    }
    if (examples.empty() && !chain_of_thought())
      examples = to_text(to_path(protocol().files[0]).parent_path() / "train.jsonl");
    if (examples.empty())
      return dsvl::fail(dsvl::Code::bad_argument,
                        "--style %s needs --examples FILE: lines with \"question\" and \"target\"",
                        protocol().style.c_str());
    if (!protocol().asks) return {};
    DSVL_CHECK_STATUS(read_examples(examples));
    return draw_shots(examples);
  }
  [[nodiscard]] double score(std::size_t i) const override { return is_right(i, Gsm8kRule::flexible); }

 private:
  struct Item {
    std::string question, answer;
    std::vector<std::size_t> shots;
  };

  [[nodiscard]] bool chain_of_thought() const { return !is_style("lm-eval"); }
  [[nodiscard]] std::vector<std::string> stops() const { return gsm8k_stops(chain_of_thought() ? "Q:" : "Question:"); }

  dsvl::Status read_questions(const std::string& file) {
    DSVL_TRY(text, read_text(file));
    std::size_t count = 0;
    for (const RawValue& line : lines_of(text)) {
      if (enough(count++)) break;
      DSVL_TRY(record, JsonRecord::parse(line, file));
      DSVL_TRY(question, record.string("question"));
      DSVL_TRY(answer, record.string("answer"));
      if (!gsm8k_extract(answer, Gsm8kRule::official))
        return record.place().wrong("the answer has no number behind \"#### \"");
      DSVL_CHECK_STATUS(add(stem(file) + ":" + std::to_string(line.line), record.place(), items_.size()));
      items_.push_back({std::move(question), std::move(answer), {}});
    }
    return {};
  }

  dsvl::Status read_examples(const std::string& file) {
    DSVL_TRY(text, read_text(file));
    for (const RawValue& line : lines_of(text)) {
      DSVL_TRY(record, JsonRecord::parse(line, file));
      DSVL_TRY(question, record.string("question"));
      DSVL_TRY(answer, record.string(chain_of_thought() ? "target" : "answer"));
      examples_.push_back({std::move(question), std::move(answer)});
    }
    return {};
  }

  /// Worked solutions are all shown. Examples of the training set are drawn anew for each question, in the order of the
  /// file, so that the first questions get the same ones however many are asked.
  dsvl::Status draw_shots(const std::string& file) {
    if (!chain_of_thought() && examples_.size() < kShots)
      return dsvl::fail(dsvl::Code::bad_file, "%s: has %zu examples, %zu are needed", file.c_str(), examples_.size(),
                        kShots);
    python::Random random(kSeed);
    std::vector<std::size_t> all(examples_.size());
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
    for (Item& item : items_) item.shots = chain_of_thought() ? all : random.sample(examples_.size(), kShots);
    return {};
  }

  [[nodiscard]] bool is_right(std::size_t i, Gsm8kRule rule) const {
    const std::vector<std::string> ends = stops();
    return gsm8k_is_right(cut_at(questions()[i].reply->text, ends), items_[i].answer, rule);
  }

  std::vector<Item> items_;
  std::vector<Gsm8kExample> examples_;
};

}  // namespace

std::unique_ptr<Benchmark> make_gsm8k() { return std::make_unique<Gsm8k>(); }

}  // namespace cli::evaluation
