// The decoder against plain sums, and against itself however the same tokens are run.
#include <dsvl/language/decoder.hpp>

#include "decoder_memory.hpp"
#include "../oracle.hpp"

using namespace dsvl;
using test::Mat;

namespace {

Mat swiglu(const test::Weights& w, const std::string& at, const Mat& h) {
  Mat gate = test::each(test::linear(h, w[at + "gate.weight"]), test::silu);
  const Mat up = test::linear(h, w[at + "up.weight"]);
  for (std::size_t i = 0; i < gate.v.size(); ++i) gate.v[i] *= up.v[i];
  return test::linear(gate, w[at + "down.weight"]);
}

/// Logits of every row of x, all of one sequence.
Mat decode(const test::Weights& w, const DecoderDims& d, Mat x) {
  const Index width = d.heads.width(), kv = d.heads.kv_width();
  for (Index i = 0; i < d.layers; ++i) {
    const std::string at = std::to_string(i) + ".";
    const Mat qkv = test::linear(test::rms_norm(x, w[at + "norm1.weight"], d.eps), w[at + "attn.qkv.weight"]);
    const Mat q = test::rope(qkv.columns(0, width), d.heads.head_dim, 0, d.rope_theta);
    const Mat k = test::rope(qkv.columns(width, kv), d.heads.head_dim, 0, d.rope_theta);
    const Mat y = test::attend_heads(q, k, qkv.columns(width + kv, kv), d.heads.heads, d.heads.kv_heads, test::causal(0));
    x = test::plus(x, test::linear(y, w[at + "attn.out.weight"]));
    x = test::plus(x, swiglu(w, at + "mlp.", test::rms_norm(x, w[at + "norm2.weight"], d.eps)));
  }
  return test::linear(test::rms_norm(x, w["norm.weight"], d.eps), w[d.tied ? "embed.weight" : "head.weight"]);
}

constexpr DecoderDims kMultiHead{24, 40, 2, {3, 3, 8}, 50};
constexpr DecoderDims kGrouped{32, 40, 3, {8, 2, 6}, 60, 1e-5, 5000.0, true};  // tied, and wider than hidden inside

/// One prompt of tokens with two rows of a picture in it, run in chunks; logits of every row.
template <class T>
struct Run {
  static constexpr Index kTokens = 75;
  std::vector<TokenInput<T>> inputs;
  std::vector<T> picture, logits;

  explicit Run(const DecoderDims& d) : picture(static_cast<std::size_t>(2 * d.hidden)) {
    const auto values = test::noise(picture.size(), 77);
    std::copy(values.begin(), values.end(), picture.begin());
    for (Index i = 0; i < kTokens; ++i)
      inputs.push_back({static_cast<std::int32_t>((i * 13 + 5) % d.vocab), i == 7 ? picture.data() : i == 70 ? picture.data() + d.hidden : nullptr});
  }
  void go(const Decoder& decoder, const Kernels<T>& kernels, Index chunk, KvFormat format = KvFormat::full) {
    test::DecoderMemory<T> memory(decoder.dims, chunk, kTokens, format);
    DecoderBuffers<T>& b = memory.buffers;
    KvCache<T>& cache = memory.cache;
    CHECK(cache.capacity() == 128);
    Immediate<T> on(kernels);
    logits.clear();
    std::vector<SequenceRow> places(static_cast<std::size_t>(chunk));
    DecoderState s;
    for (Index start = 0; start < kTokens; start += s.rows) {
      s.rows = s.logits_rows = std::min<Index>(chunk, kTokens - start);
      s.places = cache.place_rows(start, std::span(places).first(static_cast<std::size_t>(s.rows)));
      decoder.forward(on, inputs.data() + start, s, cache.layout(), b);
      for (Index r = 0; r < s.rows; ++r) logits.insert(logits.end(), b.logits.row(r), b.logits.row(r) + b.logits.cols);
    }
    CHECK(on.status().ok());
  }
};

Mat embedded(const test::Weights& w, const Run<double>& run, Index hidden) {
  Mat x(Run<double>::kTokens, hidden);
  for (Index i = 0; i < x.rows; ++i)
    for (Index c = 0; c < hidden; ++c) {
      const auto& in = run.inputs[static_cast<std::size_t>(i)];
      x(i, c) = in.picture ? in.picture[c] : w["embed.weight"](in.id, c);
    }
  return x;
}

}  // namespace

TEST_CASE("the decoder equals its formulas: multi-head and grouped, own head and tied, pictures among the tokens") {
  for (const DecoderDims& dims : {kMultiHead, kGrouped})
    for (const Format format : {Format::f32, Format::bf16, Format::f16}) {
      Decoder decoder;
      decoder.dims = dims;
      test::Weights w(3, format);
      decoder.visit(w);
      const Mat want = decode(w, dims, embedded(w, Run<double>(dims), dims.hidden));
      test::with_kernels([&](const auto& kernels) {
        using T = test::scalar_of<decltype(kernels)>;
        Run<T> run(dims);
        run.go(decoder, kernels, Run<T>::kTokens);
        test::check_near(dims.tied ? "decoder, grouped and tied" : "decoder", View<const T>(run.logits.data(), want.rows, want.cols), want,
                         sizeof(T) == 4 ? 3e-6 : 1e-12);
      });
    }
}

