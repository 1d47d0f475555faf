// Reads how pictures are prepared, in either published layout, into the PreprocessConfig of a model.
//
// The settings are preprocessor_config.json, or the object image_processor in processor_config.json, where
// transformers 5 puts them. The original layout sets do_normalize to false and normalises inside the model (pixel_mean
// and pixel_std of the vision configuration, only if both are there); the HF layout normalises in the processor. Here
// both are one step, with the means and standard deviations that the files give. Absent keys have the defaults of the
// processor's class: min_size 14, rescale 1/255, bicubic, CLIP's mean and std.
// Sources: deepseek-ai/DeepSeek-VL, image_processing_vlm.py and clip_encoder.py; transformers,
// image_processing_deepseek_vl{,_hybrid}.py.
#ifndef DSVL_MODEL_PREPROCESS_JSON_HPP
#define DSVL_MODEL_PREPROCESS_JSON_HPP

#include "../base/host_macros_push.hpp"

#include "config.hpp"
#include "fields.hpp"

DSVL_BEGIN_NAMESPACE

namespace detail {

/// Mean and standard deviation of CLIP's training pictures, RGB in 0..1. Source openai/CLIP.
inline constexpr float kClipMean[3] = {0.48145466f, 0.4578275f, 0.40821073f};
inline constexpr float kClipStd[3] = {0.26862954f, 0.26130258f, 0.27577711f};  ///< see kClipMean

/// (x - image_mean) / image_std of one view, which is the identity at first.
struct Normalisation {
  float image_mean[3] = {0, 0, 0};  ///< of R, G and B
  float image_std[3] = {1, 1, 1};   ///< of R, G and B

  /// Composes with a second normalisation, by mean m and standard deviation d, that is applied to the result.
  void then(const float (&m)[3], const float (&d)[3]) noexcept {
    for (int c = 0; c < 3; ++c) {
      image_mean[c] = image_mean[c] + image_std[c] * m[c];
      image_std[c] = image_std[c] * d[c];
    }
  }
  /// Writes the result into a view's settings.
  void into(ViewConfig& view) const noexcept {
    for (std::size_t c = 0; c < 3; ++c) view.image_mean[c] = image_mean[c], view.image_std[c] = image_std[c];
  }
};

/// The mean of a processor, and the letterbox colour that both processors compute from it.
struct Mean {
  float value[3];  ///< CLIP's when the file has none
  std::array<std::uint8_t, 3> background{127, 127, 127};  ///< gray when no mean was given

