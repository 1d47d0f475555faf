// EXIF orientation: it says how the camera was held, and the picture can be rotated and mirrored accordingly.
//
// It is off by default (image.hpp), because the original preprocessing ignores it; transformers' pipelines apply it.
// Source: Exif 3.0, section 4.6.2 (TIFF structure) and tag 0x0112.
#ifndef DSVL_IO_EXIF_HPP
#define DSVL_IO_EXIF_HPP

#include <cstdint>
#include <optional>
#include <span>

#include "../base/buffer.hpp"
#include "../base/view.hpp"

DSVL_BEGIN_NAMESPACE
namespace exif {

/// The orientation, 1 to 8 as in the tag (which may have 16 or 32 bits), the last one where there are several. 1, which
/// means upright, when the TIFF structure has none or is malformed. The data are untrusted: no byte outside is read.
DSVL_COLD inline int orientation(std::span<const std::byte> tiff) noexcept {
  if (tiff.size() < 8) return 1;
  // "II" means little-endian (Intel), "MM" big-endian (Motorola).
  const bool little = tiff[0] == std::byte{'I'} && tiff[1] == std::byte{'I'};
  if (!little && !(tiff[0] == std::byte{'M'} && tiff[1] == std::byte{'M'})) return 1;
  const auto number = [tiff, little](std::size_t at, std::size_t bytes) -> std::optional<std::size_t> {
    if (at > tiff.size() || bytes > tiff.size() - at) return std::nullopt;
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < bytes; ++i)
      value = value << 8 | std::to_integer<std::uint32_t>(tiff[at + (little ? bytes - 1 - i : i)]);
    return value;
  };
  // The header has the order of bytes, the number 42 and the offset of the first directory.
  const auto directory = number(4, 4), entries = directory ? number(*directory, 2) : std::nullopt;
  if (number(2, 2) != 42 || !entries) return 1;
  int found = 1;
  for (std::size_t i = 0; i < *entries; ++i) {
    const std::size_t entry = *directory + 2 + 12 * i;  // each has tag, type, count and value
    const auto tag = number(entry, 2), type = number(entry + 2, 2), count = number(entry + 4, 4);
    if (!tag || !type || !count) return found;
    if (*tag != 0x0112 || *count == 0) continue;
    const bool is_short = *type == 3 || *type == 8, is_long = *type == 4 || *type == 9;  // 16 or 32 bits
    // Values that do not fit the entry are elsewhere, and the entry has their offset.
    const bool inside = *count <= (is_short ? 2u : 1u);
    const auto elsewhere = number(entry + 8, 4);
    const auto value = number(inside ? entry + 8 : elsewhere.value_or(tiff.size()), is_short ? 2 : 4);
    if (is_short || is_long) found = value && *value >= 1 && *value <= 8 ? static_cast<int>(*value) : 1;
  }
  return found;
}

/// True when the orientation exchanges width and height.
constexpr bool swaps_sides(int orientation) noexcept { return orientation >= 5; }

/// Writes row y of a packed RGB picture of (height, width) to its place in `to`, the upright picture, which has as many
/// bytes in other memory.
DSVL_COLD
inline void place_row(const std::uint8_t* row, Index y, Index width, Index height, int orientation,
                      std::uint8_t* to) noexcept {
  const bool swaps = swaps_sides(orientation);
  const bool flip_x = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool flip_y = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  const Index along = swaps ? height * 3 : 3;   // distance in `to` from one pixel of the row to the next
  const Index across = swaps ? 3 : width * 3;   // distance in `to` from one row to the next
  std::uint8_t* at = to + (flip_y ? height - 1 - y : y) * across + (flip_x ? (width - 1) * along : 0);
  for (Index x = 0; x < width; ++x, row += 3, at += flip_x ? -along : along) {
    at[0] = row[0];
    at[1] = row[1];
    at[2] = row[2];
  }
}

/// Writes row y like place_row(). `make(row)` writes the pixels: directly to their place when the picture is upright
/// already, otherwise to `line`, which holds one row and is other memory than `to`.
template <class MakeRow>
void write_row(const MakeRow& make, std::uint8_t* line, Index y, Index width, Index height, int orientation,
               std::uint8_t* to) noexcept {
  if (orientation == 1) return make(to + y * width * 3);
  make(line);
  place_row(line, y, width, height, orientation, to);
}

}  // namespace exif
DSVL_END_NAMESPACE

#endif  // DSVL_IO_EXIF_HPP
