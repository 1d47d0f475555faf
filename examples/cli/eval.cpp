// dsvl eval: how many questions of a file are answered right, and how many as the reference answered them.
#include "library.hpp"

#include <dsvl/chat/scheduler.hpp>
#include <dsvl/io/json.hpp>
#include <dsvl/io/json_writer.hpp>
#include <fstream>
#include <sstream>

#include "choices.hpp"
#include "commands.hpp"
#include "evaluation/command.hpp"
#include "pictures.hpp"
#include "setup.hpp"
#include "system.hpp"

namespace cli {

namespace {

namespace json = dsvl::json;

constexpr const char* kQuestionFile =
    "QUESTIONS.json is a list of objects with \"question\" and \"answer\", and where there is one, \"image\" (a file "
    "beside\n"
    "the list), \"kind\" (counted by), \"reference_ids\" (the tokens that a reference generated).";

struct Eval : Settings {
  bool json = false, show_wrong = false, choices = false;
  int sessions = 1;
};

/// One entry of the file; the texts belong to its Document.
struct Entry {
  std::string_view image, kind, question, answer;
  std::vector<std::int32_t> reference;
};

struct Tally {
  int questions = 0, correct = 0, referenced = 0, identical = 0, failed = 0;
};

/// An entry that was not answered as hoped.
struct Miss {
  const Entry* entry;
  std::string got;
};

struct Outcome {
  std::vector<std::pair<std::string_view, Tally>> kinds;  // in the order of the file
  std::vector<Miss> wrong;
  Tally total;
  double seconds = 0;
  bool interrupted = false;

