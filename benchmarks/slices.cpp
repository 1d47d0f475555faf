// What slices cost: a question with a picture, computed by Answer::step() in budgets of 1, 2 and 4 ms, against the same
// in one go.
//
//   bench_slices [MODEL [ROUNDS [THREADS]]]
//
// Shows by how much slices overrun their budget, and what is lost by cutting: the worker threads sleep and wake, and at
// the end of a slice they wait for each other. Pages are warm: memory is touched as it is allocated, since a page's
// first use takes the system longer than a tile. Slices and whole runs take turns, and the loss is the median of the
// rounds. Checks itself: every way gives the same tokens.
#include <cstring>
#include <dsvl/base/thread_pool.hpp>
#include <dsvl/dsvl.hpp>
#include <new>

#include "bench.hpp"

using namespace dsvl;

namespace {

constexpr int kBudgets[] = {1, 2, 4};  // milliseconds
constexpr Index kTokens = 8;           // of the answer, at most
constexpr char kQuestion[] = "What colour is the large shape, and where in the picture is it? Answer in a few words.";

/// Memory whose pages are there, as a game would hand out.
class WarmAllocator final : public Allocator {
 public:
  void* allocate(std::size_t bytes, std::size_t align) noexcept override {
    void* const memory = ::operator new(bytes, std::align_val_t(align), std::nothrow);
    if (memory) std::memset(memory, 0, bytes);
    return memory;
  }
  void deallocate(void* memory, std::size_t, std::size_t align) noexcept override {
    ::operator delete(memory, std::align_val_t(align));
  }
};

struct Run {
  double seconds = 0;                ///< spent inside step()
  std::vector<double> overruns;      ///< milliseconds by which slices were late; those that ended early are left out
  std::vector<std::int32_t> ids;
};

/// The whole question in a session of its own; a budget of 0 is one go.
Run ask(const Model& model, Executor& executor, const Pixels& pixels, int milliseconds) {
  WarmAllocator memory;
  SessionOptions options;
  options.host.allocator = &memory;
  options.host.executor = &executor;
  options.limits.context = model.info().image_tokens + 256;
  auto session = Session::open(model, options);
  if (!session) std::exit(report(session.error()));
  GenerateOptions how;
  how.max_tokens = kTokens;
  const Picture picture(pixels);
  auto answer = session->start({&picture, 1}, kQuestion, how);  // computes nothing yet
  Run run;
  const std::chrono::milliseconds budget(milliseconds);
  while (answer.finish() == Finish::none) {
    const double began = bench::now();
    if (milliseconds > 0) answer.step(budget);
    else answer.next();
    const double took = bench::now() - began;
    run.seconds += took;
    const double late = 1e3 * took - milliseconds;
    if (milliseconds > 0 && late > 0) run.overruns.push_back(late);
  }
  if (!answer.status().ok()) std::exit(report(answer.status()));
  run.ids.assign(answer.ids().begin(), answer.ids().end());
  return run;
}

double quantile(const std::vector<double>& sorted, double q) {
  if (sorted.empty()) return 0;
  return sorted[static_cast<std::size_t>(q * static_cast<double>(sorted.size() - 1))];
}

}  // namespace

int main(int argc, char** argv) {
  const std::filesystem::path directory = argc > 1 ? argv[1] : "examples/models/tiny-vl";
  const int rounds = argc > 2 ? std::max(1, std::atoi(argv[2])) : 9;
  ThreadPool pool(argc > 3 ? std::atoi(argv[3]) : 0);
  LoadOptions load;
  load.mode = LoadMode::prefault;
  const auto model = Model::load(directory, load);
  if (!model) return report(model.error());
  const bench::MadeUpPicture picture;
  const Pixels pixels = picture.pixels();

  const Run first = ask(*model, pool, pixels, 0);  // warms the pages
  bool same = true;
  std::vector<double> overruns[std::size(kBudgets)], losses[std::size(kBudgets)];
  for (int round = 0; round < rounds; ++round) {
    for (std::size_t b = 0; b < std::size(kBudgets); ++b) {
      const Run before = ask(*model, pool, pixels, 0), sliced = ask(*model, pool, pixels, kBudgets[b]);
      const Run after = ask(*model, pool, pixels, 0);
      same = same && sliced.ids == first.ids && before.ids == first.ids && after.ids == first.ids;
      overruns[b].insert(overruns[b].end(), sliced.overruns.begin(), sliced.overruns.end());
      losses[b].push_back(sliced.seconds / (0.5 * (before.seconds + after.seconds)) - 1);
    }
  }
  std::printf("%s, %d threads, kernels %s: a picture, a question, %zu tokens of answer: %.3f s in one go\n",
              directory.string().c_str(), pool.workers(), active_kernels<float>().name, first.ids.size(), first.seconds);
  std::printf("%8s %8s   overrun, ms: %8s %8s %8s %8s %8s   %14s %6s\n", "budget", "late", "median", "90 %", "99 %",
              "99.9 %", "most", "beyond 0.5 ms", "loss");
  for (std::size_t b = 0; b < std::size(kBudgets); ++b) {
    std::vector<double>& late = overruns[b];
    std::sort(late.begin(), late.end());
    const auto beyond = static_cast<double>(late.end() - std::upper_bound(late.begin(), late.end(), 0.5));
    const double share = beyond / static_cast<double>(std::max<std::size_t>(1, late.size()));
    std::printf("%5d ms %8zu %14s %8.3f %8.3f %8.3f %8.3f %8.3f   %12.2f %% %4.1f %%\n", kBudgets[b], late.size(), "",
                quantile(late, 0.5), quantile(late, 0.9), quantile(late, 0.99), quantile(late, 0.999),
                quantile(late, 1), 100 * share, 100 * bench::median(losses[b]));
  }
  std::printf("check: slices give the tokens of one go: %s\n", same ? "yes" : "NO");
  return same ? 0 : 1;
}
