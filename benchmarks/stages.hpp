// Where the time of one question goes: every stage of a model, timed and held against the ceilings of this machine.
//
// Used by the benchmark bench_stages, which also checks the numbers, and by `dsvl bench`.
#ifndef DSVL_BENCHMARKS_STAGES_HPP
#define DSVL_BENCHMARKS_STAGES_HPP

#include <cmath>
#include <cstring>
#include <dsvl/chat/model.hpp>
#include <dsvl/chat/plan.hpp>
#include <dsvl/engine/complete_limits.hpp>
#include <dsvl/engine/decoding.hpp>
#include <dsvl/engine/image_encoder.hpp>
#include <dsvl/io/image.hpp>
#include <dsvl/model/bind.hpp>
#include <map>
#include <string>

#include "bench.hpp"

namespace bench {

using namespace dsvl;

inline constexpr Index kQuestion = 64, kAnswer = 16;  ///< tokens

/// One question's numbers: the picture's rows, and the logits after the prompt and after every token.
struct Outcome {
  std::vector<float> rows, logits;
  bool operator==(const Outcome& o) const {
    return rows.size() == o.rows.size() && logits.size() == o.logits.size() &&
           std::memcmp(rows.data(), o.rows.data(), rows.size() * 4) == 0 &&
           std::memcmp(logits.data(), o.logits.data(), logits.size() * 4) == 0;
  }
};

/// Time of a part of a model ("siglip"), or of the products or attentions in it.
struct Work {
  double seconds = 0, flops = 0;
  void operator+=(const Work& o) { seconds += o.seconds, flops += o.flops; }
};
struct Part {
  Work all, linear, attention;
};
using Parts = std::map<std::string, Part>;

struct Stages {
  double decode_image = 0, preprocess = 0, encode = 0, prefill = 0, decode = 0;
  Parts encoding, prefilling;
  [[nodiscard]] double first_token() const { return decode_image + preprocess + encode + prefill; }
};

/// The prompt of the benchmark: the picture, then arbitrary but fixed tokens.
inline std::vector<TokenInput<float>> prompt(const DeepseekVl& net, const std::vector<float>& rows) {
  std::vector<TokenInput<float>> out;
  const Index hidden = net.decoder.dims.hidden;
  for (Index i = 0; i < net.siglip.dims.tokens(); ++i) out.push_back({0, rows.data() + i * hidden});
  for (Index i = 0; i < kQuestion; ++i)
    out.push_back({static_cast<std::int32_t>(i * 37 % net.decoder.dims.vocab), nullptr});
  return out;
}

/// Adds what the steps of a program took, and the operations that they did with the live state as it is now.
/// Elementwise work is left out of the operations, as is usual.
inline void add_steps(const Program<float>& program, const std::vector<double>& seconds, Parts& to) {
  std::size_t i = 0;
  for (auto* step = program.first(); step; step = step->next, ++i) {
    Part& part = to[step->part];
    const std::string name = step->name;
    const bool linear = name == "linear", attention = name == "attention" || name == "map_attention";
    const Work work{seconds[i], linear || attention ? step->cost(step->op) : 0};
    part.all += work;
    if (linear) part.linear += work;
    if (attention) part.attention += work;
  }
}

/// A picture file, or a file's bytes when it is empty, or pixels when there are none either.
struct Shown {
  std::filesystem::path file;
  std::span<const std::byte> encoded;
  Pixels pixels;
};

/// An encoder and a decoder with memory of their own.
struct Bench {
  Buffer<std::byte> memory;  // goes last: the others are carved from it
  ImageEncoder encoder;
  PrefixCache cache;
  Decoding decoding;
  DecodeRequest request;
  Executor& executor;
  Index chunk, context;
  HeadShape heads;
  KvFormat kv;

