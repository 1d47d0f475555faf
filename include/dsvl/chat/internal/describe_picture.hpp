// From a Picture that an application hands in to the pixels that the towers' views are made of, and what is told of it.
#ifndef DSVL_CHAT_INTERNAL_DESCRIBE_PICTURE_HPP
#define DSVL_CHAT_INTERNAL_DESCRIBE_PICTURE_HPP

#include "../../base/host_macros_push.hpp"

#include <algorithm>
#include <utility>
#include <variant>

#include "../../base/crop_pixels.hpp"
#include "../../vision/preprocess.hpp"
#include "../options.hpp"
#include "../picture.hpp"
#include "../seen.hpp"
#include "host_picture.hpp"

DSVL_BEGIN_NAMESPACE
namespace detail {

/// The session's options as the decoder of picture files takes them.
DSVL_COLD inline ImageLimits image_limits(const SessionOptions& options) noexcept {
  return {.max_pixels = options.limits.picture_pixels,
          .apply_exif_orientation = options.apply_exif_orientation,
          .clip_gray16 = options.clip_gray16,
          .background = options.background};
}

/// Reads and decodes a picture that is no Pixels: a file, or the bytes of one.
///
/// Codes  those of read_picture_file and decode_picture; bad_argument (an empty path)
DSVL_COLD
inline Result<Image> read_picture(const Picture::Source& source, const ImageLimits& limits,
                                  const PictureDecoder& decoder, Allocator* from, const Until& until) {
  const auto* const path = std::get_if<std::filesystem::path>(&source);
  if (!path)
    return decode_picture(std::get<std::span<const std::byte>>(source), limits, decoder, from, "picture", until);
  if (path->empty()) return fail(Code::bad_argument, "the path of a picture is empty");
  DSVL_TRY(file, read_picture_file(*path, limits, from));
  return decode_picture(file.span(), limits, decoder, from, path_to_utf8(*path), until);
}

/// The pixels of a picture outside of a session: those that were given, not looked at yet, or those of its file, which
/// `decoded` then holds.
///
/// Codes  those of read_picture
DSVL_COLD
inline Result<Pixels> pixels_of(const Picture& picture, const SessionOptions& options, Image& decoded) {
  if (const Pixels* const given = std::get_if<Pixels>(&picture.source())) return *given;
  DSVL_TRY(image, read_picture(picture.source(), image_limits(options), options.host.decode_picture,
                               options.host.allocator, {}));
  decoded = std::move(image);
  return decoded.pixels();
}

/// One view of a picture of width x height pixels, as the configuration has it.
DSVL_COLD
inline SeenPicture::View view_of(const PreprocessConfig& config, const ViewConfig& view, Index width,
                                 Index height) noexcept {
  const Rect content = content_of(config, view, width, height);
  const auto longest = [](Index a, Index b) { return static_cast<double>(std::max<Index>(a, b)); };
  return {view.side, content, longest(content.width, content.height) / longest(width, height), view.background,
          view.image_mean, view.image_std};
}

/// Checks pixels, cuts out the region that was asked for, and describes how the towers are shown what is left.
///
/// Codes  those of check(Pixels) and crop()
DSVL_COLD
inline Status describe_picture(const PreprocessConfig& config, const std::optional<Rect>& region, Pixels& pixels,
                               SeenPicture& to) noexcept {
  DSVL_CHECK_STATUS(check(pixels));
  to.width = pixels.width;
  to.height = pixels.height;
  to.region = region.value_or(Rect{0, 0, pixels.width, pixels.height});
  if (region) {
    DSVL_TRY(part, crop(pixels, to.region));
    pixels = part;
  }
  to.low_from_high = config.low_source != LowSource::picture;
  to.low = view_of(config, config.low, pixels.width, pixels.height);
  if (config.high.side > 0) to.high = view_of(config, config.high, pixels.width, pixels.height);
  if (to.low_from_high) to.low.content = {0, 0, config.low.side, config.low.side};
  return {};
}

}  // namespace detail
DSVL_END_NAMESPACE

#include "../../base/host_macros_pop.hpp"

#endif  // DSVL_CHAT_INTERNAL_DESCRIBE_PICTURE_HPP
