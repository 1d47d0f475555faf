// Reads config.json of both published layouts into a ModelConfig.
//
// The original layout (deepseek-ai/deepseek-vl-*) has model_type multi_modality, a class name and its params per part,
// and a language_config that leaves out all of LLaMA's defaults. A vision tower is a preset by model_name, of which
// select_layer cuts off the last blocks: 0 and below count from the end, -1 keeps all, absent means -2.
// The HF layout (deepseek-community/deepseek-vl-*) has model_type deepseek_vl or deepseek_vl_hybrid and a stock
// transformers configuration per part (text_config, vision_config, high_res_vision_config), whose absent keys have that
// class's defaults. Neither writes down the sizes of SAM's convolutions: they follow from output_channels, or from the
// preset.
// Sources: the published config.json files; deepseek-ai/DeepSeek-VL, clip_encoder.py and projector.py; transformers,
// configuration_{deepseek_vl,deepseek_vl_hybrid,siglip,sam,llama}.py.
#ifndef DSVL_MODEL_CONFIG_JSON_HPP
#define DSVL_MODEL_CONFIG_JSON_HPP

#include "../base/host_macros_push.hpp"

#include "../io/folder.hpp"
#include "config.hpp"
#include "fields.hpp"

DSVL_BEGIN_NAMESPACE

