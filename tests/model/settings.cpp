// The small JSON files together: which of them says how pictures are prepared and what ends an answer, what is assumed
// when none does, and what is refused.
#include <dsvl/model/settings.hpp>

#include <map>
#include <string>
#include <vector>

#include "../messages.hpp"
#include "released.hpp"

using namespace dsvl;
using test::with;

namespace {

/// Small files of a model, in memory, and what reading them logs.
struct Files {
  std::map<std::string, std::string> files;
  mutable std::vector<std::string> logged = {};
  mutable std::vector<Setting> list = {};

  static Files of(const released::Files& f) {
    Files out{{{"config.json", std::string(f.config)}, {"processor_config.json", std::string(f.processor)}}};
    if (!f.preprocessor.empty()) out.files["preprocessor_config.json"] = f.preprocessor;
    return out;
  }
  [[nodiscard]] Files without(const char* name) const {
    Files out{files};
    REQUIRE(out.files.erase(name) == 1);
    return out;
  }
  [[nodiscard]] Files and_file(const char* name, std::string text) const {
    Files out{files};
    out.files[name] = std::move(text);
    return out;
  }
  [[nodiscard]] Result<ModelSettings> read() const {
    std::vector<NamedBytes> named;
    for (const auto& [name, text] : files) named.push_back({name, std::as_bytes(std::span(text))});
    const Logger log{[](void* to, Level level, std::string_view text) {
                       static_cast<std::vector<std::string>*>(to)->push_back((level == Level::warning ? "warning: " : "") + std::string(text));
                     },
                     &logged};
    list.clear();
    return read_settings(Folder::memory(named), nullptr, log, &list);
  }
  [[nodiscard]] ModelSettings good() const {
    auto settings = read();
    if (!settings) FAIL(std::string(settings.error().text()));
    return std::move(*settings);
  }
  [[nodiscard]] std::string error() const {
    const auto settings = read();
    REQUIRE_FALSE(settings);
    return std::string(name(settings.error().code())) + ": " + settings.error().text();
  }
};

using test::has;

Setting setting(const Files& files, std::string_view name) {
  REQUIRE(files.read());
  for (const Setting& each : files.list)
    if (each.name == name) return each;
  FAIL(std::string(name));
  return {};
}

const released::Files* const kAll[] = {&released::kOriginal1_3B, &released::kOriginal7B, &released::kHf1_3B, &released::kHf7B,
                                       &released::kHf1_3BNested, &released::kHf7BNested};

}  // namespace

TEST_CASE("the released models' files say the same in the forms of transformers 4 and 5, and nothing has to be assumed") {
  for (const released::Files* f : kAll) {
    const Files files = Files::of(*f);
    const ModelSettings s = files.good();
    CHECK(s.assumed.empty());
    CHECK(files.logged.empty());
  }
  CHECK(Files::of(released::kHf1_3B).good().config.preprocess == Files::of(released::kHf1_3BNested).good().config.preprocess);
  CHECK(Files::of(released::kHf7B).good().config.preprocess == Files::of(released::kHf7BNested).good().config.preprocess);
}

TEST_CASE("every value of the pictures' preparation is listed with the key it came from") {
  const Files four = Files::of(released::kHf7B), five = Files::of(released::kHf7BNested);
  CHECK(setting(four, "preprocess.low.filter").value == "bilinear");
  CHECK(setting(four, "preprocess.low.filter").origin == "preprocessor_config.json (in memory): resample");
  CHECK(setting(five, "preprocess.low.filter").origin == "processor_config.json (in memory): image_processor.resample");
  CHECK(setting(five, "preprocess.high.mean").value == "0.48145467 0.4578275 0.40821072");
  CHECK(setting(five, "preprocess.high.background").value == "122 116 104");
  const Files original = Files::of(released::kOriginal1_3B);
  CHECK(setting(original, "preprocess.sizes").value == "truncated");
  CHECK(setting(original, "preprocess.low.side").origin == "preprocessor_config.json (in memory): image_size");
  const Files silent = Files::of(released::kHf1_3B).and_file("preprocessor_config.json", R"({"size": 384})");
  CHECK(setting(silent, "preprocess.low.filter").origin == "preprocessor_config.json (in memory): resample is not given: default of the processor");
}

TEST_CASE("a released model without any settings of pictures has the released ones, and a warning names them") {
  for (const released::Files* f : released::kSeparate) {
    const Files files = Files::of(*f).without("preprocessor_config.json");
    const ModelSettings s = files.good();
    CHECK(s.config.preprocess == Files::of(*f).good().config.preprocess);
    CHECK(s.assumed == f->preprocessor);
    REQUIRE(files.logged.size() == 1);
    CHECK(has(files.logged[0], "warning: "));
    CHECK(has(files.logged[0], f->name));
    CHECK(has(files.logged[0], "mean 0.5 0.5 0.5"));
    const std::string origins = setting(files, "preprocess.low.mean").origin +
                                setting(files, "preprocess.shortest_side").origin;
    CHECK(has(origins, f->name));
  }
}

TEST_CASE("another model without settings of pictures is refused: the error names the file and what to do") {
  for (const char* change : {"\"num_hidden_layers\": 24, \"vocab_size\"", "\"intermediate_size\": 5632", "\"image_size\": 384"}) {
    const std::string config = with(released::kHf1_3B.config, change, with(change, change[1] == 'n' ? "24" : change[2] == 'n' ? "5632" : "384", change[2] == 'm' ? "256" : "16"));
    const std::string error = Files::of(released::kHf1_3B).without("preprocessor_config.json").and_file("config.json", config).error();
    CHECK(has(error, "not_found: preprocessor_config.json (in memory): no such file, nor image_processor in processor_config.json"));
    CHECK(has(error, "copy it from where the model came from"));
  }
}

