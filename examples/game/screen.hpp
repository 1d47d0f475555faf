// Screen: the frames that the game draws into in turn, as a swap chain has them, so that one can stay as it is while
// somebody looks at it.
//
// dsvl reads a picture's pixels where they lie, a slice at a time, until the first token of the answer has come
// (Session::start). A frame that is being looked at is held until then, and the game draws into the other one.
#ifndef DSVL_GAME_SCREEN_HPP
#define DSVL_GAME_SCREEN_HPP

#include "../cli/library.hpp"

#include <cstdint>
#include <memory>
#include <vector>

#include "canvas.hpp"

namespace game {

inline constexpr int kWidth = 880, kHeight = 480;  // of a frame, in pixels; both even, so chroma has no odd edge

/// Memory of one frame: RGBA, and with `nv12` the same as video encoders and decoders have it.
class Frame {
 public:
  explicit Frame(bool nv12);
  /// False when SDL had no memory; SDL_GetError() says why.
  [[nodiscard]] bool is_open() const { return surface_ && canvas_ && canvas_->is_open(); }

  [[nodiscard]] Canvas& canvas() { return *canvas_; }
  /// The frame has been drawn: its memory has all of it, in NV12 too if that is wanted.
  void finish();
  /// What is on the screen, where it lies: NV12 or RGBA. Good as long as the frame is held.
  [[nodiscard]] dsvl::Pixels pixels() const;
  /// Puts it on a window's surface. In NV12 it is not shown while that is smaller.
  void show_on(SDL_Surface& window) const;
  [[nodiscard]] const SDL_Surface& surface() const { return *surface_; }

  bool held = false;  ///< somebody looks at it: not to be drawn into

 private:
  SurfacePtr surface_;
  std::unique_ptr<Canvas> canvas_;
  std::vector<std::uint8_t> nv12_;  // empty: the screen is RGBA
};

/// Two frames. One may be held at a time.
class Screen {
 public:
  explicit Screen(bool nv12) : frames_{Frame(nv12), Frame(nv12)} {}
  [[nodiscard]] bool is_open() const { return frames_[0].is_open() && frames_[1].is_open(); }
  /// A frame that nobody looks at, to draw the next picture into.
  [[nodiscard]] Frame& next() { return frames_[frames_[0].held ? 1 : 0]; }

 private:
  Frame frames_[2];
};

}  // namespace game

#endif  // DSVL_GAME_SCREEN_HPP
