// Pictures that the application's own decoder decodes, taken over as 8-bit RGB.
//
// dsvl decodes PNG and JPEG itself. Files of all other kinds go to Host::decode_picture where there is one; what it
// gives is checked like pixels from any caller.
#ifndef DSVL_CHAT_INTERNAL_HOST_PICTURE_HPP
#define DSVL_CHAT_INTERNAL_HOST_PICTURE_HPP

#include "../../base/host_macros_push.hpp"

#include "../../base/read_pixels.hpp"
#include "../../io/image.hpp"
#include "../../vision/check_pixels.hpp"

DSVL_BEGIN_NAMESPACE
namespace detail {

/// Copies checked pixels as packed RGB. It converts row by row, so that it takes 3 bytes a pixel and little more.
///
/// Codes  out_of_memory
inline Status copy_rgb(const Pixels& pixels, Buffer<std::uint8_t>& to, Allocator* from) noexcept {
  const std::size_t row = 3 * static_cast<std::size_t>(pixels.width);
  Buffer<std::uint8_t> planes(from);
  if (!planes.resize(row) || !to.resize(row * static_cast<std::size_t>(pixels.height)))
    return fail(Code::out_of_memory, "no memory for its %td x %td pixels", pixels.width, pixels.height);
  for (Index y = 0; y < pixels.height; ++y)
    read_rgb_row(pixels, y, planes.data(), to.data() + static_cast<std::size_t>(y) * row);
  return {};
}

/// Lets the application's decoder decode a file, and copies the picture that it gives. `what` names the picture in
/// messages.
///
/// Codes  those of the decoder; unsupported or bad_file when it does not know the file either; limit, out_of_memory;
///        bad_file when it says that all is well and gave nothing
DSVL_COLD
inline Result<Image> decode_by_host(const PictureDecoder& decoder, std::span<const std::byte> file,
                                    const ImageLimits& limits, Allocator* from, std::string_view what) {
  const Printable name(what);
  const FileKind* const kind = kind_of(file);
  Image image{Buffer<std::uint8_t>(from)};
  Status size;
  Status given = decoder.decode(
      decoder.user, file, kind ? kind->name : std::string_view(), [&](Pixels pixels) -> Status {
        size = {};
        DSVL_CHECK_STATUS(check(pixels));
        size = check_size(pixels.width, pixels.height, limits, name.text());
        DSVL_CHECK_STATUS(size);
        if (!pixels.background) pixels.background = limits.background;
        DSVL_CHECK_STATUS(copy_rgb(pixels, image.rgb, from));
        image.width = pixels.width;
        image.height = pixels.height;
        return {};
      });
  if (!size.ok() && given.code() == size.code()) return size;  // names the picture; the decoder's may not
  // The file is refused as if there were no decoder: by its kind where that is known.
  if (given.code() == Code::unsupported) {
    DSVL_CHECK_STATUS(refuse_other_kind(file, what));
    return fail(Code::bad_file, "%s: is neither a PNG nor a JPEG picture, nor one that the application's decoder knows",
                name.text());
  }
  if (!given.ok()) return fail(given.code(), "%s: %s", name.text(), given.text());
  if (image.width == 0) return fail(Code::bad_file, "%s: the application's decoder gave no picture", name.text());
  return Result<Image>(std::move(image));
}

}  // namespace detail

/// Decodes a picture file that lies in memory: PNG and JPEG by decode_image(), all others by the application's decoder
/// where there is one.
///
/// Codes  those of decode_image(), and the decoder's
DSVL_COLD
inline Result<Image> decode_picture(std::span<const std::byte> file, const ImageLimits& limits,
                                    const PictureDecoder& decoder, Allocator* from, std::string_view what,
                                    const Until& until) {
  if (!decoder.decode || file.empty() || png::is_png(file) || jpeg::is_jpeg(file))
    return decode_image(file, limits, from, what, until);
  return detail::decode_by_host(decoder, file, limits, from, what);
}

DSVL_END_NAMESPACE

#include "../../base/host_macros_pop.hpp"

#endif  // DSVL_CHAT_INTERNAL_HOST_PICTURE_HPP
