// The small synthetic models and what PyTorch computes with them.
#ifndef DSVL_TESTS_MODEL_GOLDEN_HPP
#define DSVL_TESTS_MODEL_GOLDEN_HPP

#include <doctest/doctest.h>

#include <cstring>
#include <dsvl/model/config_json.hpp>
#include <dsvl/model/load.hpp>
#include <dsvl/run/runner.hpp>

#include "../support.hpp"

namespace test {

/// Element i of the synthetic tensor `name`, in [-1, 1).
inline float unit(std::string_view name, std::uint64_t i) {
  std::uint64_t hash = 0xCBF29CE484222325ull;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3ull;
  std::uint64_t z = hash + (i + 1) * 0x9E3779B97F4A7C15ull;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
  return static_cast<float>((z ^ (z >> 31)) >> 40) / 8388608.0f - 1.0f;
}

/// Stops the test when a result is an error, and says which.
template <class T>
T must(dsvl::Result<T> result) {
  if (!result) FAIL(result.error().text());
  return std::move(*result);
}

/// One small model with its reference results. The original-layout twins share the results of the HF ones.
struct Golden {
  dsvl::ModelConfig config;
  dsvl::LoadedNetwork model;
  dsvl::Checkpoint expected;

  static Golden load(const std::string& name) {
    const auto folder = dsvl::Folder::directory(data(name));
    const auto text = read_file(data(name + "/config.json"));
    const auto json = must(dsvl::json::Document::parse(text, name));
    auto config = must(dsvl::read_config(json.root(), name));
    dsvl::LoadReport report;
    auto model = must(dsvl::load_network(must(dsvl::Checkpoint::open(folder)), config, nullptr, report));
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

/// Memory for whatever carves itself from an arena.
template <class Carve>
dsvl::Buffer<std::byte> slab(Carve&& carve) {
  dsvl::Arena measure;
  carve(measure);
  dsvl::Buffer<std::byte> memory;
  REQUIRE(memory.resize(measure.peak()));
  dsvl::Arena arena(memory.span());
  carve(arena);
  return memory;
}

}  // namespace test

#endif  // DSVL_TESTS_MODEL_GOLDEN_HPP
