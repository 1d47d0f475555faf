#include "drawing.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include <dsvl/io/new_file.hpp>

#define STB_IMAGE_WRITE_IMPLEMENTATION
#define STB_IMAGE_WRITE_STATIC
#define STBI_WRITE_NO_STDIO
#if __has_include(<stb/stb_image_write.h>)
#include <stb/stb_image_write.h>
#else
#include <stb_image_write.h>
#endif

namespace cli {

using dsvl::Index;

namespace {

using Colour = std::array<double, 3>;

/// Mixes a colour into a pixel; 1: it is the colour.
void mix(std::uint8_t* pixel, const Colour& colour, double share) {
  for (std::size_t c = 0; c < 3; ++c)
    pixel[c] = static_cast<std::uint8_t>(std::clamp(pixel[c] * (1 - share) + colour[c] * share + 0.5, 0.0, 255.0));
}

/// Violet over red and orange to yellow, each lighter than the one before: also told apart in gray.
Colour heat(double level) {
  static constexpr Colour kStops[] = {{60, 10, 120}, {180, 30, 110}, {240, 90, 50}, {252, 165, 40}, {252, 240, 100}};
  constexpr double kSteps = std::size(kStops) - 1;
  const double at = std::clamp(level, 0.0, 1.0) * kSteps;
  const auto below = static_cast<std::size_t>(std::min(std::floor(at), kSteps - 1));
  Colour out;
  for (std::size_t c = 0; c < 3; ++c)
    out[c] = kStops[below][c] + (kStops[below + 1][c] - kStops[below][c]) * (at - static_cast<double>(below));
  return out;
}

/// Value (x, y) of a grid whose values stand in the middle of their cells, in cells; between them it is linear.
double smooth(std::span<const float> cells, dsvl::Grid grid, double x, double y) {
  const auto split = [](double at, Index count, Index& low, Index& high) {
    const double inside = std::clamp(at - 0.5, 0.0, static_cast<double>(count - 1));
    low = static_cast<Index>(inside), high = std::min(low + 1, count - 1);
    return inside - static_cast<double>(low);
  };
  Index left, right, top, bottom;
  const double h = split(x, grid.width, left, right), v = split(y, grid.height, top, bottom);
  const auto cell = [&](Index row, Index column) {
    return static_cast<double>(cells[static_cast<std::size_t>(row * grid.width + column)]);
  };
  return (1 - v) * ((1 - h) * cell(top, left) + h * cell(top, right)) +
         v * ((1 - h) * cell(bottom, left) + h * cell(bottom, right));
}

/// Value of a channel of a view between its pixels, of those that show the picture.
double between(const dsvl::Image& image, const dsvl::Rect& shown, double x, double y, Index channel) {
  const auto at = [&](Index column, Index row) {
    column = std::clamp<Index>(column, shown.x, shown.x + shown.width - 1);
    row = std::clamp<Index>(row, shown.y, shown.y + shown.height - 1);
    return static_cast<double>(image.rgb[static_cast<std::size_t>(3 * (row * image.width + column) + channel)]);
  };
  const double left = std::floor(x - 0.5), top = std::floor(y - 0.5), h = x - 0.5 - left, v = y - 0.5 - top;
  const auto c = static_cast<Index>(left), r = static_cast<Index>(top);
  return (1 - v) * ((1 - h) * at(c, r) + h * at(c + 1, r)) + v * ((1 - h) * at(c, r + 1) + h * at(c + 1, r + 1));
}

/// What is drawn as nothing and as most: the lower quartile of the tokens that show some of the picture, and the largest.
/// Every token gets a little, which would lie over the picture as a haze.
std::pair<double, double> span_of(std::span<const float> cells, const dsvl::TokenMap& map) {
  std::vector<float> shown;
  for (Index t = 0; t < std::ssize(cells); ++t)
    if (!map.box_of(t).empty()) shown.push_back(cells[static_cast<std::size_t>(t)]);
  std::sort(shown.begin(), shown.end());
  const double least = shown.empty() ? 0 : static_cast<double>(shown[shown.size() / 4]);
  return {least, std::max(shown.empty() ? 0 : static_cast<double>(shown.back()), least + 1e-12)};
}

/// Draws a frame of `thick` pixels inside a rectangle.
void frame(Drawing& on, Index left, Index top, Index right, Index bottom, Index thick, const Colour& colour) {
  left = std::clamp<Index>(left, 0, on.width), right = std::clamp<Index>(right, left, on.width);
  top = std::clamp<Index>(top, 0, on.height), bottom = std::clamp<Index>(bottom, top, on.height);
  for (Index y = top; y < bottom; ++y)
    for (Index x = left; x < right; ++x)
      if (std::min({x - left, right - 1 - x, y - top, bottom - 1 - y}) < thick) mix(on.at(x, y), colour, 1);
}

}  // namespace

Drawing draw_view(const dsvl::Image& view) {
  constexpr Index kLeast = 512;
  const Index times = std::max<Index>(1, (kLeast + view.width - 1) / view.width);
  Drawing out(view.width * times, view.height * times);
  for (Index y = 0; y < out.height; ++y)
    for (Index x = 0; x < out.width; ++x)
      std::copy_n(view.rgb.data() + 3 * (y / times * view.width + x / times), 3, out.at(x, y));
  return out;
}

void draw_grid(const dsvl::PreparedPicture& picture, Drawing& on) {
  const dsvl::TokenMap map = picture.seen.map();
  const dsvl::Grid grid = map.grid();
  const auto edge = [](Index i, Index count, Index size) { return i * size / count; };
  for (Index t = 0; t < grid.tokens(); ++t) {
    const Index column = t % grid.width, row = t / grid.width;
    const Index left = edge(column, grid.width, on.width), right = edge(column + 1, grid.width, on.width);
    const Index top = edge(row, grid.height, on.height), bottom = edge(row + 1, grid.height, on.height);
    const bool padding = map.box_of(t).empty();
    for (Index y = top; y < bottom; ++y)
      for (Index x = left; x < right; ++x) {
        // Stripes: a cell that is nothing but padding.
        if (padding) mix(on.at(x, y), {24, 24, 28}, (x + y) / 6 % 2 ? 0.75 : 0.6);
        // A light line beside a dark one can be seen on any picture.
        const bool first = x == left || y == top, second = x == left + 1 || y == top + 1;
        if (first) mix(on.at(x, y), {255, 255, 255}, 0.6);
        else if (second) mix(on.at(x, y), {0, 0, 0}, 0.35);
      }
  }
}

Drawing draw_attention(const dsvl::PreparedPicture& picture, std::span<const float> cells, Index strongest) {
  constexpr Index kLongest = 640;
  const dsvl::Image& view = picture.sharpest();
  const dsvl::Rect& shown = picture.content();
  const dsvl::TokenMap map = picture.seen.map();
  const dsvl::Grid grid = map.grid();
  const double scale = static_cast<double>(kLongest) / static_cast<double>(std::max(shown.width, shown.height));
  const auto scaled = [&](Index n) { return std::max<Index>(1, std::lround(static_cast<double>(n) * scale)); };
  Drawing out(scaled(shown.width), scaled(shown.height));
  const auto [least, most] = span_of(cells, map);
  const auto cell = [&](Index n) { return static_cast<double>(n) / static_cast<double>(view.width); };
  for (Index y = 0; y < out.height; ++y)
    for (Index x = 0; x < out.width; ++x) {
      const double in_x = static_cast<double>(shown.x) + (static_cast<double>(x) + 0.5) / scale;
      const double in_y = static_cast<double>(shown.y) + (static_cast<double>(y) + 0.5) / scale;
      Colour seen;
      for (Index c = 0; c < 3; ++c) seen[static_cast<std::size_t>(c)] = between(view, shown, in_x, in_y, c);
      const double gray = 0.3 * seen[0] + 0.59 * seen[1] + 0.11 * seen[2];
      const double level = smooth(cells, grid, in_x * cell(grid.width), in_y * cell(grid.height));
      // What was not looked at is gray and dark; what was looked at has its own colours, under a glow.
      const double much = std::clamp((level - least) / (most - least), 0.0, 1.0);
      std::uint8_t* const to = out.at(x, y);
      mix(to, {gray, gray, gray}, 1);
      mix(to, seen, 0.3 + 0.7 * much);
      mix(to, {16, 14, 40}, 0.6 * (1 - much));
      mix(to, heat(much), 0.4 * much);
    }
  const double side = static_cast<double>(view.width);
  const auto edge = [&](Index i, Index count, Index from) {
    const double at = static_cast<double>(i) * side / static_cast<double>(count) - static_cast<double>(from);
    return static_cast<Index>(std::lround(at * scale));
  };
  const Index column = strongest % grid.width, row = strongest / grid.width;
  const Index left = edge(column, grid.width, shown.x), right = edge(column + 1, grid.width, shown.x);
  const Index top = edge(row, grid.height, shown.y), bottom = edge(row + 1, grid.height, shown.y);
  frame(out, left, top, right, bottom, 3, {255, 255, 255});
  frame(out, left + 3, top + 3, right - 3, bottom - 3, 1, {0, 0, 0});
  return out;
}

Drawing beside(std::span<const Drawing> drawings) {
  constexpr Index kGap = 16;
  Index width = -kGap, height = 0;
  for (const Drawing& d : drawings) width += d.width + kGap, height = std::max(height, d.height);
  Drawing out(std::max<Index>(width, 1), std::max<Index>(height, 1), 255);
  Index left = 0;
  for (const Drawing& d : drawings) {
    for (Index y = 0; y < d.height; ++y)
      std::copy_n(d.rgb.data() + 3 * y * d.width, 3 * d.width, out.at(left, (height - d.height) / 2 + y));
    left += d.width + kGap;
  }
  return out;
}

dsvl::Status save_png(const Drawing& drawing, const std::filesystem::path& file) {
  const dsvl::Pixels pixels = drawing.pixels();
  std::vector<std::byte> png;
  const auto append = [](void* to, void* bytes, int size) {
    const auto* const begin = static_cast<const std::byte*>(bytes);
    static_cast<std::vector<std::byte>*>(to)->insert(static_cast<std::vector<std::byte>*>(to)->end(), begin, begin + size);
  };
  if (stbi_write_png_to_func(append, &png, static_cast<int>(pixels.width), static_cast<int>(pixels.height), 3, pixels.data,
                             static_cast<int>(3 * pixels.width)) == 0)
    return dsvl::fail(dsvl::Code::out_of_memory, "no memory to write a picture of %td x %td", pixels.width, pixels.height);
  dsvl::NewFile out(file);
  out.write_at(0, png);
  return out.commit();
}

}  // namespace cli