  Tally& of(std::string_view kind) {
    for (auto& [name, tally] : kinds)
      if (name == kind) return tally;
    return kinds.emplace_back(kind, Tally()).second;
  }
};

std::string_view strip(std::string_view text) {
  const auto space = " \t\r\n";
  const std::size_t first = text.find_first_not_of(space);
  return first == text.npos ? std::string_view() : text.substr(first, text.find_last_not_of(space) - first + 1);
}

dsvl::Result<json::Document> read_file(const std::string& file) {
  const std::string why = why_unreadable(to_path(file));
  if (!why.empty()) return dsvl::fail(dsvl::Code::io, "%s: %s", file.c_str(), why.c_str());
  std::ifstream in(to_path(file), std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return json::Document::parse(text.str(), file);
}

dsvl::Result<Entry> read_entry(json::Value value, std::size_t number, const std::string& file) {
  const auto wrong = [&](const char* what) {
    return dsvl::fail(dsvl::Code::bad_file, "%s: entry %zu %s", file.c_str(), number, what);
  };
  if (!value.is_object()) return wrong("is no object");
  const auto question = value.find("question").string(), answer = value.find("answer").string();
  if (!question) return wrong("has no string \"question\"");
  if (!answer) return wrong("has no string \"answer\"");
  Entry entry{
      value.find("image").string().value_or(""), value.find("kind").string().value_or(""), *question, *answer, {}};
  for (const json::Value id : value.find("reference_ids")) {
    if (!id.integer()) return wrong("has \"reference_ids\" that are no whole numbers");
    entry.reference.push_back(static_cast<std::int32_t>(*id.integer()));
  }
  return entry;
}

dsvl::Result<std::vector<Entry>> read_entries(const json::Document& document, const std::string& file) {
  if (!document.root().is_array()) return dsvl::fail(dsvl::Code::bad_file, "%s: is no list of questions", file.c_str());
  std::vector<Entry> entries;
  for (const json::Value value : document.root()) {
    DSVL_TRY(entry, read_entry(value, entries.size(), file));
    entries.push_back(std::move(entry));
  }
  if (entries.empty()) return dsvl::fail(dsvl::Code::bad_file, "%s: has no questions", file.c_str());
  return entries;
}

/// A session with the question that it answers, in a conversation of its own.
struct Seat {
  dsvl::Session session;
  std::optional<dsvl::Answer> answer = {};
  const Entry* entry = nullptr;

  void ask(const Entry& next, const std::filesystem::path& folder, const Eval& eval) {
    session.clear();
    std::vector<dsvl::Picture> pictures;
    if (!next.image.empty()) pictures.emplace_back(folder / to_path(std::string(next.image)));
    entry = &next;
    answer.emplace(session.start(pictures, next.question, eval.generate));
  }
};

/// Counts what came of a question.
void count(const Entry& entry, const dsvl::Answer& answer, const Eval& eval, Outcome& outcome) {
  const auto ids = answer.ids();
  const bool failed = !answer.status().ok();
  const bool correct = !failed && strip(answer.text()) == strip(entry.answer);
  const bool identical = !failed && std::equal(ids.begin(), ids.end(), entry.reference.begin(), entry.reference.end());
  for (Tally* const tally : {&outcome.of(entry.kind), &outcome.total}) {
    ++tally->questions;
    tally->correct += correct;
    tally->failed += failed;
    tally->referenced += !entry.reference.empty();
    tally->identical += identical && !entry.reference.empty();
  }
  if (!correct && eval.show_wrong) outcome.wrong.push_back({&entry, std::string(answer.text())});
}

/// Takes the answer of a seat that has ended. False when it was interrupted.
bool finish(const Seat& seat, const Entry& first, const Eval& eval, Outcome& outcome, ProgressLine& progress) {
  const dsvl::Status status = seat.answer->status();
  if (status.code() == dsvl::Code::cancelled) return false;
  count(*seat.entry, *seat.answer, eval, outcome);
  if (status.ok()) return true;
  progress.clear();
  print_error("question " + std::to_string(seat.entry - &first) + ": " + status.text());
  return true;
}

/// Every session takes the next question when it is done with one.
Outcome ask_all(const std::vector<Entry>& entries, const std::filesystem::path& folder, const Eval& eval,
                dsvl::Scheduler& scheduler, std::vector<Seat>& seats, ProgressLine& progress) {
  Outcome outcome;
  for (const Entry& entry : entries) outcome.of(entry.kind);  // in the order of the file
  const auto began = Clock::now();
  std::size_t next = 0;
  for (bool working = true; working && !outcome.interrupted; working = scheduler.step() || next < entries.size()) {
    for (Seat& seat : seats) {
      while (seat.answer && seat.answer->poll()) {}
      if (seat.answer && seat.answer->finish() == dsvl::Finish::none) continue;
      if (seat.answer && !finish(seat, entries[0], eval, outcome, progress)) outcome.interrupted = true;
      seat.answer.reset();
      if (next < entries.size() && !outcome.interrupted) seat.ask(entries[next++], folder, eval);
    }
    const std::string so_far =
        std::to_string(outcome.total.correct) + " of " + std::to_string(outcome.total.questions) + " right";
    progress.show(so_far, outcome.total.questions, static_cast<double>(entries.size()));
  }
  std::erase_if(outcome.kinds, [](const auto& kind) { return kind.second.questions == 0; });
  const auto in_file = [](const Miss& a, const Miss& b) { return a.entry < b.entry; };
  std::sort(outcome.wrong.begin(), outcome.wrong.end(), in_file);
  progress.clear();
  outcome.seconds = seconds_since(began);
  return outcome;
}

void write_tally(json::Writer& w, const Tally& tally) {
  w.key("questions").value(tally.questions).key("correct").value(tally.correct);
  w.key("referenced").value(tally.referenced).key("reference_identical").value(tally.identical);
  w.key("failed").value(tally.failed);
}

void print_json(const Outcome& outcome, const Eval& eval) {
  json::Writer w;
  w.begin_object();
  write_tally(w, outcome.total);
  w.key("seconds").value(outcome.seconds).key("kinds").begin_object();
  for (const auto& [kind, tally] : outcome.kinds) write_tally(w.key(kind).begin_object(), tally), w.end_object();
  w.end_object();
  if (eval.show_wrong) {
    w.key("wrong").begin_array();
    for (const Miss& miss : outcome.wrong)
      w.begin_object().key("image").value(miss.entry->image).key("question").value(miss.entry->question).key("answer")
          .value(miss.entry->answer).key("got").value(miss.got).end_object();
    w.end_array();
  }
  std::printf("%s\n", w.end_object().text().c_str());
}

void print_table(const Outcome& outcome, const Eval& eval) {
  const auto share = [](int part, int whole) {
    return std::to_string(part) + "/" + std::to_string(whole) +
           (whole ? " (" + std::to_string((part * 200 + whole) / (2 * whole)) + " %)" : "");
  };
  const auto row = [&](std::string_view kind, const Tally& t) {
    std::printf("%-12.*s  %16s  %s\n", static_cast<int>(kind.size()), kind.data(),
                share(t.correct, t.questions).c_str(), t.referenced ? share(t.identical, t.referenced).c_str() : "-");
  };
  for (const Miss& miss : outcome.wrong)
    std::printf("%.*s  %.*s\n  expected  %.*s\n  answered  %s\n", static_cast<int>(miss.entry->image.size()),
                miss.entry->image.data(), static_cast<int>(miss.entry->question.size()), miss.entry->question.data(),
                static_cast<int>(miss.entry->answer.size()), miss.entry->answer.data(), miss.got.c_str());
  std::printf("%s%-12s  %16s  %s\n", outcome.wrong.empty() ? "" : "\n", "kind", "right", "as the reference");
  if (outcome.kinds.size() > 1 || !outcome.kinds[0].first.empty())
    for (const auto& [kind, tally] : outcome.kinds) row(kind.empty() ? "(none)" : kind, tally);
  row("total", outcome.total);
  std::printf("%s%d questions in %s", outcome.interrupted ? "stopped after " : "", outcome.total.questions,
              seconds_text(outcome.seconds).c_str());
  std::printf(outcome.total.failed ? ", %d could not be asked\n" : "\n", outcome.total.failed);
  if (eval.verbose && outcome.total.questions > 0)
    std::fprintf(stderr, "%s a question\n", seconds_text(outcome.seconds / outcome.total.questions).c_str());
}

CommandLine describe(Eval& eval) {
  CommandLine line(
      "dsvl eval", "[OPTION]... QUESTIONS.json",
      "Asks every question of a file in a conversation of its own, and prints how many answers are right, and how\n"
      "many are token by token those of a reference, by kind and in total. An answer is right when it is the expected\n"
      "one, letter by letter; only white space at both ends is left out. Exit code 0 when all could be asked.");
  line.section("Output");
  line.flag(0, "json", "One JSON object: questions, correct, reference_identical, kinds, seconds", eval.json);
  line.flag(0, "show-wrong", "Also show the wrong answers", eval.show_wrong);
  line.flag(0, "choices", "Score the answers of like questions as choices: are their probabilities right?", eval.choices);
  line.section("Answers");
  line.whole(0, "sessions", "Questions that are answered at a time, each in a session; the answers are the same",
             eval.sessions, 1, 64);
  add_generate_options(line, eval);
  line.section("Model");
  add_model_options(line, eval);
  line.epilog(std::string(kQuestionFile) + "\n\nA published benchmark is named instead: dsvl eval BENCHMARK [OPTION]... FILE...\n" +
              evaluation::list_benchmarks() + "\n  dsvl eval BENCHMARK --help  explains it");
  return line;
}

/// --choices: nothing is generated, so there is one session.
int choose(const std::vector<Entry>& entries, const std::filesystem::path& folder, Eval& eval) {
  std::vector<ChoiceQuestion> questions;
  for (const Entry& entry : entries) questions.push_back({entry.image, entry.question, entry.answer});
  ProgressLine progress(!eval.quiet);
  eval.load.cancel = eval.generate.cancel = &catch_interrupts();
  int exit = kOk;
  auto talk = open_talk(eval, progress, exit);
  return talk ? run_choices(questions, folder, *talk, eval.generate, eval.json, progress) : exit;
}

}  // namespace

int run_eval(Arguments arguments) {
  if (evaluation::names_benchmark(arguments)) return evaluation::run_benchmark(arguments);
  Eval eval;
  const CommandLine line = describe(eval);
  std::vector<std::string> rest;
  if (const auto exit = line.parse(arguments, rest)) return *exit;
  if (!rest.empty() && rest[0].find_first_of("./\\") == std::string::npos && !std::filesystem::exists(to_path(rest[0]))) {
    const std::string meant = evaluation::nearest_benchmark(rest[0]);
    return line.usage_error(rest[0] + " is neither a file nor a benchmark",
                            meant.empty() ? "" : "did you mean: dsvl eval " + meant + "?");
  }
  if (rest.size() > 1) return line.usage_error("one file of questions is expected");
  if (rest.empty() || rest[0].empty()) return line.usage_error("no file of questions was given");
  auto document = read_file(rest[0]);
  if (!document) return give_up(document.error());
  auto entries = read_entries(*document, rest[0]);
  if (!entries) return give_up(entries.error(), "see: dsvl eval --help");
  if (eval.choices) return choose(*entries, to_path(rest[0]).parent_path(), eval);

  ProgressLine progress(!eval.quiet);
  eval.load.cancel = eval.generate.cancel = &catch_interrupts();
  int exit = kOk;
  dsvl::LoadReport report;
  const auto model = load_model(eval, report, progress, exit);
  if (!model) return exit;
  auto scheduler = dsvl::Scheduler::open(
      *model, {.sessions = eval.sessions, .session = eval.session, .pause = std::chrono::minutes(1)});
  if (!scheduler) return give_up_session(scheduler.error());
  std::vector<Seat> seats;
  for (int i = 0; i < eval.sessions; ++i) {
    auto session = scheduler->session();
    if (!session) return give_up_session(session.error());
    seats.push_back({std::move(*session)});
  }
  const Outcome outcome = ask_all(*entries, to_path(rest[0]).parent_path(), eval, *scheduler, seats, progress);
  if (outcome.interrupted && (eval.json || outcome.total.questions == 0)) return kInterrupted;
  if (eval.json) print_json(outcome, eval);
  else print_table(outcome, eval);
  if (outcome.interrupted) return finish_output(kInterrupted);
  return finish_output(outcome.total.failed ? kError : kOk);
}

}  // namespace cli
