// Where the time of one question goes, stage by stage, against the ceilings of this machine.
//
//   bench_stages [MODEL [PICTURE [THREADS]]]
//
// Checks itself: every repetition must give the same bits, also on one thread; a small model is compared with the scalar
// reference in double as well.
#include <cmath>
#include <cstring>
#include <dsvl/base/thread_pool.hpp>
#include <dsvl/chat/encoder.hpp>
#include <dsvl/chat/engine.hpp>
#include <dsvl/chat/model.hpp>
#include <dsvl/chat/model_state.hpp>
#include <dsvl/chat/plan.hpp>
#include <dsvl/io/image.hpp>
#include <map>
#include <string>

#include "bench.hpp"

using namespace dsvl;

namespace {

constexpr int kRuns = 7;
constexpr Index kQuestion = 64, kAnswer = 16;

/// One question's numbers: the picture's rows, and the logits after the prompt and after every token.
struct Outcome {
  std::vector<float> rows, logits;
  bool operator==(const Outcome& o) const {
    return rows.size() == o.rows.size() && logits.size() == o.logits.size() &&
           std::memcmp(rows.data(), o.rows.data(), rows.size() * 4) == 0 &&
           std::memcmp(logits.data(), o.logits.data(), logits.size() * 4) == 0;
  }
};

struct Stages {
  double decode_image = 0, preprocess = 0, prefill = 0, decode = 0;
  std::map<std::string, double> parts;  // of encoding
};

/// The prompt of the benchmark: the picture, then arbitrary but fixed tokens.
std::vector<TokenInput<float>> prompt(const DeepseekVl& net, const std::vector<float>& rows) {
  std::vector<TokenInput<float>> out;
  const Index hidden = net.decoder.dims.hidden;
  for (Index i = 0; i < net.siglip.dims.tokens(); ++i) out.push_back({0, rows.data() + i * hidden});
  for (Index i = 0; i < kQuestion; ++i) out.push_back({static_cast<std::int32_t>(i * 37 % net.decoder.dims.vocab), nullptr});
  return out;
}

/// An encoder and an engine with memory of their own.
struct Bench {
  Buffer<std::byte> memory;  // goes last: the others are carved from it
  Encoder encoder;
  Engine engine;
  Executor& executor;

  Bench(const DeepseekVl& net, const PreprocessConfig& preprocess, const Limits& limits, Executor& on)
      : encoder(net, preprocess, limits, on.workers(), nullptr),
        engine(net.decoder, limits, on,
               std::make_shared<PagePool>(static_cast<std::size_t>(kv_page_bytes<float>(net.decoder.dims.heads, net.decoder.dims.layers, limits.kv)), nullptr)),
        executor(on) {
    const auto lay_out = [&](Arena& arena) { encoder.lay_out(arena), engine.lay_out(arena); };
    if (!carve_slab(memory, lay_out) || !engine.cache().reserve()) std::exit(report(fail(Code::out_of_memory, "no memory")));
  }
};

Outcome ask(Bench& bench, const DeepseekVl& net, const std::filesystem::path& picture, Stages& stages) {
  Outcome out;
  double began = bench::now();
  const auto lap = [&] { const double t = bench::now(), d = t - began; began = t; return d; };
  const auto must = [](const Status& s) { if (!s.ok()) std::exit(report(s)); };
  const auto image = read_image(picture);
  if (!image) std::exit(report(image.error()));
  stages.decode_image = lap();
  Usage usage;
  std::vector<double> seconds(static_cast<std::size_t>(bench.encoder.program().steps()));
  bench.encoder.time_steps(seconds.data());
  must(bench.encoder.begin(image->pixels()));
  must(bench.encoder.advance(bench.executor, {}, usage));
  bench.encoder.time_steps(nullptr);
  stages.preprocess = usage.preprocess;
  const View<const float> rows = bench.encoder.rows();
  out.rows.assign(rows.data, rows.data + rows.rows * rows.cols);
  std::size_t i = 0;
  for (auto* step = bench.encoder.program().first(); step; step = step->next) stages.parts[step->part] += seconds[i++];
  const auto keep_logits = [&] { out.logits.insert(out.logits.end(), bench.engine.logits().begin(), bench.engine.logits().end()); };
  const auto inputs = prompt(net, out.rows);
  const std::vector<Slot> slots(inputs.size());  // nothing is looked up here, so what they say does not count
  bench.engine.cache().truncate(0);
  lap();
  must(bench.engine.begin({slots, inputs}, 1, Stage::prefill));
  must(bench.engine.advance({}));
  stages.prefill = lap();
  keep_logits();
  for (Index t = 0; t < kAnswer; ++t) {
    const TokenInput<float> next{static_cast<std::int32_t>(t * 11 % net.decoder.dims.vocab), nullptr};
    const Slot slot{next.id};
    must(bench.engine.begin({{&slot, 1}, {&next, 1}}, 1, Stage::decode));
    must(bench.engine.advance({}));
  }
  stages.decode = lap() / static_cast<double>(kAnswer);
  keep_logits();
  return out;
}

/// Operations of the products and attentions of a program's part (elementwise work is left out, as is usual).
double flops(const Program<float>& program, const std::string& part) {
  double sum = 0;
  for (auto* step = program.first(); step; step = step->next) {
    const std::string name = step->name;
    if ((part.empty() || step->part == part) && (name == "linear" || name == "attention" || name == "map_attention"))
      sum += step->cost(step->op);
  }
  return sum;
}

/// Adds up the bytes of all matrices it meets.
struct Weigh : PathVisitor<Weigh> {
  double bytes = 0;
  void matrix(std::string_view, Matrix& m, const Extent&, const Extent&) { bytes += static_cast<double>(m.bytes()); }
  void vector(std::string_view, const float*&, const Extent&) {}
  void table(std::string_view, const float*&, Index, Index, void (*)(const Matrix&, Index, float*) noexcept) {}
};

/// The same prompt through the scalar reference in double: largest relative error of the last logits.
double reference_error(const DeepseekVl& net, const Outcome& got) {
  Immediate<double> on(reference_kernels<double>());
  DecoderBuffers<double> b;
  KvCache<double> cache;
  const auto floats = prompt(net, got.rows);
  std::vector<double> rows(got.rows.begin(), got.rows.end());
  std::vector<TokenInput<double>> inputs;
  for (const auto& f : floats) inputs.push_back({f.id, f.picture ? rows.data() + (f.picture - got.rows.data()) : nullptr});
  const Index n = static_cast<Index>(inputs.size());
  DecoderState state{n, 0, n - 1, 1};
  const auto carve = [&](Arena& a) {
    b.carve(a, net.decoder.dims, n);
    b.carve_logits(a, net.decoder.dims, 1);
    cache.carve(a, net.decoder.dims.heads, net.decoder.dims.layers, n, KvFormat::full);
  };
  Buffer<std::byte> memory;
  if (!carve_slab(memory, carve)) return NAN;
  net.decoder.forward(on, inputs.data(), state, cache, b);
  double difference = 0, size = 0;
  for (Index i = 0; i < b.logits.cols; ++i) {
    const double want = b.logits.data[i], d = static_cast<double>(got.logits[static_cast<std::size_t>(i)]) - want;
    difference += d * d, size += want * want;
  }
  return std::sqrt(difference / size);
}

}  // namespace

