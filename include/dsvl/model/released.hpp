// The configuration files of the released models, as the published repositories have them.
//
// What a synthetic checkpoint of full size comes with, and what tests read. Key sets that no longer matter (training
// options, versions) are kept where they are known.
// Source: deepseek-ai/deepseek-vl-{1.3b,7b}-*, deepseek-community/deepseek-vl-{1.3b,7b}-*.
#ifndef DSVL_MODEL_RELEASED_HPP
#define DSVL_MODEL_RELEASED_HPP

#include <string_view>

#include "names.hpp"

DSVL_BEGIN_NAMESPACE

namespace released {

/// The small JSON files beside the weights.
struct Files {
  std::string_view config, preprocessor, processor;
};

// LLaMA's own sizes stay away from the original layout's files.
inline constexpr Files kOriginal1_3B = {
    R"({"aligner_config": {"cls": "MlpProjector", "model_type": "aligner",
  "params": {"depth": 2, "input_dim": 1024, "n_embed": 2048, "projector_type": "mlp_gelu"}},
 "architectures": ["MultiModalityCausalLM"],
 "language_config": {"hidden_size": 2048, "intermediate_size": 5632, "max_position_embeddings": 16384,
  "model_type": "llama", "num_attention_heads": 16, "num_hidden_layers": 24, "torch_dtype": "float16",
  "vocab_size": 102400}, "model_type": "multi_modality", "torch_dtype": "float16",
 "transformers_version": "4.38.2",
 "vision_config": {"cls": "CLIPVisionTower", "model_type": "vision",
  "params": {"image_size": 384, "model_name": "siglip_large_patch16_384", "select_feature": "same",
   "select_layer": -1, "pixel_mean": [0.5, 0.5, 0.5], "pixel_std": [0.5, 0.5, 0.5]}}})",
    R"({"background_color": [127, 127, 127], "do_normalize": false, "image_mean": [0.5, 0.5, 0.5],
 "image_processor_type": "VLMImageProcessor", "image_size": 384, "image_std": [0.5, 0.5, 0.5], "min_size": 14,
 "processor_class": "VLChatProcessor", "rescale_factor": 0.00392156862745098})",
    R"({"add_special_token": false, "ignore_id": -100, "image_tag": "<image_placeholder>", "mask_prompt": true,
 "num_image_tokens": 576, "processor_class": "VLChatProcessor", "sft_format": "deepseek"})"};

inline constexpr Files kOriginal7B = {
    R"({"aligner_config": {"cls": "MlpProjector", "model_type": "aligner",
  "params": {"depth": 2, "input_dim": 1024, "n_embed": 4096, "projector_type": "low_high_hybrid_split_mlp_gelu"}},
 "architectures": ["MultiModalityCausalLM"],
 "language_config": {"max_position_embeddings": 16384, "model_type": "llama", "num_hidden_layers": 30,
  "torch_dtype": "float16", "vocab_size": 102400}, "model_type": "multi_modality", "torch_dtype": "float16",
 "transformers_version": "4.38.2",
 "vision_config": {"cls": "HybridVisionTower", "model_type": "vision",
  "params": {"concat_type": "tuple", "freeze_high": true, "freeze_low": true,
   "high_res_cfg": {"ckpt_path": "", "image_size": 1024, "model_name": "sam_b_downsample", "output_dim": 1024,
    "pixel_mean": [0.48145466, 0.4578275, 0.40821073], "pixel_std": [0.26862954, 0.26130258, 0.27577711],
    "select_feature": "same", "select_layer": -1},
   "low_res_cfg": {"ckpt_path": "", "image_size": 384, "model_name": "siglip_large_patch16_384",
    "output_dim": 1024, "pixel_mean": [0.5, 0.5, 0.5], "pixel_std": [0.5, 0.5, 0.5], "select_feature": "same",
    "select_layer": -1}}}})",
    R"({"background_color": [122, 116, 104], "do_normalize": false, "image_mean": [0.48145466, 0.4578275, 0.40821073],
 "image_processor_type": "VLMImageProcessor", "image_size": 1024,
 "image_std": [0.26862954, 0.26130258, 0.27577711], "min_size": 14, "processor_class": "VLChatProcessor",
 "rescale_factor": 0.00392156862745098})",
    kOriginal1_3B.processor};

