// POPE as a benchmark: the three coco_pope_*.json, LLaVA's llava_pope_test.jsonl, or VLMEvalKit's POPE.tsv. What they
// ask twice about a picture is asked once.
#include "pope.hpp"

#include "benchmark.hpp"
#include "files.hpp"
#include "table.hpp"

namespace cli::evaluation {

namespace {

class Pope : public Benchmark {
 public:
  [[nodiscard]] std::vector<std::string> styles() const override { return {"plain", "short"}; }

  [[nodiscard]] Request request(std::size_t i) const override {
    Request request;
    request.prompt = texts_[i];
    if (is_style("short")) request.prompt += "\nAnswer the question using a single word or phrase.";
    return request;
  }

  [[nodiscard]] Report report() const override {
    std::map<std::string, PopeCounts> official;
    PopeCounts vlmevalkit;
    for (const Row& row : rows_) {
      if (!replied(row.question) || !row.label) continue;
      const std::string_view said = row.answer ? python::strip(*row.answer) : answer(row.question);
      official[row.category].add(pope_says_yes(said), *row.label);
      vlmevalkit.add(find_yes_or_no(said), *row.label);
    }
    Report report;
    if (official.empty()) {
      report.notes.push_back("The files have no labels, so nothing is scored.");
      return report;
    }
    double f1 = 0, accuracy = 0;
    for (const auto& [category, counts] : official) f1 += counts.f1(), accuracy += counts.accuracy();
    report.add("mean F1 of the sets", f1 / static_cast<double>(official.size()));
    report.add("mean accuracy of the sets", accuracy / static_cast<double>(official.size()));
    for (const auto& [category, counts] : official) {
      report.add(category + ": F1", counts.f1());
      report.add(category + ": accuracy", accuracy_of(counts));
      report.add(category + ": precision", counts.precision());
      report.add(category + ": recall", counts.recall());
      report.add(category + ": share of yes", counts.yes_ratio());
    }
    report.add("VLMEvalKit: F1 of all rows", vlmevalkit.f1());
    return report;
  }

  dsvl::Status write(const std::filesystem::path& folder, const std::string& model,
                     std::vector<std::string>& written) const override {
    // The official program pairs lines, so a file has all of them or is not written.
    if (!all_replied()) return {};
    for (std::size_t file = 0; file < protocol().files.size(); ++file) {
      std::string out;
      for (const Row& row : rows_) {
        if (row.file != file || row.repeated) continue;
        dsvl::json::Writer w;
        w.begin_object().key("question").value(texts_[row.question]).key("answer").value(answer(row.question));
        out += w.end_object().text() + "\n";
      }
      written.push_back(model + "_" + stem(protocol().files[file]) + "_answers.json");
      DSVL_CHECK_STATUS(write_text(folder / to_path(written.back()), out));
    }
    return {};
  }

  dsvl::Status read_official(const std::string& text, const std::string& file, std::size_t number) override {
    const std::vector<RawValue> lines = lines_of(text);
    std::size_t at = 0;
    for (Row& row : rows_) {
      if (row.file != number || row.repeated) continue;
      if (at >= lines.size()) return Place{file, lines.size()}.wrong("the file ends here, answers are missing");
      DSVL_TRY(record, JsonRecord::parse(lines[at++], file));
      DSVL_TRY(said, record.string("answer"));
      row.answer = said;
      take(row.question, {std::move(said), {}, 0});
    }
    if (at < lines.size() && protocol().limit == 0)
      return Place{file, lines[at].line}.wrong("the file has more answers than its questions");
    return {};
  }

 protected:
  dsvl::Status read() override {
    for (std::size_t file = 0; file < protocol().files.size(); ++file) {
      const std::string& name = protocol().files[file];
      DSVL_TRY(text, read_text(name));
      DSVL_CHECK_STATUS(to_path(name).extension() == ".tsv" ? read_tsv(text, file) : read_json(text, file));
    }
    return {};
  }

