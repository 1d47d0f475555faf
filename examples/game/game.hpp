// Game: one frame after another. Each is: think for a slice, move, draw, show, and then perhaps look at what is shown.
#ifndef DSVL_GAME_GAME_HPP
#define DSVL_GAME_GAME_HPP

#include "character.hpp"
#include "measurements.hpp"
#include "options.hpp"

namespace game {

/// What a frame is shown on.
using Show = dsvl::FunctionRef<void(const Frame&)>;

class Game {
 public:
  Game(Screen& screen, Character& character, const Options& options);

  /// Plays one frame, measures it, and waits until the next is due. `asks`: the character is asked something when it
  /// has nothing to do.
  void play(bool asks, Show show);
  /// Other shapes. An answer in work is still about the frame that was looked at.
  void renew_sky() { sky_.renew(); }
  void show_histogram(bool shown) { has_histogram_ = shown; }
  [[nodiscard]] bool has_histogram() const { return has_histogram_; }
  /// What was measured so far, with how many answers were true.
  [[nodiscard]] Measurements measurements() const;

 private:
  void draw(Frame& frame);
  void wait_for_next();

  Screen& screen_;
  Character& character_;
  Sky sky_;
  Measurements measured_;
  std::chrono::nanoseconds budget_;
  dsvl::Clock::duration period_;  // zero: frames follow each other at once
  dsvl::Clock::time_point due_;   // of the next frame
  bool has_histogram_;
};

}  // namespace game

#endif  // DSVL_GAME_GAME_HPP