TEST_CASE("where both forms are, the nested one is used as in transformers 5, and a difference is warned about") {
  const Files both = Files::of(released::kHf1_3BNested).and_file("preprocessor_config.json", std::string(released::kHf1_3B.preprocessor));
  CHECK(both.good().config.preprocess.low.filter == Filter::bicubic);
  CHECK(both.logged.empty());
  const Files other = both.and_file("preprocessor_config.json", with(released::kHf1_3B.preprocessor, "\"resample\": 3", "\"resample\": 2"));
  CHECK(other.good().config.preprocess.low.filter == Filter::bicubic);
  REQUIRE(other.logged.size() == 1);
  CHECK(has(other.logged[0], "warning: preprocessor_config.json (in memory) differs from image_processor in processor_config.json"));
  CHECK(has(both.and_file("preprocessor_config.json", "{\"size\": ").error(), "bad_file: preprocessor_config.json"));
}

TEST_CASE("other members beside the nested settings are ignored, and null stands for none") {
  const std::string more = with(released::kHf1_3BNested.processor, "{\"image_processor\"", "{\"video_processor\": {\"size\": 3}, \"feature_extractor\": [1], \"image_processor\"");
  const Files files = Files::of(released::kHf1_3BNested).and_file("processor_config.json", more);
  CHECK(files.good().config.preprocess == Files::of(released::kHf1_3B).good().config.preprocess);
  CHECK(files.logged.empty());
  CHECK(Files::of(released::kHf1_3B).and_file("processor_config.json", R"({"image_processor": null})").good().assumed.empty());
  CHECK(has(Files::of(released::kHf1_3B).and_file("processor_config.json", R"({"image_processor": 3})").error(), "bad_file: processor_config.json (in memory): image_processor is no object"));
  const std::string wrong = with(released::kHf1_3BNested.processor, "\"resample\": 3", "\"resample\": 1");
  CHECK(has(Files::of(released::kHf1_3BNested).and_file("processor_config.json", wrong).error(), "image_processor.resample"));
}

TEST_CASE("one id or a list of them ends an answer, as generation_config.json says it") {
  const Files base = Files::of(released::kHf1_3B);
  const auto generation = [&](const char* text) { return base.and_file("generation_config.json", text); };
  CHECK(base.good().end.generation.empty());
  CHECK(generation(R"({"eos_token_id": 7})").good().end.generation == std::vector<std::int32_t>{7});
  CHECK(generation(R"({"eos_token_id": [100001, 7]})").good().end.generation == std::vector<std::int32_t>{100001, 7});
  CHECK(generation(R"({"eos_token_id": null})").good().end.generation.empty());
  CHECK(has(generation(R"({"eos_token_id": 7)").error(), "bad_file: generation_config.json"));
  CHECK(has(generation(R"({"eos_token_id": "x"})").error(), "generation_config.json (in memory): eos_token_id is 'x'"));
  CHECK(has(generation(R"({"eos_token_id": [102400]})").error(), "generation_config.json"));
  CHECK(has(generation("[]").error(), "generation_config.json (in memory): is no JSON object"));
}

TEST_CASE("the ids of config.json's text part count only where the tokenizer's is among them") {
  const auto with_eos = [](const char* ids) { return Files::of(released::kHf1_3B).and_file("config.json", with(released::kHf1_3B.config, "\"eos_token_id\": 2", ids)).good().end; };
  using Ids = std::vector<std::int32_t>;
  CHECK(with_eos("\"eos_token_id\": 2").with(100001) == Ids{100001});
  CHECK(with_eos("\"eos_token_id\": [100001, 185]").with(100001) == Ids{185, 100001});
  CHECK(with_eos("\"eos_token_id\": [185]").with(100001) == Ids{100001});
  CHECK(with_eos("\"eos_token_id\": [100001, 185]").with(std::nullopt).empty());
  CHECK(Files::of(released::kOriginal7B).and_file("config.json", with(released::kOriginal7B.config, "\"vocab_size\"", "\"eos_token_id\": [100001, 9], \"vocab_size\"")).good().end.with(100001) == Ids{9, 100001});
}

TEST_CASE("a lone 2 is the default of LLaMA's class and ends nothing, unless it is the tokenizer's") {
  using Ids = std::vector<std::int32_t>;
  const EndTokens two{{2}, {2}};
  CHECK(two.with(100001) == Ids{100001});
  CHECK(two.with(2) == Ids{2});
  CHECK(EndTokens{{2, 100001}, {}}.with(100001) == Ids{2, 100001});
  CHECK(EndTokens{{7}, {}}.with(std::nullopt) == Ids{7});
}

TEST_CASE("a LoRA adapter is called what it is, and so is a folder without config.json") {
  const Files none{{}};
  CHECK(has(none.error(), "not_found: config.json (in memory): no such file; a model is a folder with config.json and *.safetensors, or a GGUF"));
  CHECK(has(none.and_file("adapter_config.json", "{}").error(), "unsupported: adapter_config.json (in memory): is the LoRA adapter of a model"));
  CHECK(has(none.and_file("adapter_config.json", "{}").error(), "merge_and_unload()"));
}

TEST_CASE("a settings file that is a pointer or a web page is called what it is") {
  const std::string pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n";
  CHECK(has(Files::of(released::kHf1_3B).and_file("config.json", pointer).error(), "unsupported: config.json (in memory): is a pointer of Git LFS, not the file itself; run: git lfs pull"));
  CHECK(has(Files::of(released::kHf1_3B).and_file("preprocessor_config.json", "\n<!DOCTYPE html><html>").error(), "is a web page, not the file itself; download it again"));
}
