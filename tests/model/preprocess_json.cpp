// preprocessor_config.json of both layouts: the released files, nulls, absences, and sizes that do not fit.
#include <dsvl/model/preprocess_json.hpp>

#include "released.hpp"

using namespace dsvl;
using test::with;

namespace {

constexpr std::string_view kOriginalSmall = released::kOriginal1_3B.preprocessor, kOriginalLarge = released::kOriginal7B.preprocessor,
                           kHfSmall = released::kHf1_3B.preprocessor, kHfLarge = released::kHf7B.preprocessor;

constexpr std::array<float, 3> kHalf = {0.5f, 0.5f, 0.5f}, kClipMean = {0.48145466f, 0.4578275f, 0.40821073f},
                               kClipStd = {0.26862954f, 0.26130258f, 0.27577711f}, kZero = {0, 0, 0}, kOne = {1, 1, 1};
constexpr std::array<std::uint8_t, 3> kGray = {127, 127, 127}, kClipColour = {122, 116, 104};

Result<PreprocessConfig> read(std::string_view config_text, std::string_view text) {
  const auto config_json = json::Document::parse(config_text, "config.json"), json = json::Document::parse(text, "preprocessor_config.json");
  if (!config_json || !json) FAIL(std::string(config_json ? json.error().text() : config_json.error().text()));
  ModelConfig config = test::released(config_text);
  DSVL_CHECK_STATUS(read_preprocess({json->root(), "preprocessor_config.json"}, config_json->root(), config));
  return config.preprocess;
}
PreprocessConfig good(std::string_view config_text, std::string_view text) {
  const auto p = read(config_text, text);
  if (!p) FAIL(std::string(p.error().text()));
  return *p;
}
void check_view(const ViewConfig& v, Index side, Filter filter, std::array<std::uint8_t, 3> background, std::array<float, 3> mean,
                std::array<float, 3> image_std) {
  CHECK(v.side == side);
  CHECK(v.filter == filter);
  CHECK(v.background == background);
  CHECK(v.image_mean == mean);
  CHECK(v.image_std == image_std);
}

}  // namespace

TEST_CASE("the original 1.3B files: one picture, truncated sizes, normalised inside the model") {
  const PreprocessConfig p = good(released::kOriginal1_3B.config, kOriginalSmall);
  CHECK((p.size_rule == SizeRule::truncate && p.min_side == 14 && p.low_source == LowSource::picture && p.high.side == 0));
  CHECK(p.rescale == 0.00392156862745098);
  check_view(p.low, 384, Filter::bicubic, kGray, kHalf, kHalf);
}

TEST_CASE("the original 7B files: the low view is made in float from the letterboxed high one") {
  const PreprocessConfig p = good(released::kOriginal7B.config, kOriginalLarge);
  CHECK((p.size_rule == SizeRule::truncate && p.min_side == 14 && p.low_source == LowSource::high_floats));
  check_view(p.high, 1024, Filter::bicubic, kClipColour, kClipMean, kClipStd);
  check_view(p.low, 384, Filter::bilinear, p.low.background, kHalf, kHalf);
}

TEST_CASE("the HF files: rounded sizes, the hybrid's low view from the 8-bit high one") {
  const PreprocessConfig small = good(released::kHf1_3B.config, kHfSmall);
  CHECK((small.size_rule == SizeRule::round_scaled && small.low_source == LowSource::picture && small.high.side == 0));
  check_view(small.low, 384, Filter::bicubic, kGray, kHalf, kHalf);
  const PreprocessConfig large = good(released::kHf7B.config, kHfLarge);
  CHECK((large.size_rule == SizeRule::round_scaled && large.low_source == LowSource::high_pixels));
  check_view(large.high, 1024, Filter::bicubic, kClipColour, kClipMean, kClipStd);
  check_view(large.low, 384, Filter::bilinear, large.low.background, kHalf, kHalf);
}

TEST_CASE("the shipped model's own files") {
  const PreprocessConfig p = good(test::read_file(test::tiny_vl() / "config.json"), test::read_file(test::tiny_vl() / "preprocessor_config.json"));
  CHECK((p.low.side == 128 && p.high.side == 256 && p.low.filter == Filter::bilinear && p.high.filter == Filter::bicubic));
  CHECK(p.high.background == kClipColour);
}

TEST_CASE("keys that a file leaves out take the defaults of its class") {
  // Original: the CLIP numbers, also where the model is the small one; normalising is on.
  const PreprocessConfig p = good(with(released::kOriginal1_3B.config, ", \"pixel_mean\": [0.5, 0.5, 0.5], \"pixel_std\": [0.5, 0.5, 0.5]", ""),
                                  R"({"image_size": 384})");
  check_view(p.low, 384, Filter::bicubic, kClipColour, kClipMean, kClipStd);
  CHECK((p.min_side == 14 && p.rescale == 1.0 / 255.0));
  // HF: the CLIP numbers as well, bicubic; but the letterbox is gray, since its colour is taken from what the file says.
  check_view(good(released::kHf1_3B.config, R"({"size": 384})").low, 384, Filter::bicubic, kGray, kClipMean, kClipStd);
  check_view(good(released::kHf1_3B.config, "{}").low, 384, Filter::bicubic, kGray, kClipMean, kClipStd);
}

TEST_CASE("what transformers 5 nests in processor_config.json is read as its own file is") {
  for (const auto& [own, nested] : {std::pair{&released::kHf1_3B, &released::kHf1_3BNested}, std::pair{&released::kHf7B, &released::kHf7BNested}}) {
    const auto file = json::Document::parse(nested->processor, "processor_config.json"), root = json::Document::parse(nested->config, "config.json");
    REQUIRE((file && root));
    ModelConfig config = test::released(nested->config);
    const Status status = read_preprocess({file->root().find("image_processor"), "processor_config.json", "image_processor."}, root->root(), config);
    INFO(status.text());
    REQUIRE(status.ok());
    CHECK(config.preprocess == good(own->config, own->preprocessor));
  }
}

