// HellaSwag as a benchmark: hellaswag_val.jsonl.
#include "hellaswag.hpp"

#include "benchmark.hpp"
#include "files.hpp"
#include "table.hpp"

namespace cli::evaluation {

namespace {

class HellaSwag : public Benchmark {
 public:
  [[nodiscard]] std::vector<std::string> styles() const override { return {"lm-eval"}; }

  [[nodiscard]] Request request(std::size_t i) const override {
    Request request{Request::Kind::score, move_blanks(records_[i].query, "").context, {}, {}, 0, {}};
    for (const std::string& choice : records_[i].choices)
      request.endings.push_back(move_blanks(records_[i].query, " " + choice).ending);
    return request;
  }

  [[nodiscard]] Report report() const override {
    Report report;
    Mean sum, characters, bytes, tokens;
    std::map<std::string, Mean> splits;
    for (std::size_t i = 0; i < records_.size(); ++i) {
      if (!replied(i) || !records_[i].label) continue;
      const bool right = is_right(i, Unit::character);
      characters.add(right);
      sum.add(is_right(i, Unit::whole));
      bytes.add(is_right(i, Unit::byte));
      tokens.add(is_right(i, Unit::token));
      if (!records_[i].split_type.empty()) splits[records_[i].split_type].add(right);
    }
    if (characters.count() == 0) {
      report.notes.push_back("The file has no labels, so nothing is scored.");
      return report;
    }
    report.add("acc_norm (for each character)", characters);
    report.add("acc (of the whole ending)", sum);
    report.add("acc_bytes (for each byte)", bytes);
    report.add("acc_token (for each token)", tokens);
    report.add_groups("acc_norm", splits);
    return report;
  }

  dsvl::Status write(const std::filesystem::path& folder, const std::string& model,
                     std::vector<std::string>& written) const override {
    if (!all_replied()) return {};
    std::string out = "annot_id,ending0,ending1,ending2,ending3\n";
    for (std::size_t i = 0; i < records_.size(); ++i) {
      out += records_[i].index;
      for (const double p : shares(i)) out += "," + python::float_text(p);
      out += "\n";
    }
    written.push_back(model + "_hellaswag.csv");
    return write_text(folder / to_path(written.back()), out);
  }

 protected:
  dsvl::Status read() override {
    for (const std::string& file : protocol().files) {
      DSVL_TRY(text, read_text(file));
      std::size_t count = 0;
      for (const RawValue& line : lines_of(text)) {
        if (enough(count++)) break;
        DSVL_TRY(record, JsonRecord::parse(line, file));
        DSVL_CHECK_STATUS(read(record));
      }
    }
    return {};
  }

  [[nodiscard]] double score(std::size_t i) const override {
    return records_[i].label ? is_right(i, Unit::character) : kNotANumber;
  }

 private:
  enum class Unit : unsigned char { whole, character, byte, token };
  struct Doc {
    std::string query, split_type, index;
    std::vector<std::string> choices;
    std::optional<std::size_t> label;
  };

  dsvl::Status read(const JsonRecord& record) {
    DSVL_TRY(activity, record.string("activity_label"));
    DSVL_TRY(first, record.string("ctx_a"));
    DSVL_TRY(second, record.string("ctx_b"));
    DSVL_TRY(endings, record.strings("endings"));
    if (endings.size() != 4)
      return record.place().wrong("the record has " + std::to_string(endings.size()) + " endings, 4 are needed");
    Doc doc;
    doc.query = hellaswag_query(activity, first, second);
    for (const std::string& ending : endings) doc.choices.push_back(hellaswag_clean(ending));
    doc.split_type = record["split_type"].string().value_or("");
    doc.index = record["ind"].integer() ? std::to_string(*record["ind"].integer()) : std::to_string(records_.size());
    const std::string label = record["label"].missing() ? "" : python_text(record["label"]);
    if (!label.empty() && (label.size() != 1 || label[0] < '0' || label[0] > '3'))
      return record.place().wrong("the label " + label + " is none of 0 to 3");
    if (!label.empty()) doc.label = static_cast<std::size_t>(label[0] - '0');
    records_.push_back(std::move(doc));
    // Not every copy has a number of its own for each record, so the place is the id.
    return add(stem(std::string(record.place().file)) + ":" + std::to_string(record.place().line), record.place(),
               questions().size());
  }

  [[nodiscard]] bool is_right(std::size_t i, Unit unit) const {
    const std::vector<Ending>& endings = questions()[i].reply->endings;
    std::vector<double> scores;
    for (std::size_t e = 0; e < endings.size(); ++e) {
      const std::string& choice = records_[i].choices[e];
      const double sum = endings[e].log_probability;
      scores.push_back(unit == Unit::whole       ? sum
                       : unit == Unit::character ? for_each_of(sum, python::length(choice))
                       : unit == Unit::byte      ? for_each_of(sum, choice.size())
                                                 : for_each_of(sum, endings[e].tokens));
    }
    return largest(scores) == records_[i].label;
  }
  /// The endings' probabilities, which add up to 1.
  [[nodiscard]] std::vector<double> shares(std::size_t i) const {
    std::vector<double> out;
    double best = -std::numeric_limits<double>::infinity(), sum = 0;
    for (const Ending& e : questions()[i].reply->endings) best = std::max(best, e.log_probability);
    for (const Ending& e : questions()[i].reply->endings) sum += out.emplace_back(std::exp(e.log_probability - best));
    for (double& p : out) p /= sum;
    return out;
  }

  std::vector<Doc> records_;
};

}  // namespace

std::unique_ptr<Benchmark> make_hellaswag() { return std::make_unique<HellaSwag>(); }

}  // namespace cli::evaluation
