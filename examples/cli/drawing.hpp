// Pictures that the program draws: what the towers see, with the grid of tokens, or with what an answer looked at.
#ifndef DSVL_CLI_DRAWING_HPP
#define DSVL_CLI_DRAWING_HPP

#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "library.hpp"

#include <dsvl/chat/prepared_picture.hpp>

namespace cli {

/// 8-bit RGB, packed, top row first.
struct Drawing {
  dsvl::Index width = 0, height = 0;
  std::vector<std::uint8_t> rgb;

  Drawing() = default;
  Drawing(dsvl::Index w, dsvl::Index h, std::uint8_t level = 0)
      : width(w), height(h), rgb(static_cast<std::size_t>(3 * w * h), level) {}
  [[nodiscard]] std::uint8_t* at(dsvl::Index x, dsvl::Index y) { return rgb.data() + 3 * (y * width + x); }
  [[nodiscard]] dsvl::Pixels pixels() const { return {rgb.data(), width, height, dsvl::PixelFormat::rgb, 0}; }
};

/// A view as it is, enlarged by a whole number while it is smaller than 512 pixels: every pixel can be told.
Drawing draw_view(const dsvl::Image& view);
/// Draws the grid of tokens over a view that was enlarged, and shades the tokens that show nothing of the picture.
void draw_grid(const dsvl::PreparedPicture& picture, Drawing& on);
/// The picture without its padding: dark and gray where no token was looked at, in its colours under a yellow glow where
/// those were that got the most. The first of them has a frame.
Drawing draw_attention(const dsvl::PreparedPicture& picture, std::span<const float> cells, dsvl::Index strongest);
/// Puts drawings beside each other, with a gap between two.
Drawing beside(std::span<const Drawing> drawings);
/// Writes a PNG file, whole or not at all.
dsvl::Status save_png(const Drawing& drawing, const std::filesystem::path& file);

}  // namespace cli

#endif  // DSVL_CLI_DRAWING_HPP
