// Reads the settings of pictures of both published layouts into the PreprocessConfig of a model.
//
// They are preprocessor_config.json, or the object image_processor in processor_config.json, where transformers 5 puts
// them. The original normalises inside the model (pixel_mean, pixel_std of the vision configuration), the HF layout in
// the processor. Here both are one step, with whatever means and deviations the files give.
// Sources: model-spec sections 2.1, 2.2 and 5.
#ifndef DSVL_MODEL_PREPROCESS_JSON_HPP
#define DSVL_MODEL_PREPROCESS_JSON_HPP

#include "../base/host_macros_push.hpp"

#include "config.hpp"
#include "fields.hpp"

DSVL_BEGIN_NAMESPACE

namespace detail {

inline constexpr float kClipMean[3] = {0.48145466f, 0.4578275f, 0.40821073f};
inline constexpr float kClipStd[3] = {0.26862954f, 0.26130258f, 0.27577711f};

/// Mean and deviation of one view; identity until something is applied. Applying a second one composes them.
struct Normalisation {
  float image_mean[3] = {0, 0, 0}, image_std[3] = {1, 1, 1};

  void then(const float (&m)[3], const float (&d)[3]) noexcept {
    for (int c = 0; c < 3; ++c) {
      image_mean[c] = image_mean[c] + image_std[c] * m[c];
      image_std[c] = image_std[c] * d[c];
    }
  }
  void into(ViewConfig& view) const noexcept {
    for (std::size_t c = 0; c < 3; ++c) view.image_mean[c] = image_mean[c], view.image_std[c] = image_std[c];
  }
};

/// Three numbers, or CLIP's; the letterbox colour follows from the mean that is given, and is 127 where none is: where
/// the file says null, and in the HF layout also where it says nothing (`gray`).
struct Mean {
  float value[3];
  std::array<std::uint8_t, 3> background{127, 127, 127};

  Mean(const Fields& f, std::string_view key, bool gray) {
    std::copy_n(kClipMean, 3, value);
    const bool given = f.triple(key, value);
    if (f.is_null(key) || (gray && !given)) return;
    for (std::size_t c = 0; c < 3; ++c) background[c] = background_of(static_cast<double>(value[c]));
  }
};

/// A processor of another class has other defaults, and other steps.
inline void check_class(const Fields& f, const char* begins) {
  constexpr std::string_view kKey = "image_processor_type";
  if (const std::string_view type = f.text(kKey, begins); !type.starts_with(begins))
    f.refuse(Code::unsupported, kKey,
             "is '" + std::string(Printable(type).text()) + "', needs to begin with " + std::string(begins));
}

inline Filter read_filter(const Fields& f, std::string_view key) {
  const Index pillow = f.integer(key, 3, 0, 5);  // Pillow's numbers
  if (pillow != 2 && pillow != 3) f.refuse(Code::unsupported, key, "needs to be 2 (bilinear) or 3 (bicubic)");
  return pillow == 2 ? Filter::bilinear : Filter::bicubic;
}

/// `size` is {"height", "width"} or one number.
inline Index read_side(const Fields& f, std::string_view key, Index otherwise) {
  if (!f.value(key).is_object()) return f.size(key, otherwise);
  const Fields size = f.child(key);
  const Index height = size.size("height", otherwise);
  if (size.size("width", height) != height) f.refuse(Code::unsupported, key, "needs to be a square");
  return height;
}

/// Both views of the HF processors: 8-bit throughout, the low one of a hybrid made from the padded high one.
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

/// The original processor makes one picture; a hybrid model resizes it once more inside, in float.
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

/// Where settings of pictures stand: an object, and how messages call its file and lead to it.
struct PictureSettings {
  json::Value object;
  std::string where;      ///< "preprocessor_config.json"
  std::string path = {};  ///< "image_processor." inside of processor_config.json
};

/// -> config.preprocess, checked against the towers. What the object leaves out has the default of the processor's
/// class. `root` is config.json, where the original layout keeps its means. Codes: bad_file, unsupported.
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
