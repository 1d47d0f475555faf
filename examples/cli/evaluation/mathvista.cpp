// MathVista as a benchmark: data/testmini.json, and data/query.json for the prompts where the records have none.
#include "mathvista.hpp"

#include "benchmark.hpp"
#include "files.hpp"

namespace cli::evaluation {

namespace {

namespace fs = std::filesystem;

class MathVista : public Benchmark {
 public:
  [[nodiscard]] std::vector<std::string> styles() const override { return {"query"}; }

  [[nodiscard]] Request request(std::size_t i) const override {
    Request request;
    request.prompt = items_[i].query;
    return request;
  }

  [[nodiscard]] Report report() const override {
    Report report;
    if (!has_answers_) {
      report.notes.push_back("The file has no answers: only the file for the official program is written.");
      return report;
    }
    Mean all, vlmevalkit;
    std::map<std::string, Mean> groups;
    std::size_t unread = 0;
    for (std::size_t i = 0; i < items_.size(); ++i) {
      const Item& item = items_[i];
      if (!replied(i) || (judged_ && !item.extraction)) continue;
      const bool right = is_right(i);
      all.add(right);
      vlmevalkit.add(mathvista_prefetch(item.problem, answer(i)).correct);
      unread += !judged_ && mathvista_extract_offline(item.problem, answer(i)).empty();
      for (const std::string& group : item.groups) groups[group].add(right);
    }
    report.add(judged_ ? "accuracy" : "accuracy (lower bound, no judge)", all);
    if (!judged_) {
      report.add("VLMEvalKit, without its judge", vlmevalkit);
      report.notes.push_back(std::to_string(unread) + " answers could not be read by rules and count as wrong. Have "
                             "extract_answer.py read the responses, and give its file by --judged.");
    }
    for (const auto& [name, mean] : groups) report.add(name, mean);
    return report;
  }

  dsvl::Status write(const fs::path& folder, const std::string& model,
                     std::vector<std::string>& written) const override {
    if (!all_replied()) return {};
    std::string out = "{", rows;
    for (std::size_t i = 0; i < items_.size(); ++i) {
      dsvl::json::Writer query, response, row;
      query.value(items_[i].query), response.value(answer(i));
      // The record's own fields stay as they are written; its closing brace makes place for two more.
      std::string_view record = items_[i].record;
      record = python::rstrip(record.substr(0, record.rfind('}')));
      out += (i ? ",\n\"" : "\n\"") + questions()[i].id + "\": " + std::string(record) +
             (items_[i].has_query ? "" : ", \"query\": " + query.text()) + ", \"response\": " + response.text() + "}";
      row.begin_object().key("pid").value(questions()[i].id).key("prompt_end");
      row.value(mathvista_judge_prompt(items_[i].query, answer(i))).end_object();
      rows += row.text() + "\n";
    }
    written.push_back(model + "_mathvista.json");
    DSVL_CHECK_STATUS(write_text(folder / to_path(written.back()), out + "\n}\n"));
    written.push_back(model + "_mathvista_judge.jsonl");
    return write_text(folder / to_path(written.back()), rows);
  }

  dsvl::Status read_official(const std::string& text, const std::string& file, std::size_t) override {
    return read_field(text, file, "response", [&](std::size_t i, dsvl::json::Value value) {
      take(i, {python_text(value), {}, 0});
    });
  }
  dsvl::Status read_judged(const std::string& text, const std::string& file) override {
    judged_ = true;
    return read_field(text, file, "extraction", [&](std::size_t i, dsvl::json::Value value) {
      items_[i].extraction = mathvista_extraction(items_[i].problem, value);
    });
  }

 protected:
  dsvl::Status read() override {
    // Prompts may come in any order of files, and are needed when problems are read.
    std::map<std::string, std::string, std::less<>> queries;
    for (const std::string& file : protocol().files) {
      DSVL_TRY(text, read_text(file));
      DSVL_TRY(values, values_of(text, file));
      for (const RawValue& value : values)
        if (value.text.starts_with('"')) DSVL_CHECK_STATUS(read_query(value, file, queries));
    }
    for (const std::string& file : protocol().files) {
      DSVL_TRY(text, read_text(file));
      DSVL_TRY(values, values_of(text, file));
      std::size_t count = 0;
      for (const RawValue& value : values) {
        if (value.text.starts_with('"')) continue;
        if (enough(count++)) break;
        DSVL_CHECK_STATUS(read_problem(value, file, queries));
      }
    }
    return {};
  }
  [[nodiscard]] double score(std::size_t i) const override { return has_answers_ ? is_right(i) : kNotANumber; }

