// The configuration files of the released models, rebuilt from the tables of the specification (sections 2.1 and 2.2).
#ifndef DSVL_TESTS_MODEL_RELEASED_HPP
#define DSVL_TESTS_MODEL_RELEASED_HPP

#include <dsvl/model/config_json.hpp>
#include <string>

#include "../oracle.hpp"

namespace test {

// deepseek-ai/deepseek-vl-1.3b-*: sizes that are LLaMA's own stay away.
inline constexpr const char* kOriginal1_3B = R"({
  "aligner_config": {"cls": "MlpProjector", "model_type": "aligner",
                     "params": {"depth": 2, "input_dim": 1024, "n_embed": 2048, "projector_type": "mlp_gelu"}},
  "architectures": ["MultiModalityCausalLM"],
  "language_config": {"hidden_size": 2048, "intermediate_size": 5632, "max_position_embeddings": 16384, "model_type": "llama",
                      "num_attention_heads": 16, "num_hidden_layers": 24, "torch_dtype": "float16", "vocab_size": 102400},
  "model_type": "multi_modality", "torch_dtype": "float16", "transformers_version": "4.38.2",
  "vision_config": {"cls": "CLIPVisionTower", "model_type": "vision",
                    "params": {"image_size": 384, "model_name": "siglip_large_patch16_384", "select_feature": "same", "select_layer": -1,
                               "pixel_mean": [0.5, 0.5, 0.5], "pixel_std": [0.5, 0.5, 0.5]}}
})";
// deepseek-ai/deepseek-vl-7b-*.
inline constexpr const char* kOriginal7B = R"({
  "aligner_config": {"cls": "MlpProjector", "model_type": "aligner",
                     "params": {"depth": 2, "input_dim": 1024, "n_embed": 4096, "projector_type": "low_high_hybrid_split_mlp_gelu"}},
  "architectures": ["MultiModalityCausalLM"],
  "language_config": {"max_position_embeddings": 16384, "model_type": "llama", "num_hidden_layers": 30, "torch_dtype": "float16",
                      "vocab_size": 102400},
  "model_type": "multi_modality", "torch_dtype": "float16", "transformers_version": "4.38.2",
  "vision_config": {"cls": "HybridVisionTower", "model_type": "vision", "params": {
      "concat_type": "tuple", "freeze_high": true, "freeze_low": true,
      "high_res_cfg": {"ckpt_path": "", "image_size": 1024, "model_name": "sam_b_downsample", "output_dim": 1024,
                       "pixel_mean": [0.48145466, 0.4578275, 0.40821073], "pixel_std": [0.26862954, 0.26130258, 0.27577711],
                       "select_feature": "same", "select_layer": -1},
      "low_res_cfg": {"ckpt_path": "", "image_size": 384, "model_name": "siglip_large_patch16_384", "output_dim": 1024,
                      "pixel_mean": [0.5, 0.5, 0.5], "pixel_std": [0.5, 0.5, 0.5], "select_feature": "same", "select_layer": -1}}}
})";
// deepseek-community/deepseek-vl-1.3b-*, as transformers 4 wrote them.
inline constexpr const char* kHf1_3B = R"({
  "architectures": ["DeepseekVLForConditionalGeneration"], "image_token_id": 100015, "model_type": "deepseek_vl",
  "text_config": {"hidden_size": 2048, "intermediate_size": 5632, "max_position_embeddings": 16384, "model_type": "llama",
                  "num_attention_heads": 16, "num_hidden_layers": 24, "vocab_size": 102400, "bos_token_id": 1, "eos_token_id": 2,
                  "rope_theta": 10000.0, "rope_scaling": null, "torch_dtype": "bfloat16"},
  "torch_dtype": "bfloat16",
  "vision_config": {"hidden_act": "gelu", "hidden_size": 1024, "image_size": 384, "intermediate_size": 4096,
                    "model_type": "siglip_vision_model", "num_attention_heads": 16, "num_hidden_layers": 24, "patch_size": 16,
                    "vision_use_head": false}
})";
// deepseek-community/deepseek-vl-7b-*, as transformers 5 writes them.
inline constexpr const char* kHf7B = R"({
  "architectures": ["DeepseekVLHybridForConditionalGeneration"], "dtype": "bfloat16",
  "high_res_vision_config": {"hidden_size": 768, "image_size": 1024, "intermediate_size": 3072, "model_type": "sam_vision_model",
                             "num_attention_heads": 12, "num_hidden_layers": 12, "patch_size": 16},
  "image_token_id": 100015, "model_type": "deepseek_vl_hybrid",
  "text_config": {"dtype": "bfloat16", "head_dim": 128, "hidden_size": 4096, "intermediate_size": 11008,
                  "max_position_embeddings": 16384, "model_type": "llama", "num_attention_heads": 32, "num_hidden_layers": 30,
                  "rope_parameters": {"rope_theta": 10000.0, "rope_type": "default"}, "vocab_size": 102400},
  "vision_config": {"hidden_act": "gelu", "hidden_size": 1024, "image_size": 384, "intermediate_size": 4096,
                    "model_type": "siglip_vision_model", "num_attention_heads": 16, "num_hidden_layers": 24, "patch_size": 16,
                    "vision_use_head": false}
})";

inline dsvl::Result<dsvl::ModelConfig> read_config(const std::string& text) {
  const auto json = dsvl::json::Document::parse(text, "config.json");
  if (!json) return json.error();
  return dsvl::read_config(json->root(), "config.json");
}
inline dsvl::ModelConfig released(const char* text) {
  const auto config = read_config(text);
  if (!config) FAIL(std::string(config.error().text()));
  return *config;
}

/// `text` with the first `from` replaced; `from` must be there.
inline std::string with(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  REQUIRE_MESSAGE(at != std::string::npos, from);
  return text.replace(at, from.size(), to);
}

}  // namespace test

#endif  // DSVL_TESTS_MODEL_RELEASED_HPP
