#include "command.hpp"

#include "../library.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include <dsvl/io/json_writer.hpp>

#include "../setup.hpp"
#include "../shards.hpp"
#include "../system.hpp"
#include "answers.hpp"
#include "benchmark.hpp"
#include "files.hpp"
#include "runner.hpp"

namespace cli::evaluation {

namespace {

namespace json = dsvl::json;

struct Evaluation : Settings {
  const BenchmarkName* benchmark = nullptr;
  Protocol protocol;
  Shards shards;
  std::vector<std::string> answers;
  std::string judged, output;
  dsvl::Index max_context = 4096;
  bool json = false, no_sharing = false;
};

/// How a run went, beside its figures.
struct Outcome {
  std::size_t asked = 0, failed = 0;
  double seconds = 0;
  bool interrupted = false;
  Work work;
};

CommandLine describe(Evaluation& e) {
  CommandLine line(
      "dsvl eval", "BENCHMARK [OPTION]... FILE...",
      "Asks the questions of a benchmark's official files as they are published, and scores the answers as the\n"
      "official program does. With --answers nothing is asked: what a file says is scored, and no model is needed.");
  line.section("Benchmark");
  line.path(0, "pictures", "DIR", "Folder of the pictures (default: where the official archive has them)",
            e.protocol.pictures);
  line.path(0, "examples", "PATH",
            "Solved examples for the prompt: MMLU's dev/, GSM8K's train.jsonl or a file of yours", e.protocol.examples);
  line.text(0, "style", "NAME", "Form of the prompts (default: the first that is listed below)", e.protocol.style);
  line.text(0, "prompt", "NAME", "The same", e.protocol.style);
  line.whole(0, "limit", "Only the first N questions of each file (of MMBench with their rotations)",
             e.protocol.limit, 1, INT64_MAX);
  line.other(0, "shard", "I/N", "Only part I of N (1,4-6/8: several); what shares a picture or examples stays together",
             [&e](std::string_view text) { return read_shards(text, e.shards); });
  line.whole(0, "max-context", "Longest text without a template, in tokens (default: 4096)", e.max_context, 2, 1 << 24);
  line.flag(0, "no-sharing", "Compute everything anew for each question, to see what sharing saves", e.no_sharing);
  line.section("Files");
  line.path('o', "output", "DIR", "Keep answers there and go on from those that are there; also for the official files",
            e.output);
  line.paths(0, "answers", "FILE",
             "Score these answers: an answers.jsonl, or an official file for each file of questions", e.answers);
  line.path(0, "judged", "FILE", "What the judge made of the answers (MMBench, MathVista, MM-Vet)", e.judged);
  line.flag(0, "json", "One JSON object", e.json);
  line.section("Answers");
  add_generate_options(line, e);
  line.section("Model");
  add_model_options(line, e);
  line.epilog("Benchmarks, their files, and the forms of their prompts:\n" + list_benchmarks() +
              "\nAnswers have up to 512 tokens, those of gsm8k 256, of vqav2 128, unless --max-tokens says otherwise.");
  return line;
}

// --- running ------------------------------------------------------------------------------------

/// The questions of these shards that have no reply, those of a group one after the other.
std::vector<std::size_t> order_of(const Benchmark& benchmark, const Shards& shards) {
  const auto questions = benchmark.questions();
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < questions.size(); ++i)
    if (!questions[i].reply && shards.has(questions[i].group % shards.count)) order.push_back(i);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return questions[a].group < questions[b].group; });
  return order;
}

/// Says how far the run is: on a terminal in one line, elsewhere at every tenth.
class Watch {
 public:
  Watch(std::size_t total, bool quiet, ProgressLine& line) : total_(total), quiet_(quiet), line_(line) {}

  void show(std::size_t done, const std::string& so_far) {
    const std::string text = so_far.empty() ? std::to_string(done) + " asked" : so_far + " so far";
    line_.show(text, static_cast<double>(done), static_cast<double>(total_));
    if (quiet_ || is_terminal(stderr) || done * 10 / total_ == tenths_) return;
    tenths_ = done * 10 / total_;
    std::fprintf(stderr, "%zu of %zu asked%s\n", done, total_, so_far.empty() ? "" : (", " + text).c_str());
  }

 private:
  std::size_t total_, tenths_ = 0;
  bool quiet_;
  ProgressLine& line_;
};

/// Asks what has no reply yet. What goes wrong with one question is said, and does not end the run.
///
/// Codes  io (answers cannot be kept)
dsvl::Status ask_all(const Evaluation& e, Benchmark& benchmark, Runner& runner, AnswersFile* keep,
                     ProgressLine& progress, Outcome& outcome) {
  const std::vector<std::size_t> order = order_of(benchmark, e.shards);
  const auto began = Clock::now();
  Watch watch(order.size(), e.quiet, progress);
  for (const std::size_t i : order) {
    const Question& question = benchmark.questions()[i];
    auto reply = runner.reply(benchmark.request(i), question.picture);
    if (!reply && reply.error().code() == dsvl::Code::cancelled) {
      outcome.interrupted = true;
      break;
    }
    ++outcome.asked;
    if (reply) {
      benchmark.take(i, std::move(*reply));
      if (keep) DSVL_CHECK_STATUS(keep->append(question));
    } else {
      ++outcome.failed;
      progress.clear();
      print_error(question.place.text() + ": question " + question.id + ": " + reply.error().text());
    }
    watch.show(outcome.asked, benchmark.so_far());
  }
  progress.clear();
  outcome.seconds = seconds_since(began);
  outcome.work = runner.work();
  return {};
}