int main(int argc, char** argv) {
  const std::filesystem::path directory = argc > 1 ? argv[1] : "examples/models/tiny-vl";
  const std::filesystem::path picture = argc > 2 ? std::filesystem::path(argv[2]) : directory / "demo" / "023.png";
  ThreadPool pool(argc > 3 ? std::atoi(argv[3]) : 0);
  const auto model = Model::load(directory);
  if (!model) return report(model.error());
  DeepseekVl net = model->state()->network->net;
  const ModelConfig& config = model->config();
  Limits wanted;
  wanted.context = net.siglip.dims.tokens() + kQuestion + kAnswer;
  const auto limits = complete_limits(wanted, config);
  if (!limits) return report(limits.error());
  InlineExecutor alone;
  Bench engine(net, config.preprocess, *limits, pool), single(net, config.preprocess, *limits, alone);

  const auto ceilings = bench::Ceilings::measure(pool);
  std::printf("%s, %d threads, kernels %s; ceilings: %.0f GFLOP/s (fma), %.1f GB/s (read)\n", directory.string().c_str(),
              pool.workers(), active_kernels<float>().name, ceilings.gflops, ceilings.gigabytes);
  std::vector<Stages> runs;
  Stages ignored;
  const Outcome first = ask(engine, net, picture, ignored);
  bool same = ask(single, net, picture, ignored) == first;
  for (int r = 0; r < kRuns; ++r) {
    runs.emplace_back();
    same = same && ask(engine, net, picture, runs.back()) == first;
  }
  const auto middle = [&](auto&& of) {
    std::vector<double> v;
    for (const Stages& s : runs) v.push_back(of(s));
    return bench::median(v);
  };

  Weigh weigh;
  net.decoder.visit(weigh);
  const double table = static_cast<double>(net.decoder.embedding.weight.bytes());
  const double read = weigh.bytes - (net.decoder.dims.tied ? 0 : table);  // a token reads one row of the table, all the rest
  const Index tokens = net.siglip.dims.tokens() + kQuestion;
  bench::print_header();
  bench::print({"decode image", middle([](auto& s) { return s.decode_image; })}, ceilings);
  bench::print({"preprocess", middle([](auto& s) { return s.preprocess; })}, ceilings);
  for (const auto& entry : runs[0].parts) {
    const std::string& part = entry.first;
    bench::print({part.c_str(), middle([&](auto& s) { return s.parts.at(part); }), flops(engine.encoder.program(), part)}, ceilings);
  }
  const double head = 2.0 * static_cast<double>(net.decoder.dims.vocab * net.decoder.dims.hidden);
  const double per_token = 2.0 * (weigh.bytes - table) / static_cast<double>(row_bytes(net.decoder.head.weight.format, 1)) - head;
  const double width = static_cast<double>(net.decoder.dims.heads.width() * net.decoder.dims.layers);
  const double n = static_cast<double>(tokens);
  bench::print({"prefill", middle([](auto& s) { return s.prefill; }), per_token * n + 2.0 * width * n * (n + 1) + head}, ceilings);
  bench::print({"decode, one token", middle([](auto& s) { return s.decode; }), per_token + head + 4.0 * width * n, read}, ceilings);
  std::printf("prompt %td tokens: prefill %.1f tokens/s, decode %.1f tokens/s\n", tokens, n / middle([](auto& s) { return s.prefill; }),
              1 / middle([](auto& s) { return s.decode; }));

  std::printf("check: every run and one thread give equal bits: %s", same ? "yes" : "NO");
  double error = 0;
  if (model->info().file_bytes < (std::size_t{64} << 20)) std::printf("; logits against the double reference: %.1e", error = reference_error(net, first));
  std::printf("\n");
  return same && error < 5e-6 ? 0 : 1;
}