namespace detail {

/// The side of the picture must be a multiple of the patch, and is limited so that no later product of sizes overflows.
DSVL_COLD inline void check_patches(const Fields& f, const PatchShape& shape) {
  if (shape.image % shape.patch != 0 || shape.image > 8192)
    f.refuse(Code::bad_file, "image_size",
             "is " + std::to_string(shape.image) + ", needs to be a multiple of patch_size " +
                 std::to_string(shape.patch) + " up to 8192");
}

/// Refuses `key` unless its value `part` divides `whole`, which the message calls `of`.
DSVL_COLD inline void check_divides(const Fields& f, const char* key, Index part, const char* of, Index whole) {
  if (whole % part != 0)
    f.refuse(Code::bad_file, key,
             "is " + std::to_string(part) + ", which does not divide the " + of + " " + std::to_string(whole));
}
/// Without head_dim, each head has an equal share of the width.
DSVL_COLD inline void check_heads(const Fields& f, const char* key, Index hidden, Index heads) {
  check_divides(f, key, heads, "width", hidden);
}

/// The GELU that a key names, or the one that `otherwise` names when it is absent. gelu_new is transformers' older name
/// of the tanh form.
DSVL_COLD inline GeluKind read_activation(const Fields& f, std::string_view key, std::string_view otherwise) {
  const std::string_view name = f.text(key, otherwise);
  if (name == "gelu") return GeluKind::erf;
  if (name != "gelu_pytorch_tanh" && name != "gelu_new")
    f.refuse(Code::unsupported, key,
             "is '" + std::string(Printable(name).text()) + "', known are gelu, gelu_pytorch_tanh and gelu_new");
  return GeluKind::tanh;
}

/// Refuses by name what our decoder does not implement of LLaMA, so that it is never silently ignored.
DSVL_COLD inline void refuse_unknown_llama(const Fields& f) {
  if (f.text("hidden_act", "silu") != "silu") f.refuse(Code::unsupported, "hidden_act", "needs to be silu");
  for (const char* key : {"attention_bias", "mlp_bias"})
    if (f.flag(key, false)) f.refuse(Code::unsupported, key, "needs to be false");
}

/// The base of the rotary positions. transformers 4 writes it into the text part itself, with rope_scaling beside it;
/// transformers 5 writes both into rope_parameters, and still reads rope_scaling for that. The type "default" scales
/// nothing; before 4.45 the type's key was "type".
DSVL_COLD inline double read_rope_theta(const Fields& f) {
  double theta = f.positive("rope_theta", 10000.0);
  for (const char* key : {"rope_scaling", "rope_parameters"}) {
    const Fields rope = f.child(key);
    if (!f.value(key).is_object()) continue;
    theta = rope.positive("rope_theta", theta);
    if (rope.has("factor") && !rope.has("rope_type") && !rope.has("type"))
      rope.refuse(Code::unsupported, "rope_type", "is not given, beside a factor to scale positions by");
    for (const char* type : {"rope_type", "type"})
      if (const auto given = rope.text(type, "default"); given != "default")
        rope.refuse(Code::unsupported, type,
                    "is '" + std::string(Printable(given).text()) +
                        "', needs to be default: no released model scales positions");
  }
  return theta;
}

/// The decoder's sizes. The original files are partial on purpose, so every absent key has LLaMA's stock value.
DSVL_COLD inline DecoderDims read_decoder(const Fields& f) {
  DecoderDims d;
  d.hidden = f.size("hidden_size", 4096);
  d.intermediate = f.size("intermediate_size", 11008);
  d.layers = f.integer("num_hidden_layers", 32, 1, 1024);
  d.heads.heads = f.integer("num_attention_heads", 32, 1, 4096);
  d.heads.kv_heads = f.integer("num_key_value_heads", d.heads.heads, 1, 4096);
  // An explicit head_dim need not be a share of the width; without it each head has an equal one.
  if (!f.has("head_dim")) check_heads(f, "num_attention_heads", d.hidden, d.heads.heads);
  d.heads.head_dim = f.integer("head_dim", std::max<Index>(1, d.hidden / d.heads.heads), 1, 4096);
  if (d.heads.head_dim % 2) f.refuse(Code::bad_file, "head_dim", "is odd, and rotary positions turn pairs");
  check_divides(f, "num_key_value_heads", d.heads.kv_heads, "number of heads", d.heads.heads);
  d.vocab = f.size("vocab_size", 32000);
  d.eps = f.positive("rms_norm_eps", 1e-6);
  d.rope_theta = read_rope_theta(f);
  refuse_unknown_llama(f);
  return d;
}

/// SAM's global layers; without the key the preset's stay. Which of them feeds the side branch differs when the list is
/// not sorted: the HF layout takes the first that is listed, the original the first that is reached.
DSVL_COLD inline void read_global_layers(const Fields& f, bool as_listed, SamDims& d) {
  constexpr std::string_view kKey = "global_attn_indexes";
  if (f.has(kKey)) {
    const std::vector<Index> layers = f.integers(kKey, {}, 0, std::min<Index>(d.layers, 64) - 1);
    if (layers.empty()) return f.refuse(Code::unsupported, kKey, "needs to list at least one layer");
    d.global_layers = {};
    d.global_layers.add(layers);
    d.tap = as_listed ? layers.front() : d.global_layers.lowest();
  }
  if (d.tap >= d.layers) f.refuse(Code::bad_file, kKey, "there are only " + std::to_string(d.layers) + " layers");
}

// --- hf -----------------------------------------------------------------------------------------

/// vision_config. Its defaults are those of SiglipVisionConfig, a smaller tower with the tanh GELU.
DSVL_COLD inline SiglipDims read_siglip_hf(const Fields& f) {
  SiglipDims d;
  d.input = {f.size("image_size", 224), f.size("patch_size", 16), f.integer("num_channels", 3, 3, 3)};
  d.hidden = f.size("hidden_size", 768);
  d.intermediate = f.size("intermediate_size", 3072);
  d.layers = f.integer("num_hidden_layers", 12, 1, 1024);
  d.heads = f.integer("num_attention_heads", 12, 1, 4096);
  d.eps = f.positive("layer_norm_eps", 1e-6);
  d.activation = read_activation(f, "hidden_act", "gelu_pytorch_tanh");
  check_patches(f, d.input);
  check_heads(f, "num_attention_heads", d.hidden, d.heads);
  return d;
}

/// high_res_vision_config. The convolutions behind SAM have 2 and 4 times output_channels, and the map is resized to 4
/// times SigLIP's grid, since two stride-2 convolutions make it SigLIP's size.
DSVL_COLD inline HighDims read_sam_hf(const Fields& f, const SiglipDims& siglip) {
  HighDims out;
  SamDims& d = out.sam;
  d.input = {f.size("image_size", 1024), f.size("patch_size", 16), f.integer("num_channels", 3, 3, 3)};
  d.hidden = f.size("hidden_size", 768);
  d.layers = f.integer("num_hidden_layers", 12, 1, 1024);
  d.heads = f.integer("num_attention_heads", 12, 1, 4096);
  // mlp_dim wins over mlp_ratio. The product is bounded, so that no ratio in a file can overflow the conversion.
  const double scaled = static_cast<double>(d.hidden) * f.positive("mlp_ratio", 4.0);
  d.intermediate =
      f.size("mlp_dim", std::min<Index>(Fields::kMaxSize, static_cast<Index>(std::min<double>(scaled, 1e9))));
  d.window = f.integer("window_size", 14, 1, 512);
  read_global_layers(f, true, d);
  d.eps = f.positive("layer_norm_eps", 1e-6);
  d.activation = read_activation(f, "hidden_act", "gelu");
  for (const char* key : {"qkv_bias", "use_abs_pos", "use_rel_pos"})
    if (!f.flag(key, true)) f.refuse(Code::unsupported, key, "needs to be true");
  out.down.neck = f.size("output_channels", 256);
  out.down.middle = 2 * out.down.neck;
  out.down.out = 4 * out.down.neck;
  out.down.resized = {4 * siglip.input.grid().height, 4 * siglip.input.grid().width};
  check_patches(f, d.input);
  check_heads(f, "num_attention_heads", d.hidden, d.heads);
  return out;
}

/// A whole config.json of the HF layout. It does not describe the aligner, which always has two layers.
DSVL_COLD
inline void read_hf(const Fields& f, ModelConfig& c) {
  c.layout = Layout::hf;
  const Fields text = f.child("text_config");
  c.decoder = read_decoder(text);
  c.siglip = read_siglip_hf(f.child("vision_config"));
  if (f.text("model_type", "") == "deepseek_vl_hybrid")
    c.high = read_sam_hf(f.child("high_res_vision_config"), c.siglip);
  c.aligner = {c.high ? AlignerKind::low_high_hybrid_split_mlp_gelu : AlignerKind::mlp_gelu, 2, c.siglip.hidden,
               c.high ? c.high->down.out : 0, c.decoder.hidden};
  c.image_token = static_cast<std::int32_t>(f.integer("image_token_id", 100015, 0, Fields::kMaxSize));
  c.max_positions = text.size("max_position_embeddings", 2048);
  // transformers writes the key into the text part or beside it. No released model ties its head.
  c.may_tie = text.flag("tie_word_embeddings", f.flag("tie_word_embeddings", false));
}

// --- original -----------------------------------------------------------------------------------

/// Params of a CLIPVisionTower with SigLIP. The preset siglip_large_patch16_384 gives sizes that no key states.
DSVL_COLD inline SiglipDims read_siglip_original(const Fields& f) {
  if (f.text("model_name", "siglip_large_patch16_384").substr(0, 6) != "siglip")
    f.refuse(Code::unsupported, "model_name", "names no SigLIP tower");
  SiglipDims d;  // its defaults are those of siglip_large_patch16_384; explicit sizes win
  d.input = {f.size("image_size", 336), f.size("patch_size", 16), 3};
  d.hidden = f.size("width", d.hidden);
  d.intermediate = f.size("mlp_hidden", d.intermediate);
  d.heads = f.integer("heads", d.heads, 1, 4096);
  // The original keeps the blocks up to select_layer, and applies the final norm at whatever depth that is.
  const Index built = f.integer("layers", d.layers, 1, 1024), select = f.integer("select_layer", -2, -1024, 1024);
  d.layers = std::min<Index>(built, select <= 0 ? built + select + 1 : select);
  if (d.layers < 1) f.refuse(Code::bad_file, "select_layer", "leaves no layer of " + std::to_string(built));
  check_patches(f, d.input);
  check_heads(f, "heads", d.hidden, d.heads);
  return d;
}

/// Params of a CLIPVisionTower with SAM. The preset sam_b_downsample gives sizes that no key states.
DSVL_COLD inline HighDims read_sam_original(const Fields& f, const SiglipDims& siglip) {
  if (f.text("model_name", "").find("downsample") == std::string_view::npos)
    f.refuse(Code::unsupported, "model_name", "needs to be sam_b_downsample");
  HighDims out;  // its defaults are those of sam_b_downsample; explicit sizes win
  SamDims& d = out.sam;
  d.input = {f.size("image_size", 336), f.size("patch_size", 16), 3};
  d.hidden = f.size("width", d.hidden);
  d.layers = f.integer("layers", d.layers, 1, 1024);
  d.heads = f.integer("heads", d.heads, 1, 4096);
  d.intermediate = f.size("mlp_hidden", std::min<Index>(4 * d.hidden, Fields::kMaxSize));
  d.window = f.integer("window_size", 14, 1, 512);
  read_global_layers(f, false, d);
  out.down.neck = f.size("prompt_embed_dim", 256);
  const std::vector<Index> widths = f.integers("downsample_channels", {512, 1024}, 1, Fields::kMaxSize);
  if (widths.size() == 2) out.down.middle = widths[0], out.down.out = widths[1];
  else f.refuse(Code::unsupported, "downsample_channels", "needs two widths");
  out.down.resized = {4 * siglip.input.grid().height, 4 * siglip.input.grid().width};
  check_patches(f, d.input);
  check_heads(f, "heads", d.hidden, d.heads);
  return out;
}

/// Params of an MlpProjector.
DSVL_COLD inline AlignerDims read_aligner_original(const Fields& f, const ModelConfig& c) {
  AlignerDims d;
  const std::string_view kind = f.text("projector_type", "");
  if (kind == "identity") d.kind = AlignerKind::identity;
  else if (kind == "linear") d.kind = AlignerKind::linear;
  else if (kind == "mlp_gelu") d.kind = AlignerKind::mlp_gelu;
  else if (kind == "low_high_hybrid_split_mlp_gelu") d.kind = AlignerKind::low_high_hybrid_split_mlp_gelu;
  else f.refuse(Code::unsupported, "projector_type", "is '" + std::string(Printable(kind).text()) +
                "', known are identity, linear, mlp_gelu and low_high_hybrid_split_mlp_gelu");
  // Only the kinds with several layers have a depth; the original's default is 1.
  const bool layered = d.kind == AlignerKind::mlp_gelu || d.kind == AlignerKind::low_high_hybrid_split_mlp_gelu;
  d.depth = layered ? f.integer("depth", 1, 1, 64) : 1;
  d.hidden = f.size("n_embed", c.decoder.hidden);
  d.low = c.siglip.hidden;  // the towers' own sizes win over input_dim, which says one number for both
  d.high = c.high ? c.high->down.out : 0;
  if ((d.kind == AlignerKind::low_high_hybrid_split_mlp_gelu) != c.high.has_value())
    f.refuse(Code::unsupported, "projector_type", "does not fit the number of vision towers");
  return d;
}

/// True when a class name contains `cls`; the original matches it in the same way.
DSVL_COLD inline bool is_class(const Fields& f, std::string_view cls) {
  return f.text("cls", "").find(cls) != std::string_view::npos;
}

/// A whole config.json of the original layout.
DSVL_COLD
inline void read_original(const Fields& f, ModelConfig& c) {
  c.layout = Layout::original;
  const Fields text = f.required_child("language_config"), vision = f.required_child("vision_config");
  const Fields params = vision.child("params");
  c.decoder = read_decoder(text);
  if (is_class(vision, "HybridVisionTower")) {
    if (params.text("concat_type", "tuple") != "tuple")
      params.refuse(Code::unsupported, "concat_type", "needs to be tuple");
    c.siglip = read_siglip_original(params.required_child("low_res_cfg"));
    c.high = read_sam_original(params.required_child("high_res_cfg"), c.siglip);
  } else if (is_class(vision, "CLIPVisionTower")) {
    c.siglip = read_siglip_original(params);
  } else {
    vision.refuse(Code::unsupported, "cls", "names neither CLIPVisionTower nor HybridVisionTower");
  }
  const Fields aligner = f.required_child("aligner_config");
  if (!is_class(aligner, "MlpProjector")) aligner.refuse(Code::unsupported, "cls", "does not name MlpProjector");
  c.aligner = read_aligner_original(aligner.child("params"), c);
  c.max_positions = text.size("max_position_embeddings", 2048);
  c.may_tie = text.flag("tie_word_embeddings", false);
}

/// Refuses parts that do not fit together, in either layout.
DSVL_COLD inline void check_whole(const Fields& f, const ModelConfig& c) {
  if (c.aligner.hidden != c.decoder.hidden)
    f.refuse_whole(Code::bad_file, "the aligner makes rows of " + std::to_string(c.aligner.hidden) +
                                       ", the decoder takes " + std::to_string(c.decoder.hidden));
  if (c.aligner.kind == AlignerKind::identity && c.siglip.hidden != c.decoder.hidden)
    f.refuse_whole(Code::bad_file, "an identity aligner needs a tower as wide as the decoder");
  if (c.aligner.kind == AlignerKind::low_high_hybrid_split_mlp_gelu && c.aligner.hidden % 2)
    f.refuse_whole(Code::bad_file, "a split aligner needs an even width");
  if (c.high && c.high->down.grid() != c.siglip.input.grid())
    f.refuse_whole(Code::bad_file, "the two towers' grids differ");
  if (c.image_token && *c.image_token >= c.decoder.vocab)
    f.refuse(Code::bad_file, "image_token_id", "is " + std::to_string(*c.image_token) + ", outside the vocabulary of " +
                                                   std::to_string(c.decoder.vocab));
}

}  // namespace detail

/// Reads the sizes in config.json, but not how pictures are prepared (read_preprocess does). `where` is how messages
/// call the file.
///
/// Codes  bad_file (a value is impossible), unsupported (a value is valid, and not implemented)
DSVL_COLD inline Result<ModelConfig> read_config(json::Value root, const std::string& where) {
  Status status;
  const Fields f(root, where, status);
  if (!root.is_object()) return fail(Code::bad_file, "%s: is no JSON object", where.c_str());
  ModelConfig config;
  const std::string_view type = f.text("model_type", "");
  if (type == "multi_modality") detail::read_original(f, config);
  else if (type == "deepseek_vl" || type == "deepseek_vl_hybrid") detail::read_hf(f, config);
  else
    f.refuse(Code::unsupported, "model_type",
             (f.has("model_type") ? "is '" + std::string(Printable(type).text()) + "'" : "is missing") +
                 ", known are multi_modality, deepseek_vl and deepseek_vl_hybrid");
  if (status.ok()) detail::check_whole(f, config);
  if (!status.ok()) return status;
  return config;
}

DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_MODEL_CONFIG_JSON_HPP
