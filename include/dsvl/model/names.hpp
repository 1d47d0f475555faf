// The table of names: what every tensor is called by us, in the two published layouts and in GGUF.
//
// It is the only place that has a file's spelling. Notation:
//   #         layer number
//   [2#+1]    a number made of it
//   {q,k,v}   stack these tensors, in this order
//   @x        the prefix of the place x below, which may have several spellings
//   =1,t,c    the shape in the file where it is not simply (rows, cols): tokens t, as a square map h,w, channels c
// `.weight` and `.bias` are not written where a Linear or a norm adds them.
// Source: the tensor lists of deepseek-ai/deepseek-vl-* and deepseek-community/deepseek-vl-*; llama.cpp's tensor names
// (LLM_ARCH_LLAMA, and for pictures those of its mmproj files).
#ifndef DSVL_MODEL_NAMES_HPP
#define DSVL_MODEL_NAMES_HPP

#include <cstddef>
#include <string>
#include <string_view>

#include "../base/config.hpp"

DSVL_BEGIN_NAMESPACE

/// A convention for the names of a model's tensors.
enum class Layout : unsigned char {
  original,  ///< as deepseek-ai released the models (model_type multi_modality)
  hf,        ///< as transformers keeps them (deepseek-community)
  gguf,      ///< as GGUF files have them: llama.cpp's names, and ours in its style where it has none
};

/// The layout's name, for messages.
constexpr std::string_view name(Layout layout) noexcept {
  return layout == Layout::original ? "original" : layout == Layout::hf ? "hf" : "gguf";
}

/// One row of the table: our name and its spelling in each layout.
struct NameRow {
  std::string_view ours;       ///< the path of names in visit(), `#` for a layer number
  std::string_view original;   ///< spelling in Layout::original
  std::string_view hf;         ///< spelling in Layout::hf
  std::string_view gguf = {};  ///< spelling in Layout::gguf
  /// The spelling in a layout; empty when it has no such tensor.
  [[nodiscard]] constexpr std::string_view in(Layout layout) const noexcept {
    return layout == Layout::original ? original : layout == Layout::hf ? hf : gguf;
  }
};

/// The prefixes. Alternatives are separated by `|` and tried in order.
inline constexpr NameRow kPlaces[] = {
    {"@siglip", "vision_model.vision_tower|vision_model.vision_tower_low.vision_tower",
     "model.vision_model|model.vision_model.vision_model"},
    {"@sam", "vision_model.vision_tower_high.vision_tower", "model.high_res_vision_model.vision_encoder"},
    {"@language", "language_model.model", "model.language_model"},
};

