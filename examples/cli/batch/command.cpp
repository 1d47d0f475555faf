#include "command.hpp"

#include <cstdlib>
#include <thread>

#include <dsvl/base/thread_pool.hpp>
#include <dsvl/chat/internal/model_identity.hpp>
#include <dsvl/text/tokenizer.hpp>

#include "../commands.hpp"
#include "../decoders.hpp"
#include "../evaluation/files.hpp"
#include "dry_run.hpp"
#include "launcher.hpp"
#include "merge.hpp"
#include "shard_run.hpp"

namespace cli {

namespace batch {

namespace {

struct Batch : Settings {
  InputChoice inputs;
  std::string output;
  std::optional<Shards> chosen;           // --shard
  std::size_t shard_count = 0, tasks = 0;  // --shards, --tasks
  Shards shards;                          // those that this process takes
  dsvl::Index sessions = 8;
  Again again;
  bool dry_run = false;
};

constexpr const char* kInputs =
    "SOURCE is a folder of pictures, with its subfolders; a list of pictures, one a line; JSON lines; OpenAI's batch\n"
    "form; a table (.csv, .tsv) with a header; or - for standard input. Relative names of pictures begin in the folder\n"
    "of the list or table, or in --pictures. JSON lines have \"id\", \"image\" or \"images\", \"question\", and may have\n"
    "\"schema\", \"choices\", \"max_tokens\", \"system\"; tables have columns of these names, but images.\n\n"
    "Each input gets one row. An input that cannot be answered gets a row with an error, and the others go on. Rows\n"
    "are kept as they come: after Ctrl-C, SIGTERM, SIGUSR1, kill -9 or a power failure the same command goes on. What\n"
    "depends on the run (seconds, reused tokens, host) stands in NAME.run.jsonl, so rows are the same bytes in every\n"
    "run.\n\ndsvl batch merge puts the rows of shards together and finds what is missing; dsvl batch merge --help\n"
    "explains it.";

CommandLine describe(Batch& b) {
  CommandLine line("dsvl batch", "[OPTION]... SOURCE",
                   std::string("Answers questions about many pictures: the model is loaded once, several questions are\n"
                               "answered at a time, and the next pictures are read meanwhile. This build reads pictures\n"
                               "of these formats: ") + decoded_formats() + ".");
  line.section("Inputs");
  add_input_options(line, b.inputs);
  line.section("Rows");
  line.path('o', "output", "FILE", "Keep rows there, and go on from those that are there (default: standard output)",
            b.output);
  line.flag(0, "retry-errors", "Ask again what got an error", b.again.errors);
  line.flag(0, "verify", "Compare pictures of rows that are there by their contents, not by size and time",
            b.again.verify);
  line.flag(0, "dry-run", "Only say what is missing or unreadable, what memory it takes, and how long", b.dry_run);
  line.section("Sharing the work");
  line.other(0, "shard", "I/N", "Only part I of N (1,4-6/8: several); questions about a picture stay together",
             [&b](std::string_view text) {
               Shards shards;
               std::string wrong = read_shards(text, shards);
               if (wrong.empty()) b.chosen = std::move(shards);
               return wrong;
             });
  line.whole(0, "shards", "N parts, of which a task of Slurm, MPI, GNU parallel or Kubernetes takes its share",
             b.shard_count, 1, Shards::kMost);
  line.whole(0, "tasks", "N tasks in all, where the launcher does not say (GNU parallel, Kubernetes)", b.tasks, 1,
             Shards::kMost);
  line.section("Answers");
  line.whole(0, "sessions", "Questions that are answered at a time (default: 8); the answers are the same", b.sessions,
             1, 64);
  add_generate_options(line, b);
  line.section("Model");
  add_model_options(line, b);
  line.epilog(kInputs);
  return line;
}

/// Finds out which shards this process takes, and says why where nobody asked.
dsvl::Status choose_shards(Batch& b) {
  const auto environment = [](const char* name) -> const char* { return std::getenv(name); };
  if (b.chosen) b.shards = *b.chosen;
  const bool counted = b.shard_count == 0;
  const auto task = find_task(environment, counted || b.chosen.has_value());
  if (!task) return b.chosen ? dsvl::Status() : task.error();
  if (!b.chosen && (!task->launcher.empty() || b.shard_count > 0)) {
    const Task alone{"nobody", 0, b.tasks > 0 ? b.tasks : 1, 0, false};
    DSVL_TRY(shards, shards_of(task->launcher.empty() ? alone : *task, b.shard_count, b.tasks));
    b.shards = std::move(shards);
    if (!b.quiet && !task->launcher.empty() && b.shards.count > 1)
      std::fprintf(stderr, "%zu of %zu shards, from number %zu on: this is task %zu of %s\n", b.shards.taken.size(),
                   b.shards.count, b.shards.taken.empty() ? 0 : b.shards.taken[0], task->rank + 1,
                   task->launcher.c_str());
  }
  const int threads = b.load.threads > 0 ? b.load.threads : dsvl::available_threads();
  const std::string remark =
      remark_on_cores(*task, static_cast<std::size_t>(threads), std::thread::hardware_concurrency());
  if (!remark.empty() && b.load.threads != 1) print_warning(remark);
  return {};
}

RunKey run_key(const Batch& b, const dsvl::Model& model) {
  Key options = key_of(settings_text(b));
  add(options, static_cast<std::uint64_t>(b.generate.max_tokens));
  add(options, static_cast<std::uint64_t>(b.session.limits.context));
  if (!b.wish.schema.empty())
    if (const auto schema = evaluation::read_text(b.wish.schema)) add(options, *schema);
  for (const std::string* text : {&b.wish.regex, &b.wish.choices}) add(options, *text);
  for (const bool flag : {b.wish.any_json, b.wish.pretty, b.wish.ascii}) add(options, flag);
  return {model_name(b) + "-" + hex(dsvl::detail::model_identity(*model.state()).a), hex(options.a)};
}

void print_summary(const Batch& b, const Progress& progress, bool interrupted) {
  if (b.quiet && !interrupted) return;
  const double seconds = progress.seconds();
  std::fprintf(stderr, "%s%zu row%s in %s", interrupted ? "stopped: " : "", progress.rows(),
               progress.rows() == 1 ? "" : "s", seconds_text(seconds).c_str());
  if (progress.rows() > 0) std::fprintf(stderr, " (%.3g/s)", static_cast<double>(progress.rows()) / seconds);
  if (progress.skipped() > 0) std::fprintf(stderr, ", %zu were there", progress.skipped());
  if (progress.errors() > 0)
    std::fprintf(stderr, ", %zu of them errors (--retry-errors asks again)", progress.errors());
  std::fprintf(stderr, "%s\n", interrupted && !b.output.empty() ? "; the same command goes on from here" : "");
}

int answer_all(const Batch& b, const Inputs& inputs, const Scan& scan, const dsvl::Model& model, Runner& runner,
               ProgressLine& line) {
  const RunKey run = run_key(b, model);
  Progress progress(scan.items.size(), b.quiet, line);
  const ShardRun all{inputs, scan, run, runner, progress, b.output, b.again, b.shards.count};
  for (const std::size_t shard : b.shards.taken) {
    const dsvl::Status status = run_shard(all, shard - 1);
    line.clear();
    if (status.code() == dsvl::Code::cancelled) return print_summary(b, progress, true), kInterrupted;
    if (!status.ok()) return give_up(status);
  }
  print_summary(b, progress, false);
  return finish_output();
}

int dry_run(const Batch& b, const Scan& scan, Runner& runner, const dsvl::SchedulerOptions& options,
            std::size_t faults, ProgressLine& line) {
  print_memory(b, options);
  const dsvl::Status status = print_time(runner, scan, b.shards.count);
  line.clear();
  return status.ok() ? finish_output(faults > 0 ? kError : kOk) : give_up(status);
}

int run(Batch& b, const CommandLine& line) {
  Held held;
  if (const auto exit = held.compile(line, b.wish)) return *exit;
  const auto& constraint = held.constraint();
  if (const dsvl::Status status = choose_shards(b); !status.ok())
    return give_up(status, "name it: --shard I/N; --shard 1/1 takes all");
  b.load.cancel = b.generate.cancel = &catch_interrupts();
  catch_notices();
  const auto inputs = Inputs::open(b.inputs);
  if (!inputs) return give_up(inputs.error());
  if (inputs->size() == 0) return print_error(b.inputs.source + ": has no inputs"), kError;
  if (inputs->left_out() > 0 && !b.quiet)
    std::fprintf(stderr, "%zu files of the folder are no pictures by their names\n", inputs->left_out());
  const Scan found = scan(*inputs, b.shards, b);
  if (constraint || found.constrained) b.load.constraints = &dsvl::kConstraints;
  ProgressLine progress(!b.quiet);
  const std::size_t faults = b.dry_run ? print_faults(*inputs, found, b, progress) : 0;
  int exit = kOk;
  dsvl::LoadReport report;
  const auto model = load_model(b, report, progress, exit);
  if (!model) return exit;
  if (!model->tokenizer())
    return print_error("the model has no tokenizer.json, so it can not be asked in words"), kError;
  const dsvl::SchedulerOptions options = scheduler_options(b, found, b.sessions, model->info());
  Constraints constraints(constraint, {b.wish.pretty, b.wish.ascii});
  Runner runner(*model, *inputs, b, constraints);
  if (const dsvl::Status status = runner.open(options); !status.ok()) return give_up_session(status);
  return b.dry_run ? dry_run(b, found, runner, options, faults, progress)
                   : answer_all(b, *inputs, found, *model, runner, progress);
}

}  // namespace

void add_input_options(CommandLine& line, InputChoice& choice) {
  line.texts(0, "question", "TEXT", "The question to each picture of a folder or list; may be given several times",
             choice.questions);
  line.path(0, "pictures", "DIR", "Folder in which names of pictures begin", choice.pictures);
  line.other(0, "form", "FORM", "What SOURCE is: list, json, openai or csv (default: what it looks like)",
             one_of<Form>(choice.form, {{"list", Form::list}, {"json", Form::json}, {"openai", Form::openai},
                                        {"csv", Form::csv}}));
}

}  // namespace batch

int run_batch(Arguments arguments) {
  if (!arguments.empty() && arguments[0] == "merge") return batch::run_merge(arguments.subspan(1));
  batch::Batch b;
  const CommandLine line = batch::describe(b);
  std::vector<std::string> rest;
  if (const auto exit = line.parse(arguments, rest)) return *exit;
  if (rest.size() != 1 || rest[0].empty())
    return line.usage_error(rest.empty() ? "no inputs were given" : "one source of inputs is expected",
                            "for example: dsvl batch photos --question \"What is this?\" -o rows.jsonl");
  b.inputs.source = rest[0];
  return batch::run(b, line);
}

}  // namespace cli
