// How fast sessions decode together, by their number, against the ceilings of this machine.
//
//   bench_sessions MODEL [THREADS [PROMPT [PASSES [RUNS]]]] [--json]
//
// Behind prompts of PROMPT tokens (64) each session decodes PASSES tokens (32) in passes that all share; RUNS rounds (3)
// over the numbers of sessions, so that all meet the same machine. The ceiling of n sessions is the smaller of n times
// what reading allows (weights and keys of a token), and of this build's own prefill with the head on every row. Checks
// itself: sessions decode the bits that they decode alone.
#include <dsvl/base/thread_pool.hpp>

#include "together.hpp"

using namespace dsvl;

namespace {

constexpr Index kCounts[] = {1, 2, 4, 5, 8, 16, 17, 32};

}  // namespace

int main(int argc, char** argv) {
  const bench::Arguments arguments(argc, argv);
  const std::filesystem::path path = arguments.word(0, "examples/models/tiny-vl");
  ThreadPool pool(arguments.number(1, 0));
  const Index prompt = arguments.number(2, 64), passes = arguments.number(3, 32);
  const int runs = arguments.number(4, 3);
  LoadOptions load;
  load.mode = LoadMode::prefault;
  const auto model = Model::load(path, load);
  if (!model) return report(model.error());

  const auto ceilings = bench::Ceilings::measure(pool);
  bench::Report table(path.string(), ceilings, pool, arguments.json);
  bool same = true;
  std::vector<double> seconds[std::size(kCounts)], prefills;
  for (int r = 0; r < runs; ++r) {
    const auto wide = bench::time_wide_prefill(*model, pool, std::min<Index>(256, model->info().max_context), 1, {});
    if (!wide) return report(wide.error());
    prefills.push_back(*wide);
    for (std::size_t c = 0; c < std::size(kCounts); ++c) {
      const auto times = bench::time_together(*model, pool, kCounts[c], 1, prompt, passes, {}, r == 0);
      if (!times) return report(times.error());
      seconds[c].push_back(times->pass);
      same = same && times->same;
    }
  }
  const bench::PassCost cost(*model, prompt + passes / 2);
  const double prefill = bench::median(prefills);
  table.figure("prefill with the head on every row", prefill, "tokens/s");
  for (std::size_t c = 0; c < std::size(kCounts); ++c) {
    const auto n = static_cast<double>(kCounts[c]);
    const double pass = bench::median(seconds[c]);
    const std::string name = std::to_string(kCounts[c]) + (kCounts[c] == 1 ? " session" : " sessions");
    table.add({name, pass, n * cost.operations, cost.weights + n * cost.keys, cost.products});
    const double reading = n * 1e9 * ceilings.gigabytes / (cost.weights + cost.keys);
    table.figure((name + ", all tokens").c_str(), n / pass, "tokens/s");
    table.figure((name + ", of the smaller ceiling").c_str(), 100 * n / pass / std::min(reading, prefill), "%");
  }
  return table.finish("sessions together give the bits of each alone", same);
}
