#include "canvas.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>

#if __has_include(<stb/stb_easy_font.h>)
#include <stb/stb_easy_font.h>
#else
#include <stb_easy_font.h>
#endif

namespace game {

namespace {

constexpr std::size_t kQuadBytes = 64;      // of the font: four corners, each x, y, z as floats and a colour
constexpr std::size_t kLetterBytes = 1536;  // no letter has more than 24 quads

SDL_Vertex vertex(SDL_FPoint at, SDL_Color colour) { return {at, colour, {0, 0}}; }

/// The text in the letters that the font has.
std::string printable(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c != '\n' && (c < ' ' || c > '~')) c = '?';
  return out;
}

float text_width(std::string_view text) {
  std::string letters = printable(text);
  return static_cast<float>(stb_easy_font_width(letters.data()));
}

}  // namespace

void Canvas::fill(const SDL_FRect& area, SDL_Color colour) {
  SDL_SetRenderDrawColor(renderer_.get(), colour.r, colour.g, colour.b, colour.a);
  SDL_RenderFillRectF(renderer_.get(), &area);
}

void Canvas::fill(const SDL_FRect& area, SDL_Color from, SDL_Color to) {
  const auto half = [](int a, int b) { return static_cast<Uint8>((a + b) / 2); };
  const SDL_Color between = {half(from.r, to.r), half(from.g, to.g), half(from.b, to.b), 255};
  const float right = area.x + area.w, bottom = area.y + area.h;
  const SDL_Vertex corners[] = {vertex({area.x, area.y}, from), vertex({right, area.y}, between),
                                vertex({area.x, bottom}, between), vertex({right, bottom}, to)};
  constexpr int kTwo[] = {0, 1, 2, 1, 3, 2};
  triangles(corners, kTwo);
}

void Canvas::fill(SDL_FPoint centre, std::span<const SDL_FPoint> outline, SDL_Color colour) {
  vertices_.assign(1, vertex(centre, colour));
  indices_.clear();
  const int points = static_cast<int>(outline.size());
  for (int i = 0; i < points; ++i) {
    vertices_.push_back(vertex(outline[static_cast<std::size_t>(i)], colour));
    indices_.insert(indices_.end(), {0, 1 + i, 1 + (i + 1) % points});
  }
  triangles(vertices_, indices_);
}

void Canvas::fill_between(std::span<const SDL_FPoint> outer, std::span<const SDL_FPoint> inner, SDL_Color colour) {
  vertices_.clear();
  indices_.clear();
  const int points = static_cast<int>(outer.size());
  for (int i = 0; i < points; ++i) {
    vertices_.push_back(vertex(outer[static_cast<std::size_t>(i)], colour));
    vertices_.push_back(vertex(inner[static_cast<std::size_t>(i)], colour));
    const int here = 2 * i, next = 2 * ((i + 1) % points);
    indices_.insert(indices_.end(), {here, here + 1, next, here + 1, next + 1, next});
  }
  triangles(vertices_, indices_);
}

void Canvas::circle(SDL_FPoint centre, float radius, SDL_Color colour) {
  SDL_FPoint outline[32];
  for (std::size_t i = 0; i < std::size(outline); ++i) {
    const float angle = 2 * std::numbers::pi_v<float> * static_cast<float>(i) / std::size(outline);
    outline[i] = {centre.x + radius * std::cos(angle), centre.y + radius * std::sin(angle)};
  }
  fill(centre, outline, colour);
}

void Canvas::text(float x, float y, float scale, SDL_Color colour, std::string_view text) {
  std::string letters = printable(text);
  quads_.resize(letters.size() * kLetterBytes);
  const int quads = stb_easy_font_print(0, 0, letters.data(), nullptr, quads_.data(), static_cast<int>(quads_.size()));
  pixels_.clear();
  for (int i = 0; i < quads; ++i) {
    const auto corner = [&](std::size_t number) {
      SDL_FPoint at;
      std::memcpy(&at, quads_.data() + static_cast<std::size_t>(i) * kQuadBytes + number * (kQuadBytes / 4), sizeof at);
      return at;
    };
    const SDL_FPoint from = corner(0), to = corner(2);
    pixels_.push_back({x + scale * from.x, y + scale * from.y, scale * (to.x - from.x), scale * (to.y - from.y)});
  }
  SDL_SetRenderDrawColor(renderer_.get(), colour.r, colour.g, colour.b, colour.a);
  SDL_RenderFillRectsF(renderer_.get(), pixels_.data(), static_cast<int>(pixels_.size()));
}

void Canvas::triangles(std::span<const SDL_Vertex> vertices, std::span<const int> indices) {
  SDL_RenderGeometry(renderer_.get(), nullptr, vertices.data(), static_cast<int>(vertices.size()), indices.data(),
                     static_cast<int>(indices.size()));
}

std::string wrap(std::string_view text, float scale, float width) {
  std::string out, line;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    const std::string longer = line.empty() ? std::string(word) : line + ' ' + std::string(word);
    if (!line.empty() && scale * text_width(longer) > width) {
      (out += line) += '\n';
      line = word;
    } else {
      line = longer;
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out += line;
}

}  // namespace game
