// MMBench as a benchmark: MMBench_DEV_EN.tsv and its like, English or Chinese. Rotations of a question are rows of the
// file, which refer to the base row's picture.
#include "mmbench.hpp"

#include <charconv>
#include <set>

#include "benchmark.hpp"
#include "files.hpp"
#include "table.hpp"

namespace cli::evaluation {

namespace {

/// Longer cells of the column `image` are pictures, shorter ones name the row that has it.
constexpr std::size_t kLongestReference = 64;

std::string abbreviation(const std::string& category) {
  static constexpr std::pair<std::string_view, std::string_view> kNames[] = {
      {"coarse_perception", "CP"},
      {"finegrained_perception (instance-level)", "FP-S"},
      {"finegrained_perception (cross-instance)", "FP-C"},
      {"logic_reasoning", "LR"},
      {"relation_reasoning", "RR"},
      {"attribute_reasoning", "AR"}};
  for (const auto& [name, letters] : kNames)
    if (name == category) return std::string(letters) + " " + category;
  return category;
}

class MmBench : public Benchmark {
 public:
  [[nodiscard]] std::vector<std::string> styles() const override { return {"vlmevalkit", "llava"}; }

  [[nodiscard]] Request request(std::size_t i) const override {
    const Row& row = rows_[i];
    const ChoicePrompt style = !is_style("llava") ? ChoicePrompt::vlmevalkit
                               : chinese_         ? ChoicePrompt::llava_chinese
                                                  : ChoicePrompt::llava;
    Request request;
    request.prompt = choice_prompt(row.hint, row.question, row.choices, style);
    return request;
  }

  [[nodiscard]] Report report() const override {
    Report report;
    if (!has_answers_) {
      report.notes.push_back("The file has no answers: only the table for the official program is written.");
      return report;
    }
    const Scores then = scores(MatchingRules::of_2024), now = scores(MatchingRules::current);
    report.add("circular (right in all rotations)", then.circular);
    if (then.hanging > 0) {
      report.add("circular, if a judge read all others as right", upper(then));
      report.notes.push_back(std::to_string(then.hanging) + " of " + std::to_string(then.circular.count()) +
                             " questions hang on answers that only a judge can read; they count as wrong. Give the "
                             "table with a column \"judged\" by --judged.");
    }
    report.add("vanilla (base rows alone)", then.base);
    report.add("all rows", then.rows);
    if (now.circular.sum() != then.circular.sum()) report.add("circular by VLMEvalKit's rules of today", now.circular);
    report.add_groups("ability", then.abilities);
    report.add_groups("category", then.categories);
    return report;
  }

  dsvl::Status write(const std::filesystem::path& folder, const std::string& model,
                     std::vector<std::string>& written) const override {
    if (!all_replied()) return {};
    std::string out = python::join(columns_, "\t") + "\tprediction\n";
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      for (const Cell& cell : rows_[i].cells) out += table_cell(cell, '\t') + "\t";
      out += table_cell(std::string(answer(i)), '\t') + "\n";
    }
    written.push_back(model + "_" + stem(protocol().files[0]) + ".tsv");
    return write_text(folder / to_path(written.back()), out);
  }

  dsvl::Status read_official(const std::string& text, const std::string& file, std::size_t) override {
    return read_column(text, file, "prediction", [&](const std::string& id, const Cell& cell, const Place& place) {
      return take_text(id, cell.value_or(""), place);
    });
  }
  dsvl::Status read_judged(const std::string& text, const std::string& file) override {
    return read_column(text, file, "judged", [&](const std::string& id, const Cell& cell, const Place& place) {
      const auto question = find(id);
      if (!question && protocol().limit > 0) return dsvl::Status();
      if (!question) return place.wrong("there is no question " + id);
      if (cell && cell->size() != 1) return place.wrong("judged is " + *cell + ", a letter is needed");
      if (cell) rows_[*question].judged = (*cell)[0];
      return dsvl::Status();
    });
  }

 protected:
  dsvl::Status read() override {
    if (protocol().files.size() > 1)
      return dsvl::fail(dsvl::Code::bad_argument, "%s: MMBench is one table", protocol().files[1].c_str());
    const std::string& file = protocol().files[0];
    chinese_ = python::contains(python::lower(stem(file)), "cn");
    DSVL_TRY(text, read_text(file));
    DSVL_TRY(table, read_table(text, file, '\t', true));
    text.clear();
    for (const char* needed : {"index", "question", "A", "B", "image"})
      if (!table.find(needed)) return Place{file, 1}.wrong(std::string("there is no column \"") + needed + "\"");
    columns_ = table.columns;
    has_answers_ = table.find("answer").has_value();
    std::map<std::string, const Record*> by_index;
    for (const Record& record : table.records) by_index[record.cells[*table.find("index")].value_or("")] = &record;
    std::set<std::int64_t> bases;
    std::vector<Record*> kept;
    for (Record& record : table.records) {
      DSVL_TRY(row, read_row(table, record));
      // A question comes with all its rotations, wherever in the file they are.
      if (!bases.contains(row.index % kRotationStep) && enough(bases.size())) continue;
      bases.insert(row.index % kRotationStep);
      DSVL_TRY(picture, picture_of(table, record, by_index));
      DSVL_CHECK_STATUS(add(std::to_string(row.index), {file, record.line}, 0, picture));
      rows_.push_back(std::move(row));
      kept.push_back(&record);
    }
    for (std::size_t i = 0; i < rows_.size(); ++i)
      keep_cells(rows_[i], std::move(kept[i]->cells), *table.find("image"));
    return {};
  }

