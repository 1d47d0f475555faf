// Everything a model's files, a picture, a prompt or an option can get wrong: the error it gives, and that nothing else breaks.
//
// DSVL_TEST_VERBOSE=1 prints the table of faults as Markdown.
#include <cstdlib>
#include <dsvl/io/png.hpp>
#include <fstream>
#include <functional>
#include <limits>
#include <random>

#include "health.hpp"
#include "model_files.hpp"

using namespace dsvl;
using test::Json;
using test::ModelFiles;

namespace {

constexpr const char* kConfig = "config.json";
constexpr const char* kPre = "preprocessor_config.json";
constexpr const char* kProcessor = "processor_config.json";
constexpr const char* kTokenizer = "tokenizer.json";
constexpr const char* kTokenizerConfig = "tokenizer_config.json";
constexpr const char* kWeights = ModelFiles::kWeights;
constexpr const char* kIndex = "model.safetensors.index.json";
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// The error is the expected one, is one line, and says what it should; prints a row of the table when asked to.
void expect(const std::string& what, const Status& found, Code code, const std::string& says) {
  CAPTURE(what);
  const std::string text = found.text();
  CHECK_MESSAGE(found.code() == code, name(found.code()) << ": " << text);
  CHECK_MESSAGE(text.find(says) != std::string::npos, text);
  CHECK(text.find('\n') == std::string::npos);
  if (std::getenv("DSVL_TEST_VERBOSE"))
    std::printf("| %s | `%s` | %s |\n", what.c_str(), std::string(name(found.code())).c_str(), text.c_str());
}

// --- files --------------------------------------------------------------------------------------

struct FileFault {
  const char* what;
  Code code;
  const char* says;
  std::function<void(ModelFiles&)> damage;
};

void expect_load_fails(const std::vector<FileFault>& faults) {
  for (const FileFault& fault : faults) {
    ModelFiles files = ModelFiles::tiny();
    fault.damage(files);
    const auto model = Model::load(files.folder());
    expect(fault.what, model.error(), fault.code, fault.says);
  }
  static Session session = test::open_session();
  CHECK(test::answers_first_question(session));
}

auto setter(const char* file, const char* pointer, Json value) {
  return [=](ModelFiles& f) { f.set(file, pointer, value); };
}
auto adder(const char* file, const char* pointer, Json value) {
  return [=](ModelFiles& f) { f.add(file, pointer, value); };
}
auto eraser(const char* file, const char* pointer) {
  return [=](ModelFiles& f) { f.erase(file, pointer); };
}
auto writer(const char* file, std::string content) {
  return [=](ModelFiles& f) { f.put(file, content); };
}
auto header(std::function<void(Json&)> change) {
  return [=](ModelFiles& f) { f.edit_header(change); };
}
constexpr const char* kKey = "model.language_model.layers.3.self_attn.k_proj.weight";

/// A weight map over one shard that has all tensors.
Json index_of(const ModelFiles& f, const std::string& shard) {
  Json map = Json::object();
  const Json tensors = f.header();
  for (const auto& [name, _] : tensors.items())
    if (name != "__metadata__") map[name] = shard;
  return Json{{"weight_map", map}};
}
auto shards(std::function<void(Json&)> change) {
  return [=](ModelFiles& f) {
    f.put("one.safetensors", f.get(kWeights));
    Json index = index_of(f, "one.safetensors");
    change(index);
    f.put(kIndex, index.dump());
    f.remove(kWeights);
  };
}

// --- pictures -----------------------------------------------------------------------------------

std::string png_chunk(const std::string& type, const std::string& data) {
  const auto be = [](std::uint32_t n) {
    return std::string{static_cast<char>(n >> 24), static_cast<char>(n >> 16), static_cast<char>(n >> 8), static_cast<char>(n)};
  };
  const std::string checked = type + data;
  return be(static_cast<std::uint32_t>(data.size())) + checked +
         be(png::crc32(std::as_bytes(std::span<const char>(checked))));
}

/// A tiny PNG that claims to be of that size.
std::string png_claiming(std::uint32_t width, std::uint32_t height) {
  std::string ihdr;
  for (const std::uint32_t n : {width, height})
    for (int shift = 24; shift >= 0; shift -= 8) ihdr += static_cast<char>(n >> shift);
  ihdr += std::string("\x08\x02\0\0\0", 5);
  return "\x89PNG\r\n\x1A\n" + png_chunk("IHDR", ihdr) + png_chunk("IDAT", std::string("\x78\x9C\x03\0\0\0\0\x01", 8)) +
         png_chunk("IEND", "");
}

Picture picture_of(const std::string& file) { return std::as_bytes(std::span<const char>(file)); }

/// A directory of its own, removed at the end.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::filesystem::remove_all(path);
    std::filesystem::create_directories(path);
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  const std::filesystem::path path = std::filesystem::temp_directory_path() /
                                     ("dsvl-faults-" + std::to_string(std::random_device()()));
};

struct AskFault {
  const char* what;
  Code code;
  const char* says;
  std::function<Answer(Session&)> act;
};

/// Every call fails as it should, and leaves a conversation that goes on as before.
void expect_ask_fails(test::Patient& patient, const std::vector<AskFault>& faults) {
  for (const AskFault& fault : faults) {
    CAPTURE(fault.what);
    {
      Answer answer = fault.act(patient.session);
      expect(fault.what, answer.status(), fault.code, fault.says);
      CHECK(answer.finish() == (fault.code == Code::cancelled ? Finish::cancelled : Finish::error));
      CHECK(!answer.next());
      CHECK(answer.text().empty());
      CHECK(answer.ids().empty());
      CHECK(answer.logits().empty());
    }
    CHECK(patient.well());
  }
  CHECK(test::answers_first_question(patient.session));
  Session another = test::open_session();
  CHECK(another.ask("What color is the sky?").status().ok());
}

