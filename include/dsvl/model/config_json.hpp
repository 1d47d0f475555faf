// Reads config.json, preprocessor_config.json and processor_config.json of both published layouts into a ModelConfig.
//
// Sources: model-spec sections 2.1 (original: deepseek-ai/deepseek-vl-*) and 2.2 (hf:
// deepseek-community/deepseek-vl-*).
#ifndef DSVL_MODEL_CONFIG_JSON_HPP
#define DSVL_MODEL_CONFIG_JSON_HPP

#include "../base/host_macros_push.hpp"

#include "../io/source.hpp"
#include "config.hpp"
#include "fields.hpp"

DSVL_BEGIN_NAMESPACE

namespace detail {

/// Width, height and patch of a picture must fit one another.
inline void check_patches(const Fields& f, const PatchShape& shape) {
  if (shape.image % shape.patch != 0 || shape.image > 8192)
    f.refuse(Code::bad_file, "image_size",
             "is " + std::to_string(shape.image) + ", needs to be a multiple of patch_size " +
                 std::to_string(shape.patch) + " up to 8192");
}

inline void check_divides(const Fields& f, const char* key, Index part, const char* of, Index whole) {
  if (whole % part != 0)
    f.refuse(Code::bad_file, key,
             "is " + std::to_string(part) + ", which does not divide the " + of + " " + std::to_string(whole));
}
inline void check_heads(const Fields& f, const char* key, Index hidden, Index heads) {
  check_divides(f, key, heads, "width", hidden);
}

inline GeluKind read_activation(const Fields& f, std::string_view key, std::string_view otherwise) {
  const std::string_view name = f.text(key, otherwise);
  if (name == "gelu") return GeluKind::erf;
  if (name != "gelu_pytorch_tanh" && name != "gelu_new")
    f.refuse(Code::unsupported, key,
             "is '" + std::string(Printable(name).text()) + "', known are gelu, gelu_pytorch_tanh and gelu_new");
  return GeluKind::tanh;
}

/// What of LLaMA is not implemented is refused by name, never ignored.
inline void refuse_unknown_llama(const Fields& f) {
  if (f.text("hidden_act", "silu") != "silu") f.refuse(Code::unsupported, "hidden_act", "needs to be silu");
  for (const char* key : {"attention_bias", "mlp_bias"})
    if (f.flag(key, false)) f.refuse(Code::unsupported, key, "needs to be false");
}

/// The base of the rotary positions. transformers 4 writes it into the text part itself, and rope_scaling beside it;
/// transformers 5 writes both into rope_parameters, and still reads rope_scaling for that. The type "default" scales
/// nothing; before 4.45 the type's key was "type".
inline double read_rope_theta(const Fields& f) {
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

/// Partial on purpose in the original files: every absent key has LLaMA's stock value.
inline DecoderDims read_decoder(const Fields& f) {
  DecoderDims d;
  d.hidden = f.size("hidden_size", 4096);
  d.intermediate = f.size("intermediate_size", 11008);
  d.layers = f.integer("num_hidden_layers", 32, 1, 1024);
  d.heads.heads = f.integer("num_attention_heads", 32, 1, 4096);
  d.heads.kv_heads = f.integer("num_key_value_heads", d.heads.heads, 1, 4096);
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

/// SAM's global layers; the preset stands when the file does not say. The hf layout taps the first that is listed, the
/// original the first that is met.
inline void read_global_layers(const Fields& f, bool as_listed, SamDims& d) {
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

inline SiglipDims read_siglip_hf(const Fields& f) {
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

inline HighDims read_sam_hf(const Fields& f, const SiglipDims& siglip) {
  HighDims out;
  SamDims& d = out.sam;
  d.input = {f.size("image_size", 1024), f.size("patch_size", 16), f.integer("num_channels", 3, 3, 3)};
  d.hidden = f.size("hidden_size", 768);
  d.layers = f.integer("num_hidden_layers", 12, 1, 1024);
  d.heads = f.integer("num_attention_heads", 12, 1, 4096);
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
  c.may_tie = text.flag("tie_word_embeddings", f.flag("tie_word_embeddings", false));
}

// --- original -----------------------------------------------------------------------------------

inline SiglipDims read_siglip_original(const Fields& f) {
  if (f.text("model_name", "siglip_large_patch16_384").substr(0, 6) != "siglip")
    f.refuse(Code::unsupported, "model_name", "names no SigLIP tower");
  SiglipDims d;  // siglip_large_patch16_384; explicit sizes win
  d.input = {f.size("image_size", 336), f.size("patch_size", 16), 3};
  d.hidden = f.size("width", d.hidden);
  d.intermediate = f.size("mlp_hidden", d.intermediate);
  d.heads = f.integer("heads", d.heads, 1, 4096);
  const Index built = f.integer("layers", d.layers, 1, 1024), select = f.integer("select_layer", -2, -1024, 1024);
  d.layers = std::min<Index>(built, select <= 0 ? built + select + 1 : select);
  if (d.layers < 1) f.refuse(Code::bad_file, "select_layer", "leaves no layer of " + std::to_string(built));
  check_patches(f, d.input);
  check_heads(f, "heads", d.hidden, d.heads);
  return d;
}

inline HighDims read_sam_original(const Fields& f, const SiglipDims& siglip) {
  if (f.text("model_name", "").find("downsample") == std::string_view::npos)
    f.refuse(Code::unsupported, "model_name", "needs to be sam_b_downsample");
  HighDims out;  // sam_b_downsample; explicit sizes win
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

inline AlignerDims read_aligner_original(const Fields& f, const ModelConfig& c) {
  AlignerDims d;
  const std::string_view kind = f.text("projector_type", "");
  if (kind == "identity") d.kind = AlignerKind::identity;
  else if (kind == "linear") d.kind = AlignerKind::linear;
  else if (kind == "mlp_gelu") d.kind = AlignerKind::mlp_gelu;
  else if (kind == "low_high_hybrid_split_mlp_gelu") d.kind = AlignerKind::low_high_hybrid_split_mlp_gelu;
  else f.refuse(Code::unsupported, "projector_type", "is '" + std::string(Printable(kind).text()) +
                "', known are identity, linear, mlp_gelu and low_high_hybrid_split_mlp_gelu");
  const bool layered = d.kind == AlignerKind::mlp_gelu || d.kind == AlignerKind::low_high_hybrid_split_mlp_gelu;
  d.depth = layered ? f.integer("depth", 1, 1, 64) : 1;
  d.hidden = f.size("n_embed", c.decoder.hidden);
  d.low = c.siglip.hidden;  // the towers' own sizes win over input_dim
  d.high = c.high ? c.high->down.out : 0;
  if ((d.kind == AlignerKind::low_high_hybrid_split_mlp_gelu) != c.high.has_value())
    f.refuse(Code::unsupported, "projector_type", "does not fit the number of vision towers");
  return d;
}

/// A class name is matched by what it contains, as the original does.
inline bool is_class(const Fields& f, std::string_view cls) {
  return f.text("cls", "").find(cls) != std::string_view::npos;
}

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

/// What does not fit together, whatever the layout.
inline void check_whole(const Fields& f, const ModelConfig& c) {
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

/// config.json -> sizes. `where` is how messages call the file. Codes: bad_file, unsupported.
inline Result<ModelConfig> read_config(json::Value root, const std::string& where) {
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
