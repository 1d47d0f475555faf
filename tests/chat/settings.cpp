// A model's settings as people's files have them: which form they come in, what ends an answer, and files that are not
// what they should be.
#include <dsvl/convert/convert.hpp>
#include <dsvl/convert/gguf_writer.hpp>
#include <dsvl/model/gguf_model.hpp>

#include <algorithm>
#include <fstream>

#include "../messages.hpp"
#include "model_files.hpp"
#include "place.hpp"

using namespace dsvl;
using test::Place;

namespace fs = std::filesystem;

namespace {

Model must(Result<Model> model) {
  if (!model) FAIL(std::string(model.error().text()));
  return *model;
}
std::string error(const Result<Model>& model) {
  REQUIRE_FALSE(model);
  return std::string(name(model.error().code())) + ": " + model.error().text();
}
using test::has;
LoadOptions logging(std::vector<std::string>& to) {
  LoadOptions options;
  options.host.log = {[](void* lines, Level level, std::string_view text) {
                        if (level >= Level::warning) static_cast<std::vector<std::string>*>(lines)->emplace_back(text);
                      },
                      &to};
  return options;
}

/// The shipped model as transformers 5 saves it: one processor_config.json with the settings of pictures inside.
test::ModelFiles as_transformers_5() {
  test::ModelFiles files = test::ModelFiles::tiny();
  test::Json processor = test::Json::parse(files.get("processor_config.json"));
  processor["image_processor"] = test::Json::parse(files.get("preprocessor_config.json"));
  processor["video_processor"] = {{"size", 3}};
  files.put("processor_config.json", processor.dump());
  files.remove("preprocessor_config.json");
  return files;
}

std::vector<float> first_logits(const Model& model) {
  Session session = test::open_session({}, model);
  const Answer answer = session.ask(fs::path(test::tiny_vl() / "demo" / "005.png"), "What is the value of the blue bar?");
  REQUIRE_MESSAGE(answer.status().ok(), answer.status().text());
  return {answer.logits().begin(), answer.logits().end()};
}
std::vector<std::int32_t> answer_ids(const Model& model) {
  Session session = test::open_session({}, model);
  Answer answer = session.ask(fs::path(test::tiny_vl() / "demo" / "000.png"), "How many bars are there?");
  while (answer.next()) {}
  REQUIRE_MESSAGE(answer.status().ok(), answer.status().text());
  CHECK(answer.finish() == Finish::eos);
  return test::ids(answer.ids());
}

}  // namespace

TEST_CASE("the shipped model saved the transformers 5 way answers all 114 questions as PyTorch does, 97 of them right") {
  const test::ModelFiles files = as_transformers_5();
  const Model model = must(Model::load(files.folder()));
  Session session = test::open_session({}, model);
  int right = 0, identical = 0;
  const json::Value questions = test::json_file(test::tiny_vl() / "demo" / "questions.json").root();
  for (const json::Value q : questions) {
    session.clear();
    Answer answer = session.ask(fs::path(test::demo_picture(q)), test::text(q.find("question")));
    while (answer.next()) {}
    right += test::strip(std::string(answer.text())) == test::text(q.find("answer"));
    identical += test::ids(answer.ids()) == test::ids(q.find("reference_ids"));
  }
  CHECK(right == 97);
  CHECK(identical == 114);
}

TEST_CASE("both forms of the settings of pictures go into a GGUF file and come out the same") {
  const Place place("gguf");
  const test::ModelFiles five = as_transformers_5();
  REQUIRE(convert(five.folder(), place.path / "five.gguf", {.types = WeightTypes::of(Format::bf16)}).ok());
  CHECK(first_logits(must(Model::load(place.path / "five.gguf"))) == first_logits(test::tiny_model()));
}

TEST_CASE("a model without settings of pictures is refused by load, plan and convert alike") {
  const Place place("none");
  test::ModelFiles files = test::ModelFiles::tiny();
  files.remove("preprocessor_config.json");
  CHECK(has(error(Model::load(files.folder())), "not_found: preprocessor_config.json (in memory): no such file, nor image_processor"));
  CHECK(plan(files.folder()).error().code() == Code::not_found);
  CHECK(convert(files.folder(), place.path / "x.gguf").code() == Code::not_found);
  CHECK_FALSE(fs::exists(place.path / "x.gguf"));
}