/// The tensors, in the order of visit().
inline constexpr NameRow kNames[] = {
    {"siglip.patch", "@siglip.patch_embed.proj", "@siglip.embeddings.patch_embedding", "v.patch_embd"},
    {"siglip.position", "@siglip.pos_embed=1,t,c", "@siglip.embeddings.position_embedding.weight",
     "v.position_embd.weight"},
    {"siglip.#.norm1", "@siglip.blocks.#.norm1", "@siglip.encoder.layers.#.layer_norm1", "v.blk.#.ln1"},
    {"siglip.#.attn.qkv", "@siglip.blocks.#.attn.qkv", "@siglip.encoder.layers.#.self_attn.{q,k,v}_proj",
     "v.blk.#.attn_{q,k,v}"},
    {"siglip.#.attn.out", "@siglip.blocks.#.attn.proj", "@siglip.encoder.layers.#.self_attn.out_proj",
     "v.blk.#.attn_out"},
    {"siglip.#.norm2", "@siglip.blocks.#.norm2", "@siglip.encoder.layers.#.layer_norm2", "v.blk.#.ln2"},
    {"siglip.#.mlp.fc1", "@siglip.blocks.#.mlp.fc1", "@siglip.encoder.layers.#.mlp.fc1", "v.blk.#.ffn_up"},
    {"siglip.#.mlp.fc2", "@siglip.blocks.#.mlp.fc2", "@siglip.encoder.layers.#.mlp.fc2", "v.blk.#.ffn_down"},
    {"siglip.norm", "@siglip.norm", "@siglip.post_layernorm", "v.post_ln"},

    {"sam.patch", "@sam.patch_embed.proj", "@sam.patch_embed.projection", "v.sam.patch_embd"},
    {"sam.position", "@sam.pos_embed=1,h,w,c", "@sam.pos_embed=1,h,w,c", "v.sam.pos_embd.weight"},
    {"sam.#.norm1", "@sam.blocks.#.norm1", "@sam.layers.#.layer_norm1", "v.sam.blk.#.pre_ln"},
    {"sam.#.attn.qkv", "@sam.blocks.#.attn.qkv", "@sam.layers.#.attn.qkv", "v.sam.blk.#.attn.qkv"},
    {"sam.#.attn.out", "@sam.blocks.#.attn.proj", "@sam.layers.#.attn.proj", "v.sam.blk.#.attn.out"},
    {"sam.#.attn.rel_pos_h", "@sam.blocks.#.attn.rel_pos_h", "@sam.layers.#.attn.rel_pos_h",
     "v.sam.blk.#.attn.pos_h.weight"},
    {"sam.#.attn.rel_pos_w", "@sam.blocks.#.attn.rel_pos_w", "@sam.layers.#.attn.rel_pos_w",
     "v.sam.blk.#.attn.pos_w.weight"},
    {"sam.#.norm2", "@sam.blocks.#.norm2", "@sam.layers.#.layer_norm2", "v.sam.blk.#.post_ln"},
    {"sam.#.mlp.fc1", "@sam.blocks.#.mlp.lin1", "@sam.layers.#.mlp.lin1", "v.sam.blk.#.mlp.lin1"},
    {"sam.#.mlp.fc2", "@sam.blocks.#.mlp.lin2", "@sam.layers.#.mlp.lin2", "v.sam.blk.#.mlp.lin2"},
    {"sam.neck.conv1", "@sam.neck.0", "@sam.neck.conv1", "v.sam.neck.0"},
    {"sam.neck.norm1", "@sam.neck.1", "@sam.neck.layer_norm1", "v.sam.neck.1"},
    {"sam.neck.conv2", "@sam.neck.2", "@sam.neck.conv2", "v.sam.neck.2"},
    {"sam.neck.norm2", "@sam.neck.3", "@sam.neck.layer_norm2", "v.sam.neck.3"},
    {"sam.side_neck.conv1", "@sam.neck_hd.0", "model.high_res_vision_neck.conv1", "v.sam.neck_hd.0"},
    {"sam.side_neck.norm1", "@sam.neck_hd.1", "model.high_res_vision_neck.layer_norm1", "v.sam.neck_hd.1"},
    {"sam.side_neck.conv2", "@sam.neck_hd.2", "model.high_res_vision_neck.conv2", "v.sam.neck_hd.2"},
    {"sam.side_neck.norm2", "@sam.neck_hd.3", "model.high_res_vision_neck.layer_norm2", "v.sam.neck_hd.3"},
    {"sam.down.conv1", "@sam.downsamples.0", "model.high_res_vision_proj.conv1", "v.sam.down.0"},
    {"sam.down.conv2", "@sam.downsamples.1", "model.high_res_vision_proj.conv2", "v.sam.down.1"},
    {"sam.alpha", "@sam.hd_alpha_downsamples", "model.high_res_vision_alpha", "v.sam.hd_alpha"},

    {"aligner.linear", "aligner.layers", "model.aligner.linear", "mm.linear"},
    {"aligner.mlp.#", "aligner.layers.[2#]", "model.aligner.linear[#+1]", "mm.[2#]"},
    {"aligner.high", "aligner.high_up_proj", "model.aligner.high_res_vision_proj", "mm.high"},
    {"aligner.low", "aligner.low_up_proj", "model.aligner.vision_proj", "mm.low"},
    {"aligner.split.#", "aligner.layers.[2#+1]", "model.aligner.proj", "mm.[2#+1]"},

    {"language.embed", "@language.embed_tokens", "@language.embed_tokens", "token_embd"},
    {"language.#.norm1", "@language.layers.#.input_layernorm", "@language.layers.#.input_layernorm", "blk.#.attn_norm"},
    {"language.#.attn.qkv", "@language.layers.#.self_attn.{q,k,v}_proj", "@language.layers.#.self_attn.{q,k,v}_proj",
     "blk.#.attn_{q,k,v}"},
    {"language.#.attn.out", "@language.layers.#.self_attn.o_proj", "@language.layers.#.self_attn.o_proj",
     "blk.#.attn_output"},
    {"language.#.norm2", "@language.layers.#.post_attention_layernorm", "@language.layers.#.post_attention_layernorm",
     "blk.#.ffn_norm"},
    {"language.#.mlp.gate", "@language.layers.#.mlp.gate_proj", "@language.layers.#.mlp.gate_proj", "blk.#.ffn_gate"},
    {"language.#.mlp.up", "@language.layers.#.mlp.up_proj", "@language.layers.#.mlp.up_proj", "blk.#.ffn_up"},
    {"language.#.mlp.down", "@language.layers.#.mlp.down_proj", "@language.layers.#.mlp.down_proj", "blk.#.ffn_down"},
    {"language.norm", "@language.norm", "@language.norm", "output_norm"},
    {"language.head", "language_model.lm_head", "lm_head", "output"},
};

