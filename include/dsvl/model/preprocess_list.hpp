// Lists how pictures are prepared, value by value, with the key and the file that each came from.
//
// `dsvl inspect` and `doctor` show the list. It is the first thing to look at when answers differ from the reference's:
// a mean or a resize kernel that differs a little makes every answer a little worse, and none of them plainly wrong.
#ifndef DSVL_MODEL_PREPROCESS_LIST_HPP
#define DSVL_MODEL_PREPROCESS_LIST_HPP

#include <array>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <string>
#include <vector>

#include "preprocess_json.hpp"
#include "report.hpp"

DSVL_BEGIN_NAMESPACE

namespace detail {

/// The number in as few digits as tell it from its neighbours.
template <class T>
std::string number_text(T x) {
  char text[32];
#if defined(_LIBCPP_VERSION) && _LIBCPP_VERSION < 14000  // it has no std::to_chars of floats yet
  for (int digits = 1; digits <= std::numeric_limits<T>::max_digits10; ++digits) {
    std::snprintf(text, sizeof text, "%.*g", digits, static_cast<double>(x));
    if (static_cast<T>(std::strtod(text, nullptr)) == x) break;
  }
  return text;
#else
  return {text, std::to_chars(text, text + sizeof text, x).ptr};
#endif
}
/// "0.5 0.5 0.5".
template <class T>
std::string triple_text(const std::array<T, 3>& x) {
  return number_text(x[0]) + " " + number_text(x[1]) + " " + number_text(x[2]);
}

/// Appends the settings that were read from one object.
class PreprocessList {
 public:
  /// Both must outlive the object.
  PreprocessList(const PictureSettings& from, std::vector<Setting>& to) : from_(from), to_(to) {}

  /// Appends one setting; `name` is without "preprocess.".
  void add(const std::string& name, std::string value, std::string origin) {
    to_.push_back({"preprocess." + name, std::move(value), std::move(origin)});
  }
  /// "preprocessor_config.json: image_mean", or that the default was taken because the key is absent or null.
  [[nodiscard]] std::string origin(std::string_view key) const {
    const json::Value value = from_.object.find(key);
    const std::string full = from_.where + ": " + from_.path + std::string(key);
    return value.missing() || value.is_null() ? full + " is not given: default of the processor" : full;
  }

  /// Appends the settings of one view. `prefix` is that of the view's keys in the HF layout ("high_res_").
  void view(const std::string& name, const std::string& prefix, const ViewConfig& v, const ModelConfig& config) {
    const bool original = config.layout == Layout::original, low_of_two = original && config.high && name == "low";
    add(name + ".side", std::to_string(v.side),
        low_of_two ? "config.json: vision_config" : origin(original ? "image_size" : prefix + "size"));
    add(name + ".filter", v.filter == Filter::bicubic ? "bicubic" : "bilinear",
        original ? "the original layout's own" : origin(prefix + "resample"));
    const std::string tower = original ? "config.json: vision_config" : "";
    add(name + ".mean", triple_text(v.image_mean), original ? tower : origin(prefix + "image_mean"));
    add(name + ".deviation", triple_text(v.image_std), original ? tower : origin(prefix + "image_std"));
    add(name + ".background", triple_text(v.background), origin(prefix + "image_mean"));
  }

 private:
  const PictureSettings& from_;
  std::vector<Setting>& to_;
};

}  // namespace detail

/// Appends what read_preprocess() made of `from`; the names begin with "preprocess.".
DSVL_COLD
inline void list_preprocess(const PictureSettings& from, const ModelConfig& config, std::vector<Setting>& to) {
  const PreprocessConfig& p = config.preprocess;
  detail::PreprocessList list(from, to);
  const std::string kind = "config.json: model_type";
  list.add("sizes", p.size_rule == SizeRule::round_scaled ? "rounded" : "truncated", kind);
  list.add("shortest_side", std::to_string(p.min_side), list.origin("min_size"));
  list.add("rescale", detail::number_text(p.rescale), list.origin("rescale_factor"));
  if (config.high) list.view("high", config.layout == Layout::hf ? "high_res_" : "", p.high, config);
  list.view("low", "", p.low, config);
  list.add("low.source",
           p.low_source == LowSource::picture       ? "the picture"
           : p.low_source == LowSource::high_pixels ? "the high view, in 8 bits"
                                                    : "the high view, in float",
           kind);
}

DSVL_END_NAMESPACE

#endif  // DSVL_MODEL_PREPROCESS_LIST_HPP