TEST_CASE("loading reports how pictures are prepared and what ends an answer, with the file of each") {
  LoadReport report;
  LoadOptions options;
  options.report = &report;
  must(Model::load(as_transformers_5().folder(), options));
  const auto row = [&](std::string_view name) {
    for (const Setting& s : report.settings)
      if (s.name == name) return s.value + " | " + s.origin;
    return std::string();
  };
  CHECK(row("preprocess.low.filter") == "bilinear | processor_config.json (in memory): image_processor.resample");
  CHECK(row("end_tokens") == "534 | the tokenizer");
}

TEST_CASE("an answer ends at the ids of generation_config.json too, one or a list") {
  test::ModelFiles files = test::ModelFiles::tiny();
  const std::vector<std::int32_t> whole = answer_ids(test::tiny_model());  // There are 4 bars.
  REQUIRE(whole.size() == 7);
  for (const std::string& ids : {std::to_string(whole[2]), "[" + std::to_string(whole[2]) + ", 5]", "[534, " + std::to_string(whole[2]) + "]"}) {
    files.put("generation_config.json", "{\"eos_token_id\": " + ids + "}");
    const Model model = must(Model::load(files.folder()));
    CHECK(std::binary_search(model.end_tokens().begin(), model.end_tokens().end(), 534));
    CHECK(answer_ids(model) == std::vector<std::int32_t>(whole.begin(), whole.begin() + 3));
  }
  files.put("generation_config.json", "{\"eos_token_id\": [534");
  CHECK(has(error(Model::load(files.folder())), "bad_file: generation_config.json"));
}

TEST_CASE("an answer ends at the ids of config.json only if the tokenizer's is among them, and a lone 2 ends nothing") {
  test::ModelFiles files = test::ModelFiles::tiny();
  const std::vector<std::int32_t> whole = answer_ids(test::tiny_model());
  files.set("config.json", "/text_config/eos_token_id", {534, whole[1]});
  CHECK(answer_ids(must(Model::load(files.folder()))).size() == 2);
  files.set("config.json", "/text_config/eos_token_id", {whole[1]});
  CHECK(answer_ids(must(Model::load(files.folder()))) == whole);
  files.set("config.json", "/text_config/eos_token_id", 2);
  files.put("generation_config.json", R"({"eos_token_id": 2})");
  std::vector<std::string> lines;
  const Model model = must(Model::load(files.folder(), logging(lines)));
  CHECK(test::ids(model.end_tokens()) == std::vector<std::int32_t>{534});
  REQUIRE(lines.size() == 1);
  CHECK(has(lines[0], "eos_token_id 2 is the default of LLaMA's class"));
}

TEST_CASE("what ends an answer survives the way through a GGUF file") {
  const Place place("eos");
  test::ModelFiles files = test::ModelFiles::tiny();
  files.put("generation_config.json", R"({"eos_token_id": [534, 19]})");
  for (const bool split : {false, true}) {
    REQUIRE(convert(files.folder(), place.path / "m.gguf", {.types = WeightTypes::of(Format::bf16), .split = split}).ok());
    CHECK(test::ids(must(Model::load(place.path / "m.gguf")).end_tokens()) == std::vector<std::int32_t>{19, 534});
  }
}

TEST_CASE("bos and eos are found in special_tokens_map.json where tokenizer_config.json did not come along") {
  test::ModelFiles files = test::ModelFiles::tiny();
  files.remove("tokenizer_config.json");
  files.put("special_tokens_map.json", R"({"eos_token": {"content": "<image_placeholder>"}, "bos_token": "<image_placeholder>"})");
  const Model model = must(Model::load(files.folder()));
  CHECK(model.tokenizer()->eos() == 535);
  CHECK(model.tokenizer()->bos() == 535);
}

