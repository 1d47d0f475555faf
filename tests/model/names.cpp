// Names and shapes of every tensor of the released models: what our components visit, spelled, is exactly what is published.
#include <dsvl/convert/synthetic/inventory.hpp>
#include <map>

#include "released.hpp"

using namespace dsvl;

namespace {

using Shapes = std::map<std::string, std::vector<Index>>;

/// Every published tensor is visited once with its shape, and nothing else is. Returns our sizes by part.
std::map<std::string, Index> compare(std::string_view config, Layout layout, const Shapes& published) {
  const ModelConfig c = test::released(config);
  CHECK(c.layout == layout);
  Shapes ours;
  std::map<std::string, Index> parts;
  for (const StoredTensor& t : Inventory::of(DeepseekVl(c), layout)) {
    CHECK_MESSAGE(ours.emplace(t.name, t.shape).second, t.name << " twice");
    const auto found = published.find(t.name);
    CHECK_MESSAGE((found != published.end() && found->second == t.shape), t.name);
    Index rows = 0;
    for (const StoredTensor::Part& part : t.parts) rows += part.rows;
    CHECK(rows * t.parts[0].cols == t.elements());
    const std::string& name = t.parts[0].hf_name;
    const bool aligner = name.find("aligner") != std::string::npos, sam = name.find("high_res") != std::string::npos;
    parts[aligner ? "aligner" : sam ? "sam" : name.find("vision") != std::string::npos ? "siglip" : "language"] += t.elements();
  }
  for (const auto& entry : published) CHECK_MESSAGE(ours.count(entry.first) == 1, entry.first);
  return parts;
}

Shapes hf_list(const char* file) {
  const std::string text = test::read_file(test::data(std::string("tensors/") + file));
  const auto json = json::Document::parse(text, file);
  if (!json) FAIL(std::string(json.error().text()));
  Shapes out;
  for (const json::Value tensor : json->root()) {
    std::vector<Index> shape;
    for (const json::Value d : tensor) shape.push_back(*d.integer());
    out[std::string(tensor.key())] = shape;
  }
  return out;
}

// --- the original layout, written out from the tables of section 3.1 -----------------------------------------------------------

void add_layer(Shapes& s, const std::string& name, std::vector<Index> weight) {
  s[name + ".bias"] = {weight[0]};
  s[name + ".weight"] = std::move(weight);
}
void add_norm(Shapes& s, const std::string& name, Index n) { s[name + ".weight"] = s[name + ".bias"] = {n}; }

void add_siglip(Shapes& s, const std::string& at) {
  s[at + "pos_embed"] = {1, 576, 1024};
  add_layer(s, at + "patch_embed.proj", {1024, 3, 16, 16});
  for (int i = 0; i < 24; ++i) {
    const std::string b = at + "blocks." + std::to_string(i) + ".";
    add_norm(s, b + "norm1", 1024), add_norm(s, b + "norm2", 1024);
    add_layer(s, b + "attn.qkv", {3072, 1024}), add_layer(s, b + "attn.proj", {1024, 1024});
    add_layer(s, b + "mlp.fc1", {4096, 1024}), add_layer(s, b + "mlp.fc2", {1024, 4096});
  }
  add_norm(s, at + "norm", 1024);
}
void add_attention_pool(Shapes& s, const std::string& at) {  // in the files, and never run
  s[at + "attn_pool.latent"] = {1, 1, 1024};
  add_layer(s, at + "attn_pool.q", {1024, 1024}), add_layer(s, at + "attn_pool.kv", {2048, 1024});
  add_layer(s, at + "attn_pool.proj", {1024, 1024}), add_norm(s, at + "attn_pool.norm", 1024);
  add_layer(s, at + "attn_pool.mlp.fc1", {4096, 1024}), add_layer(s, at + "attn_pool.mlp.fc2", {1024, 4096});
}
void add_sam(Shapes& s, const std::string& at) {
  s[at + "pos_embed"] = {1, 64, 64, 768};
  add_layer(s, at + "patch_embed.proj", {768, 3, 16, 16});
  for (int i = 0; i < 12; ++i) {
    const std::string b = at + "blocks." + std::to_string(i) + ".";
    const Index table = i % 3 == 2 ? 127 : 27;
    add_norm(s, b + "norm1", 768), add_norm(s, b + "norm2", 768);
    add_layer(s, b + "attn.qkv", {2304, 768}), add_layer(s, b + "attn.proj", {768, 768});
    s[b + "attn.rel_pos_h"] = s[b + "attn.rel_pos_w"] = {table, 64};
    add_layer(s, b + "mlp.lin1", {3072, 768}), add_layer(s, b + "mlp.lin2", {768, 3072});
  }
  for (const std::string neck : {"neck", "neck_hd"}) {
    s[at + neck + ".0.weight"] = {256, 768, 1, 1};
    s[at + neck + ".2.weight"] = {256, 256, 3, 3};
    add_norm(s, at + neck + ".1", 256), add_norm(s, at + neck + ".3", 256);
  }
  s[at + "downsamples.0.weight"] = {512, 256, 3, 3};
  s[at + "downsamples.1.weight"] = {1024, 512, 3, 3};
  s[at + "hd_alpha_downsamples"] = {1};
}
void add_decoder(Shapes& s, Index layers, Index d, Index f) {
  s["language_model.model.embed_tokens.weight"] = s["language_model.lm_head.weight"] = {102400, d};
  s["language_model.model.norm.weight"] = {d};
  for (Index i = 0; i < layers; ++i) {
    const std::string b = "language_model.model.layers." + std::to_string(i) + ".";
    s[b + "input_layernorm.weight"] = s[b + "post_attention_layernorm.weight"] = {d};
    for (const char* p : {"q", "k", "v", "o"}) s[b + "self_attn." + p + "_proj.weight"] = {d, d};
    s[b + "mlp.gate_proj.weight"] = s[b + "mlp.up_proj.weight"] = {f, d};
    s[b + "mlp.down_proj.weight"] = {d, f};
  }
}
Index elements(const Shapes& s) {
  Index n = 0;
  for (const auto& [name, shape] : s) n += StoredTensor{name, shape, {}}.elements();
  return n;
}

Shapes original_1_3b() {
  Shapes s;
  add_siglip(s, "vision_model.vision_tower.");
  add_layer(s, "aligner.layers.0", {2048, 1024}), add_layer(s, "aligner.layers.2", {2048, 2048});
  add_decoder(s, 24, 2048, 5632);
  return s;
}
Shapes original_7b() {
  Shapes s;
  add_siglip(s, "vision_model.vision_tower_low.vision_tower.");
  add_sam(s, "vision_model.vision_tower_high.vision_tower.");
  add_layer(s, "aligner.high_up_proj", {2048, 1024}), add_layer(s, "aligner.low_up_proj", {2048, 1024});
  add_layer(s, "aligner.layers.1", {4096, 4096});
  add_decoder(s, 30, 4096, 11008);
  return s;
}

}  // namespace

