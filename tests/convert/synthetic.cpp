// Synthetic checkpoints: the stored small models, which PyTorch's side made, come out byte for byte.
#include <dsvl/convert/synthetic/safetensors_writer.hpp>
#include <dsvl/convert/synthetic/inventory.hpp>
#include <map>

#include "../model/released.hpp"
#include "../model/rewrite.hpp"

using namespace dsvl;

TEST_CASE("weights made from names are those of the stored models to the last bit, in both layouts") {
  for (const char* model : {"tiny-lowres", "tiny-hybrid", "tiny-lowres-original", "tiny-hybrid-original"}) {
    INFO(model);
    std::map<std::string, test::Tensor> stored;
    for (test::Tensor& t : test::read_tensors(model)) stored[t.name] = t;
    const ModelConfig config = test::released(test::read_file(test::data(std::string(model) + "/config.json")));
    for (const StoredTensor& t : Inventory::of(DeepseekVl(config), config.layout)) {
      INFO(t.name);
      const auto found = stored.find(t.name);
      REQUIRE(found != stored.end());
      CHECK(found->second.shape == t.shape);
      std::vector<std::byte> bytes;
      for (const StoredTensor::Part& part : t.parts) {
        const Index count = part.rows * part.cols, half = count / 2;  // in two pieces, as a writer may do
        std::vector<std::byte> made(static_cast<std::size_t>(2 * count));
        synthetic::fill(part.hf_name, part.cols, half, count - half, Format::bf16, made.data() + 2 * half);
        synthetic::fill(part.hf_name, part.cols, 0, half, Format::bf16, made.data());
        bytes.insert(bytes.end(), made.begin(), made.end());
      }
      CHECK(bytes == found->second.bytes);
    }
  }
}

TEST_CASE("the three formats hold one number, rounded once each") {
  const std::string name = "model.language_model.layers.0.input_layernorm.weight";
  std::vector<float> wide(100);
  std::vector<std::uint16_t> brain(100), half(100);
  synthetic::fill(name, 1, 0, 100, Format::f32, reinterpret_cast<std::byte*>(wide.data()));
  synthetic::fill(name, 1, 0, 100, Format::bf16, reinterpret_cast<std::byte*>(brain.data()));
  synthetic::fill(name, 1, 0, 100, Format::f16, reinterpret_cast<std::byte*>(half.data()));
  for (std::size_t i = 0; i < 100; ++i) {
    CHECK(std::abs(wide[i] - 1.0f) <= 0.1f);
    CHECK(brain[i] == to_bf16(wide[i]).bits);
    CHECK(half[i] == to_f16(wide[i]).bits);
  }
}

TEST_CASE("a written head is read back with names, dtypes, shapes and places") {
  const std::vector<Index> a = {2, 3}, b = {1};
  const std::vector<SafetensorsEntry> entries = {{"a \"quoted\" name", "F32", a, 24}, {"b", "BF16", b, 2}};
  std::string file = safetensors_header(entries);
  CHECK(file.size() % 8 == 0);
  file.append(26, '\x01');
  const auto read = Safetensors::parse(std::as_bytes(std::span(file)), "file", nullptr);
  REQUIRE(read);
  const TensorInfo *const first = read->find("a \"quoted\" name"), *const second = read->find("b");
  REQUIRE((first && second));
  CHECK((first->dtype == "F32" && first->rank == 2 && first->shape[1] == 3 && first->bytes == 24));
  CHECK(second->data == first->data + 24);
}

TEST_CASE("the files of the released models are read, and agree with the constant sizes") {
  const ModelConfig small = test::released(released::kHf1_3B.config), large = test::released(released::kOriginal7B.config);
  CHECK((small.decoder.hidden == test::kDecoder1_3B.hidden && small.decoder.layers == test::kDecoder1_3B.layers && small.decoder.vocab == test::kDecoder1_3B.vocab));
  CHECK((large.decoder.hidden == test::kDecoder7B.hidden && large.decoder.layers == test::kDecoder7B.layers && large.decoder.intermediate == test::kDecoder7B.intermediate));
  for (const released::Files* files : {&released::kOriginal1_3B, &released::kOriginal7B, &released::kHf1_3B, &released::kHf7B})
    for (const std::string_view text : {files->preprocessor, files->processor}) CHECK(json::Document::parse(text, "file"));
}
