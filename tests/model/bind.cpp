// Binding names, files and shapes: everything wrong is told at once, junk is ignored, older spellings are understood.
#include <dsvl/model/load.hpp>

#include "../io/failing_allocator.hpp"
#include "rewrite.hpp"

using namespace dsvl;
using test::Golden;
using test::Rewritten;
using test::Tensor;

namespace {

ModelConfig config_of(const std::string& name) {
  const auto text = test::read_file(test::data(name + "/config.json"));
  const auto json = test::must(json::Document::parse(text, name));
  return test::must(read_config(json.root(), name));
}
/// Loads rewritten weights and says how it went.
Status load(const ModelConfig& config, const std::vector<Tensor>& tensors, LoadReport& report, Allocator* from = nullptr) {
  const Rewritten file(tensors);
  const auto model = load_network(test::must(Checkpoint::open(file.folder())), config, from, report);
  return model ? Status() : model.error();
}
Tensor& find(std::vector<Tensor>& tensors, const std::string& name) {
  for (Tensor& t : tensors)
    if (t.name == name) return t;
  FAIL(name);
  return tensors[0];
}
void remove(std::vector<Tensor>& tensors, const std::string& name) {
  find(tensors, name);
  std::erase_if(tensors, [&](const Tensor& t) { return t.name == name; });
}
bool mentions(const std::vector<std::string>& list, const std::string& words) {
  return std::any_of(list.begin(), list.end(), [&](const std::string& s) { return s.find(words) != std::string::npos; });
}

}  // namespace

TEST_CASE("a whole checkpoint binds, and what no forward pass reads is listed as unused and otherwise ignored") {
  for (const char* name : {"tiny-lowres", "tiny-hybrid", "tiny-lowres-original", "tiny-hybrid-original"}) {
    INFO(name);
    LoadReport report;
    CHECK(load(config_of(name), test::read_tensors(name), report).ok());
    CHECK((report.missing.empty() && report.misshapen.empty()));
    const bool original = std::string(name).find("original") != std::string::npos;
    CHECK(report.unused.empty() != original);
    for (const std::string& unused : report.unused)
      CHECK_MESSAGE((unused.find("attn_pool") != std::string::npos || unused.find("_layer_norm") != std::string::npos), unused);
  }
}

TEST_CASE("junk of any name, dtype and shape is ignored unchecked") {
  auto tensors = test::read_tensors("tiny-hybrid");
  tensors.push_back({"model.vision_model.head.probe", "I64", {3}, std::vector<std::byte>(24)});
  tensors.push_back({"model.language_model.layers.0.self_attn.rotary_emb.inv_freq", "F64", {1}, std::vector<std::byte>(8)});
  tensors.push_back({"zzz", "U8", {0}, {}});
  LoadReport report;
  CHECK(load(config_of("tiny-hybrid"), tensors, report).ok());
  CHECK(report.unused.size() == 3);
}

TEST_CASE("all that is missing, misshapen or of another dtype is reported at once") {
  auto tensors = test::read_tensors("tiny-hybrid");
  remove(tensors, "model.language_model.norm.weight");
  remove(tensors, "model.vision_model.encoder.layers.1.self_attn.k_proj.bias");
  remove(tensors, "model.high_res_vision_alpha");
  find(tensors, "lm_head.weight").shape = {64, 320};
  find(tensors, "model.aligner.proj.bias").dtype = "I16";
  Tensor& q = find(tensors, "model.language_model.layers.0.self_attn.q_proj.weight");
  q.dtype = "F16";  // not the dtype of k and v
  Tensor& norm = find(tensors, "model.vision_model.post_layernorm.weight");
  norm.shape = {47};
  norm.bytes.resize(94);
  Tensor& table = find(tensors, "model.high_res_vision_model.vision_encoder.layers.0.attn.rel_pos_h");
  table.shape = {table.shape[0] * table.shape[1]};
  LoadReport report;
  const Status status = load(config_of("tiny-hybrid"), tensors, report);
  CHECK(status.code() == Code::not_found);
  CHECK(std::string(status.text()).find("3 tensors") != std::string::npos);
  CHECK(report.missing.size() == 3);
  CHECK(mentions(report.missing, "model.language_model.norm.weight"));
  CHECK(mentions(report.missing, "model.vision_model.encoder.layers.1.self_attn.k_proj.bias"));
  CHECK(mentions(report.missing, "model.high_res_vision_alpha"));
  CHECK(report.misshapen.size() == 6);  // k and v both differ from q
  CHECK(mentions(report.misshapen, "'lm_head.weight' has shape [64, 320], model needs 320 x 64"));
  CHECK(mentions(report.misshapen, "'model.aligner.proj.bias': has dtype I16"));
  CHECK(mentions(report.misshapen, "has dtype BF16, unlike"));
  CHECK(mentions(report.misshapen, "'model.vision_model.post_layernorm.weight' has shape [47], model needs 48"));
  CHECK(mentions(report.misshapen, "rel_pos_h' has shape"));
}

