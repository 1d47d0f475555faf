// Image: a PNG or JPEG file as 8-bit RGB.
//
// Optional: the library's currency for pictures is Pixels, and who has pixels needs none of this. The file is checked
// first, its size known and within limits, before stb_image decodes it. As in the reference, color profiles and gamma
// are ignored, alpha is dropped, gray becomes r = g = b and palettes are looked up; of 16 bits the high byte is taken.
#ifndef DSVL_IO_IMAGE_HPP
#define DSVL_IO_IMAGE_HPP

#include "../base/host_macros_push.hpp"

#include <algorithm>
#include <climits>
#include <filesystem>

#include "../base/host.hpp"
#include "../base/pixels.hpp"
#include "exif.hpp"
#include "file.hpp"
#include "file_kind.hpp"
#include "jpeg.hpp"
#include "png.hpp"
#include "stb_decoder.hpp"

DSVL_BEGIN_NAMESPACE

/// What is accepted, and how it is turned.
struct ImageLimits {
  Index max_pixels = 128'000'000;  ///< width times height; lets a 108-megapixel photo pass
  Index max_side = 1 << 16;
  Index max_file_bytes = Index{256} << 20;
  bool apply_exif_orientation = false;  ///< as transformers' pipelines do; the original ignores the tag
};

/// A picture that owns its pixels.
struct Image {
  Buffer<std::uint8_t> rgb;  ///< (height, width, 3), packed, top row first
  Index width = 0, height = 0;
  int orientation = 1;  ///< that its EXIF data name, 1 to 8; 1: upright, or they name none

  [[nodiscard]] Pixels pixels() const noexcept { return {rgb.data(), width, height, PixelFormat::rgb, 0}; }
};

namespace detail {

inline Status check_size(const PictureHeader& header, const ImageLimits& limits, const char* name) noexcept {
  if (header.width <= limits.max_side && header.height <= limits.max_side &&
      header.width <= limits.max_pixels / header.height)
    return {};
  return fail(Code::limit, "%s: %td x %td pixels are more than is accepted (sides up to %td, %td pixels in all)", name,
              header.width, header.height, limits.max_side, limits.max_pixels);
}

/// How much memory decoding a picture of this size can honestly need. PNG: the inflated data, the picture before and
/// after interlacing and in 8 bits. JPEG: planes of whole blocks (up to 32 pixels) and their coefficients.
inline stb::Arena make_arena(const PictureHeader& header, std::size_t file_bytes, Allocator* from) noexcept {
  const auto padded = static_cast<std::size_t>(round_up(header.width, 32)) *
                      static_cast<std::size_t>(round_up(header.height, 32));
  constexpr std::size_t kPerPixel = 32, kSlack = std::size_t{1} << 20;
  const std::size_t stored = padded * static_cast<std::size_t>(ceil_div(header.bits_per_pixel, 8)) + kSlack;
  return {from, padded * kPerPixel + 4 * file_bytes + kSlack, 2 * (stored > file_bytes ? stored : file_bytes)};
}

/// Decodes a checked file of a known size into `image`, turned as `orientation` says.
inline Status decode(std::span<const std::byte> file, const PictureHeader& header, int orientation, const char* name,
                     Allocator* from, Image& image) noexcept {
  stb::Arena arena = make_arena(header, file.size(), from);
  const stb::ArenaScope scope(arena);
  int width = 0, height = 0;
  const std::uint8_t* const decoded = stb::decode_rgb(file, width, height);
  if (!decoded && arena.refused()) return fail(Code::out_of_memory, "%s: no memory to decode it", name);
  if (!decoded && arena.over_budget())
    return fail(Code::bad_file, "%s: damaged: its data is for a larger picture than its header says", name);
  if (!decoded || width != header.width || height != header.height)
    return fail(Code::bad_file, "%s: damaged: its data cannot be decoded", name);
  const auto bytes = static_cast<std::size_t>(header.width) * static_cast<std::size_t>(header.height) * 3;
  if (!image.rgb.resize(bytes))
    return fail(Code::out_of_memory, "%s: no memory for %d x %d pixels", name, width, height);
  if (orientation == 1) std::memcpy(image.rgb.data(), decoded, bytes);
  else exif::turn(decoded, header.width, header.height, orientation, image.rgb.data());
  image.width = exif::swaps_sides(orientation) ? header.height : header.width;
  image.height = exif::swaps_sides(orientation) ? header.width : header.height;
  return {};
}

}  // namespace detail

