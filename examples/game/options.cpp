#include "options.hpp"

#include <vector>

#include "../cli/command_line.hpp"

namespace game {

std::optional<int> read_options(std::span<const std::string> arguments, Options& o) {
  cli::CommandLine line("dsvl-game", "[options]",
                        "A small scene at 60 frames a second. A character in it looks at the screen and says what it "
                        "sees.");
  line.section("Game");
  line.path('m', "model", "PATH", "A folder or a GGUF file (default: examples/models/tiny-vl)", o.model);
  line.whole(0, "threads", "Threads of the model (default: 1)", o.threads, 1, 256);
  line.real(0, "budget", "Milliseconds of each frame for the model (default: 2)", o.budget, 0.1, 1000);
  line.flag(0, "nv12", "The screen is NV12, as video has it, and is looked at as that", o.nv12);
  line.flag(0, "always", "Asks again as soon as there is an answer", o.always);
  line.flag(0, "no-overlay", "Begins without the histogram of frame times", o.no_overlay);
  line.whole(0, "seed", "Other shapes at other places (default: 1)", o.seed, 0, 0x7fffffff);
  line.whole(0, "fps", "Frames a second; 0: as many as there can be (default: 60)", o.fps, 0, 1000);
  line.section("Measuring");
  line.flag(0, "headless", "No window: prints how long frames take with an answer and without", o.headless);
  line.whole(0, "frames", "Frames of either kind (default: 1200); in a window: closes after so many", o.frames, 0,
             100'000'000);
  line.flag(0, "json", "Prints that as JSON", o.json);
  line.path(0, "svg", "FILE", "Writes the frame times as a plot", o.svg);
  line.path(0, "picture", "FILE", "Writes the last frame as PNG", o.picture);
  line.epilog(
      "Keys: space asks, A asks all the time, H shows and hides the histogram, N brings other shapes, Esc quits.");
  std::vector<std::string> rest;
  if (const auto exit = line.parse(arguments, rest)) return exit;
  if (!rest.empty()) return line.usage_error("unexpected argument " + rest[0], "name the model with -m");
  return std::nullopt;
}

}  // namespace game
