// MM-Vet as a benchmark: mm-vet.json and images/, and bard_set.json where only that part is wanted. A judge has to grade
// the answers; its grades are added up here.
#include "mmvet.hpp"

#include <set>

#include "benchmark.hpp"
#include "files.hpp"

namespace cli::evaluation {

namespace {

class MmVet : public Benchmark {
 public:
  [[nodiscard]] std::vector<std::string> styles() const override { return {"plain"}; }

  [[nodiscard]] Request request(std::size_t i) const override {
    Request request;
    request.prompt = items_[i].question;
    return request;
  }

  [[nodiscard]] Report report() const override {
    std::vector<MmVetGraded> graded;
    for (const Item& item : items_)
      if (!item.graded.grades.empty()) graded.push_back(item.graded);
    Report report;
    if (graded.empty()) {
      report.notes.push_back("A judge has to grade the answers: have mm-vet_evaluator.py read the written file, and "
                             "give the file of grades by --judged.");
      return report;
    }
    const auto add = [&](const std::string& name, const auto& in_group) {
      const RunTotals totals = mmvet_totals(graded, in_group);
      const auto count = static_cast<std::size_t>(std::count_if(graded.begin(), graded.end(), in_group));
      const double percent = mean_of(totals);
      report.figures.push_back({name, percent, kNotANumber, percent / 100 * static_cast<double>(count), count});
      return totals;
    };
    const RunTotals totals = add("total", [](const MmVetGraded&) { return true; });
    add_runs(totals, report);
    for (const char* capability : {"rec", "ocr", "know", "gen", "spat", "math"}) {
      const auto has = [&](const MmVetGraded& q) { return has_capability(q, capability); };
      if (std::any_of(graded.begin(), graded.end(), has)) add(std::string("capability: ") + capability, has);
    }
    std::set<std::string> sets;
    for (const MmVetGraded& q : graded) sets.insert(capability_set(q));
    for (const std::string& set : sets)
      add("capabilities: " + set, [&](const MmVetGraded& q) { return capability_set(q) == set; });
    for (const auto& [name, row] : mmvet_vlmevalkit_rows(graded))
      if (name != "Overall")
        report.figures.push_back({"VLMEvalKit: " + name, row.percent(), kNotANumber, row.sum, row.count});
    return report;
  }

  dsvl::Status write(const std::filesystem::path& folder, const std::string& model,
                     std::vector<std::string>& written) const override {
    if (!all_replied()) return {};
    std::string out = "{", rows;
    for (std::size_t i = 0; i < items_.size(); ++i) {
      dsvl::json::Writer id, said, row;
      id.value(questions()[i].id), said.value(answer(i));
      out += (i ? ",\n" : "\n") + id.text() + ": " + said.text();
      row.begin_object().key("id").value(questions()[i].id).key("prompt_end");
      row.value(mmvet_judge_row(items_[i].question, items_[i].reference, answer(i))).end_object();
      rows += row.text() + "\n";
    }
    written.push_back(model + "_mm-vet.json");
    DSVL_CHECK_STATUS(write_text(folder / to_path(written.back()), out + "\n}\n"));
    written.push_back(model + "_mm-vet_judge.jsonl");
    return write_text(folder / to_path(written.back()), rows);
  }

  dsvl::Status read_official(const std::string& text, const std::string& file, std::size_t) override {
    return read_members(text, file, [&](std::size_t i, dsvl::json::Value value, const Place& place) {
      if (!value.is_string()) return place.wrong("the answer is no string");
      take(i, {std::string(*value.string()), {}, 0});
      return dsvl::Status();
    });
  }

