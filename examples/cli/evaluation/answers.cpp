#include "answers.hpp"

#include <dsvl/io/json_writer.hpp>

#include "files.hpp"

namespace cli::evaluation {

namespace {

constexpr std::string_view kMark = "{\"dsvl_eval\":";

std::string header(const Run& run) {
  dsvl::json::Writer w;
  w.begin_object().key("dsvl_eval").value(DSVL_VERSION_STRING).key("benchmark").value(run.benchmark);
  w.key("style").value(run.style).key("model").value(run.model).key("settings").value(run.settings);
  return w.end_object().text();
}

std::string line_of(const Question& question) {
  dsvl::json::Writer w;
  w.begin_object().key("id").value(question.id);
  if (question.reply->endings.empty()) {
    w.key("text").value(question.reply->text);
  } else {
    w.key("log_probabilities").begin_array();
    for (const Ending& e : question.reply->endings) w.value(e.log_probability);
    w.end_array().key("tokens").begin_array();
    for (const Ending& e : question.reply->endings) w.value(e.tokens);
    w.end_array();
  }
  return w.key("seconds").value(question.reply->seconds).end_object().text();
}

dsvl::Result<Run> read_header(const RawValue& line, const std::string& file) {
  DSVL_TRY(record, JsonRecord::parse(line, file));
  Run run;
  for (const auto& [name, to] : {std::pair("benchmark", &run.benchmark), std::pair("style", &run.style),
                                 std::pair("model", &run.model), std::pair("settings", &run.settings)}) {
    DSVL_TRY(value, record.string(name));
    *to = std::move(value);
  }
  return run;
}

/// The reply of a line, which has to have as many endings as the question.
dsvl::Result<Reply> read_reply(const JsonRecord& record, std::size_t endings) {
  Reply reply{std::string(record["text"].string().value_or("")), {}, record["seconds"].number().value_or(0)};
  const dsvl::json::Value scores = record["log_probabilities"], tokens = record["tokens"];
  if (scores.size() != endings || tokens.size() != endings || (endings == 0 && !record["text"].is_string()))
    return record.place().wrong("the reply has not what the question asks for");
  for (std::size_t i = 0; i < endings; ++i)
    reply.endings.push_back(
        {scores[i].number().value_or(kNotANumber), static_cast<std::size_t>(tokens[i].integer().value_or(0))});
  return reply;
}

/// Without a last line that has no end, which was being written when the run was killed.
std::string_view whole_lines(std::string_view text) { return text.substr(0, text.rfind('\n') + 1); }

}  // namespace

bool is_answers_file(std::string_view text) { return text.starts_with(kMark); }

dsvl::Status read_answers(std::string_view text, const std::string& file, Benchmark& benchmark, Run& run) {
  const std::vector<RawValue> lines = lines_of(whole_lines(text));
  if (lines.empty()) return {};
  DSVL_TRY(found, read_header(lines[0], file));
  run = std::move(found);
  for (const RawValue& line : std::span(lines).subspan(1)) {
    DSVL_TRY(record, JsonRecord::parse(line, file));
    DSVL_TRY(id, record.string("id"));
    const auto question = benchmark.find(id);
    if (!question) continue;
    DSVL_TRY(reply, read_reply(record, benchmark.request(*question).endings.size()));
    benchmark.take(*question, std::move(reply));
  }
  return {};
}

dsvl::Result<AnswersFile> AnswersFile::open(const std::filesystem::path& path, const Run& run, Benchmark& benchmark) {
  const std::string name = to_text(path);
  std::error_code ignored;
  bool fresh = !std::filesystem::exists(path, ignored) || std::filesystem::file_size(path, ignored) == 0;
  if (!fresh) {
    DSVL_TRY(text, read_text(name));
    const std::string_view whole = whole_lines(text);
    if (!whole.empty() && !is_answers_file(whole))
      return dsvl::fail(dsvl::Code::bad_argument, "%s: is there, and is no file of answers", name.c_str());
    Run before = run;
    DSVL_CHECK_STATUS(read_answers(whole, name, benchmark, before));
    if (header(before) != header(run))
      return dsvl::fail(dsvl::Code::bad_argument, "%s: has the answers of another run (%s); choose another --output",
                        name.c_str(), header(before).c_str());
    fresh = whole.empty();
    if (whole.size() < text.size()) std::filesystem::resize_file(path, whole.size(), ignored);
  }
  DSVL_TRY(file, AppendFile::open(path));
  if (fresh) DSVL_CHECK_STATUS(file.append(header(run) + "\n"));
  return AnswersFile(std::move(file));
}

dsvl::Status AnswersFile::append(const Question& question) { return file_.append(line_of(question) + "\n"); }

}  // namespace cli::evaluation