AskFault bad_option(const char* what, const char* says, std::function<void(GenerateOptions&)> change) {
  return {what, Code::bad_argument, says, [=](Session& s) {
            GenerateOptions options;
            change(options);
            return s.ask("What is this?", options);
          }};
}

std::vector<std::int32_t> many(std::int32_t id, std::size_t n) { return std::vector<std::int32_t>(n, id); }

}  // namespace

TEST_CASE("a model's directory that is not as it should be is refused by name") {
  const TemporaryDirectory at;
  const auto load = [&](const char* what, const std::filesystem::path& path, Code code, const char* says) {
    expect(what, Model::load(path).error(), code, says);
  };
  const auto copy = [&](const char* folder) {
    std::filesystem::create_directories(at.path / folder);
    for (const char* file : {kConfig, kPre, kProcessor, kTokenizer, kTokenizerConfig, kWeights})
      std::filesystem::copy_file(test::tiny_vl() / file, at.path / folder / file);
    return at.path / folder;
  };
  load("missing directory", at.path / "nothing", Code::not_found, "nothing: no such file or folder");
  load("empty directory", at.path, Code::not_found, "config.json: no such file");
  load("a file where the directory should be", test::tiny_vl() / kConfig, Code::unsupported, "config.json: is no GGUF file");
  for (const char* file : {kConfig, kPre, kProcessor, kTokenizer, kTokenizerConfig}) {
    const auto folder = copy(file);
    std::filesystem::remove(folder / file);
    std::filesystem::create_directory(folder / file);
    load((std::string("a directory in the place of ") + file).c_str(), folder, Code::io, file);
  }
  const auto gone = copy("no weights");
  std::filesystem::remove(gone / kWeights);
  load("no weights", gone, Code::not_found, "model.safetensors: no such file, nor model.safetensors.index.json");
  CHECK(Model::load(copy("whole")));
}

TEST_CASE("a broken config.json is refused with the key, what it has and what is needed") {
  const std::string whole = ModelFiles::tiny().get(kConfig);
  expect_load_fails({
      {"no config.json", Code::not_found, "config.json", [](ModelFiles& f) { f.remove(kConfig); }},
      {"config.json empty", Code::bad_file, "config.json", writer(kConfig, "")},
      {"config.json is not JSON", Code::bad_file, "config.json", writer(kConfig, "hello")},
      {"config.json is an array", Code::bad_file, "is no JSON object", writer(kConfig, "[]")},
      {"config.json cut in half", Code::bad_file, "config.json", writer(kConfig, whole.substr(0, whole.size() / 2))},
      {"config.json has a key twice", Code::bad_file, "model_type",
       writer(kConfig, "{\"model_type\": \"deepseek_vl\", \"model_type\": \"deepseek_vl\"}")},
      {"config.json with 100000 arrays in each other", Code::limit, "config.json", writer(kConfig, std::string(100000, '['))},
      {"config.json is not UTF-8", Code::bad_file, "config.json", writer(kConfig, "{\"model_type\": \"\xFF\"}")},
      {"no model_type", Code::unsupported, "model_type is missing, known are", eraser(kConfig, "/model_type")},
      {"another model_type", Code::unsupported, "model_type is 'llava'", setter(kConfig, "/model_type", "llava")},
      {"model_type is a number", Code::bad_file, "model_type is 5, needs to be a string", setter(kConfig, "/model_type", 5)},
      {"original layout without language_config", Code::bad_file, "language_config is not there",
       writer(kConfig, "{\"model_type\": \"multi_modality\"}")},
      {"no text_config (LLaMA's stock sizes then)", Code::not_found, "the checkpoint lacks", eraser(kConfig, "/text_config")},
      {"text_config is a string", Code::bad_file, "text_config is 'x', needs to be an object", setter(kConfig, "/text_config", "x")},
      {"hidden_size missing", Code::bad_shape, "63 tensors are not as the model needs, first: tensor", eraser(kConfig, "/text_config/hidden_size")},
      {"hidden_size 0", Code::bad_file, "text_config.hidden_size is 0, needs to be an integer from 1 to 16777216",
       setter(kConfig, "/text_config/hidden_size", 0)},
      {"hidden_size negative", Code::bad_file, "text_config.hidden_size is -192", setter(kConfig, "/text_config/hidden_size", -192)},
      {"hidden_size 2^40", Code::bad_file, "is 1099511627776", setter(kConfig, "/text_config/hidden_size", std::int64_t{1} << 40)},
      {"hidden_size 2^24", Code::bad_shape, "not as the model needs", setter(kConfig, "/text_config/hidden_size", 1 << 24)},
      {"hidden_size 10^30", Code::bad_file, "hidden_size is 1e+30", setter(kConfig, "/text_config/hidden_size", 1e30)},
      {"hidden_size a fraction", Code::bad_file, "hidden_size is 192.5", setter(kConfig, "/text_config/hidden_size", 192.5)},
      {"hidden_size a string", Code::bad_file, "hidden_size is '192'", setter(kConfig, "/text_config/hidden_size", "192")},
      {"hidden_size an array", Code::bad_file, "hidden_size is an array of 1", setter(kConfig, "/text_config/hidden_size", {192})},
      {"heads do not divide the width", Code::bad_file, "vision_config.num_attention_heads is 3, which does not divide the width 128",
       setter(kConfig, "/vision_config/num_attention_heads", 3)},
      {"heads 0", Code::bad_file, "num_attention_heads is 0", setter(kConfig, "/text_config/num_attention_heads", 0)},
      {"kv heads do not divide the heads", Code::bad_file, "num_key_value_heads is 2, which does not divide the number of heads 3",
       setter(kConfig, "/text_config/num_key_value_heads", 2)},
      {"head_dim odd", Code::bad_file, "head_dim is odd", setter(kConfig, "/text_config/head_dim", 63)},
      {"0 layers", Code::bad_file, "num_hidden_layers is 0", setter(kConfig, "/text_config/num_hidden_layers", 0)},
      {"one layer more than the file has", Code::not_found, "the checkpoint lacks 9 tensors, first 'model.language_model.layers.6",
       setter(kConfig, "/text_config/num_hidden_layers", 7)},
      {"10^9 layers", Code::bad_file, "num_hidden_layers is 1000000000", setter(kConfig, "/text_config/num_hidden_layers", 1000000000)},
      {"vocab_size too small for the image token", Code::bad_file, "image_token_id is 535, outside the vocabulary of 500",
       setter(kConfig, "/text_config/vocab_size", 500)},
      {"vocab_size not that of the file", Code::bad_shape, "model needs 577 x 192", setter(kConfig, "/text_config/vocab_size", 577)},
      {"image_token_id outside the vocabulary", Code::bad_file, "image_token_id is 576, outside the vocabulary of 576",
       setter(kConfig, "/image_token_id", 576)},
      {"image_token_id negative", Code::bad_file, "image_token_id is -1", setter(kConfig, "/image_token_id", -1)},
      {"image_size no multiple of patch_size", Code::bad_file, "image_size is 100", setter(kConfig, "/vision_config/image_size", 100)},
      {"image_size 2^20", Code::bad_file, "image_size is 1048576", setter(kConfig, "/vision_config/image_size", 1 << 20)},
      {"patch_size 0", Code::bad_file, "patch_size is 0", setter(kConfig, "/high_res_vision_config/patch_size", 0)},
      {"4 channels", Code::bad_file, "num_channels is 4, needs to be 3", setter(kConfig, "/vision_config/num_channels", 4)},
      {"rms_norm_eps 0", Code::bad_file, "rms_norm_eps is 0, needs to be a number above 0 that a float can hold", setter(kConfig, "/text_config/rms_norm_eps", 0)},
      {"layer_norm_eps a string", Code::bad_file, "layer_norm_eps is 'small'", setter(kConfig, "/vision_config/layer_norm_eps", "small")},
      {"rope_theta negative", Code::bad_file, "text_config.rope_parameters.rope_theta is -1",
       setter(kConfig, "/text_config/rope_parameters/rope_theta", -1)},
      {"rope_type yarn", Code::unsupported, "rope_type is 'yarn', needs to be default", setter(kConfig, "/text_config/rope_parameters/rope_type", "yarn")},
      {"rope_scaling", Code::unsupported, "rope_scaling.rope_type is not given",
       adder(kConfig, "/text_config/rope_scaling", Json{{"factor", 2.0}})},
      {"attention_bias", Code::unsupported, "attention_bias needs to be false", setter(kConfig, "/text_config/attention_bias", true)},
      {"hidden_act relu", Code::unsupported, "hidden_act is 'relu', known are", setter(kConfig, "/vision_config/hidden_act", "relu")},
      {"window_size 0", Code::bad_file, "window_size is 0", setter(kConfig, "/high_res_vision_config/window_size", 0)},
      {"global layer that is not there", Code::bad_file, "global_attn_indexes is an array of 1, needs to be a list of integers from 0 to 3",
       setter(kConfig, "/high_res_vision_config/global_attn_indexes", {99})},
      {"max_position_embeddings 0", Code::bad_file, "max_position_embeddings is 0", setter(kConfig, "/text_config/max_position_embeddings", 0)},
      {"low-resolution model_type over a hybrid's files", Code::bad_file, "makes views of 256 and 0", [](ModelFiles& f) {
         f.set(kConfig, "/model_type", "deepseek_vl");
         f.set(kPre, "/size/height", 256), f.set(kPre, "/size/width", 256);
       }},
  });
}