  /// Whether an answer is right where the question was first asked.
  [[nodiscard]] double score(std::size_t i) const override {
    return labels_[i] ? pope_says_yes(answer(i)) == *labels_[i] : kNotANumber;
  }

 private:
  /// A line of a file. Its question may be another line's too.
  struct Row {
    std::size_t file, question;
    std::string category;
    std::optional<bool> label;  ///< true: yes
    bool repeated = false;      ///< it is the line before it in another category
    std::optional<std::string> answer = {};  ///< of this line, where a file answers the same question twice
  };

  static Mean accuracy_of(const PopeCounts& counts) {
    Mean mean;
    for (std::size_t i = 0; i < counts.questions(); ++i) mean.add(i < counts.right());
    return mean;
  }

  dsvl::Status read_json(const std::string& text, std::size_t file) {
    const std::string& name = protocol().files[file];
    std::size_t count = 0;
    for (const RawValue& line : lines_of(text)) {
      if (enough(count++)) break;
      DSVL_TRY(record, JsonRecord::parse(line, name));
      DSVL_TRY(image, record.string("image"));
      DSVL_TRY(asked, record.string("text"));
      asked = asked.substr(0, asked.find('\n'));  // LLaVA's lines carry their prompt
      const auto label = record["label"].string();
      const std::string set = stem(name);
      const auto category = record["category"].string();
      const std::filesystem::path folder =
          protocol().pictures.empty() ? to_path(name).parent_path() / "val2014" : to_path(protocol().pictures);
      DSVL_TRY(picture, picture_file(folder / to_path(image), record.place()));
      DSVL_TRY(question, question_of(image + "|" + asked, asked, picture, record.place()));
      if (label) labels_[question] = *label != "no";
      rows_.push_back({file, question, std::string(category.value_or(set.substr(set.rfind('_') + 1))),
                       label ? std::optional(*label != "no") : std::nullopt});
    }
    return {};
  }

  dsvl::Status read_tsv(const std::string& text, std::size_t file) {
    const std::string& name = protocol().files[file];
    DSVL_TRY(table, read_table(text, name, '\t', true));
    const auto question_at = table.find("question"), answer_at = table.find("answer"), image_at = table.find("image"),
               category_at = table.find("category");
    if (!question_at || !answer_at || !image_at || !category_at)
      return Place{name, 1}.wrong("the columns question, answer, category and image are needed");
    std::size_t count = 0;
    for (const Record& record : table.records) {
      if (enough(count++)) break;
      const Place place{name, record.line};
      const std::string image = record.cells[*image_at].value_or(""), asked = record.cells[*question_at].value_or("");
      DSVL_TRY(picture, embedded(image, place));
      DSVL_TRY(question, question_of(picture->name + "|" + asked, asked, picture, place));
      const bool label = record.cells[*answer_at].value_or("") != "No";
      labels_[question] = label;
      bool repeated = false;
      for (const std::string& category : python::split(record.cells[*category_at].value_or("all"), ",")) {
        rows_.push_back({file, question, category, label, repeated});
        repeated = true;
      }
    }
    return {};
  }

  dsvl::Result<const NamedPicture*> embedded(const std::string& base64, const Place& place) {
    const auto known = embedded_.find(base64);
    if (known != embedded_.end()) return known->second;
    DSVL_TRY(picture, picture_bytes(base64, place));
    return embedded_[base64] = picture;
  }

  dsvl::Result<std::size_t> question_of(const std::string& id, const std::string& text, const NamedPicture* picture,
                                        const Place& place) {
    if (const auto known = find(id)) return *known;
    DSVL_CHECK_STATUS(add(id, place, 0, picture));
    texts_.push_back(text);
    labels_.emplace_back();
    return texts_.size() - 1;
  }

  std::vector<std::string> texts_;             // of the questions
  std::vector<std::optional<bool>> labels_;    // of the questions
  std::vector<Row> rows_;
  std::map<std::string, const NamedPicture*> embedded_;
};

}  // namespace

std::unique_ptr<Benchmark> make_pope() { return std::make_unique<Pope>(); }

}  // namespace cli::evaluation
