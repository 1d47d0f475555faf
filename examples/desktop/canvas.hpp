// Canvas: the window, and how Dear ImGui's triangles and our pictures get into it.
#ifndef DSVL_DESKTOP_CANVAS_HPP
#define DSVL_DESKTOP_CANVAS_HPP

#include "../cli/library.hpp"

#include <SDL.h>

#include <memory>
#include <vector>

namespace desktop {

/// A picture that can be drawn. It may be let go in the frame that shows it, and goes before its canvas.
using Texture = std::shared_ptr<SDL_Texture>;

class Canvas {
 public:
  /// Opens the window. With a message when the system has none to give.
  static dsvl::Result<std::unique_ptr<Canvas>> open(const char* title, int width, int height);
  ~Canvas();
  Canvas(const Canvas&) = delete;
  Canvas& operator=(const Canvas&) = delete;

  /// Makes the fonts' letters drawable; once they are all in the atlas.
  dsvl::Status upload_fonts();
  /// 8-bit RGB, packed, of at least one pixel. Empty when there is no memory for it.
  Texture texture(const dsvl::Pixels& rgb);

  /// Hands Dear ImGui what happened.
  static void handle(const SDL_Event& event);
  void begin_frame();
  /// Draws what was described since, on `background` (r, g, b), and shows it.
  void end_frame(const float background[3]);

 private:
  Canvas(SDL_Window* window, SDL_Renderer* renderer);
  Texture keep(SDL_Texture* made);
  void destroy_left();
  SDL_Window* const window_;
  SDL_Renderer* const renderer_;
  std::vector<SDL_Texture*> left_;  // let go since the last frame, which may have been described with them
  Texture letters_;
};

}  // namespace desktop

#endif  // DSVL_DESKTOP_CANVAS_HPP