TEST_CASE("with shapes alone wrong the code is bad_shape and the headline names one") {
  auto tensors = test::read_tensors("tiny-lowres");
  find(tensors, "lm_head.weight").shape = {1, 64, 320};
  LoadReport report;
  const Status status = load(config_of("tiny-lowres"), tensors, report);
  CHECK(status.code() == Code::bad_shape);
  CHECK(std::string(status.text()).find("lm_head.weight") != std::string::npos);
}

TEST_CASE("q, k and v must each have the rows that the model needs, also where the sum is right") {
  auto tensors = test::read_tensors("tiny-lowres");
  for (const auto& [name, rows] : {std::pair<const char*, Index>{"q", 96}, {"k", 32}}) {
    Tensor& t = find(tensors, std::string("model.language_model.layers.0.self_attn.") + name + "_proj.weight");
    t.shape = {rows, 64};
    t.bytes.resize(static_cast<std::size_t>(rows * 128));
  }
  LoadReport report;
  CHECK(load(config_of("tiny-lowres"), tensors, report).code() == Code::bad_shape);
  CHECK(report.misshapen.size() == 2);
  CHECK(mentions(report.misshapen, "self_attn.q_proj.weight' has shape [96, 64], model needs 64 x 64"));
  CHECK(mentions(report.misshapen, "self_attn.k_proj.weight' has shape [32, 64], model needs 64 x 64"));
}

TEST_CASE("a convolution's weight with its channels last is refused, not taken for another convolution") {
  auto tensors = test::read_tensors("tiny-hybrid");
  Tensor& patch = find(tensors, "model.vision_model.embeddings.patch_embedding.weight");
  REQUIRE(patch.shape.size() == 4);
  patch.shape = {patch.shape[0], patch.shape[2], patch.shape[3], patch.shape[1]};
  Tensor& neck = find(tensors, "model.high_res_vision_neck.conv2.weight");
  neck.shape = {neck.shape[0], 3, 3, neck.shape[1]};
  LoadReport report;
  CHECK(load(config_of("tiny-hybrid"), tensors, report).code() == Code::bad_shape);
  CHECK(report.misshapen.size() == 2);
  CHECK(mentions(report.misshapen, "patch_embedding.weight' has shape [48, 16, 16, 3], model needs 48 x 3 x 16 x 16"));
  CHECK(mentions(report.misshapen, "model.high_res_vision_neck.conv2.weight"));
}

TEST_CASE("missing tensors are named as the rest of the checkpoint is spelled") {
  struct Case { const char *model, *tensor; };
  for (const Case& c : {Case{"tiny-lowres-original", "vision_model.vision_tower.blocks.2.norm2.weight"},
                        {"tiny-hybrid-original", "vision_model.vision_tower_low.vision_tower.blocks.2.norm2.weight"},
                        {"tiny-lowres-original", "vision_model.vision_tower.pos_embed"},
                        {"tiny-hybrid-original", "vision_model.vision_tower_low.vision_tower.norm.bias"},
                        {"tiny-lowres", "model.vision_model.encoder.layers.0.self_attn.q_proj.weight"}}) {
    auto tensors = test::read_tensors(c.model);
    remove(tensors, c.tensor);
    LoadReport report;
    CHECK(load(config_of(c.model), tensors, report).code() == Code::not_found);
    CHECK(report.missing == std::vector<std::string>{c.tensor});
  }
}

