// ModelConfig: every size of a model, read from config.json of either published layout, checked, in our names.
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
  SamDims sam;          ///< the transformer
  DownsampleDims down;  ///< neck and convolutions behind it
  constexpr bool operator==(const HighDims&) const noexcept = default;
};

/// Tokens of context that the released models were trained with; their files allow more positions.
inline constexpr Index kTrainedContext = 4096;

/// A model without its weights: what plan() needs, and what a network is built from.
struct ModelConfig {
  Layout layout = Layout::hf;               ///< how the model was published, which decides the names of tensors
  SiglipDims siglip;                        ///< the low-resolution tower, which every model has
  std::optional<HighDims> high;             ///< the high-resolution tower, which hybrid models have
  AlignerDims aligner;                      ///< from the towers' width to the decoder's
  DecoderDims decoder;                      ///< the language model
  PreprocessConfig preprocess;              ///< how pictures become the towers' input
  Index max_positions = 16384;              ///< what the file says; the models were trained with 4096
  std::optional<std::int32_t> image_token;  ///< the original layout does not write it, so the tokenizer is asked
  bool may_tie = false;                     ///< a missing head is the embedding table; otherwise it is an error

  /// Rows that a picture takes in the prompt.
  [[nodiscard]] Index image_tokens() const noexcept { return siglip.tokens(); }
  bool operator==(const ModelConfig&) const noexcept = default;
};

DSVL_END_NAMESPACE

#endif  // DSVL_MODEL_CONFIG_HPP
