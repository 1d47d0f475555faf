// Where the time of one question goes, stage by stage, against the ceilings of this machine.
//
//   bench_stages [MODEL [PICTURE [THREADS]]] [--json]
//
// Checks itself: every repetition must give the same bits, also on one thread; a small model is compared with the
// scalar reference in double as well.
#include <dsvl/base/thread_pool.hpp>

#include "stages.hpp"

using namespace dsvl;

namespace {

/// The same prompt through the scalar reference in double: largest relative error of the last logits.
double reference_error(const DeepseekVl& net, const bench::Outcome& got) {
  Immediate<double> on(reference_kernels<double>());
  DecoderBuffers<double> b;
  KvCache<double> cache;
  const auto floats = bench::prompt(net, got.rows);
  std::vector<double> rows(got.rows.begin(), got.rows.end());
  std::vector<TokenInput<double>> inputs;
  for (const auto& f : floats)
    inputs.push_back({f.id, f.picture ? rows.data() + (f.picture - got.rows.data()) : nullptr});
  const Index n = static_cast<Index>(inputs.size());
  const auto carve = [&](Arena& a) {
    b.carve(a, net.decoder.dims, n);
    b.carve_logits(a, net.decoder.dims, 1);
    cache.carve(a, net.decoder.dims.heads, net.decoder.dims.layers, n, KvFormat::full);
  };
  Buffer<std::byte> memory;
  if (!carve_slab(memory, carve)) return NAN;
  std::vector<SequenceRow> places(inputs.size());
  const DecoderState state{n, cache.place_rows(0, places), n - 1, 1};
  net.decoder.forward(on, inputs.data(), state, cache.layout(), b);
  double difference = 0, size = 0;
  for (Index i = 0; i < b.logits.cols; ++i) {
    const double want = b.logits.data[i], d = static_cast<double>(got.logits[static_cast<std::size_t>(i)]) - want;
    difference += d * d, size += want * want;
  }
  return std::sqrt(difference / size);
}

}  // namespace

int main(int argc, char** argv) {
  const bench::Arguments arguments(argc, argv);
  const std::filesystem::path directory = arguments.word(0, "examples/models/tiny-vl");
  const std::filesystem::path file = arguments.word(1, "");
  const bench::Shown picture{file.empty() ? directory / "demo" / "023.png" : file, {}, {}};
  ThreadPool pool(arguments.number(2, 0));
  const auto model = Model::load(directory);
  if (!model) return report(model.error());
  const auto times = bench::time_stages(*model, picture, pool, 7, {}, true);
  if (!times) return report(times.error());
  bench::Report table(directory.string(), times->ceilings, pool, arguments.json);
  bench::report_stages(*model, *times, table);
  bool right = times->same;
  if (model->info().file_bytes < (std::size_t{64} << 20)) {
    const double error = reference_error(model->network(), times->first);
    table.figure("logits from the double reference", error, "relative norm");
    right = right && error < 5e-6;
  }
  return table.finish("every run and one thread give equal bits, and those of the reference nearly", right);
}