TEST_CASE("one run, chunks of any length and token by token give the same bits, in both stores") {
  for (const DecoderDims& dims : {kMultiHead, kGrouped})
    for (const KvFormat format : {KvFormat::full, KvFormat::bf16}) {
      Decoder decoder;
      decoder.dims = dims;
      test::Weights w(3, Format::bf16);
      decoder.visit(w);
      Run<float> whole(dims), parts(dims);
      whole.go(decoder, active_kernels<float>(), Run<float>::kTokens, format);
      for (const Index chunk : {1, 2, 3, 16, 63, 64, 65}) {
        INFO("chunk " << chunk);
        parts.go(decoder, active_kernels<float>(), chunk, format);
        CHECK(std::memcmp(parts.logits.data(), whole.logits.data(), whole.logits.size() * sizeof(float)) == 0);
      }
    }
}

TEST_CASE("logits are made for the rows that were asked for, and none when none were") {
  Decoder decoder;
  decoder.dims = kMultiHead;
  test::Weights w(3);
  decoder.visit(w);
  Run<float> run(kMultiHead);
  run.go(decoder, active_kernels<float>(), Run<float>::kTokens);
  DecoderBuffers<float> b;
  KvCache<float> cache;
  const auto memory = test::slab([&](Arena& a) {
    b.carve(a, decoder.dims, 75);
    b.carve_logits(a, decoder.dims, 5);
    cache.carve(a, decoder.dims.heads, decoder.dims.layers, 75, KvFormat::full);
  });
  Immediate<float> on(active_kernels<float>());
  std::vector<SequenceRow> places(75);
  DecoderState s{75, cache.place_rows(0, places), 0, 0};
  decoder.forward(on, run.inputs.data(), s, cache.layout(), b);
  CHECK(std::isnan(b.logits.row(0)[0]));
  s.logits_from = 68;
  s.logits_rows = 4;
  decoder.forward(on, run.inputs.data(), s, cache.layout(), b);
  CHECK(std::memcmp(b.logits.data, run.logits.data() + 68 * 50, 4 * 50 * sizeof(float)) == 0);
  CHECK(std::isnan(b.logits.row(4)[0]));
}

TEST_CASE("what lies in the cache behind the tokens so far does not matter") {
  Decoder decoder;
  decoder.dims = kGrouped;
  test::Weights w(3);
  decoder.visit(w);
  Run<float> run(kGrouped);
  DecoderBuffers<float> b;
  KvCache<float> cache;
  const auto memory = test::slab([&](Arena& a) {
    b.carve(a, decoder.dims, 75);
    b.carve_logits(a, decoder.dims, 1);
    cache.carve(a, decoder.dims.heads, decoder.dims.layers, 75, KvFormat::full);
  });
  Immediate<float> on(active_kernels<float>());
  std::vector<SequenceRow> places(50);
  const auto at = [&](Index start, std::size_t rows) { return cache.place_rows(start, std::span(places).first(rows)); };
  decoder.forward(on, run.inputs.data(), {10, at(0, 10), 9, 1}, cache.layout(), b);
  const auto clean = test::elements<float>(b.logits);
  decoder.forward(on, run.inputs.data() + 20, {50, at(10, 50), 0, 0}, cache.layout(), b);  // another continuation
  decoder.forward(on, run.inputs.data() + 9, {1, at(9, 1), 0, 1}, cache.layout(), b);      // and back
  CHECK(std::memcmp(clean.data(), b.logits.data, clean.size() * sizeof(float)) == 0);
}

TEST_CASE("one recorded pass serves a prompt and every token after it") {
  Decoder decoder;
  decoder.dims = kMultiHead;
  test::Weights w(3, Format::bf16);
  decoder.visit(w);
  Run<float> run(kMultiHead);
  run.go(decoder, active_kernels<float>(), Run<float>::kTokens);
  DecoderBuffers<float> b;
  KvCache<float> cache;
  DecoderState s;
  std::vector<TokenInput<float>> inputs(64);
  Program<float> program;
  float* scratch = nullptr;
  const auto memory = test::slab([&](Arena& a) {
    b.carve(a, decoder.dims, 64);
    b.carve_logits(a, decoder.dims, 64);
    cache.carve(a, decoder.dims.heads, decoder.dims.layers, 75, KvFormat::full);
    program = {};
    Recorder<float> on(program, a);
    decoder.forward(on, inputs.data(), s, cache.layout(), b);
    scratch = a.array<float>("scratch", round_up(program.scratch(), 16));
  });
  std::vector<float> logits;
  InlineExecutor here;
  const Kernels<float>& kernels = active_kernels<float>();
  std::vector<SequenceRow> places(64);
  Index start = 0;
  for (const Index rows : {64, 1, 1, 5, 1, 2, 1}) {
    std::copy_n(run.inputs.begin() + start, rows, inputs.begin());
    s.places = cache.place_rows(start, std::span(places).first(static_cast<std::size_t>(rows)));
    s.rows = s.logits_rows = rows;
    CHECK(program.cost() > 0);
    ProgramCursor<float> cursor(program);
    Runner<float>::run({&kernels, &here, scratch, round_up(program.scratch(), 16), 1, nullptr}, cursor, {});
    CHECK(cursor.done());
    for (Index r = 0; r < rows; ++r) logits.insert(logits.end(), b.logits.row(r), b.logits.row(r) + 50);
    start += rows;
  }
  CHECK(start == 75);
  CHECK(std::memcmp(logits.data(), run.logits.data(), logits.size() * sizeof(float)) == 0);
}
