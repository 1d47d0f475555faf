// PictureHeader: the facts about a picture that are known before it is decoded.
//
// png.hpp and jpeg.hpp fill it, and image.hpp checks it against its limits.
#ifndef DSVL_IO_PICTURE_HEADER_HPP
#define DSVL_IO_PICTURE_HEADER_HPP

#include <cstdint>
#include <span>

#include "../base/status.hpp"
#include "../base/view.hpp"
#include "printable.hpp"

DSVL_BEGIN_NAMESPACE

/// Size, depth and EXIF of a picture file.
struct PictureHeader {
  Index width = 0, height = 0;      ///< at least 1, below 2^31
  int bits_per_pixel = 0;           ///< as stored, all channels together
  bool gray = false;                ///< one channel that is not an index into a palette
  bool alpha = false;               ///< alpha was asked for, and the picture has it
  std::span<const std::byte> exif;  ///< the TIFF structure inside, for exif.hpp; empty when there is none
};

/// Reads a 16-bit big-endian number, the order of bytes in both formats.
inline std::uint32_t big_endian16(const std::byte* p) noexcept {
  return std::to_integer<std::uint32_t>(p[0]) << 8 | std::to_integer<std::uint32_t>(p[1]);
}
/// Reads a 32-bit big-endian number.
inline std::uint32_t big_endian32(const std::byte* p) noexcept { return big_endian16(p) << 16 | big_endian16(p + 2); }

DSVL_END_NAMESPACE

#endif  // DSVL_IO_PICTURE_HEADER_HPP
