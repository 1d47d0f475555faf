// MMLU as a benchmark: data/ with dev/ and test/, or single files of test/.
#include "mmlu.hpp"

#include <algorithm>
#include <deque>

#include "benchmark.hpp"
#include "files.hpp"
#include "hellaswag.hpp"
#include "table.hpp"

namespace cli::evaluation {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kExamples = 5;

class Mmlu : public Benchmark {
 public:
  [[nodiscard]] std::vector<std::string> styles() const override { return {"official", "lm-eval"}; }

  [[nodiscard]] Request request(std::size_t i) const override {
    const Item& item = items_[i];
    const std::vector<MmluQuestion>& examples = subjects_[item.subject].examples;
    const auto prompt = [&](std::size_t shots) {
      return mmlu_prompt(subjects_[item.subject].name, std::span(examples).first(shots), item.question, style());
    };
    Request request{Request::Kind::score, prompt(examples.size()), {}, {}, 0, {}};
    // Officially the last examples are left out where the prompt is too long; lm-eval cuts from the left.
    if (style() == MmluStyle::official)
      for (std::size_t shots = examples.size(); shots-- > 0;) request.shorter.push_back(prompt(shots));
    for (const char letter : kMmluLetters) request.endings.push_back(std::string(" ") + letter);
    return request;
  }

  [[nodiscard]] Report report() const override {
    Mean all;
    std::vector<Mean> by_subject(subjects_.size()), by_category(std::size(kCategoryNames));
    for (std::size_t i = 0; i < items_.size(); ++i) {
      if (!replied(i)) continue;
      const bool right = is_right(i);
      all.add(right);
      by_subject[items_[i].subject].add(right);
      if (const auto category = mmlu_category(subjects_[items_[i].subject].name, style() == MmluStyle::lm_eval))
        by_category[static_cast<std::size_t>(*category)].add(right);
    }
    Report report;
    report.add("accuracy (all questions alike)", all);
    Mean macro;
    std::vector<GroupError> errors;
    for (const Mean& mean : by_subject) {
      if (mean.count() == 0) continue;
      macro.add(mean.mean());
      errors.push_back({mean.count(), mean.count() > 1 ? mean.error() : 0});
    }
    if (style() == MmluStyle::lm_eval && all.count() > errors.size())
      report.figures[0].error = 100 * pooled_error(errors);
    report.add("mean of the subjects' accuracies", macro.mean());
    for (std::size_t c = 0; c < by_category.size(); ++c)
      if (by_category[c].count()) report.add("category: " + std::string(kCategoryNames[c]), by_category[c]);
    for (std::size_t s = 0; s < subjects_.size(); ++s)
      if (by_subject[s].count()) report.add("subject: " + subjects_[s].name, by_subject[s]);
    return report;
  }

 protected:
  dsvl::Status read() override {
    for (const std::string& given : protocol().files) DSVL_CHECK_STATUS(list_files(given));
    std::sort(files_.begin(), files_.end());
    for (const std::string& file : files_) DSVL_CHECK_STATUS(read_subject(file));
    return {};
  }
  [[nodiscard]] double score(std::size_t i) const override { return is_right(i); }

 private:
  struct Subject {
    std::string name;
    std::vector<MmluQuestion> examples;
  };
  struct Item {
    std::size_t subject;
    MmluQuestion question;
  };

  [[nodiscard]] MmluStyle style() const { return is_style("lm-eval") ? MmluStyle::lm_eval : MmluStyle::official; }

  dsvl::Status list_files(const std::string& given) {
    std::error_code error;
    if (!fs::is_directory(to_path(given), error)) return files_.push_back(given), dsvl::Status();
    const fs::path test = to_path(given) / "test";
    const fs::path& folder = fs::is_directory(test, error) ? test : to_path(given);
    const std::size_t before = files_.size();
    for (const auto& entry : fs::directory_iterator(folder, error))
      if (entry.path().extension() == ".csv") files_.push_back(to_text(entry.path()));
    if (files_.size() > before) return {};
    return dsvl::fail(dsvl::Code::bad_file, "%s: has no *.csv", to_text(folder).c_str());
  }

  /// "anatomy" of ".../test/anatomy_test.csv".
  static std::string subject_of(const std::string& file) {
    const std::string name = stem(file);
    return name.substr(0, name.rfind('_'));
  }
  [[nodiscard]] std::string examples_of(const std::string& file) const {
    const std::string name = subject_of(file) + "_dev.csv";
    const fs::path folder = to_path(file).parent_path();
    const fs::path given = to_path(protocol().examples);
    return to_text((given.empty() ? folder.parent_path() / "dev" : given) / name);
  }

  dsvl::Status read_subject(const std::string& file) {
    const std::size_t subject = subjects_.size();
    subjects_.push_back({subject_of(file), {}});
    if (protocol().asks) {
      DSVL_TRY(examples, read_questions(example_files_.emplace_back(examples_of(file)), kExamples));
      for (auto& [place, question] : examples) subjects_.back().examples.push_back(std::move(question));
    }
    DSVL_TRY(questions, read_questions(file, protocol().limit));
    for (auto& [place, question] : questions) {
      const std::string id = subjects_.back().name + ":" + std::to_string(place.line);
      DSVL_CHECK_STATUS(add(id, place, subject));
      items_.push_back({subject, std::move(question)});
    }
    return {};
  }

  /// The first `most` questions of a file (0: all). pandas types columns by all of them.
  static dsvl::Result<std::vector<std::pair<Place, MmluQuestion>>> read_questions(const std::string& file,
                                                                                 std::size_t most) {
    DSVL_TRY(text, read_text(file));
    DSVL_TRY(table, read_table(text, file, ',', false));
    std::vector<std::pair<Place, MmluQuestion>> out;
    for (const Record& record : table.records) {
      if (most > 0 && out.size() >= most) break;
      const Place place{file, record.line};
      if (record.cells.size() != 6)
        return place.wrong("the record has " + std::to_string(record.cells.size()) +
                           " cells, 6 are needed: question, four options, letter");
      const auto cell = [&](std::size_t i) { return record.cells[i].value_or("nan"); };
      if (cell(5).size() != 1 || !python::contains(kMmluLetters, cell(5)))
        return place.wrong("the last cell is " + cell(5) + ", a letter from A to D is needed");
      out.emplace_back(place, MmluQuestion{cell(0), {cell(1), cell(2), cell(3), cell(4)}, cell(5)});
    }
    return out;
  }

  [[nodiscard]] bool is_right(std::size_t i) const {
    std::vector<double> scores;
    for (const Ending& e : questions()[i].reply->endings) scores.push_back(e.log_probability);
    return items_[i].question.answer[0] == kMmluLetters[largest(scores)];
  }

  std::deque<std::string> files_, example_files_;  // places point to them
  std::vector<Subject> subjects_;
  std::vector<Item> items_;
};

}  // namespace

std::unique_ptr<Benchmark> make_mmlu() { return std::make_unique<Mmlu>(); }

}  // namespace cli::evaluation
