// Every stored activation of the small models, against PyTorch: with the vector kernels, and with the scalar reference in
// float and double.
//
// PyTorch's own results are float32 (vision) and float64 (decoder): a float64 run of ours sits at about 5e-7, the rest of the
// tolerance is float rounding in another order. A LayerNorm eps of 1e-5 instead of 1e-6 would cost 1.9e-5, tanh GELU 3e-4.
#include "golden.hpp"
#include "rewrite.hpp"

using namespace dsvl;
using test::Golden;

namespace {

constexpr double kTolerance = 5e-6;

template <class T>
void compare(const char* what, View<const T> got, const std::vector<double>& want) {
  std::vector<T> rows;
  for (Index r = 0; r < got.rows; ++r) rows.insert(rows.end(), got.row(r), got.row(r) + got.cols);
  const double error = test::relative_error(std::span<const T>(rows), std::span<const double>(want));
  INFO(what << ": " << error);
  CHECK(error < kTolerance);
  if (std::getenv("DSVL_TEST_VERBOSE")) std::printf("    %-60s %.2e\n", what, error);
}

/// Runs both pictures and the prompt through the network, block by block, and compares on the way.
template <class T>
void check_everything(const Golden& g, const Kernels<T>& kernels, KvFormat kv = KvFormat::full) {
  INFO(kernels.name);
  const DeepseekVl& net = g.model.net;
  const bool hybrid = net.high.has_value();
  Immediate<T> on(kernels);

  const Index tokens = net.siglip.dims.tokens(), hidden = net.decoder.dims.hidden;
  typename DeepseekVl::VisionBuffers<T> b;
  View<T> pictures, features;
  const auto vision_memory = test::slab([&](Arena& a) {
    pictures = a.view<T>("pictures", 2 * tokens, hidden);
    features = a.view<T>("features", tokens, net.siglip.dims.hidden);
    b.carve_table(a, net);
    b.carve(a, net);
  });
  const auto pixels = g.floats("pixel_values");
  for (Index i = 0; i < 2; ++i) {
    const auto golden = [&](const std::string& what, Index channels = 0) {
      return test::picture(g.floats("act.model." + what), i, channels);
    };
    for (Index k = 0; k < b.low.size(); ++k) b.low.data[k] = static_cast<T>(pixels[static_cast<std::size_t>(i * b.low.size() + k)]);
    for (Index k = 0; k < b.high.size(); ++k)
      b.high.data[k] = static_cast<T>(test::unit("high_res_pixels", static_cast<std::uint64_t>(i * b.high.size() + k)));

    // SigLIP, step by step as Siglip::forward does it.
    const Siglip& siglip = net.siglip;
    unfold_patches(on, b.low, siglip.dims.input.patch, b.siglip.patches);
    linear(on, b.siglip.patches, siglip.embed.projection, features);
    compare<T>("siglip patches", features, golden("vision_model.embeddings.patch_embedding", siglip.dims.hidden));
    add_positions(on, siglip.embed.position, features);
    compare<T>("siglip embeddings", features, golden("vision_model.embeddings"));
    for (std::size_t l = 0; l < siglip.blocks.size(); ++l) {
      siglip.blocks[l].forward(on, siglip.dims, b.siglip.block, features);
      compare<T>("siglip block", features, golden("vision_model.encoder.layers." + std::to_string(l)));
    }
    layer_norm(on, features, siglip.norm, features);
    compare<T>("siglip", features, golden("vision_model.post_layernorm"));

    if (hybrid) {
      const HighResTower& high = *net.high;
      unfold_patches(on, b.high, high.sam.dims.input.patch, b.sam.sam.patches);
      linear(on, b.sam.sam.patches, high.sam.embed.projection, b.sam.x);
      compare<T>("sam patches", b.sam.x, golden("high_res_vision_model.vision_encoder.patch_embed"));
      high.sam.forward(on, b.high, b.sam.sam, b.sam.x, [&](Index layer) {
        compare<T>("sam block", b.sam.x, golden("high_res_vision_model.vision_encoder.layers." + std::to_string(layer)));
        if (layer != high.sam.dims.tap) return;
        high.downsample(on, high.side_neck, b.sam, b.sam.side);
        compare<T>("side neck", b.sam.map, golden("high_res_vision_neck", high.dims.neck));
        compare<T>("side branch", b.sam.side, golden("high_res_vision_proj", high.dims.out));
      });
      high.downsample(on, high.neck, b.sam, b.high_features);
      compare<T>("neck", b.sam.map, golden("high_res_vision_model.vision_encoder.neck", high.dims.neck));
    }

    // The same through the front door: it must give what the steps gave, and then the aligner.
    const View<T> embedding = pictures.row_range(i * tokens, tokens);
    net.encode(on, b, embedding);
    compare<T>("siglip again", b.low_features, golden("vision_model.post_layernorm"));
    compare<T>("aligner", embedding, golden("aligner"));
    if (hybrid) {
      linear(on, b.high_features, net.aligner.high, b.aligner.inner.col_range(0, hidden / 2));
      compare<T>("aligner, high branch", b.aligner.inner.col_range(0, hidden / 2), golden("aligner.high_res_vision_proj"));
    }
  }
  CHECK(on.status().ok());

  // The decoder: the whole prompt in one run, then greedily.
  const auto ids = g.ints("input_ids"), greedy = g.ints("greedy");
  const Index prompt = static_cast<Index>(ids.size()), total = prompt + static_cast<Index>(greedy.size());
  DecoderBuffers<T> d;
  KvCache<T> cache;
  const auto decoder_memory = test::slab([&](Arena& a) {
    d.carve(a, net.decoder.dims, prompt);
    d.carve_logits(a, net.decoder.dims, prompt);
    cache.carve(a, net.decoder.dims.heads, net.decoder.dims.layers, total, kv);
  });
  std::vector<SequenceRow> places(static_cast<std::size_t>(prompt));
  DecoderState state{prompt, cache.place_rows(0, places), 0, prompt};
  std::vector<TokenInput<T>> inputs;
  Index next_row = 0;
  for (const auto id : ids) inputs.push_back({id, id == 302 ? pictures.row(next_row++) : nullptr});
  REQUIRE(next_row == 2 * tokens);

  const auto golden = [&](const std::string& what) {
    const auto floats = g.floats(what);
    return std::vector<double>(floats.begin(), floats.end());
  };
  on.rows({&state.rows});
  embed(on, inputs.data(), net.decoder.embedding, d.x);
  rope_angles(on, &state.places, net.decoder.dims.rope_theta, d.angles);
  for (std::size_t l = 0; l < net.decoder.blocks.size(); ++l) {
    net.decoder.blocks[l].forward(on, net.decoder.dims, &state.places, cache.layer(static_cast<Index>(l)), d, d.x);
    compare<T>("decoder block", d.x, golden("act.model.language_model.layers." + std::to_string(l)));
  }
  on.rows({});
  net.decoder.forward(on, inputs.data(), state, cache.layout(), d);
  compare<T>("logits", d.logits, golden("logits"));

  Index row = prompt - 1, start = prompt;
  for (const std::int32_t expected : greedy) {
    const T* const logits = d.logits.row(row);
    const auto best = static_cast<std::int32_t>(std::max_element(logits, logits + d.logits.cols) - logits);
    CHECK(best == expected);
    inputs[0] = {expected, nullptr};
    state = {1, cache.place_rows(start++, std::span(places).first(1)), 0, 1};
    net.decoder.forward(on, inputs.data(), state, cache.layout(), d);
    row = 0;
  }
  CHECK(on.status().ok());
}

const char* const kModels[] = {"tiny-lowres", "tiny-hybrid", "tiny-lowres-original", "tiny-hybrid-original"};

template <class T>
void check_models(const Kernels<T>& kernels) {
  for (const char* name : kModels) {
    INFO(name);
    check_everything<T>(Golden::load(name), kernels);
  }
}

}  // namespace