TEST_CASE("every tensor of the published HF checkpoints is what the components visit, with its shape, and nothing else") {
  const Shapes small = hf_list("1.3b.json"), large = hf_list("7b.json");
  CHECK(small.size() == 612);
  CHECK(large.size() == 854);
  compare(released::kHf1_3B.config, Layout::hf, small);
  compare(released::kHf7B.config, Layout::hf, large);
}

TEST_CASE("every tensor of the original checkpoints that a forward pass reads is what the components visit") {
  Shapes small = original_1_3b(), large = original_7b();
  CHECK(small.size() == 529 - 13);
  CHECK(large.size() == 775 - 17);
  const auto a = compare(released::kOriginal1_3B.config, Layout::original, small);
  const auto b = compare(released::kOriginal7B.config, Layout::original, large);
  // The exact counts of section 1.5.
  CHECK(a.at("siglip") == 303688704);
  CHECK(a.at("aligner") == 6295552);
  CHECK(a.at("language") == 1652656128);
  CHECK(a.count("sam") == 0);
  CHECK(b.at("siglip") == 303688704);
  CHECK(b.at("sam") == 96356609);
  CHECK(b.at("aligner") == 20979712);
  CHECK(b.at("language") == 6910365696);
  CHECK(elements(small) == 1962640384);
  CHECK(elements(large) == 7331390721);
  // With what is in the files and never read, the whole files' counts come out: the tables above are complete.
  add_attention_pool(small, "vision_model.vision_tower.");
  add_attention_pool(large, "vision_model.vision_tower_low.vision_tower.");
  add_norm(large, "vision_model.high_layer_norm", 1024), add_norm(large, "vision_model.low_layer_norm", 1024);
  CHECK(small.size() == 529);
  CHECK(large.size() == 775);
  CHECK(elements(small) == 1975235584);
  CHECK(elements(large) == 7343990017);
}

