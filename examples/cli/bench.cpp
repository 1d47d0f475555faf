// dsvl bench: how fast a model is here, stage by stage.
#include "library.hpp"

#include "../../benchmarks/together.hpp"

#include "commands.hpp"
#include "pictures.hpp"
#include "setup.hpp"
#include "system.hpp"

#include <dsvl/base/thread_pool.hpp>

namespace cli {

namespace {

constexpr dsvl::Index kPrompt = 64, kPasses = 32;  // tokens of each session, read and decoded

/// Decodes with several sessions at a time, and adds a line and the figure of all of them.
///
/// Codes: those of time_together
dsvl::Status add_sessions(const dsvl::Model& model, dsvl::Executor& executor, int sessions, int runs,
                          const dsvl::Limits& limits, const dsvl::CancelToken& cancel, bench::Report& table,
                          bool& same) {
  DSVL_TRY(times, bench::time_together(model, executor, sessions, runs, kPrompt, kPasses, limits, true, &cancel));
  const bench::PassCost cost(model, kPrompt + kPasses / 2, limits);
  const double n = sessions;
  table.add({"decode, a token of " + std::to_string(sessions) + " sessions", times.pass, n * cost.operations,
             cost.weights + n * cost.keys, cost.products});
  table.figure("decode", n / times.pass, "tokens/s");
  same = same && times.same;
  return {};
}

}  // namespace

int run_bench(Arguments arguments) {
  Settings settings;
  int runs = 3, sessions = 1;
  bool json = false;
  std::string image;
  CommandLine line(
      "dsvl bench", "[OPTION]... [MODEL]",
      "Times one question with a picture and 64 words, and holds every stage against what this machine can do\n"
      "at most, measured in the same run. MODEL is a directory or a .gguf file; without it, the one that ships with\n"
      "dsvl.");
  line.section("Measurement");
  line.path('i', "image", "FILE", "The picture, - for standard input (default: 640 x 480 pixels, made up)", image);
  line.whole(0, "runs", "Repetitions after one to warm up; medians are shown (default: 3)", runs, 1, 1000);
  line.whole(0, "sessions", "Sessions that decode together behind 64 tokens each; \"decode\" counts them all", sessions, 1,
             64);
  line.flag(0, "json", "Print the figures as JSON", json);
  line.section("Model");
  add_model_options(line, settings);
  if (const auto exit = parse_for_model(line, arguments, settings)) return *exit;
  dsvl::CancelToken& interrupt = catch_interrupts();
  std::vector<NamedPicture> given;
  if (!image.empty())
    if (const auto exit = find_pictures({image}, given)) return *exit;

  ProgressLine progress(!settings.quiet);
  settings.load.cancel = &interrupt;
  dsvl::LoadReport report;
  int exit = kOk;
  const auto model = load_model(settings, report, progress, exit);
  if (!model) return exit;
  const bench::MadeUpPicture made_up;
  bench::Shown picture{{}, {}, made_up.pixels()};
  if (!given.empty()) picture = {given[0].file, given[0].bytes, {}};
  dsvl::ThreadPool pool(settings.load.threads);
  const auto times = bench::time_stages(*model, picture, pool, runs, settings.session.limits, false, &interrupt);
  if (!times) return give_up(times.error());
  bench::Report table(to_text(*find_model(settings.model)), times->ceilings, pool, json);
  bench::report_stages(*model, *times, table, sessions == 1);
  bool same = times->same;
  if (sessions > 1) {
    const dsvl::Status status =
        add_sessions(*model, pool, sessions, runs, settings.session.limits, interrupt, table, same);
    if (!status.ok()) return give_up(status);
  }
  table.finish("every run gives equal bits, and so does each session alone", same);
  return finish_output(same ? kOk : kError);
}

}  // namespace cli
