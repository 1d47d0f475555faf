// The small synthetic models and what PyTorch computes with them.
#ifndef DSVL_TESTS_MODEL_GOLDEN_HPP
#define DSVL_TESTS_MODEL_GOLDEN_HPP

#include <dsvl/model/config_json.hpp>
#include <dsvl/model/load.hpp>
#include <dsvl/convert/synthetic/synthetic.hpp>

#include "../language/decoder_memory.hpp"
#include "../oracle.hpp"

namespace test {

using dsvl::synthetic::unit;

/// Stops the test when a result is an error, and says which.
template <class T>
T must(dsvl::Result<T> result) {
  if (!result) FAIL(std::string(result.error().text()));
  return std::move(*result);
}

/// One small model with its reference results. The original-layout twins share the results of the HF ones.
struct Golden {
  dsvl::ModelConfig config;
  dsvl::LoadedNetwork model;
  dsvl::Checkpoint expected;

  static Golden load(const std::string& name) { return load(name, dsvl::Folder::directory(data(name))); }
  /// The same model with its weights from somewhere else.
  static Golden load(const std::string& name, const dsvl::Folder& weights) {
    const auto text = read_file(data(name + "/config.json"));
    const auto json = must(dsvl::json::Document::parse(text, name));
    auto config = must(dsvl::read_config(json.root(), name));
    dsvl::LoadReport report;
    auto model = must(dsvl::load_network(must(dsvl::Checkpoint::open(weights)), config, nullptr, report));
    const std::string results = name.substr(0, name.find("-original"));
    return {config, std::move(model),
            must(dsvl::Checkpoint::open_file(dsvl::Folder::directory(data(results)), "golden.safetensors"))};
  }

  [[nodiscard]] std::vector<float> floats(const std::string& name) const {
    const dsvl::TensorInfo* const t = expected.find(name);
    REQUIRE_MESSAGE(t, name);
    REQUIRE(t->dtype == "F32");
    std::vector<float> out(t->bytes / 4);
    std::memcpy(out.data(), t->data, t->bytes);
    return out;
  }
  [[nodiscard]] std::vector<std::int32_t> ints(const std::string& name) const {
    const dsvl::TensorInfo* const t = expected.find(name);
    REQUIRE_MESSAGE(t, name);
    std::vector<std::int32_t> out(t->bytes / 4);
    std::memcpy(out.data(), t->data, t->bytes);
    return out;
  }
};

/// The golden activation of picture `i` out of two, transposed to channels-last when PyTorch keeps it channels-first.
inline std::vector<double> picture(const std::vector<float>& both, dsvl::Index i, dsvl::Index channels = 0) {
  const std::size_t n = both.size() / 2;
  const float* const from = both.data() + static_cast<std::size_t>(i) * n;
  std::vector<double> out(n);
  const std::size_t c = channels ? static_cast<std::size_t>(channels) : 1, pixels = n / c;
  for (std::size_t p = 0; p < pixels; ++p)
    for (std::size_t k = 0; k < c; ++k) out[p * c + k] = static_cast<double>(from[channels ? k * pixels + p : p * c + k]);
  return out;
}

/// Writes the pixels of a golden's picture (0 or 1) into the towers' inputs.
template <class T>
void fill_pixels(const Golden& g, Index picture, dsvl::DeepseekVl::VisionBuffers<T>& b) {
  const auto pixels = g.floats("pixel_values");
  for (Index k = 0; k < b.low.size(); ++k)
    b.low.data[k] = static_cast<T>(pixels[static_cast<std::size_t>(picture * b.low.size() + k)]);
  for (Index k = 0; k < b.high.size(); ++k)
    b.high.data[k] = static_cast<T>(unit("high_res_pixels", static_cast<std::uint64_t>(picture * b.high.size() + k)));
}
/// The tokens of a golden's prompt, with the rows of both pictures in their places.
template <class T>
std::vector<dsvl::TokenInput<T>> prompt_inputs(const Golden& g, View<T> pictures) {
  std::vector<dsvl::TokenInput<T>> inputs;
  Index next_row = 0;
  for (const auto id : g.ints("input_ids")) inputs.push_back({id, id == 302 ? pictures.row(next_row++) : nullptr});
  REQUIRE(next_row == pictures.rows);
  return inputs;
}

/// What one run gives: both pictures' rows for the decoder, then the logits of the prompt.
template <class T>
std::vector<T> outputs(const Golden& g, const dsvl::Kernels<T>& kernels) {
  using dsvl::Index;
  const dsvl::DeepseekVl& net = g.model.net;
  const Index tokens = net.siglip.dims.tokens(), hidden = net.decoder.dims.hidden;
  const Index prompt = static_cast<Index>(g.ints("input_ids").size());
  typename dsvl::DeepseekVl::VisionBuffers<T> b;
  DecoderMemory<T> decoding(net.decoder.dims, prompt, prompt, dsvl::KvFormat::full);
  dsvl::DecoderBuffers<T>& d = decoding.buffers;
  dsvl::KvCache<T>& cache = decoding.cache;
  View<T> pictures;
  const auto memory = slab([&](dsvl::Arena& a) {
    pictures = a.view<T>("pictures", 2 * tokens, hidden);
    b.carve_table(a, net);
    b.carve(a, net);
  });
  dsvl::Immediate<T> on(kernels);
  for (Index i = 0; i < 2; ++i) {
    fill_pixels(g, i, b);
    net.encode(on, b, pictures.row_range(i * tokens, tokens));
  }
  const auto inputs = prompt_inputs(g, pictures);
  std::vector<dsvl::SequenceRow> places(static_cast<std::size_t>(prompt));
  const dsvl::DecoderState state{prompt, cache.place_rows(0, places), 0, prompt};
  net.decoder.forward(on, inputs.data(), state, cache.layout(), d);
  REQUIRE(on.status().ok());
  auto out = elements(pictures);
  const auto logits = elements(d.logits);
  out.insert(out.end(), logits.begin(), logits.end());
  return out;
}

}  // namespace test

#endif  // DSVL_TESTS_MODEL_GOLDEN_HPP
