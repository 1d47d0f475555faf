// preprocessor_config.json of both layouts: the released files, nulls, absences, and sizes that do not fit.
#include <dsvl/model/preprocess_json.hpp>

#include "released.hpp"

using namespace dsvl;
using test::with;

namespace {

// These two are the released files to the byte, as far as their sizes tell.
const char* const kOriginalSmall = R"({
  "background_color": [
    127,
    127,
    127
  ],
  "do_normalize": false,
  "image_mean": [
    0.5,
    0.5,
    0.5
  ],
  "image_processor_type": "VLMImageProcessor",
  "image_size": 384,
  "image_std": [
    0.5,
    0.5,
    0.5
  ],
  "min_size": 14,
  "processor_class": "VLChatProcessor",
  "rescale_factor": 0.00392156862745098
}
)";
const char* const kOriginalLarge = R"({
  "background_color": [
    122,
    116,
    104
  ],
  "do_normalize": false,
  "image_mean": [
    0.48145466,
    0.4578275,
    0.40821073
  ],
  "image_processor_type": "VLMImageProcessor",
  "image_size": 1024,
  "image_std": [
    0.26862954,
    0.26130258,
    0.27577711
  ],
  "min_size": 14,
  "processor_class": "VLChatProcessor",
  "rescale_factor": 0.00392156862745098
}
)";
const char* const kHfSmall = R"({"do_convert_rgb": null, "do_normalize": true, "do_pad": true, "do_rescale": true, "do_resize": true,
  "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5], "image_processor_type": "DeepseekVLImageProcessor", "min_size": 14,
  "resample": 3, "rescale_factor": 0.00392156862745098, "size": {"height": 384, "width": 384}})";
const char* const kHfLarge = R"({"do_normalize": true, "do_pad": true, "do_rescale": true, "do_resize": true,
  "high_res_image_mean": [0.48145466, 0.4578275, 0.40821073], "high_res_image_std": [0.26862954, 0.26130258, 0.27577711],
  "high_res_resample": 3, "high_res_size": {"height": 1024, "width": 1024}, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5],
  "min_size": 14, "resample": 2, "rescale_factor": 0.00392156862745098, "size": {"height": 384, "width": 384}})";

constexpr std::array<float, 3> kHalf = {0.5f, 0.5f, 0.5f}, kClipMean = {0.48145466f, 0.4578275f, 0.40821073f},
                               kClipDeviation = {0.26862954f, 0.26130258f, 0.27577711f}, kZero = {0, 0, 0}, kOne = {1, 1, 1};
constexpr std::array<std::uint8_t, 3> kGray = {127, 127, 127}, kClipColour = {122, 116, 104};

Result<PreprocessConfig> read(const std::string& config_text, const std::string& text) {
  const auto config_json = json::Document::parse(config_text, "config.json"), json = json::Document::parse(text, "preprocessor_config.json");
  if (!config_json || !json) FAIL(std::string(config_json ? json.error().text() : config_json.error().text()));
  ModelConfig config = test::released(config_text.c_str());
  DSVL_CHECK_STATUS(read_preprocess(json->root(), "preprocessor_config.json", config_json->root(), config));
  return config.preprocess;
}
PreprocessConfig good(const std::string& config_text, const std::string& text) {
  const auto p = read(config_text, text);
  if (!p) FAIL(std::string(p.error().text()));
  return *p;
}
void check_view(const ViewConfig& v, Index side, Filter filter, std::array<std::uint8_t, 3> background, std::array<float, 3> mean,
                std::array<float, 3> deviation) {
  CHECK(v.side == side);
  CHECK(v.filter == filter);
  CHECK(v.background == background);
  CHECK(v.mean == mean);
  CHECK(v.deviation == deviation);
}

}  // namespace

