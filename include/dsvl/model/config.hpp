// ModelConfig: every size of a model, read from config.json of either published layout, checked, in our words.
//
// Explicit keys win over the presets that a name stands for (`siglip_large_patch16_384`, `sam_b_downsample`), and over
// stock defaults where a key is absent. Unknown keys are ignored. config_json.hpp does the reading.
#ifndef DSVL_MODEL_CONFIG_HPP
#define DSVL_MODEL_CONFIG_HPP

#include <cstdint>
#include <optional>

#include "../language/decoder.hpp"
#include "../vision/high_res_tower.hpp"
#include "../vision/pre_config.hpp"
#include "../vision/siglip.hpp"
#include "aligner.hpp"
#include "names.hpp"

DSVL_BEGIN_NAMESPACE

/// Sizes of the high-resolution tower.
struct HighDims {
  SamDims sam;
  DownsampleDims down;
  constexpr bool operator==(const HighDims&) const noexcept = default;
};

struct ModelConfig {
  Layout layout = Layout::hf;
  SiglipDims siglip;
  std::optional<HighDims> high;  ///< the hybrid models have it
  AlignerDims aligner;
  DecoderDims decoder;
  PreprocessConfig preprocess;
  Index max_positions = 16384;               ///< what the file says; the models were trained with 4096
  std::optional<std::int32_t> image_token;   ///< the original layout has no place for it: then from the tokenizer
  bool may_tie = false;                      ///< if the head is missing, it is the embedding table

  /// Rows a picture takes in the prompt.
  [[nodiscard]] Index image_tokens() const noexcept { return siglip.tokens(); }
  bool operator==(const ModelConfig&) const noexcept = default;
};

DSVL_END_NAMESPACE

#endif  // DSVL_MODEL_CONFIG_HPP