TEST_CASE("broken processor files are refused") {
  expect_load_fails({
      {"preprocessor_config.json is not JSON", Code::bad_file, "preprocessor_config.json", writer(kPre, "?")},
      {"preprocessor_config.json is an array", Code::bad_file, "preprocessor_config.json (in memory): is no JSON object", writer(kPre, "[]")},
      {"preprocessor_config.json empty", Code::bad_file, "preprocessor_config.json", writer(kPre, "")},
      {"size is not the tower's", Code::bad_file, "makes views of 64 and 256 pixels a side (0: none), the towers take 128 and 256",
       setter(kPre, "/size", 64)},
      {"size is no square", Code::unsupported, "size needs to be a square", setter(kPre, "/size/width", 64)},
      {"image_std has a 0", Code::bad_file, "must be finite and not 0", setter(kPre, "/image_std", {0.5, 0, 0.5})},
      {"image_std has two numbers", Code::bad_file, "image_std is an array of 2, needs to be a list of three numbers",
       setter(kPre, "/image_std", {0.5, 0.5})},
      {"image_mean has strings", Code::bad_file, "image_mean", setter(kPre, "/image_mean", {"a", "b", "c"})},
      {"resample nearest", Code::unsupported, "resample needs to be 2 (bilinear) or 3 (bicubic)", setter(kPre, "/resample", 0)},
      {"resample 99", Code::bad_file, "high_res_resample is 99", setter(kPre, "/high_res_resample", 99)},
      {"rescale_factor 0", Code::bad_file, "rescale_factor is 0", setter(kPre, "/rescale_factor", 0)},
      {"rescale_factor 1e300", Code::bad_file, "rescale_factor is 1e+300", setter(kPre, "/rescale_factor", 1e300)},
      {"min_size larger than the view", Code::bad_file, "shortest side", setter(kPre, "/min_size", 1000)},
      {"do_resize false", Code::unsupported, "do_resize needs to be true", setter(kPre, "/do_resize", false)},
      {"do_pad a string", Code::bad_file, "do_pad is 'yes', needs to be true or false", setter(kPre, "/do_pad", "yes")},
      {"num_image_tokens wrong", Code::bad_file, "num_image_tokens is 65, the vision tower makes 64", setter(kProcessor, "/num_image_tokens", 65)},
      {"num_image_tokens 0", Code::bad_file, "num_image_tokens is 0", setter(kProcessor, "/num_image_tokens", 0)},
      {"another sft_format", Code::unsupported, "sft_format needs to be deepseek", adder(kProcessor, "/sft_format", "plain")},
      {"processor_config.json is not JSON", Code::bad_file, "processor_config.json", writer(kProcessor, "{")},
  });
}