Run run_of(const Evaluation& e) {
  const auto number = [](dsvl::Index n) { return std::to_string(n); };
  const std::string sizes = "tokens " + number(e.generate.max_tokens) + " context " +
                            number(e.session.limits.context) + "/" + number(e.max_context);
  return {std::string(e.benchmark->name), e.protocol.style, e.model.empty() ? "tiny-vl" : e.model,
          sizes + " " + settings_text(e)};
}

/// Loads the model and has it answer. An exit code when that did not come about.
std::optional<int> answer_with_model(Evaluation& e, Benchmark& benchmark, Outcome& outcome) {
  std::optional<AnswersFile> keep;
  if (!e.output.empty()) {
    std::error_code error;
    std::filesystem::create_directories(to_path(e.output), error);
    auto opened = AnswersFile::open(to_path(e.output) / "answers.jsonl", run_of(e), benchmark);
    if (!opened) return give_up(opened.error());
    keep.emplace(std::move(*opened));
    if (benchmark.replies() > 0 && !e.quiet)
      std::fprintf(stderr, "%zu of %zu questions were answered before\n", benchmark.replies(),
                   benchmark.questions().size());
  }
  if (order_of(benchmark, e.shards).empty()) return std::nullopt;
  ProgressLine progress(!e.quiet);
  e.load.cancel = e.generate.cancel = &catch_interrupts();
  int exit = kOk;
  dsvl::LoadReport report;
  const auto model = load_model(e, report, progress, exit);
  if (!model) return exit;
  Runner runner(*model, {e.session, e.generate, e.max_context, !e.no_sharing});
  if (const dsvl::Status status = runner.open(); !status.ok()) return give_up_session(status);
  const dsvl::Status status = ask_all(e, benchmark, runner, keep ? &*keep : nullptr, progress, outcome);
  return status.ok() ? std::nullopt : std::optional(give_up(status));
}

/// Takes the replies of files.
dsvl::Status read_answer_files(const Evaluation& e, Benchmark& benchmark) {
  std::size_t official = 0;
  for (const std::string& file : e.answers) {
    DSVL_TRY(text, read_text(file));
    if (!is_answers_file(text)) {
      DSVL_CHECK_STATUS(benchmark.read_official(text, file, official++));
      continue;
    }
    Run run;
    DSVL_CHECK_STATUS(read_answers(text, file, benchmark, run));
    if (run.benchmark != e.benchmark->name)
      return dsvl::fail(dsvl::Code::bad_file, "%s: has answers to %s", file.c_str(), run.benchmark.c_str());
  }
  return {};
}

// --- printing -----------------------------------------------------------------------------------

std::string count_of(const Figure& f) {
  char text[80];
  std::snprintf(text, sizeof text, std::floor(f.sum) == f.sum ? "%.0f of %zu" : "%.2f of %zu", f.sum, f.of);
  return f.of ? text : "";
}

void print_figures(const Report& report) {
  std::size_t width = 0;
  for (const Figure& f : report.figures) width = std::max(width, python::length(f.name));
  for (const Figure& f : report.figures) {
    const std::string pad(width - python::length(f.name), ' ');
    char value[40] = "    n/a", error[24] = "";
    if (!std::isnan(f.percent)) std::snprintf(value, sizeof value, "%7.2f %%", f.percent);
    if (!std::isnan(f.error)) std::snprintf(error, sizeof error, "± %.2f", f.error);
    const std::string gap(9 - std::min<std::size_t>(8, python::length(error)), ' ');
    const std::string line = f.name + pad + "  " + value + "  " + error + gap + count_of(f);
    std::printf("%s\n", std::string(python::rstrip(line)).c_str());
  }
  for (const std::string& note : report.notes) std::printf("%s\n", note.c_str());
}

void print_work(const Outcome& outcome) {
  const Work& w = outcome.work;
  std::printf("%s%zu questions in %s", outcome.interrupted ? "stopped after " : "", outcome.asked,
              seconds_text(outcome.seconds).c_str());
  if (outcome.failed) std::printf(", %zu could not be asked", outcome.failed);
  std::printf("\n");
  if (w.pictures)
    std::printf("pictures: %zu shown, %zu encoded, %zu known from a question before\n", w.pictures,
                w.pictures - w.pictures_known, w.pictures_known);
  std::printf("prompt tokens: %td, of which %td computed, %td reused", static_cast<std::ptrdiff_t>(w.tokens),
              static_cast<std::ptrdiff_t>(w.tokens - w.tokens_known), static_cast<std::ptrdiff_t>(w.tokens_known));
  if (w.endings) std::printf("; %zu endings scored", w.endings);
  if (w.generated) std::printf("; %td tokens generated", static_cast<std::ptrdiff_t>(w.generated));
  std::printf("\n");
}

