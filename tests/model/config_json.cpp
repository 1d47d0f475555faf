// config.json of both layouts: released sizes, defaults, presets, spellings, and errors that name file and key.
#include "../messages.hpp"
#include "released.hpp"

using namespace dsvl;
using test::with;

namespace {

void check_siglip_large(const SiglipDims& d) {
  CHECK((d.input.image == 384 && d.input.patch == 16 && d.input.channels == 3));
  CHECK((d.hidden == 1024 && d.intermediate == 4096 && d.layers == 24 && d.heads == 16));
  CHECK(d.eps == 1e-6);
  CHECK(d.activation == GeluKind::erf);
}
void check_decoder(const DecoderDims& d, const DecoderDims& want) {
  CHECK((d.hidden == want.hidden && d.intermediate == want.intermediate && d.layers == want.layers && d.vocab == want.vocab));
  CHECK((d.heads.heads == want.heads.heads && d.heads.kv_heads == want.heads.kv_heads && d.heads.head_dim == want.heads.head_dim));
  CHECK((d.eps == 1e-6 && d.rope_theta == 10000.0));
}

std::string tiny(const char* name) { return test::read_file(test::data(std::string(name) + "/config.json")); }

/// The error that reading this text must give.
Status error_of(const std::string& text) {
  const auto config = test::read_config(text);
  REQUIRE_FALSE(config);
  return config.error();
}
using test::has;

}  // namespace

TEST_CASE("the released 1.3B configurations of both layouts give the published sizes") {
  for (const std::string_view text : {released::kOriginal1_3B.config, released::kHf1_3B.config, released::kHf1_3BNested.config}) {
    const ModelConfig c = test::released(text);
    check_siglip_large(c.siglip);
    check_decoder(c.decoder, test::kDecoder1_3B);
    CHECK_FALSE(c.high);
    CHECK(c.aligner.kind == AlignerKind::mlp_gelu);
    CHECK((c.aligner.depth == 2 && c.aligner.low == 1024 && c.aligner.hidden == 2048));
    CHECK(c.max_positions == 16384);
    CHECK(c.image_tokens() == 576);
    CHECK_FALSE(c.may_tie);
  }
  CHECK(test::released(released::kHf1_3B.config).image_token == 100015);
  CHECK_FALSE(test::released(released::kOriginal1_3B.config).image_token);
}

TEST_CASE("the released 7B configurations of both layouts give the published sizes") {
  for (const std::string_view text : {released::kOriginal7B.config, released::kHf7B.config, released::kHf7BNested.config}) {
    const ModelConfig c = test::released(text);
    check_siglip_large(c.siglip);
    check_decoder(c.decoder, test::kDecoder7B);
    REQUIRE(c.high);
    const SamDims& s = c.high->sam;
    CHECK((s.input.image == 1024 && s.input.patch == 16 && s.input.channels == 3));
    CHECK((s.hidden == 768 && s.intermediate == 3072 && s.layers == 12 && s.heads == 12 && s.window == 14));
    CHECK(s.global_layers == LayerSet{2, 5, 8, 11});
    CHECK((s.eps == 1e-6 && s.activation == GeluKind::erf));
    const DownsampleDims& d = c.high->down;
    CHECK((d.neck == 256 && d.middle == 512 && d.out == 1024 && d.resized == Grid{96, 96} && d.grid() == Grid{24, 24}));
    CHECK(c.aligner.kind == AlignerKind::low_high_hybrid_split_mlp_gelu);
    CHECK((c.aligner.depth == 2 && c.aligner.low == 1024 && c.aligner.high == 1024 && c.aligner.hidden == 4096));
    CHECK(c.max_positions == 16384);
  }
}