TEST_CASE("both layouts of one model have the same sizes") {
  const auto small = hf_list("1.3b.json"), large = hf_list("7b.json");
  CHECK(elements(small) == 1962640384);
  CHECK(elements(large) == 7331390721);
}

TEST_CASE("a name is spelled with its layer number, its place and its part of a stack") {
  CHECK(spell("language.17.attn.qkv", Layout::hf, 0, 2).name == "model.language_model.layers.17.self_attn.v_proj");
  CHECK(spell("language.17.attn.qkv", Layout::hf, 0, 0).stack == 3);
  CHECK(spell("siglip.3.attn.qkv", Layout::original, 1, 0).name == "vision_model.vision_tower_low.vision_tower.blocks.3.attn.qkv");
  CHECK(spell("siglip.3.attn.qkv", Layout::original, 1, 0).stack == 1);
  CHECK(spell("siglip.position", Layout::hf, 1, 0).name == "model.vision_model.vision_model.embeddings.position_embedding.weight");
  CHECK(spell("aligner.mlp.2", Layout::original, 0, 0).name == "aligner.layers.4");
  CHECK(spell("aligner.mlp.1", Layout::hf, 0, 0).name == "model.aligner.linear2");
  CHECK(spell("aligner.split.1", Layout::original, 0, 0).name == "aligner.layers.3");
  CHECK(spell("aligner.linear", Layout::original, 0, 0).name == "aligner.layers");
  CHECK(spell("language.head", Layout::hf, 0, 0).name == "lm_head");
}

TEST_CASE("there is no spelling for what a layout does not have, nor a second one where there is only one") {
  CHECK(spell("sam.neck.conv3", Layout::hf, 0, 0).name.empty());
  CHECK(spell("", Layout::hf, 0, 0).name.empty());
  CHECK(spell("language.head", Layout::hf, 1, 0).name.empty());
  CHECK(spell("language.norm", Layout::hf, 1, 0).name.empty());
  CHECK(spell("siglip.norm", Layout::hf, 2, 0).name.empty());
}

TEST_CASE("no row of the table of names stands twice") {
  for (std::size_t i = 0; i < std::size(kNames); ++i)
    for (std::size_t j = 0; j < i; ++j) {
      CHECK(kNames[i].ours != kNames[j].ours);
      for (const Layout layout : {Layout::original, Layout::hf}) CHECK_MESSAGE(kNames[i].in(layout) != kNames[j].in(layout), kNames[i].ours);
    }
}

TEST_CASE("every tensor of the released models has a name in GGUF, and no two have the same") {
  for (const std::string_view config : {released::kHf1_3B.config, released::kHf7B.config, released::kOriginal7B.config}) {
    const ModelConfig c = test::released(config);
    std::map<std::string, Index> names;
    Index elements = 0, hf = 0;
    for (const StoredTensor& t : Inventory::of(DeepseekVl(c), Layout::gguf)) {
      CAPTURE(t.name);
      CHECK(++names[t.name] == 1);
      CHECK(t.name.size() < 64);  // ggml's GGML_MAX_NAME
      CHECK(t.name.find_first_of("@#[{|=") == std::string::npos);
      elements += t.elements();
    }
    for (const StoredTensor& t : Inventory::of(DeepseekVl(c), Layout::hf)) hf += t.elements();
    CHECK(elements == hf);
    for (const char* name : {"token_embd.weight", "blk.0.attn_q.weight", "output.weight", "v.blk.23.attn_q.bias"})
      CHECK(names.count(name) == 1);
  }
}
