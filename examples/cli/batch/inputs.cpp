#include "inputs.hpp"

#include <algorithm>

#include "../constraint.hpp"
#include "../file_names.hpp"
#include "../pictures.hpp"
#include "../system.hpp"
#include "json_input.hpp"

namespace cli::batch {

namespace fs = std::filesystem;

namespace {

Form form_by_name(const std::string& source) {
  const std::string extension = lower_extension(to_path(source));
  if (extension == ".csv" || extension == ".tsv") return Form::csv;
  if (extension == ".jsonl" || extension == ".ndjson") return Form::json;
  return Form::automatic;
}

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

}  // namespace

dsvl::Result<Inputs> Inputs::open(const InputChoice& choice) {
  std::error_code ignored;
  const bool folder = choice.source != "-" && fs::is_directory(to_path(choice.source), ignored);
  if (folder != (choice.form == Form::folder) && choice.form != Form::automatic)
    return dsvl::fail(dsvl::Code::bad_argument, "%s: is %s", choice.source.c_str(), folder ? "a folder" : "no folder");
  DSVL_TRY(inputs, folder ? open_folder(choice) : open_file(choice));
  inputs.questions_ = choice.questions;
  if (!choice.pictures.empty()) inputs.folder_ = to_path(choice.pictures);
  if (inputs.names_pictures() && choice.questions.empty())
    return dsvl::fail(dsvl::Code::bad_argument, "%s: has pictures only, a --question is needed", choice.source.c_str());
  return std::move(inputs);
}

dsvl::Result<Inputs> Inputs::open_folder(const InputChoice& choice) {
  const fs::path folder = to_path(choice.source);
  std::error_code error;
  std::vector<std::string> names;
  std::size_t left_out = 0;
  for (fs::recursive_directory_iterator at(folder, fs::directory_options::follow_directory_symlink, error), end;
       !error && at != end; at.increment(error)) {
    const bool hidden = to_text(at->path().filename()).starts_with('.');
    std::error_code ignored;
    if (at->is_directory(ignored)) {
      if (hidden) at.disable_recursion_pending();
      continue;
    }
    const std::string name = to_text(at->path().lexically_relative(folder));
    if (has_name_of_picture(at->path()) && !hidden && name.find('\n') == std::string::npos) names.push_back(name);
    else ++left_out;
  }
  if (error) return dsvl::fail(dsvl::Code::io, "%s: %s", choice.source.c_str(), error.message().c_str());
  std::sort(names.begin(), names.end());
  std::string lines;
  for (const std::string& name : names) (lines += name) += '\n';
  Inputs inputs(RecordText::of_lines(std::move(lines)));
  inputs.form_ = Form::folder;
  inputs.folder_ = folder;
  inputs.left_out_ = left_out;
  return inputs;
}

dsvl::Result<Inputs> Inputs::open_file(const InputChoice& choice) {
  Form form = choice.form == Form::automatic ? form_by_name(choice.source) : choice.form;
  RecordKind kind;
  if (form == Form::csv) kind.separator = lower_extension(to_path(choice.source)) == ".tsv" ? '\t' : ',';
  DSVL_TRY(records, RecordText::of_file(choice.source, kind));
  if (form == Form::automatic || form == Form::json) {
    std::string first;
    if (records.size() > 0) {
      DSVL_TRY(text, records.read(0));
      first = std::move(text);
    }
    if (first.starts_with(kByteOrderMark)) first.erase(0, kByteOrderMark.size());
    const bool object = first.substr(std::min(first.find_first_not_of(" \t"), first.size())).starts_with('{');
    if (form == Form::automatic) form = object || first.empty() ? Form::json : Form::list;
    if (form == Form::json && is_openai(first)) form = Form::openai;
  }
  Inputs inputs(std::move(records));
  inputs.form_ = form;
  inputs.kind_ = kind;
  if (choice.source != "-") inputs.folder_ = to_path(choice.source).parent_path();
  if (form == Form::csv) DSVL_CHECK_STATUS(inputs.read_header());
  return inputs;
}

dsvl::Status Inputs::read_header() {
  const std::string& file = records_.name();
  if (records_.size() == 0) return dsvl::fail(dsvl::Code::bad_file, "%s: is empty", file.c_str());
  DSVL_TRY(row, records_.read(0));
  if (row.starts_with(kByteOrderMark)) row.erase(0, kByteOrderMark.size());
  DSVL_TRY(cells, read_cells(row, kind_.separator, file));
  columns_ = std::move(cells);
  first_ = 1;
  const auto has = [&](const char* name) {
    return std::find(columns_.begin(), columns_.end(), name) != columns_.end();
  };
  if (has("image") || has("question")) return {};
  return dsvl::fail(dsvl::Code::bad_file, "%s: its first row names no column image and none question", file.c_str());
}

Input Inputs::read(std::size_t i) const {
  const std::size_t record = first_ + i / questions_per_record();
  Input input;
  input.id = std::to_string(records_.line(record));
  InputBuilder builder(input, folder_);
  const std::string place = records_.name() + ":" + input.id;
  const auto text = records_.read(record);
  if (!text) builder.wrong(text.error().text());
  else if (names_pictures()) read_name(*text, i % questions_per_record(), input);
  else if (form_ == Form::csv) read_table_row(*text, place, input);
  else if (form_ == Form::openai) read_openai_input(*text, place, builder);
  else read_json_input(text->starts_with(kByteOrderMark) ? std::string_view(*text).substr(3) : *text, place, builder);
  if (input.question.empty() && !questions_.empty()) input.question = questions_[0];
  if (input.question.empty()) builder.wrong("there is no question");
  return input;
}

void Inputs::read_name(const std::string& name, std::size_t question, Input& to) const {
  to.id = question == 0 ? name : name + "#" + std::to_string(question + 1);
  to.question = questions_[question];
  InputBuilder(to, folder_).add_picture(name);
}

void Inputs::read_table_row(const std::string& row, const std::string& place, Input& to) const {
  InputBuilder builder(to, folder_);
  auto cells = read_cells(row, kind_.separator, place);
  if (!cells) return builder.wrong(cells.error().text());
  if (cells->size() > columns_.size()) builder.wrong(place + ": the row has more cells than there are columns");
  cells->resize(columns_.size());
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const std::string &column = columns_[i], &cell = (*cells)[i];
    if (cell.empty()) continue;
    if (column == "id") to.id = cell;
    else if (column == "question") to.question = cell;
    else if (column == "image") builder.add_picture(cell);
    else if (column == "system") to.options.system = cell;
    else if (column == "schema") to.options.schema = cell;
    else if (column == "choices")
      for (const std::string_view choice : split_choices(cell)) to.options.choices.emplace_back(choice);
    else if (column == "max_tokens") {
      const auto number = dsvl::json::Document::parse(cell, place);
      if (number) builder.set_max_tokens(number->root());
      else builder.wrong("\"max_tokens\" is no whole number from 1");
    }
  }
  to.cells = std::move(*cells);
}

}  // namespace cli::batch