TEST_CASE("the small models' twins have the same sizes in both layouts: explicit sizes win over the presets' names") {
  for (const char* name : {"tiny-lowres", "tiny-hybrid"}) {
    const ModelConfig a = test::released(tiny(name).c_str()), b = test::released(tiny((std::string(name) + "-original").c_str()).c_str());
    CHECK((a.siglip.hidden == 48 && b.siglip.hidden == 48));
    CHECK((a.siglip.layers == b.siglip.layers && a.siglip.intermediate == b.siglip.intermediate && a.siglip.heads == b.siglip.heads));
    CHECK((a.siglip.input.image == 64 && b.siglip.input.image == 64));
    CHECK((a.decoder.hidden == b.decoder.hidden && a.decoder.heads.head_dim == b.decoder.heads.head_dim && a.decoder.layers == b.decoder.layers));
    REQUIRE(a.high.has_value() == b.high.has_value());
    if (!a.high) continue;
    CHECK((a.high->sam.hidden == 40 && b.high->sam.hidden == 40 && b.high->sam.intermediate == 96 && b.high->sam.heads == 4));
    CHECK(a.high->sam.global_layers == b.high->sam.global_layers);
    CHECK((b.high->down.neck == 8 && b.high->down.middle == 16 && b.high->down.out == 32 && a.high->down.out == 32));
    CHECK((a.aligner.high == 32 && b.aligner.high == 32 && b.aligner.low == 48));  // not input_dim
  }
}

TEST_CASE("absent keys take the stock defaults of their classes") {
  const ModelConfig c = test::released(R"({"model_type": "deepseek_vl", "image_token_id": 5})");
  CHECK((c.siglip.hidden == 768 && c.siglip.intermediate == 3072 && c.siglip.layers == 12 && c.siglip.heads == 12));
  CHECK((c.siglip.input.image == 224 && c.siglip.input.patch == 16));
  CHECK(c.siglip.activation == GeluKind::tanh);
  CHECK((c.decoder.hidden == 4096 && c.decoder.intermediate == 11008 && c.decoder.layers == 32 && c.decoder.vocab == 32000));
  CHECK((c.decoder.heads.heads == 32 && c.decoder.heads.kv_heads == 32 && c.decoder.heads.head_dim == 128));
  CHECK(c.max_positions == 2048);
  const ModelConfig h = test::released(R"({"model_type": "deepseek_vl_hybrid", "image_token_id": 5})");
  CHECK((h.high->sam.hidden == 768 && h.high->sam.intermediate == 3072 && h.high->sam.window == 14 && h.high->down.out == 1024));
  CHECK(h.high->sam.activation == GeluKind::erf);
  const ModelConfig o = test::released(R"({"model_type": "multi_modality", "language_config": {},
      "vision_config": {"cls": "CLIPVisionTower"}, "aligner_config": {"cls": "MlpProjector",
      "params": {"projector_type": "mlp_gelu", "input_dim": 1024, "n_embed": 4096}}})");
  CHECK((o.siglip.layers == 23 && o.siglip.input.image == 336 && o.aligner.depth == 1));
}

TEST_CASE("select_layer counts from the end when it is not above zero") {
  const auto layers = [](const char* select) {
    return test::released(with(released::kOriginal1_3B.config, "\"select_layer\": -1", std::string("\"select_layer\": ") + select).c_str()).siglip.layers;
  };
  CHECK(layers("-1") == 24);
  CHECK(layers("-2") == 23);
  CHECK(layers("0") == 24);
  CHECK(layers("5") == 5);
  CHECK(layers("30") == 24);
}

TEST_CASE("both spellings of rope_theta are read, and the newer one wins") {
  CHECK(test::released(with(released::kHf1_3B.config, "\"rope_theta\": 10000.0", "\"rope_theta\": 500000").c_str()).decoder.rope_theta == 500000);
  CHECK(test::released(with(released::kHf7BNested.config, "\"rope_theta\": 10000.0", "\"rope_theta\": 500000").c_str()).decoder.rope_theta == 500000);
  CHECK(test::released(with(released::kHf7BNested.config, "\"head_dim\": 128", "\"head_dim\": 128, \"rope_theta\": 7").c_str()).decoder.rope_theta == 10000);
}

