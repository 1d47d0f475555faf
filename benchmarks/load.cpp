// How long a model takes to load when its files are in the page cache, and how soon a cancel is noticed meanwhile.
//
//   bench_load [--json] [MODEL [RUNS [THREADS]]]
//
// MODEL is a folder or a GGUF file; one in llama.cpp's form has its weights interleaved while it is loaded. Medians of
// RUNS (5 unless said otherwise). Checks itself: the weights of every run, and of one on a single thread, are equal to
// the bit, and a load that is cancelled in time says so.
#include <dsvl/base/hash.hpp>
#include <dsvl/base/thread_pool.hpp>
#include <dsvl/dsvl.hpp>
#include <dsvl/model/deepseek_vl.hpp>
#include <dsvl/model/find.hpp>
#include <optional>
#include <thread>

#include "bench.hpp"

using namespace dsvl;

namespace {

/// Hashes every weight of a network in the form that the kernels read.
class Fingerprint : public PathVisitor<Fingerprint> {
 public:
  void matrix(std::string_view, const Matrix& m, const Extent&, const Extent&) {
    for (int b = 0; b < m.block_count; ++b)
      add(m.blocks[b].data, m.blocks[b].rows * row_bytes(m.blocks[b].format, m.cols));
  }
  void vector(std::string_view, const float* x, const Extent& n) { add(x, n.sum() * 4); }
  void table(std::string_view, const float* x, Index rows, Index cols,
             void (*)(const Matrix&, Index, float*) noexcept) {
    add(x, rows * cols * 4);
  }
  ContentHash hash;
  double bytes = 0;

 private:
  void add(const void* from, Index n) {
    bytes += static_cast<double>(n);
    std::uint64_t word = 0;
    for (Index i = 0; i < n; i += 8) {
      std::memcpy(&word, static_cast<const char*>(from) + i, static_cast<std::size_t>(std::min<Index>(8, n - i)));
      hash.add(word);
    }
  }
};

Fingerprint fingerprint(const Model& model) {
  Fingerprint print;
  DeepseekVl net = model.network();  // visit() is for visitors that bind, so it is not const
  net.visit(print);
  return print;
}

/// Seconds from a cancel, `after` seconds into a load, to its return; nothing if it was over before.
std::optional<double> late(const std::filesystem::path& path, LoadOptions options, double after, bool& right) {
  CancelToken token;
  options.cancel = &token;
  double at = 0;
  std::thread canceller([&] {
    std::this_thread::sleep_for(std::chrono::duration<double>(after));
    at = bench::now();
    token.cancel();
  });
  const auto model = Model::load(path, options);
  const double returned = bench::now();
  canceller.join();
  if (model) return std::nullopt;
  right = right && model.error().code() == Code::cancelled;
  return returned - at;
}

}  // namespace

int main(int argc, char** argv) {
  const bench::Arguments given(argc, argv);
  const std::filesystem::path path = given.word(0, "examples/models/tiny-vl");
  const int runs = std::max(1, given.number(1, 5));
  LoadOptions options;
  options.threads = given.number(2, 0);
  LoadOptions alone;
  alone.threads = 1;
  const auto first = Model::load(path, alone);  // brings the files into the page cache
  if (!first) return report(first.error());
  const Fingerprint want = fingerprint(*first);
  bool right = true;
  std::vector<double> times;
  for (int i = 0; i < runs; ++i) {
    const double began = bench::now();
    const auto model = Model::load(path, options);
    times.push_back(bench::now() - began);
    if (!model) return report(model.error());
    right = right && fingerprint(*model).hash == want.hash;
  }
  const double seconds = bench::median(times);
  std::vector<double> lates;
  for (int i = 0; i < runs; ++i)
    if (const auto seen = late(path, options, seconds * (i + 0.5) / runs, right)) lates.push_back(*seen);

  ThreadPool pool(options.threads);
  bench::Report table(path.string(), bench::Ceilings::measure(pool), pool, given.json);
  table.add({"load from the page cache", seconds, 0, want.bytes});
  if (!lates.empty()) table.figure("cancel to return, most", 1e3 * *std::max_element(lates.begin(), lates.end()), "ms");
  return table.finish("all loads give equal bits", right);
}
