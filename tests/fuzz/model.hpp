// The model that targets play with: tests/data/older/model.gguf, the smallest there is, with the shipped tokenizer.
#ifndef DSVL_TESTS_FUZZ_MODEL_HPP
#define DSVL_TESTS_FUZZ_MODEL_HPP

#include <dsvl/dsvl.hpp>

#include "target.hpp"

namespace fuzz {

/// On the calling thread, so that every run of an input is the same.
inline dsvl::InlineExecutor& executor() {
  static dsvl::InlineExecutor one;
  return one;
}

inline const std::string& model_file() {
  static const std::string bytes = file("tests/data/older/model.gguf");
  return bytes;
}

inline const dsvl::Model& model() {
  static const dsvl::Model loaded = [] {
    dsvl::LoadOptions options;
    options.host.executor = &executor();
    auto model = dsvl::Model::load(bytes_of(model_file()), options);
    FUZZ_CHECK(model);
    return std::move(*model);
  }();
  return loaded;
}

/// A few small pictures, different ones.
inline dsvl::Pixels pixels(std::size_t which) {
  static const std::vector<std::uint8_t> noise = [] {
    std::vector<std::uint8_t> bytes(4 * 24 * 24 * 3);
    std::uint32_t x = 1;
    for (std::uint8_t& byte : bytes) x = x * 1664525u + 1013904223u, byte = static_cast<std::uint8_t>(x >> 24);
    return bytes;
  }();
  const dsvl::Index width = 9 + static_cast<dsvl::Index>(which % 4) * 5, height = 21 - static_cast<dsvl::Index>(which % 4) * 4;
  return {noise.data() + which % 4 * (24 * 24 * 3), width, height, dsvl::PixelFormat::rgb, 0};
}

}  // namespace fuzz

#endif  // DSVL_TESTS_FUZZ_MODEL_HPP
