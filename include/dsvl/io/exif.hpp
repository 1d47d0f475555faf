// EXIF orientation: which way up the camera was held, and the picture turned accordingly.
//
// Off by default (image.hpp), because the original preprocessing ignores it; transformers' pipelines apply it.
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

/// 1 to 8 as in the tag; 1 (as it is) when the TIFF structure has none or is not well formed. Reads no byte outside.
inline int orientation(std::span<const std::byte> tiff) noexcept {
  if (tiff.size() < 8) return 1;
  const bool little = tiff[0] == std::byte{'I'} && tiff[1] == std::byte{'I'};
  if (!little && !(tiff[0] == std::byte{'M'} && tiff[1] == std::byte{'M'})) return 1;
  const auto number = [tiff, little](std::size_t at, std::size_t bytes) -> std::optional<std::size_t> {
    if (at > tiff.size() || bytes > tiff.size() - at) return std::nullopt;
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < bytes; ++i)
      value = value << 8 | std::to_integer<std::uint32_t>(tiff[at + (little ? bytes - 1 - i : i)]);
    return value;
  };
  const auto directory = number(4, 4), entries = directory ? number(*directory, 2) : std::nullopt;
  if (number(2, 2) != 42 || !entries) return 1;
  for (std::size_t i = 0; i < *entries; ++i) {
    const std::size_t entry = *directory + 2 + 12 * i;  // tag, type, count, value
    const auto tag = number(entry, 2);
    if (!tag) return 1;
    if (*tag != 0x0112) continue;
    const auto value = number(entry + 8, 2);
    return number(entry + 2, 2) == 3 && value && *value >= 1 && *value <= 8 ? static_cast<int>(*value) : 1;
  }
  return 1;
}

/// Whether the orientation swaps width and height.
constexpr bool swaps_sides(int orientation) noexcept { return orientation >= 5; }

/// Writes packed RGB of (height, width) to `to`, turned upright; `to` has the same size and is other memory.
inline void turn(const std::uint8_t* from, Index width, Index height, int orientation, std::uint8_t* to) noexcept {
  const Index out_width = swaps_sides(orientation) ? height : width;
  const Index out_height = swaps_sides(orientation) ? width : height;
  // Mirrored in the original's x and y, after the sides were swapped back.
  const bool flip_x = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool flip_y = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  for (Index y = 0; y < out_height; ++y) {
    for (Index x = 0; x < out_width; ++x) {
      const Index u = swaps_sides(orientation) ? y : x, v = swaps_sides(orientation) ? x : y;
      const std::uint8_t* const pixel =
          from + ((flip_y ? height - 1 - v : v) * width + (flip_x ? width - 1 - u : u)) * 3;
      for (int c = 0; c < 3; ++c) *to++ = pixel[c];
    }
  }
}

}  // namespace exif
DSVL_END_NAMESPACE

#endif  // DSVL_IO_EXIF_HPP