TEST_CASE("a broken tokenizer is refused") {
  const std::string whole = ModelFiles::tiny().get(kTokenizer);
  expect_load_fails({
      {"tokenizer.json is not JSON", Code::bad_file, "tokenizer.json", writer(kTokenizer, "x")},
      {"tokenizer.json empty", Code::bad_file, "tokenizer.json", writer(kTokenizer, "")},
      {"tokenizer.json cut", Code::bad_file, "tokenizer.json", writer(kTokenizer, whole.substr(0, whole.size() - 100))},
      {"tokenizer.json without model", Code::bad_file, "there is no object 'model'", eraser(kTokenizer, "/model")},
      {"another kind of tokenizer", Code::unsupported, "model.type is 'Unigram', supported is BPE", setter(kTokenizer, "/model/type", "Unigram")},
      {"no vocabulary", Code::bad_file, "model.vocab has no tokens", eraser(kTokenizer, "/model/vocab")},
      {"id -1", Code::bad_file, "the id of token 'A'", setter(kTokenizer, "/model/vocab/A", -1)},
      {"id 10^9", Code::bad_file, "the id of token 'A'", setter(kTokenizer, "/model/vocab/A", 1000000000)},
      {"an id twice", Code::bad_file, "two tokens have the id 33", setter(kTokenizer, "/model/vocab/A", 33)},
      {"an id beyond the decoder's vocabulary", Code::bad_file, "has tokens up to id 600, the decoder knows 576",
       adder(kTokenizer, "/model/vocab/zzzz", 600)},
      {"a merge of an unknown token", Code::bad_file, "merge 0 joins or makes a token that is not in the vocabulary",
       [](ModelFiles& f) { f.edit(kTokenizer, [](Json& j) { j["model"]["merges"][0] = "q qqqq"; }); }},
      {"a merge that is no pair", Code::bad_file, "merge 0 is not a pair", [](ModelFiles& f) {
         f.edit(kTokenizer, [](Json& j) { j["model"]["merges"][0] = "one"; });
       }},
      {"an added token with an id out of range", Code::bad_file, "added token 0 needs", setter(kTokenizer, "/added_tokens/0/id", -5)},
      {"another pre-tokenizer", Code::unsupported, "pre-tokenizer", [](ModelFiles& f) {
         f.edit(kTokenizer, [](Json& j) { j["pre_tokenizer"]["pretokenizers"].erase(0); });
       }},
      {"eos is no token", Code::bad_file, "eos_token '<end>' of tokenizer_config is not among the tokens",
       setter(kTokenizerConfig, "/eos_token", "<end>")},
      {"bos is a number", Code::bad_file, "bos_token", setter(kTokenizerConfig, "/bos_token", 3)},
      {"tokenizer_config.json is not JSON", Code::bad_file, "tokenizer_config.json", writer(kTokenizerConfig, "{,}")},
  });
}

TEST_CASE("a broken safetensors file is refused") {
  const auto move = [](const char* tensor, std::int64_t begin, std::int64_t end) {
    return header([=](Json& h) { h[tensor]["data_offsets"] = {begin, end}; });
  };
  const auto claims = [](std::uint64_t length) {
    return [=](ModelFiles& f) {
      std::string file = f.get(kWeights);
      std::memcpy(file.data(), &length, 8);
      f.put(kWeights, file);
    };
  };
  const std::int64_t end = static_cast<std::int64_t>(ModelFiles::tiny().data().size());
  expect_load_fails({
      {"tensor missing", Code::not_found, "lacks 1 tensor 'model.language_model.layers.3.self_attn.k_proj.weight'",
       header([](Json& h) { h["other"] = h[kKey], h.erase(kKey); })},
      {"tensor of a wrong shape", Code::bad_shape, "k_proj.weight' has shape [96, 384], model needs 192 x 192",
       header([](Json& h) { h[kKey]["shape"] = {96, 384}; })},
      {"tensor with fewer rows", Code::bad_shape, "k_proj.weight' has shape [96, 192], model needs 192 x 192", [](ModelFiles& f) {
         f.edit_header([](Json& h) {  // of two that follow one another, the first gives half its rows to a new one
           h["rest"] = h[kKey];
           const std::int64_t from = h[kKey]["data_offsets"][0], to = h[kKey]["data_offsets"][1], middle = (from + to) / 2;
           h[kKey]["data_offsets"] = {from, middle}, h["rest"]["data_offsets"] = {middle, to};
           h[kKey]["shape"][0] = 96, h["rest"]["shape"][0] = 96;
         });
       }},
      {"tensor of a wrong dtype", Code::bad_shape, "I16", header([](Json& h) { h[kKey]["dtype"] = "I16"; })},
      {"tensor of another dtype than its neighbours", Code::bad_shape, "dtype F16, unlike", header([](Json& h) { h[kKey]["dtype"] = "F16"; })},
      {"tensor of an unknown dtype", Code::unsupported, "unknown dtype 'X9'", header([](Json& h) { h[kKey]["dtype"] = "X9"; })},
      {"tensor without a dtype", Code::bad_file, "has no dtype", header([](Json& h) { h[kKey].erase("dtype"); })},
      {"tensor without a shape", Code::bad_file, "has no shape", header([](Json& h) { h[kKey].erase("shape"); })},
      {"shape whose product overflows", Code::bad_file, "too large", header([](Json& h) { h[kKey]["shape"] = {std::int64_t{1} << 40, std::int64_t{1} << 40}; })},
      {"negative dimension", Code::bad_file, "no size", header([](Json& h) { h[kKey]["shape"] = {-192, -192}; })},
      {"more bytes than the shape needs", Code::bad_file, "its shape and dtype BF16 need", header([](Json& h) { h[kKey]["shape"] = {191, 192}; })},
      {"overlapping offsets", Code::bad_file, "inside another", [](ModelFiles& f) {
         f.edit_header([](Json& h) {
           for (auto& at : h[kKey]["data_offsets"]) at = at.get<std::int64_t>() - 64;
         });
       }},
      {"offsets behind the end", Code::bad_file, "the file is truncated", move(kKey, end, end + 192 * 192 * 2)},
      {"offsets of 2^62", Code::bad_file, "k_proj.weight", move(kKey, std::int64_t{1} << 62, (std::int64_t{1} << 62) + 192 * 192 * 2)},
      {"offsets that run backwards", Code::bad_file, "no data_offsets [begin, end]", move(kKey, 10, 5)},
      {"negative offsets", Code::bad_file, "no data_offsets", move(kKey, -10, 5)},
      {"bytes that no tensor names", Code::bad_file, "follow the last tensor", [](ModelFiles& f) { f.put(kWeights, f.get(kWeights) + "rest"); }},
      {"header longer than the file", Code::bad_file, "truncated", claims(50'000'000)},
      {"header of 2^63 bytes", Code::bad_file, "is no safetensors file, or a damaged one", claims(std::uint64_t{1} << 63)},
      {"header of 0 bytes", Code::bad_file, "does not begin with '{'", claims(0)},
      {"header is not JSON", Code::bad_file, "model.safetensors",
       [](ModelFiles& f) { f.put(kWeights, ModelFiles::safetensors("{hello}", f.data())); }},
      {"header has a tensor twice", Code::bad_file, "model.safetensors", [](ModelFiles& f) {
         const std::string entry = "\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]}";
         f.put(kWeights, ModelFiles::safetensors("{" + entry + "," + entry + "}", "1234"));
       }},
      {"no tensors at all", Code::not_found, "lacks", [](ModelFiles& f) { f.put(kWeights, ModelFiles::safetensors("{}", "")); }},
      {"weights missing", Code::not_found, "nor model.safetensors.index.json", [](ModelFiles& f) { f.remove(kWeights); }},
  });
}

