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

/// Runs both pictures and the prompt of a golden through the network, block by block, and compares on the way.
template <class T>
class Parity {
 public:
  Parity(const Golden& g, const Kernels<T>& kernels) : golden_(g), on_(kernels) {
    vision_memory_ = test::slab([&](Arena& a) {
      pictures_ = a.view<T>("pictures", 2 * tokens_, net_.decoder.dims.hidden);
      features_ = a.view<T>("features", tokens_, net_.siglip.dims.hidden);
      vision_.carve_table(a, net_);
      vision_.carve(a, net_);
    });
  }
  void check(KvFormat kv) {
    for (picture_ = 0; picture_ < 2; ++picture_) {
      test::fill_pixels(golden_, picture_, vision_);
      check_siglip();
      if (net_.high) check_sam(*net_.high);
      check_encode();
    }
    CHECK(on_.status().ok());
    check_decoder(kv);
    CHECK(on_.status().ok());
  }

 private:
  /// What the reference made of the picture at hand.
  std::vector<double> of_picture(const std::string& what, Index channels = 0) const {
    return test::picture(golden_.floats("act.model." + what), picture_, channels);
  }
  std::vector<double> of_prompt(const std::string& what) const {
    const auto floats = golden_.floats(what);
    return {floats.begin(), floats.end()};
  }

  /// Step by step as Siglip::forward does it.
  void check_siglip() {
    const Siglip& siglip = net_.siglip;
    auto& b = vision_.siglip;
    unfold_patches(on_, vision_.low, siglip.dims.input.patch, b.patches);
    linear(on_, b.patches, siglip.embed.projection, features_);
    compare<T>("siglip patches", features_,
               of_picture("vision_model.embeddings.patch_embedding", siglip.dims.hidden));
    add_positions(on_, siglip.embed.position, features_);
    compare<T>("siglip embeddings", features_, of_picture("vision_model.embeddings"));
    for (std::size_t l = 0; l < siglip.blocks.size(); ++l) {
      siglip.blocks[l].forward(on_, siglip.dims, b.block, features_);
      compare<T>("siglip block", features_, of_picture("vision_model.encoder.layers." + std::to_string(l)));
    }
    layer_norm(on_, features_, siglip.norm, features_);
    compare<T>("siglip", features_, of_picture("vision_model.post_layernorm"));
  }

  /// The tower of the high view, with the branch that leaves it half-way.
  void check_sam(const HighResTower& high) {
    auto& b = vision_.sam;
    unfold_patches(on_, vision_.high, high.sam.dims.input.patch, b.sam.patches);
    linear(on_, b.sam.patches, high.sam.embed.projection, b.x);
    compare<T>("sam patches", b.x, of_picture("high_res_vision_model.vision_encoder.patch_embed"));
    high.sam.forward(on_, vision_.high, b.sam, b.x, [&](Index layer) {
      const auto name = "high_res_vision_model.vision_encoder.layers." + std::to_string(layer);
      compare<T>("sam block", b.x, of_picture(name));
      if (layer != high.sam.dims.tap) return;
      high.downsample(on_, high.side_neck, b, b.side);
      compare<T>("side neck", b.map, of_picture("high_res_vision_neck", high.dims.neck));
      compare<T>("side branch", b.side, of_picture("high_res_vision_proj", high.dims.out));
    });
    high.downsample(on_, high.neck, b, vision_.high_features);
    compare<T>("neck", b.map, of_picture("high_res_vision_model.vision_encoder.neck", high.dims.neck));
  }

  /// The same through the front door: it must give what the steps gave, and then the aligner.
  void check_encode() {
    const View<T> embedding = pictures_.row_range(picture_ * tokens_, tokens_);
    net_.encode(on_, vision_, embedding);
    compare<T>("siglip again", vision_.low_features, of_picture("vision_model.post_layernorm"));
    compare<T>("aligner", embedding, of_picture("aligner"));
    if (!net_.high) return;
    const View<T> branch = vision_.aligner.inner.col_range(0, net_.decoder.dims.hidden / 2);
    linear(on_, vision_.high_features, net_.aligner.high, branch);
    compare<T>("aligner, high branch", branch, of_picture("aligner.high_res_vision_proj"));
  }

  /// The whole prompt in one run, first block by block, and then an answer, token by token.
  void check_decoder(KvFormat kv) {
    const Decoder& decoder = net_.decoder;
    const auto greedy = golden_.ints("greedy");
    const Index prompt = static_cast<Index>(golden_.ints("input_ids").size());
    test::DecoderMemory<T> memory(decoder.dims, prompt, prompt + static_cast<Index>(greedy.size()), kv);
    DecoderBuffers<T>& d = memory.buffers;
    KvCache<T>& cache = memory.cache;
    std::vector<SequenceRow> places(static_cast<std::size_t>(prompt));
    DecoderState state{prompt, cache.place_rows(0, places), 0, prompt};
    auto inputs = test::prompt_inputs(golden_, pictures_);

    on_.rows({&state.rows});
    embed(on_, inputs.data(), decoder.embedding, d.x);
    rope_angles(on_, &state.places, decoder.dims.rope_theta, d.angles);
    for (std::size_t l = 0; l < decoder.blocks.size(); ++l) {
      decoder.blocks[l].forward(on_, decoder.dims, static_cast<Index>(l), &state.places, cache.layer(static_cast<Index>(l)), d, d.x);
      compare<T>("decoder block", d.x, of_prompt("act.model.language_model.layers." + std::to_string(l)));
    }
    on_.rows({});
    decoder.forward(on_, inputs.data(), state, cache.layout(), d);
    compare<T>("logits", d.logits, of_prompt("logits"));

    Index row = prompt - 1, start = prompt;
    for (const std::int32_t expected : greedy) {
      const T* const logits = d.logits.row(row);
      CHECK(static_cast<std::int32_t>(std::max_element(logits, logits + d.logits.cols) - logits) == expected);
      inputs[0] = {expected, nullptr};
      state = {1, cache.place_rows(start++, std::span(places).first(1)), 0, 1};
      decoder.forward(on_, inputs.data(), state, cache.layout(), d);
      row = 0;
    }
  }

  const Golden& golden_;
  const DeepseekVl& net_ = golden_.model.net;
  const Index tokens_ = net_.siglip.dims.tokens();
  Immediate<T> on_;
  typename DeepseekVl::VisionBuffers<T> vision_;
  View<T> pictures_, features_;
  Buffer<std::byte> vision_memory_;
  Index picture_ = 0;  // the one at hand
};

template <class T>
void check_everything(const Golden& g, const Kernels<T>& kernels, KvFormat kv = KvFormat::full) {
  INFO(kernels.name);
  Parity<T>(g, kernels).check(kv);
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