TEST_CASE("the original 1.3B files: one picture, truncated sizes, normalised inside the model") {
  CHECK(std::string(kOriginalSmall).size() == 347);
  const PreprocessConfig p = good(test::kOriginal1_3B, kOriginalSmall);
  CHECK((p.size_rule == SizeRule::truncate && p.min_side == 14 && p.low_source == LowSource::picture && p.high.side == 0));
  CHECK(p.rescale == 0.00392156862745098);
  check_view(p.low, 384, Filter::bicubic, kGray, kHalf, kHalf);
}

TEST_CASE("the original 7B files: the low view is made in float from the letterboxed high one") {
  CHECK(std::string(kOriginalLarge).size() == 389);
  const PreprocessConfig p = good(test::kOriginal7B, kOriginalLarge);
  CHECK((p.size_rule == SizeRule::truncate && p.min_side == 14 && p.low_source == LowSource::high_floats));
  check_view(p.high, 1024, Filter::bicubic, kClipColour, kClipMean, kClipDeviation);
  check_view(p.low, 384, Filter::bilinear, p.low.background, kHalf, kHalf);
}

TEST_CASE("the HF files: rounded sizes, the hybrid's low view from the 8-bit high one") {
  const PreprocessConfig small = good(test::kHf1_3B, kHfSmall);
  CHECK((small.size_rule == SizeRule::round_scaled && small.low_source == LowSource::picture && small.high.side == 0));
  check_view(small.low, 384, Filter::bicubic, kGray, kHalf, kHalf);
  const PreprocessConfig large = good(test::kHf7B, kHfLarge);
  CHECK((large.size_rule == SizeRule::round_scaled && large.low_source == LowSource::high_pixels));
  check_view(large.high, 1024, Filter::bicubic, kClipColour, kClipMean, kClipDeviation);
  check_view(large.low, 384, Filter::bilinear, large.low.background, kHalf, kHalf);
}

TEST_CASE("the shipped model's own files") {
  const PreprocessConfig p = good(test::read_file(test::tiny_vl() / "config.json"), test::read_file(test::tiny_vl() / "preprocessor_config.json"));
  CHECK((p.low.side == 128 && p.high.side == 256 && p.low.filter == Filter::bilinear && p.high.filter == Filter::bicubic));
  CHECK(p.high.background == kClipColour);
}

TEST_CASE("without a preprocessor file the released behaviour of each layout is assumed") {
  check_view(good(test::kOriginal1_3B, "{}").low, 384, Filter::bicubic, kGray, kHalf, kHalf);
  const PreprocessConfig p = good(test::kOriginal7B, "{}");
  check_view(p.high, 1024, Filter::bicubic, kClipColour, kClipMean, kClipDeviation);
  CHECK(p.low.mean == kHalf);
}

TEST_CASE("keys that a file leaves out take the defaults of its class") {
  // Original: the CLIP numbers, also where the model is the small one; normalising is on.
  const PreprocessConfig p = good(with(test::kOriginal1_3B, ",\n                               \"pixel_mean\": [0.5, 0.5, 0.5], \"pixel_std\": [0.5, 0.5, 0.5]", ""),
                                  R"({"image_size": 384})");
  check_view(p.low, 384, Filter::bicubic, kClipColour, kClipMean, kClipDeviation);
  CHECK((p.min_side == 14 && p.rescale == 1.0 / 255.0));
  // HF: the CLIP numbers as well, bicubic.
  check_view(good(test::kHf1_3B, R"({"size": 384})").low, 384, Filter::bicubic, kClipColour, kClipMean, kClipDeviation);
}

TEST_CASE("a null mean makes the letterbox gray and leaves the class's default for normalising") {
  const PreprocessConfig p = good(test::kHf7B, with(kHfLarge, "[0.48145466, 0.4578275, 0.40821073]", "null"));
  check_view(p.high, 1024, Filter::bicubic, kGray, kClipMean, kClipDeviation);
  CHECK(good(test::kOriginal7B, with(kOriginalLarge, "[\n    0.48145466,\n    0.4578275,\n    0.40821073\n  ]", "null")).high.background == kGray);
}

