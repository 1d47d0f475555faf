// Image: a PNG or JPEG file as 8-bit RGB, with the pixels that the reference (Pillow over libjpeg-turbo) has.
//
// It is optional: the library takes pictures as Pixels, and an application that has pixels needs none of this. A file
// is checked first, so that its size is known and within limits before stb_image decodes it. As in the reference, color
// profiles and gamma are ignored, alpha is dropped (unless ImageLimits::background is given), gray becomes r = g = b
// and palettes are looked up; of 16 bits the high byte is taken. Gray of 16 bits is the one exception: Pillow makes
// every value above 255 white (ImageLimits::clip_gray16).
#ifndef DSVL_IO_IMAGE_HPP
#define DSVL_IO_IMAGE_HPP

#include "../base/host_macros_push.hpp"

#include <algorithm>
#include <climits>
#include <filesystem>

#include "../base/host.hpp"
#include "../base/read_pixels.hpp"
#include "../base/until.hpp"
#include "exif.hpp"
#include "file.hpp"
#include "file_kind.hpp"
#include "jpeg_decoder.hpp"
#include "png.hpp"
#include "stb_decoder.hpp"

DSVL_BEGIN_NAMESPACE

/// The files that are accepted, and how they are decoded. The limits bound memory and time for untrusted files.
struct ImageLimits {
  Index max_pixels = 128'000'000;  ///< width times height; a photo of 108 megapixels passes
  Index max_side = 1 << 16;        ///< pixels of the longest side
  Index max_file_bytes = Index{256} << 20;  ///< of the compressed file
  bool apply_exif_orientation = false;  ///< as transformers' pipelines do; the original ignores the tag
  bool clip_gray16 = false;        ///< 16-bit gray as in Pillow, min(value, 255): nearly all white, for comparisons
  /// The color (r, g, b) behind PNG pictures with alpha or a transparent color, see Pixels::background. Empty means
  /// that alpha is dropped, as by the reference.
  std::optional<std::array<std::uint8_t, 3>> background = {};
};

/// A picture that owns its pixels.
struct Image {
  Buffer<std::uint8_t> rgb;     ///< (height, width, 3), packed, top row first
  Index width = 0, height = 0;  ///< in pixels, after the rotation
  int orientation = 1;          ///< 1 to 8 as in its EXIF data, where 1 is upright; 1 when they have none

  /// A view of the picture, valid while this object lives.
  [[nodiscard]] Pixels pixels() const noexcept { return {rgb.data(), width, height, PixelFormat::rgb, 0}; }
};