/// As transformers 4 wrote them.
inline constexpr Files kHf1_3B = {
    R"({"architectures": ["DeepseekVLForConditionalGeneration"], "image_token_id": 100015, "model_type": "deepseek_vl",
 "text_config": {"hidden_size": 2048, "intermediate_size": 5632, "max_position_embeddings": 16384,
  "model_type": "llama", "num_attention_heads": 16, "num_hidden_layers": 24, "vocab_size": 102400,
  "bos_token_id": 1, "eos_token_id": 2, "rope_theta": 10000.0, "rope_scaling": null, "torch_dtype": "bfloat16"},
 "torch_dtype": "bfloat16",
 "vision_config": {"hidden_act": "gelu", "hidden_size": 1024, "image_size": 384, "intermediate_size": 4096,
  "model_type": "siglip_vision_model", "num_attention_heads": 16, "num_hidden_layers": 24, "patch_size": 16,
  "vision_use_head": false}})",
    R"({"do_convert_rgb": null, "do_normalize": true, "do_pad": true, "do_rescale": true, "do_resize": true,
 "image_mean": [0.5, 0.5, 0.5], "image_processor_type": "DeepseekVLImageProcessor",
 "image_std": [0.5, 0.5, 0.5], "min_size": 14, "processor_class": "DeepseekVLProcessor", "resample": 3,
 "rescale_factor": 0.00392156862745098, "size": {"height": 384, "width": 384}})",
    R"({"num_image_tokens": 576, "processor_class": "DeepseekVLProcessor"})"};

/// As transformers 5 writes them.
inline constexpr Files kHf7B = {
    R"({"architectures": ["DeepseekVLHybridForConditionalGeneration"], "dtype": "bfloat16",
 "high_res_vision_config": {"hidden_size": 768, "image_size": 1024, "intermediate_size": 3072,
  "model_type": "sam_vision_model", "num_attention_heads": 12, "num_hidden_layers": 12, "patch_size": 16},
 "image_token_id": 100015, "model_type": "deepseek_vl_hybrid",
 "text_config": {"dtype": "bfloat16", "head_dim": 128, "hidden_size": 4096, "intermediate_size": 11008,
  "max_position_embeddings": 16384, "model_type": "llama", "num_attention_heads": 32, "num_hidden_layers": 30,
  "rope_parameters": {"rope_theta": 10000.0, "rope_type": "default"}, "vocab_size": 102400},
 "vision_config": {"hidden_act": "gelu", "hidden_size": 1024, "image_size": 384, "intermediate_size": 4096,
  "model_type": "siglip_vision_model", "num_attention_heads": 16, "num_hidden_layers": 24, "patch_size": 16,
  "vision_use_head": false}})",
    R"({"do_convert_rgb": null, "do_normalize": true, "do_pad": true, "do_rescale": true, "do_resize": true,
 "high_res_image_mean": [0.48145466, 0.4578275, 0.40821073],
 "high_res_image_std": [0.26862954, 0.26130258, 0.27577711], "high_res_resample": 3,
 "high_res_size": {"height": 1024, "width": 1024}, "image_mean": [0.5, 0.5, 0.5],
 "image_processor_type": "DeepseekVLHybridImageProcessor", "image_std": [0.5, 0.5, 0.5], "min_size": 14,
 "processor_class": "DeepseekVLHybridProcessor", "resample": 2, "rescale_factor": 0.00392156862745098,
 "size": {"height": 384, "width": 384}})",
    R"({"num_image_tokens": 576, "processor_class": "DeepseekVLHybridProcessor"})"};

}  // namespace released

DSVL_END_NAMESPACE

#endif  // DSVL_MODEL_RELEASED_HPP