 private:
  struct Item {
    MathVistaProblem problem;
    std::string query, record;
    bool has_query = false;
    std::vector<std::string> groups;  ///< "task: math word problem", …
    std::optional<std::string> extraction;
  };

  static dsvl::Status read_query(const RawValue& value, const std::string& file,
                                 std::map<std::string, std::string, std::less<>>& queries) {
    const auto parsed = dsvl::json::Document::parse(value.text, Place{file, value.line}.text());
    if (!parsed) return parsed.error();
    queries[std::string(value.key)] = python_text(parsed->root());
    return {};
  }

  dsvl::Status read_problem(const RawValue& value, const std::string& file,
                            const std::map<std::string, std::string, std::less<>>& queries) {
    DSVL_TRY(record, JsonRecord::parse(value, file));
    Item item;
    DSVL_TRY(pid, record.id("pid"));
    DSVL_TRY(question, record.string("question"));
    DSVL_TRY(question_type, record.string("question_type"));
    DSVL_TRY(answer_type, record.string("answer_type"));
    DSVL_TRY(image, record.string("image"));
    item.problem = {question, std::string(record["unit"].string().value_or("")), "", question_type, answer_type, {}, 0};
    if (record["choices"].is_array()) {
      DSVL_TRY(choices, record.strings("choices"));
      item.problem.choices = std::move(choices);
    }
    item.problem.precision = static_cast<int>(record["precision"].number().value_or(0));
    const std::string answer = record["answer"].missing() ? "" : python_text(record["answer"]);
    has_answers_ = has_answers_ || !answer.empty();
    item.problem.answer = answer;
    const auto given = queries.find(pid);
    item.has_query = record["query"].is_string();
    item.query = item.has_query            ? std::string(*record["query"].string())
                 : given != queries.end() ? given->second
                                          : mathvista_query(item.problem);
    item.record = value.text;
    item.groups = groups_of(record, item.problem);
    const fs::path folder = protocol().pictures.empty() ? to_path(file).parent_path() : to_path(protocol().pictures);
    DSVL_TRY(picture, picture_file(folder / to_path(image), record.place()));
    items_.push_back(std::move(item));
    return add(pid, record.place(), 0, picture);
  }

  static std::vector<std::string> groups_of(const JsonRecord& record, const MathVistaProblem& problem) {
    std::vector<std::string> out = {"question type: " + problem.question_type, "answer type: " + problem.answer_type};
    const dsvl::json::Value metadata = record["metadata"];
    for (const char* name : {"language", "source", "category", "task", "context", "grade"})
      if (const auto text = metadata.find(name).string()) out.push_back(name + (": " + std::string(*text)));
    for (const dsvl::json::Value skill : metadata.find("skills")) out.push_back("skill: " + python_text(skill));
    return out;
  }

  template <class Take>
  dsvl::Status read_field(const std::string& text, const std::string& file, const char* field, const Take& take_value) {
    DSVL_TRY(values, values_of(text, file));
    for (const RawValue& value : values) {
      DSVL_TRY(record, JsonRecord::parse(value, file));
      const auto question = find(std::string(value.key));
      if (!question && protocol().limit > 0) continue;
      if (!question) return record.place().wrong("there is no problem " + std::string(value.key));
      if (record[field].missing()) return record.place().wrong(std::string("the record has no \"") + field + "\"");
      take_value(*question, record[field]);
    }
    return {};
  }

  [[nodiscard]] bool is_right(std::size_t i) const {
    const Item& item = items_[i];
    const std::string extraction =
        item.extraction ? *item.extraction : mathvista_extract_offline(item.problem, answer(i));
    // Officially nothing extracted becomes the nearest choice; a lower bound does not guess.
    if (!item.extraction && extraction.empty()) return false;
    return mathvista_normalise(item.problem, extraction) == item.problem.answer;
  }

  std::vector<Item> items_;
  bool has_answers_ = false, judged_ = false;
};

}  // namespace

std::unique_ptr<Benchmark> make_mathvista() { return std::make_unique<MathVista>(); }

}  // namespace cli::evaluation
