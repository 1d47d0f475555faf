// The configuration files of the released models, as the published repositories have them.
//
// They serve three purposes: a synthetic checkpoint of full size is written with them, a model without settings of
// pictures is compared with them, and tests read them. Keys that no longer matter (training options, versions) are kept
// where they are known.
// Source: deepseek-ai/deepseek-vl-{1.3b,7b}-*, deepseek-community/deepseek-vl-{1.3b,7b}-*.
#ifndef DSVL_MODEL_RELEASED_HPP
#define DSVL_MODEL_RELEASED_HPP

#include <string_view>

#include "names.hpp"

DSVL_BEGIN_NAMESPACE

namespace released {

/// The small JSON files beside the weights; empty where there is none.
struct Files {
  std::string_view name;          ///< of the model
  std::string_view config;        ///< config.json
  std::string_view preprocessor;  ///< preprocessor_config.json
  std::string_view processor;     ///< processor_config.json
};

/// deepseek-ai's 1.3B. The original layout leaves out what equals LLaMA's defaults.
inline constexpr Files kOriginal1_3B = {
    "deepseek-vl-1.3b",
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

/// deepseek-ai's 7B.
inline constexpr Files kOriginal7B = {
    "deepseek-vl-7b",
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

/// The 1.3B in the HF layout as transformers 4 writes it: settings of pictures are in a file of their own, and the text
/// part has only what differs from LLaMA's defaults.
inline constexpr Files kHf1_3B = {
    "deepseek-vl-1.3b",
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

/// The 7B in the same form.
inline constexpr Files kHf7B = {
    "deepseek-vl-7b",
    R"({"architectures": ["DeepseekVLHybridForConditionalGeneration"],
 "high_res_vision_config": {"hidden_size": 768, "image_size": 1024, "intermediate_size": 3072,
  "model_type": "sam_vision_model", "num_attention_heads": 12, "num_hidden_layers": 12, "patch_size": 16},
 "image_token_id": 100015, "model_type": "deepseek_vl_hybrid",
 "text_config": {"hidden_size": 4096, "intermediate_size": 11008, "max_position_embeddings": 16384,
  "model_type": "llama", "num_attention_heads": 32, "num_hidden_layers": 30, "vocab_size": 102400,
  "bos_token_id": 1, "eos_token_id": 2, "rope_theta": 10000.0, "rope_scaling": null, "torch_dtype": "bfloat16"},
 "torch_dtype": "bfloat16",
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

/// The 1.3B in the HF layout as transformers 5 writes it: every key is written, rotary positions have an object of
/// their own, and the settings of pictures are inside processor_config.json.
inline constexpr Files kHf1_3BNested = {
    "deepseek-vl-1.3b",
    R"({"architectures": ["DeepseekVLForConditionalGeneration"], "dtype": "bfloat16", "image_token_id": 100015,
 "model_type": "deepseek_vl",
 "text_config": {"attention_bias": false, "attention_dropout": 0.0, "bos_token_id": 1, "dtype": "bfloat16",
  "eos_token_id": 2, "head_dim": 128, "hidden_act": "silu", "hidden_size": 2048, "initializer_range": 0.02,
  "intermediate_size": 5632, "max_position_embeddings": 16384, "mlp_bias": false, "model_type": "llama",
  "num_attention_heads": 16, "num_hidden_layers": 24, "num_key_value_heads": 16, "pad_token_id": null,
  "pretraining_tp": 1, "rms_norm_eps": 1e-06,
  "rope_parameters": {"rope_theta": 10000.0, "rope_type": "default"}, "tie_word_embeddings": false,
  "use_cache": true, "vocab_size": 102400}, "tie_word_embeddings": false, "transformers_version": "5.17.0",
 "vision_config": {"attention_dropout": 0.0, "dtype": "bfloat16", "hidden_act": "gelu", "hidden_size": 1024,
  "image_size": 384, "intermediate_size": 4096, "layer_norm_eps": 1e-06, "model_type": "siglip_vision_model",
  "num_attention_heads": 16, "num_channels": 3, "num_hidden_layers": 24, "patch_size": 16,
  "vision_use_head": false}})",
    "",
    R"({"image_processor": {"data_format": "channels_first", "do_normalize": true, "do_pad": true,
  "do_rescale": true, "do_resize": true, "image_mean": [0.5, 0.5, 0.5],
  "image_processor_type": "DeepseekVLImageProcessor", "image_std": [0.5, 0.5, 0.5], "min_size": 14, "resample": 3,
  "rescale_factor": 0.00392156862745098, "size": {"height": 384, "width": 384}},
 "num_image_tokens": 576, "processor_class": "DeepseekVLProcessor"})"};

/// The 7B in the same form.
inline constexpr Files kHf7BNested = {
    "deepseek-vl-7b",
    R"({"architectures": ["DeepseekVLHybridForConditionalGeneration"], "dtype": "bfloat16",
 "high_res_vision_config": {"attention_dropout": 0.0, "dtype": "bfloat16", "global_attn_indexes": [2, 5, 8, 11],
  "hidden_act": "gelu", "hidden_size": 768, "image_size": 1024, "intermediate_size": 3072, "layer_norm_eps": 1e-06,
  "mlp_dim": 3072, "mlp_ratio": 4.0, "model_type": "sam_vision_model", "num_attention_heads": 12, "num_channels": 3,
  "num_hidden_layers": 12, "output_channels": 256, "patch_size": 16, "qkv_bias": true, "use_abs_pos": true,
  "use_rel_pos": true, "window_size": 14},
 "image_token_id": 100015, "model_type": "deepseek_vl_hybrid",
 "text_config": {"attention_bias": false, "attention_dropout": 0.0, "bos_token_id": 1, "dtype": "bfloat16",
  "eos_token_id": 2, "head_dim": 128, "hidden_act": "silu", "hidden_size": 4096, "initializer_range": 0.02,
  "intermediate_size": 11008, "max_position_embeddings": 16384, "mlp_bias": false, "model_type": "llama",
  "num_attention_heads": 32, "num_hidden_layers": 30, "num_key_value_heads": 32, "pad_token_id": null,
  "pretraining_tp": 1, "rms_norm_eps": 1e-06,
  "rope_parameters": {"rope_theta": 10000.0, "rope_type": "default"}, "tie_word_embeddings": false,
  "use_cache": true, "vocab_size": 102400}, "tie_word_embeddings": false, "transformers_version": "5.17.0",
 "vision_config": {"attention_dropout": 0.0, "dtype": "bfloat16", "hidden_act": "gelu", "hidden_size": 1024,
  "image_size": 384, "intermediate_size": 4096, "layer_norm_eps": 1e-06, "model_type": "siglip_vision_model",
  "num_attention_heads": 16, "num_channels": 3, "num_hidden_layers": 24, "patch_size": 16,
  "vision_use_head": false}})",
    "",
    R"({"image_processor": {"data_format": "channels_first", "do_normalize": true, "do_pad": true,
  "do_rescale": true, "do_resize": true, "high_res_image_mean": [0.48145466, 0.4578275, 0.40821073],
  "high_res_image_std": [0.26862954, 0.26130258, 0.27577711], "high_res_resample": 3,
  "high_res_size": {"height": 1024, "width": 1024}, "image_mean": [0.5, 0.5, 0.5],
  "image_processor_type": "DeepseekVLHybridImageProcessor", "image_std": [0.5, 0.5, 0.5], "min_size": 14,
  "resample": 2, "rescale_factor": 0.00392156862745098, "size": {"height": 384, "width": 384}},
 "num_image_tokens": 576, "processor_class": "DeepseekVLHybridProcessor"})"};

/// The models whose settings of pictures are a file of their own. A model of the same sizes that has no such settings
/// is taken to have these.
inline constexpr const Files* kSeparate[] = {&kOriginal1_3B, &kOriginal7B, &kHf1_3B, &kHf7B};

}  // namespace released

DSVL_END_NAMESPACE

#endif  // DSVL_MODEL_RELEASED_HPP