namespace detail {

/// limit when a picture is larger than is accepted. The division avoids an overflow of width * height.
DSVL_COLD inline Status check_size(Index width, Index height, const ImageLimits& limits, const char* name) noexcept {
  if (width <= limits.max_side && height <= limits.max_side && width <= limits.max_pixels / height) return {};
  return fail(Code::limit, "%s: %td x %td pixels are more than is accepted (sides up to %td, %td pixels in all)", name,
              width, height, limits.max_side, limits.max_pixels);
}

/// An arena with the most memory that decoding an honest picture of this size can need. For PNG that is the inflated
/// data, and the picture before and after interlacing and in 8 bits. For JPEG it is planes of whole blocks (up to 32
/// pixels) and their coefficients.
DSVL_COLD
inline stb::DecodeArena decode_arena_for(const PictureHeader& header, std::size_t file_bytes,
                                         Allocator* from) noexcept {
  const auto padded = static_cast<std::size_t>(round_up(header.width, 32)) *
                      static_cast<std::size_t>(round_up(header.height, 32));
  constexpr std::size_t kPerPixel = 32, kSlack = std::size_t{1} << 20;
  const std::size_t stored = padded * static_cast<std::size_t>(ceil_div(header.bits_per_pixel, 8)) + kSlack;
  return {from, padded * kPerPixel + 4 * file_bytes + kSlack, 2 * (stored > file_bytes ? stored : file_bytes)};
}

/// The arguments that both decoders take.
struct DecodeCall {
  const char* name;           ///< of the picture, printable
  int orientation;            ///< 1 to 8, to be undone
  bool clip_gray16;           ///< only for 16-bit gray
  std::optional<std::array<std::uint8_t, 3>> background;  ///< only when the picture has alpha
  Allocator* from;            ///< of the picture and of working memory
  Until until;                ///< only a JPEG is left before its end
};

/// The error for a decoder that gave up. The arena tells lack of memory from a damaged file.
DSVL_COLD inline Status explain(const stb::DecodeArena& arena, const char* name) noexcept {
  if (arena.refused()) return fail(Code::out_of_memory, "%s: no memory to decode it", name);
  if (arena.over_budget())
    return fail(Code::bad_file, "%s: damaged: its data is for a larger picture than its header says", name);
  return fail(Code::bad_file, "%s: damaged: its data cannot be decoded", name);
}

/// Allocates the picture's pixels and sets its size, with sides exchanged when it is turned by a quarter.
DSVL_COLD inline Status make_room(const PictureHeader& header, const DecodeCall& call, Image& image) noexcept {
  if (!image.rgb.resize(static_cast<std::size_t>(header.width) * static_cast<std::size_t>(header.height) * 3))
    return fail(Code::out_of_memory, "%s: no memory for %td x %td pixels", call.name, header.width, header.height);
  image.width = exif::swaps_sides(call.orientation) ? header.height : header.width;
  image.height = exif::swaps_sides(call.orientation) ? header.width : header.height;
  return {};
}

/// Decodes a PNG and writes it row by row. `file` is the reduced file that png.hpp made.
inline Status decode_png(std::span<const std::byte> file, const PictureHeader& header, const DecodeCall& call,
                         Image& image) noexcept {
  stb::DecodeArena arena = decode_arena_for(header, file.size(), call.from);
  const stb::ArenaScope scope(arena);
  const stb::DecodedPng decoded = stb::decode_png(file, call.background ? 4 : 3);
  // stb must have read the size that was checked, or its pixels must not be touched.
  if (!decoded.data || decoded.width != header.width || decoded.height != header.height)
    return explain(arena, call.name);
  DSVL_CHECK_STATUS(make_room(header, call, image));
  const std::size_t width = static_cast<std::size_t>(header.width), values = width * (call.background ? 4 : 3);
  auto* const line = static_cast<std::uint8_t*>(stb::allocate_block(3 * width));
  auto* const planes = static_cast<std::uint8_t*>(stb::allocate_block(3 * width));
  auto* const narrow = static_cast<std::uint8_t*>(stb::allocate_block(values));
  if (!line || !planes || !narrow) return explain(arena, call.name);
  // A row in 8 bits: directly where stb decoded it, or narrowed from 16 bits.
  const auto bytes_of_row = [&](Index y) -> const std::uint8_t* {
    const std::size_t at = static_cast<std::size_t>(y) * values;
    if (!decoded.wide) return static_cast<const std::uint8_t*>(decoded.data) + at;
    const auto* const wide = static_cast<const std::uint16_t*>(decoded.data) + at;
    for (std::size_t i = 0; i < values; ++i)
      narrow[i] = static_cast<std::uint8_t>(!call.clip_gray16 ? wide[i] >> 8 : wide[i] < 255 ? wide[i] : 255);
    return narrow;
  };
  for (Index y = 0; y < header.height; ++y) {
    const auto make = [&](std::uint8_t* to) {
      const std::uint8_t* const row = bytes_of_row(y);
      if (!call.background) return void(std::memcpy(to, row, values));
      Pixels pixels{row, header.width, 1, PixelFormat::rgba};
      pixels.background = call.background;
      read_rgb_row(pixels, 0, planes, to);
    };
    exif::write_row(make, line, y, header.width, header.height, call.orientation, image.rgb.data());
  }
  return {};
}

/// Decodes a JPEG that jpeg.hpp has checked.
inline Status decode_jpeg(std::span<const std::byte> file, const jpeg::Frame& frame, const DecodeCall& call,
                          Image& image) noexcept {
  stb::DecodeArena arena = decode_arena_for(frame.header, file.size(), call.from);
  const stb::ArenaScope scope(arena);
  jpeg::Decoder decoder(file.first(frame.end), frame, call.until);
  jpeg::Outcome outcome = decoder.decode();
  if (outcome == jpeg::Outcome::done) {
    DSVL_CHECK_STATUS(make_room(frame.header, call, image));
    outcome = jpeg::write_rgb(decoder, frame, call.orientation, call.until, image.rgb.data());
  }
  if (outcome == jpeg::Outcome::cancelled) return fail(Code::cancelled, "%s: decoding it was cancelled", call.name);
  return outcome == jpeg::Outcome::done ? Status() : explain(arena, call.name);
}

}  // namespace detail