TEST_CASE("the letterbox colour follows from the mean, not from what the file writes beside it") {
  const PreprocessConfig p = good(test::kOriginal1_3B, with(kOriginalSmall, "127,\n    127,\n    127", "1,\n    2,\n    3"));
  CHECK(p.low.background == kGray);
}

TEST_CASE("do_normalize says whether the processor normalises; the original's towers may do so once more") {
  check_view(good(test::kHf1_3B, with(kHfSmall, "\"do_normalize\": true", "\"do_normalize\": false")).low, 384, Filter::bicubic, kGray, kZero, kOne);
  // ((x - 0.5) / 0.5 - 0.5) / 0.5 = (x - 0.75) / 0.25
  const PreprocessConfig twice = good(test::kOriginal1_3B, with(kOriginalSmall, "\"do_normalize\": false", "\"do_normalize\": true"));
  check_view(twice.low, 384, Filter::bicubic, kGray, {0.75f, 0.75f, 0.75f}, {0.25f, 0.25f, 0.25f});
  // Only one of the two numbers in the tower: it does not normalise.
  const std::string one = with(test::kOriginal1_3B, ", \"pixel_std\": [0.5, 0.5, 0.5]", "");
  check_view(good(one, kOriginalSmall).low, 384, Filter::bicubic, kGray, kZero, kOne);
  for (const char* deviation : {"0.26862954", "1.0"}) {
    const auto bad = read(test::kOriginal7B, with(with(kOriginalLarge, "\"do_normalize\": false", "\"do_normalize\": true"), "0.26862954", deviation));
    REQUIRE_FALSE(bad);
    CHECK(bad.error().code() == Code::unsupported);
    CHECK(std::string(bad.error().text()).find("do_normalize") != std::string::npos);
  }
}

TEST_CASE("what does not fit the towers or makes no sense is named") {
  struct Case { const char *config, *base, *from, *to; Code code; const char* words; };
  const Case cases[] = {
      {test::kOriginal1_3B, kOriginalSmall, "384", "448", Code::bad_file, "448"},
      {test::kOriginal7B, kOriginalLarge, "1024", "512", Code::bad_file, "512"},
      {test::kHf7B, kHfLarge, "{\"height\": 1024, \"width\": 1024}", "512", Code::bad_file, "512"},
      {test::kHf1_3B, kHfSmall, "\"width\": 384", "\"width\": 400", Code::unsupported, "size"},
      {test::kHf1_3B, kHfSmall, "\"resample\": 3", "\"resample\": 1", Code::unsupported, "resample"},
      {test::kHf1_3B, kHfSmall, "\"do_pad\": true", "\"do_pad\": false", Code::unsupported, "do_pad"},
      {test::kHf1_3B, kHfSmall, "\"do_resize\": true", "\"do_resize\": false", Code::unsupported, "do_resize"},
      {test::kHf1_3B, kHfSmall, "\"min_size\": 14", "\"min_size\": 500", Code::bad_file, "500"},
      {test::kHf1_3B, kHfSmall, "\"min_size\": 14", "\"min_size\": 0", Code::bad_file, "min_size"},
      {test::kHf1_3B, kHfSmall, "0.00392156862745098", "0", Code::bad_file, "rescale_factor"},
      {test::kHf1_3B, kHfSmall, "[0.5, 0.5, 0.5]", "[0.5, 0.5]", Code::bad_file, "image_mean"},
      {test::kHf1_3B, kHfSmall, "\"image_std\": [0.5, 0.5, 0.5]", "\"image_std\": [0.5, 0, 0.5]", Code::bad_file, "deviation 0"},
      {test::kHf1_3B, kHfSmall, "\"image_std\": [0.5, 0.5, 0.5]", "\"image_std\": [1e300, 1, 1]", Code::bad_file, "inf"},
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