TEST_CASE("a safetensors file that ends early is refused wherever it ends") {
  const ModelFiles whole = ModelFiles::tiny();
  const std::string file = whole.get(kWeights);
  const std::size_t data = 8 + whole.header_size();
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{7}, std::size_t{8}, std::size_t{9}, std::size_t{100},
                                 data / 2, data - 1, data, data + 1, (data + file.size()) / 2, file.size() - 1}) {
    ModelFiles files = whole;
    files.put(kWeights, file.substr(0, size));
    expect("safetensors cut after " + std::to_string(size) + " bytes", Model::load(files.folder()).error(), Code::bad_file,
           "model.safetensors");
  }
}

TEST_CASE("a broken index of shards is refused") {
  const auto names = [](const char* file) {
    return shards([=](Json& index) { index["weight_map"][kKey] = file; });
  };
  expect_load_fails({
      {"index names a missing file", Code::not_found, "two.safetensors (in memory): no such file", names("two.safetensors")},
      {"index names ../x", Code::bad_file, "'../x'", names("../x")},
      {"index names a/../../x", Code::bad_file, "'..'", names("a/../../x")},
      {"index names /etc/passwd", Code::bad_file, "absolute", names("/etc/passwd")},
      {"index names C:\\x", Code::bad_file, "backslash or a colon", names("C:\\x")},
      {"index names nothing", Code::bad_file, "is empty", names("")},
      {"index has a number for a file", Code::bad_file, "has no file name", shards([](Json& i) { i["weight_map"][kKey] = 3; })},
      {"index without weight_map", Code::bad_file, "weight_map", shards([](Json& i) { i.erase("weight_map"); })},
      {"index with an empty weight_map", Code::bad_file, "weight_map", shards([](Json& i) { i["weight_map"] = Json::object(); })},
      {"index does not list a tensor", Code::not_found, "lacks 1 tensor", shards([](Json& i) { i["weight_map"].erase(kKey); })},
      {"index lists a tensor that its file lacks", Code::not_found, "which the index says it has",
       shards([](Json& i) { i["weight_map"]["more"] = "one.safetensors"; })},
      {"index is not JSON", Code::bad_file, "index.json", [](ModelFiles& f) { f.remove(kWeights), f.put(kIndex, "x"); }},
  });
  ModelFiles good = ModelFiles::tiny();
  shards([](Json&) {})(good);
  CHECK(Model::load(good.folder()));
}

TEST_CASE("every missing and misshapen tensor is in the report, not only the first") {
  ModelFiles files = ModelFiles::tiny();
  files.edit_header([](Json& h) {
    for (int i = 0; i < 3; ++i) {
      const std::string name = "model.language_model.layers." + std::to_string(i) + ".mlp.up_proj.weight";
      h["unused." + std::to_string(i)] = h[name];
      h.erase(name);
    }
    h["model.language_model.norm.weight"]["shape"] = {2, 96};
    h["lm_head.weight"]["shape"] = {192, 576};
  });
  LoadReport report;
  LoadOptions options;
  options.report = &report;
  expect("three tensors missing and one misshapen", Model::load(files.folder(), options).error(), Code::not_found,
         "lacks 3 tensors, first 'model.language_model.layers.0.mlp.up_proj.weight' (and has 1 of the wrong shape or dtype)");
  CHECK(report.missing.size() == 3);
  REQUIRE(report.misshapen.size() == 1);
  CHECK(report.misshapen[0] == "tensor 'lm_head.weight' has shape [192, 576], model needs 576 x 192");
  CHECK(report.unused == std::vector<std::string>{"unused.0", "unused.1", "unused.2"});
}