TEST_CASE("a GGUF file loads whatever it is called, and a file of another kind is called what it is") {
  const Place place("names");
  REQUIRE(convert(Folder::directory(test::tiny_vl()), place.path / "m.gguf", {.types = WeightTypes::of(Format::q8_0)}).ok());
  const auto want = first_logits(must(Model::load(place.path / "m.gguf")));
  for (const char* name : {"m.bin", "m", "m.gguf.download"}) {
    fs::copy_file(place.path / "m.gguf", place.path / name);
    CHECK(first_logits(must(Model::load(place.path / name))) == want);
    CHECK(plan(place.path / name));
  }
  const auto refused = [&](const std::string& text) { return error(Model::load(place.write("other.gguf", text))); };
  CHECK(has(refused("version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 5\n"), "other.gguf: is a pointer of Git LFS, not the file itself; run: git lfs pull"));
  CHECK(has(refused("<!DOCTYPE html><html>"), "is a web page, not the file itself; download it again"));
  CHECK(has(refused(std::string("PK\x03\x04\0\0\0\0\0\0\0\0\0\0\0", 15)), "is a zip archive, as PyTorch's .bin and .pt files are"));
  CHECK(has(refused(std::string("\x80\x02\x8A\x0AlF\0\0\0\0\0\0\0", 13)), "is a Python pickle"));
  CHECK(has(refused(std::string("\x08\x07\x12\x07pytorch", 11)), "is an ONNX model"));
  CHECK(has(error(Model::load(place.path / "gone.gguf")), "gone.gguf: no such file or folder"));
  CHECK(has(error(Model::load(test::tiny_vl() / "model.safetensors")), "model.safetensors: is no GGUF file; a model is a GGUF file, or a folder with config.json"));
}

TEST_CASE("a folder with weights of another kind says which, and what to do") {
  test::ModelFiles files = test::ModelFiles::tiny();
  files.remove("model.safetensors");
  files.put("pytorch_model.bin", "PK\x03\x04");
  CHECK(has(error(Model::load(files.folder())), "model.safetensors (in memory): no such file; the folder has pytorch_model.bin, which dsvl does not read: load it in Python and save it again"));
  files.put("adapter_model.safetensors", "x");
  CHECK(has(error(Model::load(files.folder())), "adapter_model.safetensors, which dsvl does not read: it is a LoRA adapter"));
  files.put("model.safetensors", "version https://git-lfs.github.com/spec/v1\n");
  CHECK(has(error(Model::load(files.folder())), "model.safetensors (in memory): is a pointer of Git LFS"));
}

TEST_CASE("the towers' file may lie anywhere; a folder, a whole model, and towers that nobody asked for are errors") {
  const Place place("towers");
  fs::create_directories(place.path / "elsewhere");
  ConvertOptions options{.types = WeightTypes::of(Format::q8_0), .split = true};
  REQUIRE(convert(Folder::directory(test::tiny_vl()), place.path / "t.gguf", options).ok());
  options.split = false;
  REQUIRE(convert(Folder::directory(test::tiny_vl()), place.path / "whole.gguf", options).ok());
  const auto want = first_logits(must(Model::load(place.path / "t.gguf")));
  fs::rename(place.path / "mmproj-t.gguf", place.path / "elsewhere" / "eyes.bin");
  LoadOptions load;
  CHECK(has(error(Model::load(place.path / "t.gguf")), "mmproj-t.gguf: no such file; t.gguf has the text half of a model only"));
  load.mmproj = (place.path / "elsewhere" / "eyes.bin").string();
  CHECK(first_logits(must(Model::load(place.path / "t.gguf", load))) == want);
  CHECK(plan(place.path / "t.gguf", SessionOptions(), load));
  load.mmproj = (place.path / "elsewhere").string();
  CHECK(has(error(Model::load(place.path / "t.gguf", load)), "elsewhere: is a folder, not a file"));
  load.mmproj = (place.path / "whole.gguf").string();
  CHECK(has(error(Model::load(place.path / "t.gguf", load)), "whole.gguf: is a model of kind 'deepseek-vl', needed is clip"));
  load.mmproj = (place.path / "elsewhere" / "eyes.bin").string();
  CHECK(has(error(Model::load(place.path / "whole.gguf", load)), "whole.gguf: has its vision towers itself"));
  CHECK(has(error(Model::load(test::tiny_vl(), load)), "vision towers of their own (eyes.bin) go with a GGUF file"));
}

TEST_CASE("a tokenizer.json whose pre-tokenizer transformers 5 has replaced is refused with that reason") {
  test::ModelFiles files = test::ModelFiles::tiny();
  files.edit("tokenizer.json", [](test::Json& json) {
    json["pre_tokenizer"] = {{"type", "Metaspace"}, {"replacement", "\xE2\x96\x81"}, {"prepend_scheme", "never"}, {"split", false}};
  });
  const std::string message = error(Model::load(files.folder()));
  CHECK(has(message, "unsupported: tokenizer.json (in memory): the pre-tokenizer is Metaspace"));
  CHECK(has(message, "take tokenizer.json from where the model was published"));
}
