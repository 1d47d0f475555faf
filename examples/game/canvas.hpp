// Canvas: filled forms and letters, drawn by SDL's software renderer into the memory of a frame.
#ifndef DSVL_GAME_CANVAS_HPP
#define DSVL_GAME_CANVAS_HPP

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sdl.hpp"

namespace game {

inline constexpr float kLineHeight = 12;  ///< from one line of text to the next, at scale 1

/// Draws into one surface, which must stay as long as the canvas.
class Canvas {
 public:
  explicit Canvas(SDL_Surface& on) : renderer_(SDL_CreateSoftwareRenderer(&on)) {}
  /// False when SDL has made no renderer; SDL_GetError() says why.
  [[nodiscard]] bool is_open() const { return renderer_ != nullptr; }

  void fill(const SDL_FRect& area, SDL_Color colour);
  /// From one colour at the top left to another at the bottom right.
  void fill(const SDL_FRect& area, SDL_Color from, SDL_Color to);
  /// An outline all of whose points are seen from its centre.
  void fill(SDL_FPoint centre, std::span<const SDL_FPoint> outline, SDL_Color colour);
  /// The area between two outlines of equally many points.
  void fill_between(std::span<const SDL_FPoint> outer, std::span<const SDL_FPoint> inner, SDL_Color colour);
  void circle(SDL_FPoint centre, float radius, SDL_Color colour);
  /// Text with its top left corner at (x, y), of letters 7 * scale pixels high. Line feeds begin lines. What the font
  /// lacks, all that is not ASCII, becomes a question mark.
  void text(float x, float y, float scale, SDL_Color colour, std::string_view text);
  /// Sees to it that all of it is in the surface's memory.
  void finish() { SDL_RenderFlush(renderer_.get()); }

 private:
  void triangles(std::span<const SDL_Vertex> vertices, std::span<const int> indices);

  RendererPtr renderer_;
  std::vector<SDL_Vertex> vertices_;  // kept for their memory
  std::vector<int> indices_;
  std::vector<char> quads_;
  std::vector<SDL_FRect> pixels_;
};

/// Puts line feeds between words so that no line of letters 7 * scale pixels high is wider than `width` pixels.
std::string wrap(std::string_view text, float scale, float width);

}  // namespace game

#endif  // DSVL_GAME_CANVAS_HPP
