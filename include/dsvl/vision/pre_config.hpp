// PreprocessConfig: how a picture becomes what the towers take, as data.
//
// The model floor fills it from a checkpoint's configuration; preprocess.hpp carries it out. The two published layouts
// (and old versions of one) differ only in these fields.
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

/// How a side n becomes the target side T times n / longest, in double arithmetic.
enum class SizeRule : unsigned char {
  truncate,         ///< int(n / longest * T): the original. The longest side is exactly T
  truncate_scaled,  ///< int(n * (T / longest)): transformers before 2026-02. The longest side may come out as T - 1
  round_scaled,     ///< n * (T / longest), rounded half to even: transformers since then
};

/// The letterbox colour of a channel whose mean (0 to 1) is `mean`: both processors truncate. Without a mean it is 127.
constexpr std::uint8_t background_of(double mean) noexcept {
  const double level = 255.0 * mean;
  return level <= 0 ? 0 : level >= 255 ? 255 : static_cast<std::uint8_t>(level);
}

/// One square view of the picture: resized to fit, letterboxed, scaled to 0..1 and normalised.
struct ViewConfig {
  Index side = 384;                   ///< T; for the high view 0 means that there is none
  Filter filter = Filter::bicubic;    ///< of the resize that makes this view
  std::array<std::uint8_t, 3> background = {127, 127, 127};  ///< RGB
  std::array<float, 3> image_mean = {0.5f, 0.5f, 0.5f};            ///< 0 and 1 leave the values as they are
  std::array<float, 3> image_std = {0.5f, 0.5f, 0.5f};

  bool operator==(const ViewConfig&) const noexcept = default;
};

/// What the low view is made from.
enum class LowSource : unsigned char {
  picture,      ///< the caller's picture
  high_pixels,  ///< the letterboxed 8-bit high view, resized in 8 bits (transformers, 7B)
  high_floats,  ///< the same scaled to 0..1, resized in float without rounding, bilinear (original, 7B)
};

struct PreprocessConfig {
  SizeRule size_rule = SizeRule::round_scaled;
  Index min_side = 14;            ///< the short side is made at least this, whatever the aspect ratio
  double rescale = 1.0 / 255.0;   ///< 8-bit value to float; the product is taken in double
  ViewConfig low;
  ViewConfig high = {0};
  LowSource low_source = LowSource::picture;

  bool operator==(const PreprocessConfig&) const noexcept = default;
};

/// Width or height of the resized picture before letterboxing: `n` of a picture whose longest side is `longest`.
inline Index target_side(SizeRule rule, Index n, Index longest, Index target, Index min_side) noexcept {
  const double side = static_cast<double>(n), most = static_cast<double>(longest), to = static_cast<double>(target);
  const double exact = rule == SizeRule::truncate ? side / most * to : side * (to / most);
  const double below = std::floor(exact), rest = exact - below;
  Index result = static_cast<Index>(below);
  if (rule == SizeRule::round_scaled && (rest > 0.5 || (rest == 0.5 && result % 2 != 0))) ++result;
  return std::max<Index>(result, min_side);
}

namespace detail {

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

/// bad_argument when a field makes no sense.
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