TEST_CASE("an image token that makes no sense is refused, a missing tokenizer takes ids only") {
  LoadOptions options;
  options.image_token = 576;
  expect("LoadOptions::image_token outside the vocabulary", Model::load(test::tiny_vl(), options).error(), Code::bad_argument,
         "image token 576 is outside the vocabulary of 576");
  ModelFiles files = ModelFiles::tiny();
  files.remove(kTokenizer);
  const auto model = Model::load(files.folder());
  REQUIRE(model);
  CHECK(!model->tokenizer());
  Session session = test::open_session({}, *model);
  expect("a question to a model without tokenizer.json", session.ask("What is this?").status(), Code::unsupported,
         "has no tokenizer.json, so it takes token ids only");
  const test::FirstQuestion& q = test::FirstQuestion::get();
  const Picture picture(q.picture);
  GenerateOptions seven;
  seven.max_tokens = static_cast<Index>(q.answer_ids.size());
  CHECK(test::drain(session.generate(q.prompt_ids, {&picture, 1}, seven)) == q.answer_ids);
}

TEST_CASE("pictures that are none give an error, and the conversation goes on as before") {
  test::Patient patient;
  const std::string good = test::read_file(test::FirstQuestion::get().picture);
  const std::string jpeg = test::read_file(test::data("tiny-vl/jpeg") /
                                           test::text(test::json_file(test::data("tiny-vl/more.json")).root().find("jpeg")[0].find("image")));
  std::string damaged = good;
  damaged[damaged.size() / 2] = static_cast<char>(damaged[damaged.size() / 2] ^ 0x10);
  const std::vector<std::uint8_t> gray(64 * 64, 128);
  const auto ask = [](Picture picture) { return [=](Session& s) { return s.ask(picture, "What is this?"); }; };
  const auto pixels = [&](Index width, Index height, Index stride, PixelFormat format = PixelFormat::rgb) {
    return ask(Picture(Pixels{gray.data(), width, height, format, stride}));
  };
  const std::string cut = good.substr(0, good.size() / 2), short_jpeg = jpeg.substr(0, jpeg.size() / 3), text = "This is no picture.",
                    huge = png_claiming(30000, 30000), none = png_claiming(0, 10), lying = png_claiming(100, 100), gif = "GIF89a....";
  constexpr Index kFar = std::numeric_limits<Index>::max();
  expect_ask_fails(patient, {
      {"picture file missing", Code::not_found, "no such file", ask(Picture::file("no/such/picture.png"))},
      {"picture is a directory", Code::io, "is a folder, not a file", ask(test::tiny_vl())},
      {"picture path empty", Code::bad_argument, "the path of a picture is empty", ask(Picture::file(""))},
      {"picture of no bytes", Code::bad_file, "is empty", ask(std::span<const std::byte>())},
      {"picture is a text", Code::bad_file, "is neither a PNG nor a JPEG", ask(picture_of(text))},
      {"picture is a GIF", Code::unsupported, "is a GIF picture; dsvl reads PNG and JPEG", ask(picture_of(gif))},
      {"picture truncated (PNG)", Code::bad_file, "truncated", ask(picture_of(cut))},
      {"picture truncated (JPEG)", Code::bad_file, "truncated", ask(picture_of(short_jpeg))},
      {"picture with a damaged byte", Code::bad_file, "checksum", ask(picture_of(damaged))},
      {"picture that claims 30000 x 30000", Code::limit, "30000 x 30000 pixels are more than is accepted", ask(picture_of(huge))},
      {"picture of 0 x 10", Code::bad_file, "without pixels", ask(picture_of(none))},
      {"picture with less data than its size needs", Code::bad_file, "cannot be decoded", ask(picture_of(lying))},
      {"pixels null", Code::bad_argument, "nothing to see", ask(Picture(Pixels{nullptr, 8, 8}))},
      {"pixels 0 wide", Code::bad_argument, "picture of 0 x 8 pixels", pixels(0, 8, 0)},
      {"pixels of negative height", Code::bad_argument, "picture of 8 x -8 pixels", pixels(8, -8, 0)},
      {"pixels 2^40 wide", Code::limit, "a side may have at most", pixels(Index{1} << 40, 1, 0)},
      {"stride shorter than a row", Code::bad_argument, "a stride of 5 bytes does not fit rows of 24", pixels(8, 8, 5)},
      {"stride of 2^63 - 1", Code::bad_argument, "does not fit", pixels(8, 8, kFar)},
      {"stride of -2^63", Code::bad_argument, "does not fit", pixels(8, 8, -kFar - 1)},
      {"unknown pixel format", Code::bad_argument, "unknown pixel format 99", pixels(8, 8, 0, static_cast<PixelFormat>(99))},
  });
}

TEST_CASE("a picture file that ends early never counts as a picture") {
  test::Patient patient;
  const std::string good = test::read_file(test::FirstQuestion::get().picture);
  for (std::size_t i = 0; i < 24; ++i) {
    const std::string cut = good.substr(0, good.size() * i / 24);
    CAPTURE(cut.size());
    CHECK(patient.session.ask(picture_of(cut), "What is this?").status().code() == Code::bad_file);
  }
  CHECK(patient.well());
}

