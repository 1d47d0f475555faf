// prepare_picture(): a picture as the towers get it, in pixels, to look at.
//
//   #include <dsvl/chat/prepared_picture.hpp>
//
//   auto shown = dsvl::prepare_picture(*model, dsvl::Picture::file("photo.jpg"));
//   if (shown) save(shown->high ? *shown->high : shown->low);   // 8-bit RGB, margins included
//
// It decodes, cuts, scales and pads as a session does, and needs none. dsvl.hpp does not include it.
#ifndef DSVL_CHAT_PREPARED_PICTURE_HPP
#define DSVL_CHAT_PREPARED_PICTURE_HPP

#include "../base/host_macros_push.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include "../model/config.hpp"
#include "internal/describe_picture.hpp"
#include "model.hpp"

DSVL_BEGIN_NAMESPACE

/// A picture as the towers get it. It owns its pixels.
struct PreparedPicture {
  SeenPicture seen;           ///< how it was made; not `done`, since nothing was encoded
  Image low;                  ///< (side, side) RGB, what SigLIP sees: before it is normalised
  std::optional<Image> high;  ///< (side, side) RGB, what SAM-B sees; none where the model has no such tower

  /// The view that shows the most: the high one where there is one.
  [[nodiscard]] const Image& sharpest() const noexcept { return high ? *high : low; }
  /// Where the picture lies in that view; the rest is padding.
  [[nodiscard]] const Rect& content() const noexcept { return high ? seen.high.content : seen.low.content; }
};

namespace detail {

/// Makes 8-bit RGB of a tower's input (3, side, side): what was normalised is taken back, and rounded to the nearest
/// level. Where the input was made of 8 bits, these are the same again.
///
/// Codes  out_of_memory
DSVL_COLD
inline Status take_back(const ViewConfig& view, double rescale, Volume<const float> input, Image& to) noexcept {
  const Index side = view.side;
  if (!to.rgb.resize(static_cast<std::size_t>(3 * side * side)))
    return fail(Code::out_of_memory, "no memory for a view of %td x %td pixels", side, side);
  to.width = to.height = side;
  for (Index c = 0; c < 3; ++c)
    for (Index i = 0; i < side * side; ++i) {
      const auto channel = static_cast<std::size_t>(c);
      const double unit = static_cast<double>(input.row(c, 0)[i]) * static_cast<double>(view.image_std[channel]) +
                          static_cast<double>(view.image_mean[channel]);
      to.rgb[static_cast<std::size_t>(3 * i + c)] =
          static_cast<std::uint8_t>(std::clamp<double>(std::floor(unit / rescale + 0.5), 0, 255));
    }
  return {};
}

}  // namespace detail

/// Prepares a picture for a model's towers. Of `options` count limits.picture_pixels, those of reading pictures, and
/// the host's allocator and decoder. What the picture points to must stay until the call returns.
///
/// Codes  those of reading pictures; bad_argument (pixels, a region that is not within), limit, out_of_memory
/// Cost   that of decoding and resizing, on the calling thread; memory of the views in floats and in 8 bits
inline Result<PreparedPicture> prepare_picture(const Model& model, const Picture& picture,
                                               const SessionOptions& options = {}) {
  const PreprocessConfig& config = model.config().preprocess;
  Allocator* const from = options.host.allocator;
  Image decoded{Buffer<std::uint8_t>(from)};
  DSVL_TRY(source, detail::pixels_of(picture, options, decoded));
  Pixels pixels = source;
  PreparedPicture out{{}, Image{Buffer<std::uint8_t>(from)}, {}};
  DSVL_CHECK_STATUS(detail::describe_picture(config, picture.part(), pixels, out.seen));
  out.seen.orientation = decoded.orientation;
  out.seen.turned = decoded.orientation != 1 && options.apply_exif_orientation;
  out.seen.grid = model.config().siglip.input.grid();
  out.seen.tokens = out.seen.grid.tokens();

  const Index low = config.low.side, high = config.high.side;
  Buffer<float> inputs(from);
  if (!inputs.resize(static_cast<std::size_t>(3 * (low * low + high * high))))
    return fail(Code::out_of_memory, "no memory for views of %td and %td pixels a side", low, high);
  const Volume<float> to_low(inputs.data(), 3, low, low);
  const Volume<float> to_high(high > 0 ? inputs.data() + 3 * low * low : nullptr, high > 0 ? 3 : 0, high, high);
  DSVL_CHECK_STATUS(preprocess(pixels, config, to_low, to_high, from));
  DSVL_CHECK_STATUS(detail::take_back(config.low, config.rescale, to_low, out.low));
  if (high > 0) {
    out.high.emplace(Image{Buffer<std::uint8_t>(from)});
    DSVL_CHECK_STATUS(detail::take_back(config.high, config.rescale, to_high, *out.high));
  }
  return Result<PreparedPicture>(std::move(out));
}

DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_CHAT_PREPARED_PICTURE_HPP