/// Decodes a PNG or JPEG file that is in memory; `what` names it in errors. A component of a JPEG that has no data at
/// all is gray; data that are damaged, cut off or incomplete are refused.
///
/// A cancellation is noticed within a few milliseconds in a JPEG, and so is a deadline, which is the same error; a PNG
/// is decoded in one piece of about 10 ms a megapixel.
///
/// Codes  bad_file (empty, neither PNG nor JPEG, truncated, damaged), unsupported, limit (see ImageLimits),
///        out_of_memory, cancelled
/// Cost   memory only from `from`: while decoding up to about 12 bytes a pixel (24 for 16 bits), 3 when done
inline Result<Image> decode_image(std::span<const std::byte> file, const ImageLimits& limits = {},
                                  Allocator* from = nullptr, std::string_view what = "picture",
                                  const Until& until = {}) noexcept {
  const Printable name(what);
  if (file.empty()) return fail(Code::bad_file, "%s: is empty", name.text());
  if (file.size() > static_cast<std::size_t>((std::min<Index>)(limits.max_file_bytes, INT_MAX - 4096)))
    return fail(Code::limit, "%s: has %zu bytes, pictures of up to %td are accepted", name.text(), file.size(),
                limits.max_file_bytes);
  Image image{Buffer<std::uint8_t>(from)};
  detail::DecodeCall call{name.text(), 1, false, {}, from, until};
  // Takes over what the header says, and refuses a picture that is too large before memory is allocated for it.
  const auto accept = [&](const PictureHeader& header) {
    image.orientation = exif::orientation(header.exif);
    if (limits.apply_exif_orientation) call.orientation = image.orientation;
    call.clip_gray16 = limits.clip_gray16 && header.bits_per_pixel == 16 && header.gray;
    if (header.alpha) call.background = limits.background;
    return detail::check_size(header.width, header.height, limits, name.text());
  };
  if (png::is_png(file)) {
    Buffer<std::byte> essential(from);
    DSVL_TRY(header, png::read(file, what, limits.background.has_value(), essential));
    DSVL_CHECK_STATUS(accept(header));
    DSVL_CHECK_STATUS(detail::decode_png(essential.span(), header, call, image));
  } else if (jpeg::is_jpeg(file)) {
    DSVL_TRY(frame, jpeg::read(file, what));
    DSVL_CHECK_STATUS(accept(frame.header));
    DSVL_CHECK_STATUS(detail::decode_jpeg(file, frame, call, image));
  } else {
    DSVL_CHECK_STATUS(refuse_other_kind(file, what));
    return fail(Code::bad_file, "%s: is neither a PNG nor a JPEG picture", name.text());
  }
  return Result<Image>(std::move(image));
}

/// Reads the bytes of a picture's file.
///
/// Codes  not_found, io, limit, out_of_memory
DSVL_COLD
inline Result<Buffer<std::byte>> read_picture_file(const std::filesystem::path& path, const ImageLimits& limits,
                                                   Allocator* from) noexcept {
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
  return Result<Buffer<std::byte>>(std::move(bytes));
}

/// Reads and decodes a file.
///
/// Codes  those of decode_image and read_picture_file
inline Result<Image> read_image(const std::filesystem::path& path, const ImageLimits& limits = {},
                                Allocator* from = nullptr, const Until& until = {}) noexcept {
  DSVL_TRY(bytes, read_picture_file(path, limits, from));
  return decode_image(bytes.span(), limits, from, path_to_utf8(path), until);
}

DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_IO_IMAGE_HPP