TEST_CASE("prompts that make no sense give an error, and the conversation goes on as before") {
  test::Patient patient;
  const Picture picture(test::FirstQuestion::get().picture), other(test::tiny_vl() / "demo" / "001.png");
  const std::vector<Picture> two{picture, other};
  GenerateOptions placed;
  placed.placeholders = true;
  std::string novel;
  for (int i = 0; i < 400; ++i) novel += "There are bars. ";
  const auto ask = [](std::string text) { return [=](Session& s) { return s.ask(text); }; };
  const auto ask_placed = [=](std::vector<Picture> pictures, const char* text) {
    return [=](Session& s) { return s.ask(pictures, text, placed); };
  };
  const auto generate = [](std::vector<std::int32_t> ids, std::vector<Picture> pictures) {
    return [=](Session& s) { return s.generate(ids, pictures); };
  };
  expect_ask_fails(patient, {
      {"empty prompt", Code::bad_argument, "the question is empty", ask("")},
      {"empty prompt with a picture", Code::bad_argument, "the question is empty", [=](Session& s) { return s.ask(picture, ""); }},
      {"no ids", Code::bad_argument, "the prompt is empty", generate({}, {})},
      {"invalid UTF-8: a lone continuation byte", Code::bad_text, "the question", ask("What\x80?")},
      {"invalid UTF-8: cut character", Code::bad_text, "the question", ask("caf\xC3")},
      {"invalid UTF-8: overlong", Code::bad_text, "the question", ask("\xC0\xAF")},
      {"invalid UTF-8: a surrogate", Code::bad_text, "the question", ask("\xED\xA0\x80")},
      {"invalid UTF-8 in a completion", Code::bad_text, "the text", [](Session& s) { return s.complete({}, "\xFF"); }},
      {"prompt longer than the context", Code::limit, "the context holds 1024", ask(novel)},
      {"more placeholders than pictures", Code::bad_argument, "the prompt has 2 places for pictures, and 1 picture was given",
       ask_placed({picture}, "<image_placeholder> and <image_placeholder>?")},
      {"fewer placeholders than pictures", Code::bad_argument, "the prompt has 1 place for pictures, and 2 pictures were given",
       ask_placed(two, "What is <image_placeholder>?")},
      {"pictures and no placeholder", Code::bad_argument, "0 places for pictures", ask_placed({picture}, "What is this?")},
      {"placeholder and no picture", Code::bad_argument, "1 place for pictures", ask_placed({}, "What is <image_placeholder>?")},
      {"completion with a placeholder too many", Code::bad_argument, "1 place for pictures",
       [=](Session& s) { return s.complete({}, "<image_placeholder>", placed); }},
      {"token id negative", Code::bad_argument, "token id -1 is outside the vocabulary of 576", generate({1, -1}, {})},
      {"token id too large", Code::bad_argument, "token id 576 is outside", generate({576}, {})},
      {"image tokens and no picture", Code::bad_argument, "1 place for pictures", generate(many(535, 64), {})},
      {"a picture and no image tokens", Code::bad_argument, "0 places for pictures", generate({1, 2}, {picture})},
      {"a run of image tokens too short", Code::bad_argument, "a picture takes 64 image tokens, the prompt has a run of 63",
       generate(many(535, 63), {picture})},
      {"a run of image tokens too long", Code::bad_argument, "has a run of 1", generate(many(535, 65), {picture})},
  });
}

TEST_CASE("options out of range give an error, and the conversation goes on as before") {
  test::Patient patient;
  using O = GenerateOptions;
  CancelToken set;
  set.cancel();
  expect_ask_fails(patient, {
      bad_option("max_tokens 0", "max_tokens is 0, must be at least 1", [](O& o) { o.max_tokens = 0; }),
      bad_option("max_tokens negative", "max_tokens is -5", [](O& o) { o.max_tokens = -5; }),
      bad_option("temperature -1", "temperature is -1, must be 0 or more", [](O& o) { o.sampling.temperature = -1; }),
      bad_option("temperature NaN", "temperature is nan", [](O& o) { o.sampling.temperature = static_cast<float>(kNan); }),
      bad_option("temperature infinite", "temperature is inf", [](O& o) { o.sampling.temperature = kInfinity; }),
      bad_option("top_k negative", "top_k is -1", [](O& o) { o.sampling.top_k = -1; }),
      bad_option("top_p 0", "top_p is 0, must be above 0 and at most 1", [](O& o) { o.sampling.top_p = 0; }),
      bad_option("top_p 1.5", "top_p is 1.5", [](O& o) { o.sampling.top_p = 1.5f; }),
      bad_option("top_p NaN", "top_p is nan", [](O& o) { o.sampling.top_p = static_cast<float>(kNan); }),
      bad_option("repetition_penalty 0", "repetition_penalty is 0", [](O& o) { o.sampling.repetition_penalty = 0; }),
      bad_option("repetition_penalty NaN", "repetition_penalty is nan", [](O& o) { o.sampling.repetition_penalty = static_cast<float>(kNan); }),
      bad_option("bias of a token out of range", "for token 576: ids go from 0 to 575", [](O& o) { o.sampling.bias = {{576, 1}}; }),
      bad_option("bias infinite", "a bias of inf", [](O& o) { o.sampling.bias = {{1, kInfinity}}; }),
      bad_option("bias NaN", "a bias of nan", [](O& o) { o.sampling.bias = {{1, static_cast<float>(kNan)}}; }),
      bad_option("banned token out of range", "token -1 cannot be banned: ids go from 0 to 575", [](O& o) { o.sampling.banned = {-1}; }),
      bad_option("stop string empty", "a stop string is empty", [](O& o) { o.stop = {"x", ""}; }),
      {"cancelled before it began", Code::cancelled, "cancelled", [&](Session& s) {
         GenerateOptions options;
         options.cancel = &set;
         return s.ask("What is this?", options);
       }},
      {"cancelled before it began, with a picture", Code::cancelled, "cancelled", [&](Session& s) {
         GenerateOptions options;
         options.cancel = &set;
         return s.ask(test::tiny_vl() / "demo" / "003.png", "What is this?", options);
       }},
  });
}

TEST_CASE("errors while generating end the answer and leave no trace") {
  test::Patient patient;
  GenerateOptions options;
  for (std::int32_t id = 0; id < 576; ++id) options.sampling.banned.push_back(id);
  Answer answer = patient.session.ask("What is this?", options);
  CHECK(answer.status().ok());
  CHECK(!answer.next());
  CHECK(answer.finish() == Finish::error);
  expect("every token banned", answer.status(), Code::bad_argument, "leave no token to choose");
  CHECK(patient.well());
}

