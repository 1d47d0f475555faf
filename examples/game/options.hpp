// What the game's command line says.
#ifndef DSVL_GAME_OPTIONS_HPP
#define DSVL_GAME_OPTIONS_HPP

#include "../cli/library.hpp"

#include <optional>
#include <span>
#include <string>

namespace game {

struct Options {
  std::string model = "examples/models/tiny-vl";
  int threads = 1;          ///< of the model: a game has work for the other processors
  float budget = 2;         ///< milliseconds of each frame that are the model's
  bool nv12 = false;        ///< the screen is NV12, not RGBA
  bool always = false;      ///< the character is asked again as soon as it has answered
  bool no_overlay = false;  ///< begins without the histogram
  std::uint32_t seed = 1;   ///< of the shapes
  bool headless = false;    ///< no window: frames with answers and without, in turns
  int frames = 0;           ///< headless: of either kind; in a window: then it closes. 0: 1200, and never
  int fps = 60;             ///< frames a second; 0: as many as there can be
  bool json = false;        ///< the report as JSON
  std::string svg;          ///< a file for the frame times as a plot; empty: none
  std::string picture;      ///< a PNG file for the last frame; empty: none
};

/// Reads the command line. An exit code when there is nothing more to do.
std::optional<int> read_options(std::span<const std::string> arguments, Options& options);

}  // namespace game

#endif  // DSVL_GAME_OPTIONS_HPP