  Bench(const DeepseekVl& net, const PreprocessConfig& preprocess, const Limits& limits, Executor& on)
      : encoder(net, preprocess, limits, on.workers(), nullptr),
        cache(std::make_shared<PagePool>(static_cast<std::size_t>(kv_page_bytes<float>(
                                             net.decoder.dims.heads, net.decoder.dims.layers, *limits.kv)),
                                         nullptr)),
        decoding(net.decoder, limits, on.workers()), executor(on), chunk(limits.chunk),
        context(limits.context), heads(net.decoder.dims.heads), kv(*limits.kv) {}
  /// Takes its memory. Codes: out_of_memory.
  Status open() {
    const auto lay_out = [&](Arena& arena) {
      encoder.lay_out(arena);
      cache.carve(arena, heads, context, kv);
      decoding.lay_out(arena);
    };
    if (carve_slab(memory, lay_out) && cache.reserve()) return {};
    return fail(Code::out_of_memory, "no memory for the activations of a measurement");
  }
};

/// Codes: those of read_image; cancelled.
inline Result<Outcome> ask(Bench& bench, const DeepseekVl& net, const Shown& picture, Stages& stages,
                           const CancelToken* cancel) {
  Outcome out;
  const Control control{cancel};
  double began = now();
  const auto lap = [&] { const double t = now(), d = t - began; began = t; return d; };
  Image image;
  Pixels pixels = picture.pixels;
  if (!picture.file.empty() || !picture.encoded.empty()) {
    auto read = picture.file.empty() ? decode_image(picture.encoded) : read_image(picture.file);
    if (!read) return read.error();
    image = std::move(*read);
    pixels = image.pixels();
    stages.decode_image = lap();
  }
  Usage usage;
  std::vector<double> seconds(static_cast<std::size_t>(
      std::max<Index>(bench.encoder.program().steps(), bench.decoding.program().steps())));
  bench.encoder.time_steps(seconds.data());
  DSVL_CHECK_STATUS(bench.encoder.begin(pixels));
  DSVL_CHECK_STATUS(bench.encoder.advance(bench.executor, control, usage));
  bench.encoder.time_steps(nullptr);
  stages.preprocess = usage.preprocess;
  const View<const float> rows = bench.encoder.rows();
  out.rows.assign(rows.data, rows.data + rows.rows * rows.cols);
  stages.encode = lap() - usage.preprocess;
  add_steps(bench.encoder.program(), seconds, stages.encoding);
  const auto keep_logits = [&] {
    out.logits.insert(out.logits.end(), bench.request.logits().begin(), bench.request.logits().end());
  };
  const auto inputs = prompt(net, out.rows);
  const std::vector<TokenKey> slots(inputs.size());  // nothing is looked up here, so what they say does not count
  bench.cache.truncate(0);
  lap();
  bench.decoding.time_steps(seconds.data());
  for (std::size_t at = 0; at < inputs.size();) {  // chunk by chunk: the operations of each depend on where it stands
    std::fill(seconds.begin(), seconds.end(), 0.0);
    const std::size_t some = std::min<std::size_t>(static_cast<std::size_t>(bench.chunk), inputs.size() - at);
    const TokenSpan tokens{std::span(slots).subspan(at, some), std::span(inputs).subspan(at, some)};
    DSVL_CHECK_STATUS(bench.request.begin(bench.cache, tokens, at + some == inputs.size(), Stage::prefill));
    DSVL_CHECK_STATUS(bench.decoding.advance(bench.request, bench.executor, control));
    add_steps(bench.decoding.program(), seconds, stages.prefilling);
    at += some;
  }
  bench.decoding.time_steps(nullptr);
  stages.prefill = lap();
  keep_logits();
  for (Index t = 0; t < kAnswer; ++t) {
    const TokenInput<float> next{static_cast<std::int32_t>(t * 11 % net.decoder.dims.vocab), nullptr};
    const TokenKey slot{next.id};
    DSVL_CHECK_STATUS(bench.request.begin(bench.cache, {{&slot, 1}, {&next, 1}}, 1, Stage::decode));
    DSVL_CHECK_STATUS(bench.decoding.advance(bench.request, bench.executor, control));
  }
  stages.decode = lap() / static_cast<double>(kAnswer);
  keep_logits();
  return Result<Outcome>(std::move(out));
}

/// Adds up the bytes of all matrices it meets.
struct Weigh : PathVisitor<Weigh> {
  double bytes = 0, weights = 0;
  void matrix(std::string_view, Matrix& m, const Extent&, const Extent&) {
    bytes += static_cast<double>(m.bytes());
    weights += static_cast<double>(m.rows * m.cols);
  }
  void vector(std::string_view, const float*&, const Extent&) {}
  void table(std::string_view, const float*&, Index, Index, void (*)(const Matrix&, Index, float*) noexcept) {}
};

/// All stages of `model`, `runs` times on `executor`.
struct StageTimes {
  Outcome first;
  bool same = true;  ///< every run, and one thread alone where that was asked for, gave equal bits
  std::vector<Stages> runs;
  Ceilings ceilings;
  Limits limits;  ///< with every default filled in