  [[nodiscard]] double score(std::size_t i) const override {
    return has_answers_ && rows_[i].index < kRotationStep ? chosen(i, MatchingRules::of_2024) == rows_[i].right
                                                          : kNotANumber;
  }

 private:
  struct Row {
    std::int64_t index = 0;
    std::optional<std::string> hint;
    std::string question, ability, category;
    std::vector<Choice> choices;
    char right = 0;
    std::optional<char> judged;
    std::vector<Cell> cells;  ///< as they were read, without the picture
  };
  struct Scores {
    Mean circular, base, rows;
    std::map<std::string, Mean> abilities, categories;
    std::size_t hanging = 0;  ///< questions that a judge decides
  };

  dsvl::Result<Row> read_row(const Table& table, const Record& record) const {
    const Place place{protocol().files[0], record.line};
    const auto cell = [&](std::string_view column) {
      const auto at = table.find(column);
      return at ? record.cells[*at] : Cell();
    };
    Row row;
    const std::string index = cell("index").value_or("");
    const auto [end, error] = std::from_chars(index.data(), index.data() + index.size(), row.index);
    if (error != std::errc() || end != index.data() + index.size() || row.index < 0)
      return place.wrong("the index " + index + " is no whole number");
    row.hint = cell("hint");
    row.question = cell("question").value_or("nan");
    row.ability = abbreviation(cell("l2-category").value_or(""));
    row.category = cell("category").value_or("");
    for (const char letter : std::string("ABCD"))
      if (const Cell text = cell({&letter, 1})) row.choices.push_back({letter, *text});
    const std::string right = cell("answer").value_or("");
    if (has_answers_ && (right.size() != 1 || !detail::is_option(row.choices, right[0])))
      return place.wrong("the answer " + right + " is the letter of no option");
    if (has_answers_) row.right = right[0];
    return row;
  }

  dsvl::Result<const NamedPicture*> picture_of(const Table& table, const Record& record,
                                               const std::map<std::string, const Record*>& by_index) {
    const std::size_t image = *table.find("image");
    const Place place{protocol().files[0], record.line};
    const Record* holder = &record;
    if (!record.cells[image]) return place.wrong("the row has no picture");
    if (record.cells[image]->size() <= kLongestReference) {
      const auto at = by_index.find(*record.cells[image]);
      if (at == by_index.end())
        return place.wrong("its picture is in row " + *record.cells[image] + ", which is not there");
      holder = at->second;
    }
    const NamedPicture*& known = pictures_[holder->line];
    if (known) return known;
    if (!holder->cells[image] || holder->cells[image]->size() <= kLongestReference)
      return Place{protocol().files[0], holder->line}.wrong("the row has no picture, but others refer to it");
    DSVL_TRY(picture, picture_bytes(*holder->cells[image], {protocol().files[0], holder->line}));
    return known = picture;
  }

  /// For the result file, which needs no pictures: their rows refer to themselves.
  static void keep_cells(Row& row, std::vector<Cell> cells, std::size_t image) {
    if (cells[image]->size() > kLongestReference) cells[image] = std::to_string(row.index);
    row.cells = std::move(cells);
  }

  template <class Take>
  dsvl::Status read_column(const std::string& text, const std::string& file, const char* column,
                           const Take& take_cell) {
    DSVL_TRY(table, read_table(text, file, '\t', true));
    const auto index = table.find("index"), wanted = table.find(column);
    if (!index || !wanted)
      return Place{file, 1}.wrong(std::string("the columns index and ") + column + " are needed");
    for (const Record& record : table.records)
      DSVL_CHECK_STATUS(take_cell(record.cells[*index].value_or(""), record.cells[*wanted], Place{file, record.line}));
    return {};
  }

  [[nodiscard]] std::optional<char> chosen(std::size_t i, MatchingRules rules) const {
    const std::optional<char> read = find_choice(answer(i), rows_[i].choices, rules);
    return read ? read : rows_[i].judged;
  }

  [[nodiscard]] Scores scores(MatchingRules rules) const {
    Scores out;
    std::vector<RotationAnswer> answers;
    std::set<std::int64_t> incomplete;
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      const Row& row = rows_[i];
      if (!replied(i)) incomplete.insert(row.index % kRotationStep);
      if (!replied(i)) continue;
      answers.push_back({row.index, row.right, chosen(i, rules)});
      const bool right = answers.back().chosen == row.right;
      out.rows.add(right);
      if (row.index < kRotationStep) out.base.add(right);
    }
    const auto groups = evaluate_circular(answers);
    for (const Row& row : rows_) {
      if (row.index >= kRotationStep || incomplete.contains(row.index)) continue;
      const Circular result = groups.at(row.index);
      out.hanging += result == Circular::needs_judge;
      const bool hit = result == Circular::hit;
      for (Mean* const to : {&out.circular, &out.abilities[row.ability], &out.categories[row.category]}) to->add(hit);
    }
    return out;
  }
  static Mean upper(const Scores& scores) {
    Mean mean;
    const std::size_t hits = static_cast<std::size_t>(scores.circular.sum()) + scores.hanging;
    for (std::size_t i = 0; i < scores.circular.count(); ++i) mean.add(i < hits);
    return mean;
  }

  std::vector<Row> rows_;
  std::vector<std::string> columns_;
  std::map<std::size_t, const NamedPicture*> pictures_;  // by the line of the row that has it
  bool has_answers_ = false, chinese_ = false;
};

}  // namespace

std::unique_ptr<Benchmark> make_mmbench() { return std::make_unique<MmBench>(); }

}  // namespace cli::evaluation