TEST_CASE("a null mean makes the letterbox gray and leaves the class's default for normalising") {
  const PreprocessConfig p = good(released::kHf7B.config, with(kHfLarge, "[0.48145466, 0.4578275, 0.40821073]", "null"));
  check_view(p.high, 1024, Filter::bicubic, kGray, kClipMean, kClipStd);
  CHECK(good(released::kOriginal7B.config, with(kOriginalLarge, "[0.48145466, 0.4578275, 0.40821073]", "null")).high.background == kGray);
}

TEST_CASE("the letterbox colour follows from the mean, not from what the file writes beside it") {
  const PreprocessConfig p = good(released::kOriginal1_3B.config, with(kOriginalSmall, "127, 127, 127", "1, 2, 3"));
  CHECK(p.low.background == kGray);
}

TEST_CASE("do_normalize says whether the processor normalises; the original's towers may do so once more") {
  check_view(good(released::kHf1_3B.config, with(kHfSmall, "\"do_normalize\": true", "\"do_normalize\": false")).low, 384, Filter::bicubic, kGray, kZero, kOne);
  // ((x - 0.5) / 0.5 - 0.5) / 0.5 = (x - 0.75) / 0.25
  const PreprocessConfig twice = good(released::kOriginal1_3B.config, with(kOriginalSmall, "\"do_normalize\": false", "\"do_normalize\": true"));
  check_view(twice.low, 384, Filter::bicubic, kGray, {0.75f, 0.75f, 0.75f}, {0.25f, 0.25f, 0.25f});
  // Only one of the two numbers in the tower: it does not normalise.
  const std::string one = with(released::kOriginal1_3B.config, ", \"pixel_std\": [0.5, 0.5, 0.5]", "");
  check_view(good(one, kOriginalSmall).low, 384, Filter::bicubic, kGray, kZero, kOne);
  for (const char* image_std : {"0.26862954", "1.0"}) {
    const auto bad = read(released::kOriginal7B.config, with(with(kOriginalLarge, "\"do_normalize\": false", "\"do_normalize\": true"), "0.26862954", image_std));
    REQUIRE_FALSE(bad);
    CHECK(bad.error().code() == Code::unsupported);
    CHECK(std::string(bad.error().text()).find("do_normalize") != std::string::npos);
  }
}

TEST_CASE("what does not fit the towers or makes no sense is named") {
  struct Case { std::string_view config, base; const char *from, *to; Code code; const char* words; };
  const Case cases[] = {
      {released::kOriginal1_3B.config, kOriginalSmall, "384", "448", Code::bad_file, "448"},
      {released::kOriginal1_3B.config, kOriginalSmall, "\"image_size\": 384", "\"x\": 384", Code::bad_file, "image_size"},
      {released::kOriginal1_3B.config, kOriginalSmall, "VLMImageProcessor", "CLIPImageProcessor", Code::unsupported, "'CLIPImageProcessor'"},
      {released::kHf1_3B.config, kHfSmall, "DeepseekVLImageProcessor", "SiglipImageProcessor", Code::unsupported, "'SiglipImageProcessor'"},
      {released::kHf7B.config, kHfLarge, "\"size\": {\"height\": 384, \"width\": 384}", "\"size\": {\"height\": 128}", Code::bad_file, "128"},
      {released::kOriginal7B.config, kOriginalLarge, "1024", "512", Code::bad_file, "512"},
      {released::kHf7B.config, kHfLarge, "{\"height\": 1024, \"width\": 1024}", "512", Code::bad_file, "512"},
      {released::kHf1_3B.config, kHfSmall, "\"width\": 384", "\"width\": 400", Code::unsupported, "size"},
      {released::kHf1_3B.config, kHfSmall, "\"resample\": 3", "\"resample\": 1", Code::unsupported, "resample"},
      {released::kHf1_3B.config, kHfSmall, "\"do_pad\": true", "\"do_pad\": false", Code::unsupported, "do_pad"},
      {released::kHf1_3B.config, kHfSmall, "\"do_resize\": true", "\"do_resize\": false", Code::unsupported, "do_resize"},
      {released::kHf1_3B.config, kHfSmall, "\"min_size\": 14", "\"min_size\": 500", Code::bad_file, "500"},
      {released::kHf1_3B.config, kHfSmall, "\"min_size\": 14", "\"min_size\": 0", Code::bad_file, "min_size"},
      {released::kHf1_3B.config, kHfSmall, "0.00392156862745098", "0", Code::bad_file, "rescale_factor"},
      {released::kHf1_3B.config, kHfSmall, "[0.5, 0.5, 0.5]", "[0.5, 0.5]", Code::bad_file, "image_mean"},
      {released::kHf1_3B.config, kHfSmall, "\"image_std\": [0.5, 0.5, 0.5]", "\"image_std\": [0.5, 0, 0.5]", Code::bad_file, "deviation 0"},
      {released::kHf1_3B.config, kHfSmall, "\"image_std\": [0.5, 0.5, 0.5]", "\"image_std\": [1e300, 1, 1]", Code::bad_file, "inf"},
  };
  for (const Case& c : cases) {
    INFO(c.to);
    const auto p = read(c.config, with(c.base, c.from, c.to));
    REQUIRE_FALSE(p);
    INFO(p.error().text());
    CHECK(p.error().code() == c.code);
    CHECK(std::string(p.error().text()).find(c.words) != std::string::npos);
    CHECK(std::string(p.error().text()).find("preprocessor_config.json") != std::string::npos);
  }
}