TEST_CASE("dtypes, token ids of the language model, unknown keys and nulls are ignored") {
  std::string text = with(released::kHf1_3B.config, "\"torch_dtype\": \"bfloat16\"", "\"dtype\": 3, \"torch_dtype\": [1]");
  text = with(text, "\"eos_token_id\": 2", "\"eos_token_id\": \"no\"");
  text = with(text, "\"patch_size\": 16", "\"patch_size\": 16, \"num_channels\": null, \"something\": {\"new\": []}");
  check_siglip_large(test::released(text.c_str()).siglip);
}

TEST_CASE("an explicit head_dim or mlp_dim wins over what it would be derived from") {
  const ModelConfig c = test::released(with(released::kHf7BNested.config, "\"head_dim\": 128", "\"head_dim\": 64").c_str());
  CHECK((c.decoder.heads.head_dim == 64 && c.decoder.heads.width() == 2048 && c.decoder.hidden == 4096));
  CHECK(test::released(with(released::kHf7B.config, "\"intermediate_size\": 3072", "\"mlp_ratio\": 2").c_str()).high->sam.intermediate == 1536);
  CHECK(test::released(with(released::kHf7B.config, "\"intermediate_size\": 3072", "\"mlp_ratio\": 2, \"mlp_dim\": 1000").c_str()).high->sam.intermediate == 1000);
}

TEST_CASE("text_config's word on tying counts more than the library's default at the top") {
  const auto may_tie = [](const char* top, const char* text) {
    std::string json = with(released::kHf1_3B.config, "\"image_token_id\"", std::string(top) + "\"image_token_id\"");
    return test::released(with(json, "\"rope_scaling\": null", std::string(text) + "\"rope_scaling\": null").c_str()).may_tie;
  };
  CHECK_FALSE(may_tie("", ""));
  CHECK_FALSE(may_tie("\"tie_word_embeddings\": true, ", "\"tie_word_embeddings\": false, "));
  CHECK(may_tie("\"tie_word_embeddings\": true, ", ""));
  CHECK(may_tie("", "\"tie_word_embeddings\": true, "));
}

TEST_CASE("the side branch taps the first global layer: as listed in the hf layout, as met in the original") {
  CHECK(test::released(released::kHf7B.config).high->sam.tap == 2);
  const ModelConfig hf = test::released(with(released::kHf7B.config, "\"image_size\": 1024", "\"global_attn_indexes\": [7, 4]").c_str());
  CHECK((hf.high->sam.tap == 7 && hf.high->sam.global_layers == LayerSet{4, 7}));
  const ModelConfig original = test::released(with(released::kOriginal7B.config, "\"output_dim\": 1024", "\"global_attn_indexes\": [7, 4]").c_str());
  CHECK((original.high->sam.tap == 4 && original.high->sam.global_layers == LayerSet{4, 7}));
}

TEST_CASE("grouped heads are read, and must divide") {
  const ModelConfig c = test::released(with(released::kHf1_3B.config, "\"rope_scaling\": null", "\"num_key_value_heads\": 4").c_str());
  CHECK((c.decoder.heads.kv_heads == 4 && c.decoder.heads.heads == 16));
}

