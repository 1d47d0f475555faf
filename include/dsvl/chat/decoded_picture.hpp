// decode_picture(): a picture decoded as a session decodes it, to show it.
//
//   #include <dsvl/chat/decoded_picture.hpp>
//
//   auto image = dsvl::decode_picture(dsvl::Picture::file("photo.jpg"), {.apply_exif_orientation = true});
//   if (image) show(image->pixels());
//
// It needs no model: windows show thumbnails before there is one. dsvl.hpp does not include it.
#ifndef DSVL_CHAT_DECODED_PICTURE_HPP
#define DSVL_CHAT_DECODED_PICTURE_HPP

#include "../base/host_macros_push.hpp"

#include <utility>

#include "../base/crop_pixels.hpp"
#include "internal/describe_picture.hpp"

DSVL_BEGIN_NAMESPACE

/// Decodes a picture file, or converts pixels, to 8-bit RGB, and cuts its region out. Of `options` count
/// limits.picture_pixels, those of reading pictures, and the host's allocator and decoder. What the picture points to
/// must stay until the call returns.
///
/// Codes  those of reading pictures; bad_argument (pixels, a region that is not within), limit, out_of_memory
/// Cost   that of decoding, on the calling thread; 3 bytes a pixel when done, and twice that meanwhile for a region
inline Result<Image> decode_picture(const Picture& picture, const SessionOptions& options = {}) {
  Allocator* const from = options.host.allocator;
  Image whole{Buffer<std::uint8_t>(from)};
  DSVL_TRY(source, detail::pixels_of(picture, options, whole));
  if (whole.width > 0 && !picture.part()) return Result<Image>(std::move(whole));
  Pixels pixels = source;
  DSVL_CHECK_STATUS(detail::check(pixels));
  if (picture.part()) {
    Rect part = *picture.part();
    DSVL_TRY(inside, crop(pixels, part));
    pixels = inside;
  }
  Image out{Buffer<std::uint8_t>(from)};
  DSVL_CHECK_STATUS(detail::copy_rgb(pixels, out.rgb, from));
  out.width = pixels.width;
  out.height = pixels.height;
  out.orientation = whole.orientation;
  return Result<Image>(std::move(out));
}

DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_CHAT_DECODED_PICTURE_HPP