void print_json(const Evaluation& e, const Benchmark& benchmark, const Report& report, const Outcome& outcome) {
  json::Writer w;
  w.begin_object().key("benchmark").value(e.benchmark->name).key("style").value(e.protocol.style);
  w.key("questions").value(benchmark.questions().size()).key("answered").value(benchmark.replies());
  w.key("failed").value(outcome.failed).key("seconds").value(outcome.seconds).key("figures").begin_array();
  for (const Figure& f : report.figures) {
    w.begin_object().key("name").value(f.name).key("percent").value(f.percent).key("standard_error").value(f.error);
    if (f.of) w.key("sum").value(f.sum).key("of").value(f.of);
    w.end_object();
  }
  w.end_array().key("notes").begin_array();
  for (const std::string& note : report.notes) w.value(note);
  const Work& work = outcome.work;
  w.end_array().key("pictures").value(work.pictures).key("pictures_known").value(work.pictures_known);
  w.key("prompt_tokens").value(work.tokens).key("reused_tokens").value(work.tokens_known);
  w.key("endings").value(work.endings).key("generated_tokens").value(work.generated);
  std::printf("%s\n", w.end_object().text().c_str());
}

/// Prints the figures and writes the official files. Returns the exit code.
int conclude(const Evaluation& e, const Benchmark& benchmark, const Outcome& outcome) {
  const bool asked = e.answers.empty() && outcome.asked > 0;
  Report report = benchmark.replies() > 0 ? benchmark.report() : Report();
  const std::size_t missing = benchmark.questions().size() - benchmark.replies();
  if (missing > 0)
    report.notes.push_back(std::to_string(missing) + " of " + std::to_string(benchmark.questions().size()) +
                           " questions have no answer; figures are those of the others" +
                           (e.output.empty() ? "." : ", and no official files are written."));
  std::vector<std::string> written;
  if (!e.output.empty()) {
    std::error_code error;
    std::filesystem::create_directories(to_path(e.output), error);
    const dsvl::Status status = benchmark.write(to_path(e.output), model_name(e), written);
    if (!status.ok()) return give_up(status);
  }
  if (e.json) {
    print_json(e, benchmark, report, outcome);
  } else {
    std::printf("%s (%s)\n\n", std::string(e.benchmark->title).c_str(), e.protocol.style.c_str());
    print_figures(report);
    if (asked) print_work(outcome);
    for (const std::string& name : written)
      std::printf("written: %s\n", to_text(to_path(e.output) / to_path(name)).c_str());
  }
  return finish_output(outcome.interrupted ? kInterrupted : outcome.failed ? kError : kOk);
}

}  // namespace

bool names_benchmark(Arguments arguments) {
  return std::any_of(arguments.begin(), arguments.end(), [](const std::string& a) { return find_benchmark(a); });
}

std::string nearest_benchmark(std::string_view word) {
  std::vector<std::string_view> names;
  for (const BenchmarkName& b : benchmarks()) names.push_back(b.name);
  return nearest(word, names);
}

std::string list_benchmarks() {
  std::string out;
  for (const BenchmarkName& b : benchmarks()) {
    const std::string name(b.name);
    out += "  " + name + std::string(11 - name.size(), ' ') + std::string(b.files) + "  (" +
           python::join(b.make()->styles(), ", ") + ")\n";
  }
  out.pop_back();
  return out;
}

int run_benchmark(Arguments arguments) {
  Evaluation e;
  e.generate.max_tokens = 0;  // as the benchmark says
  const CommandLine line = describe(e);
  std::vector<std::string> rest;
  if (const auto exit = line.parse(arguments, rest)) return *exit;
  e.benchmark = rest.empty() ? nullptr : find_benchmark(rest[0]);
  if (!e.benchmark) return line.usage_error("the benchmark comes before its files");
  if (rest.size() < 2)
    return line.usage_error("no files of " + rest[0] + " were given", "expected: " + std::string(e.benchmark->files));
  e.protocol.files.assign(rest.begin() + 1, rest.end());
  e.protocol.asks = e.answers.empty();
  const std::unique_ptr<Benchmark> benchmark = e.benchmark->make();
  if (e.protocol.style.empty()) e.protocol.style = benchmark->styles()[0];
  if (const dsvl::Status status = benchmark->open(e.protocol); !status.ok())
    return give_up(status, status.code() == dsvl::Code::bad_argument ? "see: dsvl eval " + rest[0] + " --help" : "");
  Outcome outcome;
  if (e.answers.empty()) {
    if (const auto exit = answer_with_model(e, *benchmark, outcome)) return *exit;
  } else if (const dsvl::Status status = read_answer_files(e, *benchmark); !status.ok()) {
    return give_up(status);
  }
  if (!e.judged.empty()) {
    const auto text = read_text(e.judged);
    if (!text) return give_up(text.error());
    if (const dsvl::Status status = benchmark->read_judged(*text, e.judged); !status.ok()) return give_up(status);
  }
  return conclude(e, *benchmark, outcome);
}

}  // namespace cli::evaluation