TEST_CASE("whatever is wrong in a configuration is named with its file, its object and its key") {
  struct Case { std::string_view base; const char *from, *to; Code code; const char *where, *why; };
  const Case cases[] = {
      {released::kHf1_3B.config, "deepseek_vl\"", "llava\"", Code::unsupported, "config.json", "'llava'"},
      {released::kHf1_3B.config, "\"hidden_size\": 2048", "\"hidden_size\": \"2048\"", Code::bad_file, "config.json: text_config.hidden_size", "'2048'"},
      {released::kHf1_3B.config, "\"hidden_size\": 2048", "\"hidden_size\": 2048.5", Code::bad_file, "text_config.hidden_size", "2048.5"},
      {released::kHf1_3B.config, "\"hidden_size\": 2048", "\"hidden_size\": -1", Code::bad_file, "text_config.hidden_size", "-1"},
      {released::kHf1_3B.config, "\"hidden_size\": 2048", "\"hidden_size\": 0", Code::bad_file, "text_config.hidden_size", "from 1"},
      {released::kHf1_3B.config, "\"hidden_size\": 2048", "\"hidden_size\": 99999999999", Code::bad_file, "text_config.hidden_size", "16777216"},
      {released::kHf1_3B.config, "\"hidden_size\": 2048", "\"hidden_size\": 2050", Code::bad_file, "text_config.num_attention_heads", "2050"},
      {released::kHf1_3B.config, "\"num_hidden_layers\": 24", "\"num_hidden_layers\": 5000", Code::bad_file, "text_config.num_hidden_layers", "1024"},
      {released::kHf1_3B.config, "\"rope_scaling\": null", "\"rope_scaling\": {\"type\": \"linear\"}", Code::unsupported, "text_config.rope_scaling.type", "'linear'"},
      {released::kHf1_3B.config, "\"rope_scaling\": null", "\"hidden_act\": \"gelu\"", Code::unsupported, "text_config.hidden_act", "silu"},
      {released::kHf1_3B.config, "\"rope_scaling\": null", "\"attention_bias\": true", Code::unsupported, "text_config.attention_bias", "false"},
      {released::kHf1_3B.config, "\"rope_scaling\": null", "\"mlp_bias\": 1", Code::bad_file, "text_config.mlp_bias", "true or false"},
      {released::kHf1_3B.config, "\"rope_scaling\": null", "\"num_key_value_heads\": 5", Code::bad_file, "text_config.num_key_value_heads", "5"},
      {released::kHf1_3B.config, "\"rope_scaling\": null", "\"head_dim\": 63", Code::bad_file, "text_config.head_dim", "odd"},
      {released::kHf1_3B.config, "\"rope_scaling\": null", "\"rms_norm_eps\": 0", Code::bad_file, "text_config.rms_norm_eps", "above 0"},
      {released::kHf7BNested.config, "\"rope_type\": \"default\"", "\"rope_type\": \"yarn\"", Code::unsupported, "rope_parameters.rope_type", "default"},
      {released::kHf1_3B.config, "\"hidden_act\": \"gelu\"", "\"hidden_act\": \"relu\"", Code::unsupported, "vision_config.hidden_act", "'relu'"},
      {released::kHf1_3B.config, "\"image_size\": 384", "\"image_size\": 390", Code::bad_file, "vision_config.image_size", "390"},
      {released::kHf1_3B.config, "\"image_size\": 384", "\"image_size\": 16000", Code::bad_file, "vision_config.image_size", "8192"},
      {released::kHf1_3B.config, "\"image_size\": 384", "\"num_channels\": 1", Code::bad_file, "vision_config.num_channels", "1"},
      {released::kHf1_3B.config, "100015", "102400", Code::bad_file, "config.json", "image_token_id"},
      {released::kHf1_3B.config, "\"vision_config\": {", "\"vision_config\": 3, \"x\": {", Code::bad_file, "config.json: vision_config", "an object"},
      {released::kHf7B.config, "\"image_size\": 1024", "\"use_rel_pos\": false", Code::unsupported, "high_res_vision_config.use_rel_pos", "true"},
      {released::kHf7B.config, "\"image_size\": 1024", "\"global_attn_indexes\": [2, 12]", Code::bad_file, "high_res_vision_config.global_attn_indexes", "from 0 to 11"},
      {released::kHf7B.config, "\"image_size\": 1024", "\"global_attn_indexes\": []", Code::unsupported, "high_res_vision_config.global_attn_indexes", "at least one"},
      {released::kOriginal1_3B.config, "CLIPVisionTower", "EvaTower", Code::unsupported, "vision_config.cls", "HybridVisionTower"},
      {released::kOriginal1_3B.config, "MlpProjector", "Perceiver", Code::unsupported, "aligner_config.cls", "MlpProjector"},
      {released::kOriginal1_3B.config, "\"mlp_gelu\"", "\"qformer\"", Code::unsupported, "aligner_config.params.projector_type", "'qformer'"},
      {released::kOriginal1_3B.config, "\"mlp_gelu\"", "\"low_high_hybrid_split_mlp_gelu\"", Code::unsupported, "projector_type", "towers"},
      {released::kOriginal7B.config, "\"low_high_hybrid_split_mlp_gelu\"", "\"mlp_gelu\"", Code::unsupported, "projector_type", "towers"},
      {released::kOriginal1_3B.config, "\"n_embed\": 2048", "\"n_embed\": 1000", Code::bad_file, "config.json", "1000"},
      {released::kOriginal1_3B.config, "\"mlp_gelu\"", "\"identity\"", Code::bad_file, "config.json", "identity"},
      {released::kOriginal1_3B.config, "\"language_config\"", "\"x\"", Code::bad_file, "config.json: language_config", "not there"},
      {released::kOriginal1_3B.config, "siglip_large_patch16_384", "openai/clip", Code::unsupported, "vision_config.params.model_name", "SigLIP"},
      {released::kOriginal1_3B.config, "\"select_layer\": -1", "\"select_layer\": -30", Code::bad_file, "select_layer", "24"},
      {released::kOriginal7B.config, "\"tuple\"", "\"sequence\"", Code::unsupported, "vision_config.params.concat_type", "tuple"},
      {released::kOriginal7B.config, "\"high_res_cfg\"", "\"x\"", Code::bad_file, "vision_config.params.high_res_cfg", "not there"},
      {released::kOriginal7B.config, "sam_b_downsample", "sam_b", Code::unsupported, "high_res_cfg.model_name", "sam_b_downsample"},
      {released::kOriginal7B.config, "\"output_dim\": 1024", "\"downsample_channels\": [512]", Code::unsupported, "downsample_channels", "two"},
  };
  for (const Case& c : cases) {
    INFO(c.to);
    const Status status = error_of(with(c.base, c.from, c.to));
    INFO(status.text());
    CHECK(status.code() == c.code);
    CHECK(has(status, c.where));
    CHECK(has(status, c.why));
  }
  CHECK(error_of("[]").code() == Code::bad_file);
  CHECK(error_of("{}").code() == Code::unsupported);
  CHECK(has(error_of(R"({"model_type": 5})"), "model_type"));
}

