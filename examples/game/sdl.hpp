// SDL as this program uses it: its own main() stays main(), and what SDL makes is given back by itself.
#ifndef DSVL_GAME_SDL_HPP
#define DSVL_GAME_SDL_HPP

#define SDL_MAIN_HANDLED
#include <SDL.h>

#include <memory>

namespace game {

/// Gives back what SDL made.
struct SdlDelete {
  void operator()(SDL_Surface* p) const { SDL_FreeSurface(p); }
  void operator()(SDL_Renderer* p) const { SDL_DestroyRenderer(p); }
  void operator()(SDL_Window* p) const { SDL_DestroyWindow(p); }
};
/// SDL from here on, to the end of what uses it.
struct Sdl {
  Sdl() {
    SDL_SetMainReady();
    SDL_SetYUVConversionMode(SDL_YUV_CONVERSION_BT601);  // what dsvl takes NV12 for unless told otherwise
  }
  Sdl(const Sdl&) = delete;
  Sdl& operator=(const Sdl&) = delete;
  ~Sdl() { SDL_Quit(); }
};
using SurfacePtr = std::unique_ptr<SDL_Surface, SdlDelete>;
using RendererPtr = std::unique_ptr<SDL_Renderer, SdlDelete>;
using WindowPtr = std::unique_ptr<SDL_Window, SdlDelete>;

}  // namespace game

#endif  // DSVL_GAME_SDL_HPP
