// What slices cost: a question with a picture, computed by Answer::step() in budgets of 1, 2 and 4 ms, against the same
// in one go.
//
//   bench_slices [MODEL [ROUNDS [THREADS]]]
//
// Shows by how much slices overrun their budget, and what is lost by cutting: the worker threads sleep and wake, and at
// the end of a slice they wait for each other. Pages are warm: memory is touched as it is allocated, since a page's
// first use takes the system longer than a tile. The sliced question and one that is not take turns of a tenth of a
// second, so that both meet the same machine; the loss is the median of the rounds. Checks itself: every way gives the
// same tokens.
#include <algorithm>
#include <cstring>
#include <dsvl/base/thread_pool.hpp>
#include <dsvl/dsvl.hpp>
#include <new>
#include <optional>

#include "bench.hpp"

using namespace dsvl;

namespace {

constexpr int kBudgets[] = {1, 2, 4};            // milliseconds
constexpr std::chrono::milliseconds kTurn(100);  // the budget of a question that is hardly sliced
constexpr Index kTokens = 8;                     // of the answer, at most
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

/// The question in a session of its own, answered in slices of a budget.
class Question {
 public:
  Question(const Model& model, Executor& executor, const Pixels& pixels, std::chrono::milliseconds budget)
      : budget_(budget), picture_(pixels), session_(open(model, executor, memory_)) {
    GenerateOptions how;
    how.max_tokens = kTokens;
    answer_.emplace(session_.start({&picture_, 1}, kQuestion, how));  // computes nothing yet
  }

  /// Goes on for a turn; false at the end.
  bool go_on() {
    const double turn_ends = seconds_ + std::chrono::duration<double>(kTurn).count();
    while (answer_->finish() == Finish::none && seconds_ < turn_ends) {
      const double began = bench::now();
      answer_->step(budget_);
      const double took = bench::now() - began, late = 1e3 * took - static_cast<double>(budget_.count());
      seconds_ += took;
      if (late > 0) overruns_.push_back(late);
    }
    if (!answer_->status().ok()) std::exit(report(answer_->status()));
    return answer_->finish() == Finish::none;
  }

  /// Spent in step().
  [[nodiscard]] double seconds() const { return seconds_; }
  /// Milliseconds by which slices were late; those that ended early are left out.
  [[nodiscard]] std::span<const double> overruns() const { return overruns_; }
  [[nodiscard]] std::span<const std::int32_t> ids() const { return answer_->ids(); }

 private:
  static Session open(const Model& model, Executor& executor, Allocator& memory) {
    SessionOptions options;
    options.host.allocator = &memory;
    options.host.executor = &executor;
    options.limits.context = model.info().image_tokens + 256;
    auto session = Session::open(model, options);
    if (!session) std::exit(report(session.error()));
    return std::move(*session);
  }

  std::chrono::milliseconds budget_;
  Picture picture_;
  WarmAllocator memory_;
  Session session_;
  std::optional<Answer> answer_;
  double seconds_ = 0;
  std::vector<double> overruns_;
};

}  // namespace

int main(int argc, char** argv) {
  const std::filesystem::path directory = argc > 1 ? argv[1] : "examples/models/tiny-vl";
  const int rounds = argc > 2 ? std::max(1, std::atoi(argv[2])) : 30;
  ThreadPool pool(argc > 3 ? std::atoi(argv[3]) : 0);
  LoadOptions load;
  load.mode = LoadMode::prefault;
  const auto model = Model::load(directory, load);
  if (!model) return report(model.error());
  const bench::MadeUpPicture picture;
  const Pixels pixels = picture.pixels();

  Question first(*model, pool, pixels, kTurn);  // warms the pages
  while (first.go_on()) {}
  bool same = true;
  std::vector<double> overruns[std::size(kBudgets)], losses[std::size(kBudgets)];
  for (int round = 0; round < rounds; ++round) {
    for (std::size_t b = 0; b < std::size(kBudgets); ++b) {
      Question sliced(*model, pool, pixels, std::chrono::milliseconds(kBudgets[b])), whole(*model, pool, pixels, kTurn);
      for (bool going = true; going;) {
        const bool one = sliced.go_on(), other = whole.go_on();
        going = one || other;
      }
      for (const auto ids : {sliced.ids(), whole.ids()})
        same = same && std::equal(ids.begin(), ids.end(), first.ids().begin(), first.ids().end());
      overruns[b].insert(overruns[b].end(), sliced.overruns().begin(), sliced.overruns().end());
      losses[b].push_back(sliced.seconds() / whole.seconds() - 1);
    }
  }
  std::printf("%s, %d threads, kernels %s: a picture, a question, %zu tokens of answer: %.3f s in one go\n",
              directory.string().c_str(), pool.workers(), active_kernels<float>().name, first.ids().size(),
              first.seconds());
  std::printf("%8s %8s   overrun, ms: %8s %8s %8s %8s %8s   %14s %6s\n", "budget", "late", "median", "90 %", "99 %",
              "99.9 %", "most", "beyond 0.5 ms", "loss");
  for (std::size_t b = 0; b < std::size(kBudgets); ++b) {
    std::vector<double>& late = overruns[b];
    std::sort(late.begin(), late.end());
    const auto beyond = static_cast<double>(late.end() - std::upper_bound(late.begin(), late.end(), 0.5));
    const double share = beyond / static_cast<double>(std::max<std::size_t>(1, late.size()));
    std::printf("%5d ms %8zu %14s %8.3f %8.3f %8.3f %8.3f %8.3f   %12.2f %% %4.1f %%\n", kBudgets[b], late.size(), "",
                bench::quantile(late, 0.5), bench::quantile(late, 0.9), bench::quantile(late, 0.99),
                bench::quantile(late, 0.999), bench::quantile(late, 1), 100 * share, 100 * bench::median(losses[b]));
  }
  std::printf("check: slices give the tokens of one go: %s\n", same ? "yes" : "NO");
  return same ? 0 : 1;
}
