#include "rows.hpp"

#include <algorithm>

#include <dsvl/base/utf8.hpp>
#include <dsvl/io/json.hpp>
#include <dsvl/io/json_writer.hpp>

namespace cli::batch {

namespace json = dsvl::json;

namespace {

constexpr const char* kAnswerColumns[] = {"answer", "finish",  "prompt_tokens", "answer_tokens",
                                          "model",  "options", "version",       "error"};

std::optional<std::size_t> find(const std::vector<std::string>& columns, std::string_view name) {
  const auto at = std::find(columns.begin(), columns.end(), name);
  if (at == columns.end()) return std::nullopt;
  return static_cast<std::size_t>(at - columns.begin());
}

/// Names of files may be any bytes, and a long message is cut; JSON is UTF-8.
std::string repaired(std::string_view text) { return dsvl::utf8::repair(text); }

void write_error(json::Writer& w, const dsvl::Status& status) {
  w.key("error").begin_object().key("code").value(name(status.code()));
  w.key("message").value(repaired(status.text())).end_object();
}

void write_pictures(json::Writer& w, const Input& input) {
  if (input.pictures.size() < 2) {
    w.key("picture");
    if (input.pictures.empty()) w.null();
    else w.value(repaired(input.pictures[0].name));
    return;
  }
  w.key("pictures").begin_array();
  for (const InputPicture& picture : input.pictures) w.value(repaired(picture.name));
  w.end_array();
}

/// What OpenAI calls the reason.
const char* finish_reason(dsvl::Finish finish) {
  return finish == dsvl::Finish::length || finish == dsvl::Finish::context_full ? "length" : "stop";
}

}  // namespace

RowWriter::RowWriter(const Inputs& inputs, RunKey run)
    : form_(inputs.form()), kind_(inputs.kind()), columns_(inputs.columns()),
      has_id_(find(columns_, "id").has_value()), run_(std::move(run)) {}

std::string RowWriter::header() const {
  if (form_ != Form::csv) return {};
  std::vector<std::string> columns = columns_;
  if (!has_id_) columns.insert(columns.begin(), "id");
  for (const char* const name : kAnswerColumns)
    columns.push_back(find(columns, name) ? "dsvl_" + std::string(name) : name);
  return csv_row(columns, kind_.separator);
}

std::string RowWriter::row(const Input& input, const Outcome& outcome) const {
  return form_ == Form::csv      ? table_row(input, outcome)
         : form_ == Form::openai ? openai_row(input, outcome)
                                 : json_row(input, outcome);
}

std::string RowWriter::json_row(const Input& input, const Outcome& outcome) const {
  json::Writer w;
  w.begin_object().key("id").value(repaired(input.id));
  if (outcome.status.ok()) {
    w.key("answer").value(outcome.answer).key("finish").value(name(outcome.finish));
    if (outcome.whole) w.key("whole").value(*outcome.whole);
    w.key("prompt_tokens").value(outcome.prompt_tokens).key("answer_tokens").value(outcome.answer_tokens);
  } else {
    write_error(w, outcome.status);
  }
  write_pictures(w, input);
  w.key("model").value(run_.model).key("options").value(run_.options).key("version").value(DSVL_VERSION_STRING);
  return w.end_object().text() + "\n";
}

std::string RowWriter::openai_row(const Input& input, const Outcome& outcome) const {
  const std::string id = hex(input_key(input, run_).a);
  json::Writer w;
  w.begin_object().key("id").value("batch_req_" + id).key("custom_id").value(repaired(input.id)).key("response");
  if (!outcome.status.ok()) {
    w.null();
    write_error(w, outcome.status);
    return w.end_object().text() + "\n";
  }
  w.begin_object().key("status_code").value(200).key("request_id").value(id).key("body").begin_object();
  w.key("id").value("chatcmpl-" + id).key("object").value("chat.completion").key("created").value(0);
  w.key("model").value(run_.model).key("system_fingerprint").value(run_.options + "-" + DSVL_VERSION_STRING);
  w.key("choices").begin_array().begin_object().key("index").value(0).key("message").begin_object();
  w.key("role").value("assistant").key("content").value(outcome.answer).key("refusal").null().end_object();
  w.key("logprobs").null().key("finish_reason").value(finish_reason(outcome.finish)).end_object().end_array();
  w.key("usage").begin_object().key("prompt_tokens").value(outcome.prompt_tokens);
  w.key("completion_tokens").value(outcome.answer_tokens);
  w.key("total_tokens").value(outcome.prompt_tokens + outcome.answer_tokens).end_object();
  return w.end_object().end_object().key("error").null().end_object().text() + "\n";
}

std::string RowWriter::table_row(const Input& input, const Outcome& outcome) const {
  std::vector<std::string> cells = input.cells;
  cells.resize(columns_.size());
  if (!has_id_) cells.insert(cells.begin(), input.id);
  const bool good = outcome.status.ok();
  const auto number = [&](dsvl::Index n) { return good ? std::to_string(n) : std::string(); };
  cells.push_back(good ? outcome.answer : "");
  cells.emplace_back(good ? name(outcome.finish) : std::string_view());
  cells.push_back(number(outcome.prompt_tokens));
  cells.push_back(number(outcome.answer_tokens));
  cells.push_back(run_.model);
  cells.push_back(run_.options);
  cells.emplace_back(DSVL_VERSION_STRING);
  cells.emplace_back(good ? "" : std::string(name(outcome.status.code())) + ": " + outcome.status.text());
  return csv_row(cells, kind_.separator);
}

dsvl::Result<std::string> id_of_row(const std::string& row, RecordKind kind, const std::vector<std::string>& columns) {
  if (kind.separator != '\0') {
    DSVL_TRY(cells, read_cells(row, kind.separator, "row"));
    const auto at = find(columns, "id");
    if (at && *at < cells.size()) return cells[*at];
    return dsvl::fail(dsvl::Code::bad_file, "a row has no column id");
  }
  DSVL_TRY(document, json::Document::parse(row, "row"));
  for (const char* const name : {"custom_id", "id"})
    if (const auto id = document.root().find(name).string()) return std::string(*id);
  return dsvl::fail(dsvl::Code::bad_file, "a row has no \"id\"");
}

bool row_failed(const std::string& row, RecordKind kind, const std::vector<std::string>& columns) {
  if (kind.separator != '\0') {
    const auto cells = read_cells(row, kind.separator, "row");
    const auto at = find(columns, "dsvl_error") ? find(columns, "dsvl_error") : find(columns, "error");
    return cells && at && *at < cells->size() && !(*cells)[*at].empty();
  }
  const auto document = json::Document::parse(row, "row");
  return document && document->root().find("error").is_object();
}

}  // namespace cli::batch
