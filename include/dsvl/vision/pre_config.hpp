// PreprocessConfig: how a picture is turned into the inputs of the towers, as data.
//
// The model floor fills it from a checkpoint's configuration; preprocess.hpp carries it out. The two published layouts
// (and old versions of one) differ only in these fields, and each difference changes the features a little, so all of
// them are kept.
// Sources: deepseek-ai/DeepSeek-VL, image_processing_vlm.py; transformers, image_processing_deepseek_vl{,_hybrid}.py.
#ifndef DSVL_VISION_PRE_CONFIG_HPP
#define DSVL_VISION_PRE_CONFIG_HPP

#include "../base/host_macros_push.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

#include "../base/status.hpp"
#include "pre_taps.hpp"

DSVL_BEGIN_NAMESPACE

/// The rule by which a side of n pixels becomes target * n / longest pixels, in double arithmetic. The results of the
/// three differ by one pixel at most.
enum class SizeRule : unsigned char {
  truncate,         ///< int(n / longest * T), as in the original. The longest side is exactly T
  truncate_scaled,  ///< int(n * (T / longest)), as in transformers before 2026-02. The longest side may become T - 1
  round_scaled,     ///< n * (T / longest), rounded half to even, as in transformers since then
};

/// The letterbox colour of a channel whose mean (0 to 1) is `mean`. Both processors truncate 255 * mean. Where a
/// configuration has no mean, the colour is 127.
constexpr std::uint8_t background_of(double mean) noexcept {
  const double level = 255.0 * mean;
  return level <= 0 ? 0 : level >= 255 ? 255 : static_cast<std::uint8_t>(level);
}

/// One square view of the picture, which is resized to fit, letterboxed, scaled to 0..1 and normalised as
/// (value - image_mean) / image_std.
struct ViewConfig {
  Index side = 384;  ///< T, pixels a side; for the high view 0 means that there is none
  Filter filter = Filter::bicubic;  ///< of the resize that makes this view
  std::array<std::uint8_t, 3> background = {127, 127, 127};  ///< of the letterbox, RGB
  std::array<float, 3> image_mean = {0.5f, 0.5f, 0.5f};  ///< of each channel, in 0..1; 0 leaves values as they are
  std::array<float, 3> image_std = {0.5f, 0.5f, 0.5f};  ///< of each channel, not 0; 1 leaves values as they are

  bool operator==(const ViewConfig&) const noexcept = default;
};

/// The picture that the low view is resized from.
enum class LowSource : unsigned char {
  picture,      ///< the caller's picture
  high_pixels,  ///< the letterboxed 8-bit high view, resized in 8 bits (transformers, 7B)
  high_floats,  ///< the high view scaled to 0..1, resized in float without rounding, bilinear (original, 7B)
};

/// Everything that decides a tower's input for a given picture.
struct PreprocessConfig {
  SizeRule size_rule = SizeRule::round_scaled;  ///< how the sides of the resized picture are rounded
  Index min_side = 14;                        ///< the short side has at least so many pixels, whatever the aspect ratio
  double rescale = 1.0 / 255.0;               ///< 8-bit value to float; the product is taken in double
  ViewConfig low;                             ///< input of SigLIP
  ViewConfig high = {0};                      ///< input of SAM; side 0 where the model has no second tower
  LowSource low_source = LowSource::picture;  ///< may differ from `picture` only where there is a high view

  bool operator==(const PreprocessConfig&) const noexcept = default;
};

/// Width or height in pixels of the resized picture before letterboxing; `n` is that side of the picture, `longest` its
/// longest one, `target` the side of the view.
inline Index target_side(SizeRule rule, Index n, Index longest, Index target, Index min_side) noexcept {
  const double side = static_cast<double>(n), most = static_cast<double>(longest), to = static_cast<double>(target);
  const double exact = rule == SizeRule::truncate ? side / most * to : side * (to / most);
  const double below = std::floor(exact), rest = exact - below;
  Index result = static_cast<Index>(below);
  if (rule == SizeRule::round_scaled && (rest > 0.5 || (rest == 0.5 && result % 2 != 0))) ++result;
  return std::max<Index>(result, min_side);
}

namespace detail {

/// bad_argument when a field of one view makes no sense; `name` says which view in the message.
inline Status check(const char* name, const ViewConfig& view, Index min_side) noexcept {
  if (view.side < 1 || view.side > kMaxPictureSide)
    return fail(Code::bad_argument, "%s view: side is %td, must be 1 to %td", name, view.side, kMaxPictureSide);
  if (min_side > view.side)
    return fail(Code::bad_argument, "%s view: the shortest side allowed is %td, but the view has only %td", name,
                min_side, view.side);
  if (view.filter != Filter::bilinear && view.filter != Filter::bicubic)
    return fail(Code::bad_argument, "%s view: unknown filter %d", name, static_cast<int>(view.filter));
  for (std::size_t c = 0; c < 3; ++c)
    if (!std::isfinite(view.image_mean[c]) || !std::isfinite(view.image_std[c]) || view.image_std[c] == 0)
      return fail(Code::bad_argument, "%s view: channel %zu has mean %g and deviation %g, must be finite and not 0",
                  name, c, static_cast<double>(view.image_mean[c]), static_cast<double>(view.image_std[c]));
  return {};
}

}  // namespace detail

/// bad_argument when a field makes no sense. Preprocessor::prepare calls it, so that run() cannot fail.
inline Status check(const PreprocessConfig& config) noexcept {
  const bool has_high = config.high.side != 0;
  DSVL_CHECK_STATUS(detail::check("low", config.low, config.min_side));
  if (has_high) DSVL_CHECK_STATUS(detail::check("high", config.high, config.min_side));
  if (config.min_side < 1) return fail(Code::bad_argument, "shortest side is %td, must be at least 1", config.min_side);
  if (!std::isfinite(config.rescale)) return fail(Code::bad_argument, "rescale factor is not finite");
  if (config.size_rule > SizeRule::round_scaled)
    return fail(Code::bad_argument, "unknown size rule %d", static_cast<int>(config.size_rule));
  if (config.low_source > LowSource::high_floats)
    return fail(Code::bad_argument, "unknown source of the low view %d", static_cast<int>(config.low_source));
  if (!has_high && config.low_source != LowSource::picture)
    return fail(Code::bad_argument, "the low view is made from the high view, but there is no high view");
  return {};
}

DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_VISION_PRE_CONFIG_HPP
