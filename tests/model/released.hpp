// Reading the configuration files of the released models, and changed ones.
#ifndef DSVL_TESTS_MODEL_RELEASED_HPP
#define DSVL_TESTS_MODEL_RELEASED_HPP

#include <dsvl/model/config_json.hpp>
#include <dsvl/model/released.hpp>
#include <string>

#include "../oracle.hpp"

namespace test {

/// The sizes of the released decoders, as they are published.
inline constexpr dsvl::DecoderDims kDecoder1_3B{2048, 5632, 24, {16, 16, 128}, 102400};
inline constexpr dsvl::DecoderDims kDecoder7B{4096, 11008, 30, {32, 32, 128}, 102400};

inline dsvl::Result<dsvl::ModelConfig> read_config(std::string_view text) {
  const auto json = dsvl::json::Document::parse(text, "config.json");
  if (!json) return json.error();
  return dsvl::read_config(json->root(), "config.json");
}
inline dsvl::ModelConfig released(std::string_view text) {
  const auto config = read_config(text);
  if (!config) FAIL(std::string(config.error().text()));
  return *config;
}

/// `original` with the first `from` replaced; `from` must be there.
inline std::string with(std::string_view original, const std::string& from, const std::string& to) {
  std::string text(original);
  const std::size_t at = text.find(from);
  REQUIRE_MESSAGE(at != std::string::npos, from);
  return text.replace(at, from.size(), to);
}

}  // namespace test

#endif  // DSVL_TESTS_MODEL_RELEASED_HPP