TEST_CASE("limits that make no sense are refused when a session opens") {
  const auto open = [](const char* what, Code code, const char* says, auto&& change) {
    SessionOptions options;
    change(options);
    expect(what, Session::open(test::tiny_model(), options).error(), code, says);
  };
  using O = SessionOptions;
  open("context negative", Code::bad_argument, "a context of -1 tokens", [](O& o) { o.limits.context = -1; });
  open("context beyond the model's positions", Code::limit, "a context of 1025 tokens is too long: the model has positions for 1024",
       [](O& o) { o.limits.context = 1025; });
  open("context of 2^62", Code::limit, "the model has positions for 1024", [](O& o) { o.limits.context = Index{1} << 62; });
  open("chunk 0", Code::bad_argument, "chunks of 0", [](O& o) { o.limits.chunk = 0; });
  open("chunk negative", Code::bad_argument, "chunks of -7", [](O& o) { o.limits.chunk = -7; });
  open("pictures negative", Code::bad_argument, "-2 pictures", [](O& o) { o.limits.pictures = -2; });
  open("picture_pixels 0", Code::bad_argument, "0 pixels", [](O& o) { o.limits.picture_pixels = 0; });
  open("system text not UTF-8", Code::bad_text, "the system text", [](O& o) { o.system = "\xFF"; });
  SessionOptions huge_chunk;
  huge_chunk.limits.chunk = std::numeric_limits<Index>::max();
  Session session = test::open_session(huge_chunk);
  CHECK(session.context() == 1024);
  CHECK(test::answers_first_question(session));
}

TEST_CASE("more pictures than the limits allow are refused; those that nobody needs any more make room") {
  SessionOptions options;
  options.limits.pictures = 2;
  test::Patient patient(options);
  const auto picture = [](int i) { return Picture(test::tiny_vl() / "demo" / ("00" + std::to_string(i) + ".png")); };
  expect("too many pictures", patient.session.ask(std::vector<Picture>{picture(1), picture(2)}, "What are these?").status(),
         Code::limit, "2 different ones are kept at a time");
  CHECK(patient.well());
  for (int i = 1; i < 4; ++i) {  // each is dropped with its turn, or with its completion
    CAPTURE(i);
    CHECK(patient.session.ask(picture(i), "What is this?").status().ok());
    CHECK(patient.session.complete(std::vector<Picture>{picture(i + 1)}, " A").status().ok());
  }
  CHECK(patient.well());
  options.limits.pictures = 0;
  Session blind = test::open_session(options);
  expect("a picture for a session without room for any", blind.ask(picture(0), "What is this?").status(), Code::limit,
         "the session takes none");
}

TEST_CASE("a photo larger than the session's limit is refused before it is decoded") {
  SessionOptions options;
  options.limits.picture_pixels = 10'000;
  Session session = test::open_session(options);
  expect("picture larger than Limits::picture_pixels", session.ask(test::FirstQuestion::get().picture, "What is this?").status(),
         Code::limit, "pixels are more than is accepted");
  CHECK(session.ask("How are you?").status().ok());
}

TEST_CASE("when the context is full the answer ends, and the session can go on") {
  SessionOptions options;
  options.limits.context = static_cast<Index>(test::FirstQuestion::get().prompt_ids.size()) + 3;
  Session session = test::open_session(options);
  const test::FirstQuestion& q = test::FirstQuestion::get();
  Answer answer = session.ask(q.picture, q.question);
  const std::vector<std::int32_t> ids = test::drain(answer);
  CHECK(answer.finish() == Finish::context_full);
  CHECK(answer.status().ok());
  CHECK(ids == std::vector<std::int32_t>(q.answer_ids.begin(), q.answer_ids.begin() + 4));  // the last one needs no room
  CHECK(answer.text() == "There are 4");
  expect("a further question when the context is full", session.ask("Why?").status(), Code::limit, "the context holds");
  session.clear();
  CHECK(test::drain(session.ask(q.picture, q.question)) == ids);
}

TEST_CASE("what a user types never becomes a control token") {
  Session session = test::open_session();
  for (const std::string& text : {std::string(kBosText), std::string(kEosText), std::string(kImageText),
                                 "a " + std::string(kImageText) + " b" + std::string(kEosText)}) {
    CAPTURE(text);
    session.clear();
    const Answer answer = session.ask(test::FirstQuestion::get().picture, text);
    REQUIRE_MESSAGE(answer.status().ok(), answer.status().text());
    const auto ids = answer.prompt_ids();
    CHECK(std::count(ids.begin(), ids.end(), 533) == 1);
    CHECK(std::count(ids.begin(), ids.end(), 534) == 0);
    CHECK(std::count(ids.begin(), ids.end(), 535) == 64);
    CHECK(test::tiny_model().tokenizer()->decode(ids).find(text) != std::string::npos);
  }
}

TEST_CASE("files with random damage are refused or load, and never do harm") {
  std::mt19937 random(7);
  int loaded = 0, refused = 0;
  for (const char* file : {kConfig, kPre, kProcessor, kTokenizer, kTokenizerConfig, kWeights})
    for (int round = 0; round < 60; ++round) {
      ModelFiles files = ModelFiles::tiny();
      std::string content = files.get(file);
      const std::size_t reach = file == kWeights ? 8 + files.header_size() : content.size();
      for (auto hits = 1 + random() % 3; hits > 0; --hits) {
        char& c = content[random() % reach];
        switch (random() % 3) {
          case 0: c = static_cast<char>(random()); break;           // any byte
          case 1: c = static_cast<char>('0' + random() % 10); break;  // other numbers
          default: c = static_cast<char>(c ^ (1 << random() % 7));
        }
      }
      files.put(file, content);
      const auto model = Model::load(files.folder());
      if (!model) {
        CHECK(std::strlen(model.error().text()) > 10);
        ++refused;
        continue;
      }
      ++loaded;
      if (loaded % 8) continue;
      auto session = Session::open(*model);
      if (!session) continue;
      GenerateOptions one;
      one.max_tokens = 1;
      test::drain(session->ask(test::FirstQuestion::get().picture, "What?", one));
    }
  MESSAGE(loaded << " damaged models loaded, " << refused << " were refused");
  CHECK(refused > 100);
}