TEST_CASE("the older spelling of the HF vision tower gives the same bits") {
  auto tensors = test::read_tensors("tiny-hybrid");
  for (Tensor& t : tensors)
    if (t.name.rfind("model.vision_model.", 0) == 0) t.name = "model.vision_model.vision_model." + t.name.substr(19);
  const Rewritten file(tensors);
  const auto old = test::outputs<float>(Golden::load("tiny-hybrid", file.folder()), active_kernels<float>());
  const auto now = test::outputs<float>(Golden::load("tiny-hybrid"), active_kernels<float>());
  CHECK(std::memcmp(old.data(), now.data(), now.size() * sizeof(float)) == 0);
}

TEST_CASE("the head is its own tensor when there is one, and tied only when it is missing and may be") {
  ModelConfig config = config_of("tiny-lowres");
  auto tensors = test::read_tensors("tiny-lowres");
  const auto net_of = [&](const Rewritten& file) {
    LoadReport report;
    return test::must(load_network(test::must(Checkpoint::open(file.folder())), config, nullptr, report));
  };
  config.may_tie = true;
  {
    const Rewritten file(tensors);
    const auto model = net_of(file);
    CHECK_FALSE(model.net.decoder.dims.tied);
    CHECK(model.net.decoder.head.weight.blocks[0].data != model.net.decoder.embedding.weight.blocks[0].data);
  }
  remove(tensors, "lm_head.weight");
  {
    const Rewritten file(tensors);
    const auto model = net_of(file);
    CHECK(model.net.decoder.dims.tied);
    CHECK(model.net.decoder.head.weight.blocks[0].data == model.net.decoder.embedding.weight.blocks[0].data);
  }
  config.may_tie = false;
  LoadReport report;
  CHECK(load(config, tensors, report).code() == Code::not_found);
  CHECK(report.missing == std::vector<std::string>{"lm_head.weight"});
}

TEST_CASE("weights are used where they lie; only vectors and tables are copied") {
  const auto g = Golden::load("tiny-hybrid");
  const auto inside = [&](const Matrix& m) {
    for (int b = 0; b < m.block_count; ++b) {
      const auto& part = g.model.checkpoint.parts()[0].bytes.span();
      if (m.blocks[b].data < part.data() || m.blocks[b].data >= part.data() + part.size()) return false;
    }
    return m.block_count > 0;
  };
  CHECK(inside(g.model.net.decoder.blocks[1].qkv.weight));
  CHECK(g.model.net.decoder.blocks[1].qkv.weight.block_count == 3);
  CHECK(inside(g.model.net.siglip.embed.projection.weight));
  CHECK(inside(g.model.net.siglip.embed.position.weight));
  CHECK(g.model.parameters.size() < 64 * 1024);
}

TEST_CASE("a relative table of another length is resized, not refused") {
  auto tensors = test::read_tensors("tiny-hybrid");
  Tensor& table = find(tensors, "model.high_res_vision_model.vision_encoder.layers.0.attn.rel_pos_h");
  table.shape = {9, table.shape[1]};
  table.bytes.resize(static_cast<std::size_t>(9 * table.shape[1] * 2));
  LoadReport report;
  CHECK(load(config_of("tiny-hybrid"), tensors, report).ok());
}

TEST_CASE("loading without memory is an error and leaks nothing") {
  test::FailingAllocator memory(0);
  LoadReport report;
  CHECK(load(config_of("tiny-hybrid"), test::read_tensors("tiny-hybrid"), report, &memory).code() == Code::out_of_memory);
  CHECK(memory.live == 0);
}
