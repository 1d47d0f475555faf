// dsvl-game: what dsvl is in a game. A character looks at the screen's own pixels and says what it sees, in slices of
// two milliseconds of each frame.
//
//   dsvl-game                      # space asks, Esc quits
//   dsvl-game --headless           # how long frames take, with an answer and without
//
// main.cpp opens and closes; game.hpp has the loop, character.hpp the model's part in it, screen.hpp what it looks at,
// sky.hpp the scene, report.hpp what is said in the end.
#include "../cli/library.hpp"

#include <algorithm>
#include <cstdio>
#include <fstream>

#include "../cli/console.hpp"
#include "../cli/drawing.hpp"
#include "../cli/system.hpp"
#include "game.hpp"
#include "report.hpp"

namespace {

using namespace game;

constexpr int kTurn = 60;  // frames with answers all the time, then without

/// A frame as PNG.
dsvl::Status save(const Frame& frame, const std::string& file) {
  cli::Drawing drawing(kWidth, kHeight);
  const SDL_Surface& from = frame.surface();
  for (int y = 0; y < kHeight; ++y) {
    const auto* row = static_cast<const std::uint8_t*>(from.pixels) + y * from.pitch;
    for (int x = 0; x < kWidth; ++x) std::copy_n(row + 4 * x, 3, drawing.at(x, y));
  }
  return cli::save_png(drawing, dsvl::utf8_to_path(file));
}

/// Prints and writes what was asked for; the program's exit code.
int finish(const Game& game, const Character& character, const Frame* last, const Options& options) {
  if (const dsvl::Status status = character.status(); !status.ok()) return cli::give_up(status);
  const Measurements measured = game.measurements();
  std::fputs((options.json ? report_json(measured) : report_text(measured)).c_str(), stdout);
  if (!options.svg.empty()) {
    std::ofstream svg(dsvl::utf8_to_path(options.svg));
    if (!(svg << report_svg(measured)).flush()) {
      cli::print_error(options.svg + " cannot be written", "is its folder there?");
      return cli::kError;
    }
  }
  if (!options.picture.empty() && last)
    if (const dsvl::Status saved = save(*last, options.picture); !saved.ok()) return cli::give_up(saved);
  return cli::finish_output();
}

/// Frames with answers and without, in turns of a second, so that both meet the same machine.
int measure(Game& game, Character& character, const Options& options) {
  const dsvl::CancelToken& interrupted = cli::catch_interrupts();
  const std::int64_t frames = options.frames ? options.frames : 1200;
  const Frame* last = nullptr;
  const auto show = [&](const Frame& frame) { last = &frame; };
  const auto fails = [&] { return interrupted.cancelled() || !character.status().ok(); };
  cli::ProgressLine progress;
  for (std::int64_t done = 0; done < frames && !fails();) {
    for (int i = 0; i < kTurn && !fails(); ++i) game.play(true, show);
    while (character.is_busy() && !fails()) game.play(false, show);  // it ends what it has begun
    for (int i = 0; i < kTurn && !fails(); ++i) game.play(false, show);
    const Measurements so_far = game.measurements();
    done = std::min(so_far.answering.count(), so_far.quiet.count());
    progress.show("frames", static_cast<double>(done), static_cast<double>(frames));
  }
  progress.clear();
  const int exit = finish(game, character, last, options);
  return exit == cli::kOk && interrupted.cancelled() ? cli::kInterrupted : exit;
}

/// Does what a key says; false to quit.
bool press(SDL_Keycode key, Game& game, bool& asks, bool& always) {
  switch (key) {
    case SDLK_ESCAPE: return false;
    case SDLK_SPACE: asks = true; break;
    case SDLK_a: always = !always; break;
    case SDLK_n: game.renew_sky(); break;
    case SDLK_h:
      game.show_histogram(!game.has_histogram());
      std::printf("histogram: %s\n", game.has_histogram() ? "on" : "off");
      std::fflush(stdout);
      break;
    default: break;
  }
  return true;
}

/// Prints an answer that has just come to its end.
void print_answer(const Character& character) {
  const Question& asked = character.question();
  const bool right = character.words() == asked.truth;
  cli::print_text(asked.text + " -> " + character.words() + (right ? "" : "   (there: " + asked.truth + ")") + "\n");
  std::fflush(stdout);
}

/// Plays in a window until somebody quits.
int play(Game& game, Character& character, const Options& options) {
  if (SDL_Init(SDL_INIT_VIDEO) != 0) {
    cli::print_error(std::string("no screen: ") + SDL_GetError(), "--headless needs none");
    return cli::kError;
  }
  // Frames go to the window as they are. By OpenGL, where no graphics card is behind it, they take three times as long.
  SDL_SetHint(SDL_HINT_FRAMEBUFFER_ACCELERATION, "0");
  const WindowPtr window(SDL_CreateWindow("dsvl", SDL_WINDOWPOS_CENTERED, SDL_WINDOWPOS_CENTERED, kWidth, kHeight, 0));
  if (!window) {
    cli::print_error(std::string("no window: ") + SDL_GetError());
    return cli::kError;
  }
  const dsvl::CancelToken& interrupted = cli::catch_interrupts();
  const Frame* last = nullptr;
  const auto show = [&](const Frame& frame) {
    last = &frame;
    if (SDL_Surface* const surface = SDL_GetWindowSurface(window.get())) frame.show_on(*surface);
    SDL_UpdateWindowSurface(window.get());
  };
  bool asks = true, always = options.always;
  for (int frame = 0; options.frames == 0 || frame < options.frames; ++frame) {
    for (SDL_Event event; SDL_PollEvent(&event);)
      if (event.type == SDL_QUIT || (event.type == SDL_KEYDOWN && !press(event.key.keysym.sym, game, asks, always)))
        return finish(game, character, last, options);
    const int answered = character.answered();
    game.play(asks || always, show);
    if (character.is_busy()) asks = false;
    if (character.answered() > answered) print_answer(character);
    if (interrupted.cancelled() || !character.status().ok()) break;
  }
  return finish(game, character, last, options);
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (const auto exit = read_options(cli::start_up(argc, argv), options)) return *exit;
  cli::ProgressLine progress;
  dsvl::LoadOptions load;
  load.threads = options.threads;
  load.mode = dsvl::LoadMode::prefault;  // a frame should not wait for the disk
  load.progress = progress.hook();
  auto model = dsvl::Model::load(dsvl::utf8_to_path(options.model), load);
  progress.clear();
  if (!model) return cli::give_up(model.error(), "name a model's folder or GGUF file with -m");

  const Sdl sdl;
  Screen screen(options.nv12);  // outlives the character, who looks at it
  if (!screen.is_open()) {
    cli::print_error(std::string("no memory for frames: ") + SDL_GetError());
    return cli::kError;
  }
  auto character = Character::wake(*model);
  if (!character) return cli::give_up(character.error());
  Game game(screen, *character, options);
  return options.headless ? measure(game, *character, options) : play(game, *character, options);
}