TEST_CASE("what is told of a hostile value is printable") {
  const Status status = error_of("{\"model_type\": \"\\u001b[31m\\u0000\\n\"}");
  for (const char* p = status.text(); *p; ++p) CHECK((static_cast<unsigned char>(*p) >= 0x20));
}

TEST_CASE("positions that are not scaled may be said in every way that transformers says it") {
  const auto theta = [](const std::string& rope) {
    return test::released(with(released::kHf1_3B.config, "\"rope_theta\": 10000.0, \"rope_scaling\": null", rope).c_str()).decoder.rope_theta;
  };
  CHECK(theta("\"rope_scaling\": {\"rope_type\": \"default\"}") == 10000.0);
  CHECK(theta("\"rope_scaling\": {\"type\": \"default\"}, \"rope_theta\": 5000.0") == 5000.0);
  CHECK(theta("\"rope_parameters\": {\"rope_type\": \"default\", \"rope_theta\": 5000.0}") == 5000.0);
  CHECK(theta("\"rope_scaling\": {\"rope_type\": \"default\", \"rope_theta\": 5000.0}") == 5000.0);
  CHECK(theta("\"rope_parameters\": {\"rope_type\": \"default\"}, \"rope_theta\": 5000.0") == 5000.0);
  CHECK(theta("\"rope_parameters\": null, \"rope_scaling\": null") == 10000.0);
}