  /// The official file of grades, or a grade (or the judge's reply) for each id.
  dsvl::Status read_judged(const std::string& text, const std::string& file) override {
    return read_members(text, file, [&](std::size_t i, dsvl::json::Value value, const Place& place) {
      std::vector<double>& grades = items_[i].graded.grades;
      grades.clear();
      if (const auto number = value.number()) grades.push_back(*number);
      if (const auto reply = value.string()) grades.push_back(mmvet_read_reply(*reply).value_or(0));
      for (const dsvl::json::Value grade : value.find("score")) grades.push_back(grade.number().value_or(kNotANumber));
      for (const dsvl::json::Value model : value.find("model")) judges_.insert(python_text(model));
      for (const double grade : grades)
        if (!(grade >= 0 && grade <= 1)) return place.wrong("a grade is not from 0 to 1");
      if (grades.empty()) return place.wrong("there is no grade");
      if (runs_ != 0 && grades.size() != runs_) return place.wrong("there are not as many grades as before");
      runs_ = grades.size();
      return dsvl::Status();
    });
  }

 protected:
  dsvl::Status read() override {
    DSVL_CHECK_STATUS(read_subset());
    for (const std::string& file : protocol().files) {
      DSVL_TRY(text, read_text(file));
      DSVL_TRY(values, values_of(text, file));
      std::size_t count = 0;
      for (const RawValue& value : values) {
        if (value.key.empty() || (!subset_.empty() && !subset_.contains(std::string(value.key)))) continue;
        if (enough(count++)) break;
        DSVL_TRY(record, JsonRecord::parse(value, file));
        DSVL_TRY(question, record.string("question"));
        DSVL_TRY(reference, record.string("answer"));
        DSVL_TRY(capabilities, record.strings("capability"));
        DSVL_TRY(image, record.string("imagename"));
        const std::filesystem::path folder =
            protocol().pictures.empty() ? to_path(file).parent_path() / "images" : to_path(protocol().pictures);
        DSVL_TRY(picture, picture_file(folder / to_path(image), record.place()));
        items_.push_back({std::move(question), std::move(reference), {std::move(capabilities), {}}});
        DSVL_CHECK_STATUS(add(std::string(value.key), record.place(), 0, picture));
      }
    }
    return {};
  }
  [[nodiscard]] double score(std::size_t) const override { return kNotANumber; }

 private:
  struct Item {
    std::string question, reference;
    MmVetGraded graded;
  };

  /// A file that is a list names the questions that are wanted.
  dsvl::Status read_subset() {
    for (const std::string& file : protocol().files) {
      DSVL_TRY(text, read_text(file));
      if (!python::strip(text).starts_with('[')) continue;
      DSVL_TRY(document, dsvl::json::Document::parse(text, file));
      for (const dsvl::json::Value id : document.root()) subset_.insert(python_text(id));
    }
    return {};
  }

  void add_runs(const RunTotals& totals, Report& report) const {
    std::string note;
    for (const double total : totals) note += (note.empty() ? "" : ", ") + python::float_text(python::round(total, 1));
    char text[64];
    std::snprintf(text, sizeof text, "; deviation between them %.1f.", deviation_of(totals));
    if (totals.size() > 1) report.notes.push_back("Runs of the judge: " + note + text);
    for (const std::string& judge : judges_) report.notes.push_back("Graded by " + judge + ".");
  }

  template <class Take>
  dsvl::Status read_members(const std::string& text, const std::string& file, const Take& take_value) {
    DSVL_TRY(values, values_of(text, file));
    for (const RawValue& value : values) {
      const Place place{file, value.line};
      DSVL_TRY(document, dsvl::json::Document::parse(value.text, place.text()));
      const auto question = find(std::string(value.key));
      if (!question && (protocol().limit > 0 || !subset_.empty())) continue;
      if (!question) return place.wrong("there is no question " + std::string(value.key));
      DSVL_CHECK_STATUS(take_value(*question, document.root(), place));
    }
    return {};
  }

  std::vector<Item> items_;
  std::set<std::string> subset_;  // ids; empty: all
  std::set<std::string> judges_;
  std::size_t runs_ = 0;
};

}  // namespace

std::unique_ptr<Benchmark> make_mmvet() { return std::make_unique<MmVet>(); }

}  // namespace cli::evaluation