  /// Reads the mean under `key`. A mean of null leaves the background gray. An absent one does so only where `gray`, in
  /// the HF layout; the original's class has CLIP's mean as its default and computes the colour from that.
  Mean(const Fields& f, std::string_view key, bool gray) {
    std::copy_n(kClipMean, 3, value);
    const bool given = f.triple(key, value);
    if (f.is_null(key) || (gray && !given)) return;
    for (std::size_t c = 0; c < 3; ++c) background[c] = background_of(static_cast<double>(value[c]));
  }
};

/// Refuses a processor of another class, which has other defaults and other steps.
DSVL_COLD inline void check_class(const Fields& f, const char* begins) {
  constexpr std::string_view kKey = "image_processor_type";
  if (const std::string_view type = f.text(kKey, begins); !type.starts_with(begins))
    f.refuse(Code::unsupported, kKey,
             "is '" + std::string(Printable(type).text()) + "', needs to begin with " + std::string(begins));
}

/// The resize filter, which files give by Pillow's number.
DSVL_COLD inline Filter read_filter(const Fields& f, std::string_view key) {
  const Index pillow = f.integer(key, 3, 0, 5);
  if (pillow != 2 && pillow != 3) f.refuse(Code::unsupported, key, "needs to be 2 (bilinear) or 3 (bicubic)");
  return pillow == 2 ? Filter::bilinear : Filter::bicubic;
}

/// The side of a square view; `size` is {"height", "width"} or one number.
DSVL_COLD inline Index read_side(const Fields& f, std::string_view key, Index otherwise) {
  if (!f.value(key).is_object()) return f.size(key, otherwise);
  const Fields size = f.child(key);
  const Index height = size.size("height", otherwise);
  if (size.size("width", height) != height) f.refuse(Code::unsupported, key, "needs to be a square");
  return height;
}

/// Both views of the HF processors, which work in 8 bits throughout. A hybrid's low view is made from its padded high
/// view.
DSVL_COLD
inline void read_preprocess_hf(const Fields& f, ModelConfig& c) {
  PreprocessConfig& p = c.preprocess;
  p.size_rule = SizeRule::round_scaled;
  check_class(f, "DeepseekVL");
  for (const char* key : {"do_resize", "do_rescale", "do_pad"})
    if (!f.flag(key, true)) f.refuse(Code::unsupported, key, "needs to be true");
  const bool normalise = f.flag("do_normalize", true);
  const auto view = [&](std::string_view prefix, Index side) {
    const std::string key(prefix);
    ViewConfig v;
    v.side = read_side(f, key + "size", side);
    v.filter = read_filter(f, key + "resample");
    const Mean mean(f, key + "image_mean", true);
    float image_std[3];
    std::copy_n(kClipStd, 3, image_std);
    f.triple(key + "image_std", image_std);
    Normalisation n;
    if (normalise) n.then(mean.value, image_std);
    n.into(v);
    v.background = mean.background;
    return v;
  };
  p.low = view("", 384);
  if (!c.high) return;
  p.high = view("high_res_", 1024);
  p.low_source = LowSource::high_pixels;
}

/// The original processor makes one picture; a hybrid model resizes it once more inside, in float and bilinear.
DSVL_COLD
inline void read_preprocess_original(const Fields& f, const Fields& vision, ModelConfig& c) {
  PreprocessConfig& p = c.preprocess;
  p.size_rule = SizeRule::truncate;
  check_class(f, "VLMImageProcessor");
  const Mean mean(f, "image_mean", false);
  float image_std[3];
  std::copy_n(kClipStd, 3, image_std);
  f.triple("image_std", image_std);
  const bool normalise = f.flag("do_normalize", true);
  Normalisation before;
  if (normalise) before.then(mean.value, image_std);
  const auto view = [&](const Fields& tower) {  // the model normalises only if it has both numbers
    Normalisation n = before;
    float m[3], d[3];
    if (tower.triple("pixel_mean", m) && tower.triple("pixel_std", d)) n.then(m, d);
    ViewConfig v;
    n.into(v);
    v.background = mean.background;
    return v;
  };
  if (!c.high) {
    p.low = view(vision);
    p.low.side = f.required_size("image_size");
    return;
  }
  if (normalise)
    f.refuse(Code::unsupported, "do_normalize",
             "needs to be false: a hybrid model makes its low view before normalising");
  p.high = view(vision.child("high_res_cfg"));
  p.high.side = f.required_size("image_size");
  p.low = view(vision.child("low_res_cfg"));
  p.low.side = c.siglip.input.image;
  p.low.filter = Filter::bilinear;
  p.low_source = LowSource::high_floats;
}

}  // namespace detail

/// The JSON object with the settings of pictures, and how messages call it.
struct PictureSettings {
  json::Value object;     ///< missing when a model has none
  std::string where;      ///< "preprocessor_config.json"
  std::string path = {};  ///< "image_processor." inside of processor_config.json
};

/// Reads `from` into config.preprocess and checks it against the towers. `root` is config.json, where the original
/// layout keeps its means.
///
/// Codes  bad_file (a value is wrong, or the views do not fit the towers), unsupported
DSVL_COLD
inline Status read_preprocess(const PictureSettings& from, json::Value root, ModelConfig& config) {
  Status status;
  const std::string& where = from.where;
  const Fields f(from.object, where, status, from.path);
  config.preprocess = {};
  config.preprocess.min_side = f.size("min_size", 14);
  config.preprocess.rescale = f.positive("rescale_factor", 1.0 / 255.0);
  if (config.layout == Layout::hf) detail::read_preprocess_hf(f, config);
  else
    detail::read_preprocess_original(f, Fields(root, "config.json", status).child("vision_config").child("params"),
                                     config);
  DSVL_CHECK_STATUS(status);
  // The towers have learned positions for one size, so the views must have exactly that.
  const Index low = config.siglip.input.image, high = config.high ? config.high->sam.input.image : 0;
  if (config.preprocess.low.side != low || config.preprocess.high.side != high)
    return fail(Code::bad_file, "%s: makes views of %td and %td pixels a side (0: none), the towers take %td and %td",
                where.c_str(), config.preprocess.low.side, config.preprocess.high.side, low, high);
  if (Status bad = check(config.preprocess); !bad.ok())
    return fail(Code::bad_file, "%s: %s", where.c_str(), bad.text());
  return {};
}

DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_MODEL_PREPROCESS_JSON_HPP