/// Decodes a PNG or JPEG file that lies in memory; `what` names it in errors. Codes: bad_file (empty, neither PNG nor
/// JPEG, truncated, damaged), unsupported, limit (see ImageLimits), out_of_memory.
/// Memory: from `from` only; while decoding up to about 12 bytes a pixel (24 for 16 bits), 3 when done.
/// A JPEG whose data ends early but has its end marker comes out with its lower part gray: the format cannot tell.
inline Result<Image> decode_image(std::span<const std::byte> file, const ImageLimits& limits = {},
                                  Allocator* from = nullptr, std::string_view what = "picture") noexcept {
  const Printable name(what);
  if (file.empty()) return fail(Code::bad_file, "%s: is empty", name.text());
  if (file.size() > static_cast<std::size_t>((std::min<Index>)(limits.max_file_bytes, INT_MAX - 4096)))
    return fail(Code::limit, "%s: has %zu bytes, pictures of up to %td are accepted", name.text(), file.size(),
                limits.max_file_bytes);
  Image image{Buffer<std::uint8_t>(from)};
  if (png::is_png(file)) {
    Buffer<std::byte> essential(from);
    DSVL_TRY(header, png::read(file, what, essential));
    DSVL_CHECK_STATUS(detail::check_size(header, limits, name.text()));
    image.orientation = exif::orientation(header.exif);
    const int turned = limits.apply_exif_orientation ? image.orientation : 1;
    DSVL_CHECK_STATUS(detail::decode(essential.span(), header, turned, name.text(), from, image));
  } else if (jpeg::is_jpeg(file)) {
    std::size_t end = 0;
    DSVL_TRY(header, jpeg::read(file, what, end));
    DSVL_CHECK_STATUS(detail::check_size(header, limits, name.text()));
    image.orientation = exif::orientation(header.exif);
    const int turned = limits.apply_exif_orientation ? image.orientation : 1;
    DSVL_CHECK_STATUS(detail::decode(file.first(end), header, turned, name.text(), from, image));
  } else {
    DSVL_CHECK_STATUS(refuse_other_kind(file, what));
    return fail(Code::bad_file, "%s: is neither a PNG nor a JPEG picture", name.text());
  }
  return Result<Image>(std::move(image));
}

/// Reads and decodes a file. Codes: those of decode_image, and not_found and io.
inline Result<Image> read_image(const std::filesystem::path& path, const ImageLimits& limits = {},
                                Allocator* from = nullptr) noexcept {
  const std::string what = path_to_utf8(path);
  DSVL_TRY(file, File::open(path, what));
  if (file.size() > static_cast<std::uint64_t>((std::max<Index>)(limits.max_file_bytes, 0)))
    return fail(Code::limit, "%s: has %llu bytes, pictures of up to %td are accepted", Printable(what).text(),
                static_cast<unsigned long long>(file.size()), limits.max_file_bytes);
  Buffer<std::byte> bytes(from);
  if (!bytes.resize(static_cast<std::size_t>(file.size())))
    return fail(Code::out_of_memory, "%s: no memory for its %llu bytes", Printable(what).text(),
                static_cast<unsigned long long>(file.size()));
  DSVL_CHECK_STATUS(file.read(0, bytes.span(), what));
  return decode_image(bytes.span(), limits, from, what);
}

DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_IO_IMAGE_HPP