  template <class Of>
  [[nodiscard]] double middle(Of&& of) const {
    std::vector<double> v;
    for (const Stages& s : runs) v.push_back(of(s));
    return median(v);
  }
};

/// Codes: those of read_image and of the limits; out_of_memory, cancelled.
inline Result<StageTimes> time_stages(const Model& model, const Shown& picture, Executor& executor, int runs,
                                      const Limits& wanted, bool check_alone, const CancelToken* cancel = nullptr) {
  const DeepseekVl& net = model.network();
  Limits limits = wanted;
  limits.context = net.siglip.dims.tokens() + kQuestion + kAnswer;
  DSVL_TRY(complete, complete_limits(limits, model.config(), net.decoder));
  StageTimes out;
  out.limits = complete;
  out.ceilings = Ceilings::measure(executor);
  Stages ignored;
  Bench bench(net, model.config().preprocess, complete, executor);
  DSVL_CHECK_STATUS(bench.open());
  DSVL_TRY(first, ask(bench, net, picture, ignored, cancel));
  out.first = std::move(first);
  if (check_alone) {
    InlineExecutor alone;
    Bench single(net, model.config().preprocess, complete, alone);
    DSVL_CHECK_STATUS(single.open());
    DSVL_TRY(same, ask(single, net, picture, ignored, cancel));
    out.same = same == out.first;
  }
  for (int r = 0; r < runs; ++r) {
    out.runs.emplace_back();
    DSVL_TRY(again, ask(bench, net, picture, out.runs.back(), cancel));
    out.same = again == out.first && out.same;
  }
  return Result<StageTimes>(std::move(out));
}

/// What the products of a model meet, most of the time.
inline Unit product_unit(const DeepseekVl& net, const Limits& limits) {
  return unit_of(activation_format(limits.activations, net.decoder.blocks.front().out.weight));
}

/// Each part of encoding or prefilling, and the products and attentions in it.
inline void add_parts(const StageTimes& t, Parts Stages::*which, Unit products, Report& report) {
  for (const auto& entry : t.runs[0].*which) {
    const std::string& name = entry.first;
    const auto line = [&](const std::string& as, Work Part::*kind, Unit unit) {
      const double seconds = t.middle([&](auto& s) { return ((s.*which).at(name).*kind).seconds; });
      if (seconds > 0) report.add({as, seconds, (entry.second.*kind).flops, 0, unit});
    };
    line(name, &Part::all, products);
    line("  products", &Part::linear, products);
    line("  attention", &Part::attention, Unit::fma);
  }
}

/// What a token takes that is decoded behind `positions` others.
struct PassCost {
  double operations = 0, weights = 0, keys = 0;  ///< operations; bytes of weights, and of keys and values
  double per_row = 0, head = 0;                  ///< operations of all products but the head, and of the head
  Unit products;                                 ///< what they meet

  PassCost(const Model& model, Index positions, const Limits& limits = {}) : products(product_unit(model.network(), limits)) {
    DeepseekVl net = model.network();
    const DecoderDims& d = net.decoder.dims;
    Weigh weigh;
    net.decoder.visit(weigh);
    // A token reads one row of the table, and all the rest.
    weights = weigh.bytes - (d.tied ? 0 : static_cast<double>(net.decoder.embedding.weight.bytes()));
    head = 2.0 * static_cast<double>(d.vocab * d.hidden);
    per_row = 2.0 * weigh.weights - head * (d.tied ? 1 : 2);  // neither table nor head
    const auto kv = complete_limits(limits, model.config(), net.decoder);
    const Index number = kv ? kv_element_bytes<float>(*kv->kv) : 0;
    const auto n = static_cast<double>(positions);
    keys = n * 2.0 * static_cast<double>(d.heads.kv_width() * d.layers * number);
    operations = per_row + head + 4.0 * static_cast<double>(d.heads.width() * d.layers) * n;
  }
};

/// The table; operations of the towers are those that were recorded. `alone`: what is decoded is one session.
inline void report_stages(const Model& model, const StageTimes& t, Report& report, bool alone = true) {
  const DeepseekVl& net = model.network();
  const Index tokens = net.siglip.dims.tokens() + kQuestion;
  const Unit products = product_unit(net, t.limits);
  const double decode_image = t.middle([](auto& s) { return s.decode_image; });
  if (decode_image > 0) report.add({"decode image", decode_image});
  report.add({"preprocess", t.middle([](auto& s) { return s.preprocess; })});
  add_parts(t, &Stages::encoding, products, report);
  add_parts(t, &Stages::prefilling, products, report);
  const PassCost cost(model, tokens, t.limits);
  const double width = static_cast<double>(net.decoder.dims.heads.width() * net.decoder.dims.layers);
  const double n = static_cast<double>(tokens);
  const double prefill = t.middle([](auto&s) { return s.prefill; }), decode = t.middle([](auto&s) { return s.decode; });
  report.add({"prefill", prefill, cost.per_row * n + 2.0 * width * n * (n + 1) + cost.head, 0, products});
  report.add({"decode, one token", decode, cost.operations, cost.weights + cost.keys, products});
  report.figure("prompt", n, "tokens");
  report.figure("prefill", n / prefill, "tokens/s");
  if (alone) report.figure("decode", 1 / decode, "tokens/s");
  report.figure("time to the first token", t.middle([](auto& s) { return s.first_token(); }), "s");
}

}  // namespace bench

#endif  // DSVL_BENCHMARKS_STAGES_HPP