TEST_CASE("every activation of the small models equals PyTorch's: vector kernels") { check_models(active_kernels<float>()); }
TEST_CASE("every activation of the small models equals PyTorch's: scalar reference in float") {
  check_models(reference_kernels<float>());
}
TEST_CASE("every activation of the small models equals PyTorch's: scalar reference in double") {
  check_models(reference_kernels<double>());
}

TEST_CASE("weights rewritten as f32 give the same activations, and lie at odd addresses without harm") {
  for (const char* name : {"tiny-hybrid", "tiny-hybrid-original"}) {
    INFO(name);
    const test::Rewritten file(test::retyped(test::read_tensors(name), Format::f32));
    check_everything<float>(Golden::load(name, file.folder()), active_kernels<float>());
  }
}

TEST_CASE("with weights rewritten as f16 the vector kernels equal the scalar reference in double on the same weights") {
  for (const char* name : {"tiny-lowres", "tiny-hybrid"}) {
    INFO(name);
    const test::Rewritten file(test::retyped(test::read_tensors(name), Format::f16));
    const Golden g = Golden::load(name, file.folder());
    const auto got = test::outputs<float>(g, active_kernels<float>());
    const auto want = test::outputs<double>(g, reference_kernels<double>());
    const double error = test::relative_error(std::span<const float>(got), std::span<const double>(want));
    INFO(error);
    CHECK(error < kTolerance);
    if (std::getenv("DSVL_TEST_VERBOSE")) std::printf("    %-60s %.2e\n", "f16 weights", error);
  }
}

TEST_CASE("the two layouts of a model give the same bits, whether q, k and v are one tensor or three") {
  for (const std::string name : {"tiny-lowres", "tiny-hybrid"}) {
    INFO(name);
    const auto hf = test::outputs<float>(Golden::load(name), active_kernels<float>());
    const auto original = test::outputs<float>(Golden::load(name + "-original"), active_kernels<float>());
    REQUIRE(hf.size() == original.size());
    CHECK(std::memcmp(hf.data(), original.data(), hf.size() * sizeof(float)) == 0);
  }
}

TEST_CASE("bf16 weights rewritten as f32 give the same bits: formats are read exactly") {
  const test::Rewritten file(test::retyped(test::read_tensors("tiny-hybrid"), Format::f32));
  const auto wide = test::outputs<float>(Golden::load("tiny-hybrid", file.folder()), active_kernels<float>());
  const auto narrow = test::outputs<float>(Golden::load("tiny-hybrid"), active_kernels<float>());
  CHECK(std::memcmp(wide.data(), narrow.data(), narrow.size() * sizeof(float)) == 0);
}