namespace detail {

/// Our name with its layer number replaced by `#`. `layer` becomes that number, or -1.
DSVL_COLD inline std::string pattern_of(std::string_view ours, std::ptrdiff_t& layer) {
  std::string pattern;
  layer = -1;
  for (std::size_t i = 0; i < ours.size(); ++i) {
    const bool digit = ours[i] >= '0' && ours[i] <= '9' && i > 0 && ours[i - 1] == '.';
    if (!digit) { pattern += ours[i]; continue; }
    layer = 0;
    for (; i < ours.size() && ours[i] >= '0' && ours[i] <= '9'; ++i) layer = layer * 10 + (ours[i] - '0');
    pattern += '#';
    --i;
  }
  return pattern;
}

/// Element `i` of `list`, whose elements `separator` divides. Past the last one the result is empty and `end` is set.
DSVL_COLD inline std::string_view nth(std::string_view list, char separator, std::size_t i, bool& end) {
  while (i-- > 0) {
    const std::size_t at = list.find(separator);
    if (at == std::string_view::npos) { end = true; return {}; }
    list.remove_prefix(at + 1);
  }
  end = false;
  return list.substr(0, list.find(separator));
}

}  // namespace detail

/// One way to spell one tensor.
struct Spelling {
  std::string name;              ///< empty when there is no such alternative
  std::size_t stack = 1;         ///< number of tensors that are stacked
  std::string_view stored = {};  ///< the shape in the file, as the table notes it after `=`; empty for (rows, cols)
};

/// The name of `ours` ("language.7.attn.qkv", without .weight) in a layout: alternative `way` of its place, tensor
/// `part` of its stack. Empty when the layout has no such tensor or no such alternative.
///
/// Cost   a search through the table, and an allocation; only loading and writing do it
DSVL_COLD inline Spelling spell(std::string_view ours, Layout layout, std::size_t way, std::size_t part) {
  std::ptrdiff_t layer = -1;
  const std::string pattern = detail::pattern_of(ours, layer);
  for (const NameRow& row : kNames) {
    if (row.ours != pattern) continue;
    Spelling out;
    std::string_view rest = row.in(layout);
    if (const std::size_t at = rest.find('='); at != std::string_view::npos) {
      out.stored = rest.substr(at + 1);
      rest = rest.substr(0, at);
    }
    // A place gives the prefix, and is the only part that has alternatives.
    bool none = false;
    if (!rest.empty() && rest[0] == '@') {
      const std::string_view place = rest.substr(0, rest.find('.'));
      for (const NameRow& p : kPlaces)
        if (p.ours == place) out.name = detail::nth(p.in(layout), '|', way, none);
      rest.remove_prefix(place.size());
    } else {
      none = way > 0;
    }
    if (none) return {};
    for (std::size_t i = 0; i < rest.size(); ++i) {
      if (rest[i] == '#') {
        out.name += std::to_string(layer);
      } else if (rest[i] == '[') {  // the table has [2#], [2#+1] and [#+1]
        const std::string_view rule = rest.substr(i + 1, rest.find(']', i) - i - 1);
        out.name += std::to_string((rule[0] == '2' ? 2 : 1) * layer + (rule.back() == '1' ? 1 : 0));
        i += rule.size() + 1;
      } else if (rest[i] == '{') {
        const std::string_view list = rest.substr(i + 1, rest.find('}', i) - i - 1);
        bool end = false;
        for (out.stack = 0; !end; ++out.stack) detail::nth(list, ',', out.stack, end);
        --out.stack;
        out.name += detail::nth(list, ',', part, end);
        i += list.size() + 1;
      } else {
        out.name += rest[i];
      }
    }
    return out;
  }
  return {};
}

DSVL_END_NAMESPACE

#endif  // DSVL_MODEL_NAMES_HPP
