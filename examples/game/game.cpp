#include "game.hpp"

#include <thread>

#include "overlay.hpp"

namespace game {

namespace {

constexpr double kSeconds = 1.0 / 60;  // that the world moves on in a frame
constexpr SDL_Color kGrass = {86, 150, 86, 255}, kWall = {226, 228, 232, 255}, kWood = {96, 70, 50, 255};

std::string headline(const Options& o) {
  const std::string fps = o.fps ? std::to_string(o.fps) + " a second" : "without a pause";
  char budget[32];
  std::snprintf(budget, sizeof budget, "%g", static_cast<double>(o.budget));
  return "frames of " + std::to_string(kWidth) + " x " + std::to_string(kHeight) + (o.nv12 ? " (NV12)" : " (RGBA)") +
         ", " + fps + "; step(" + budget + " ms), " + std::to_string(o.threads) +
         (o.threads == 1 ? " thread" : " threads");
}

}  // namespace

Game::Game(Screen& screen, Character& character, const Options& options)
    : screen_(screen),
      character_(character),
      sky_(options.seed),
      budget_(static_cast<std::int64_t>(1e6 * static_cast<double>(options.budget))),
      period_(options.fps ? dsvl::Clock::duration(std::chrono::seconds(1)) / options.fps : dsvl::Clock::duration(0)),
      due_(dsvl::Clock::now()),
      has_histogram_(!options.no_overlay) {
  measured_.budget = static_cast<double>(options.budget);
  measured_.what = headline(options);
}

void Game::play(bool asks, Show show) {
  const auto began = dsvl::Clock::now();
  const bool thinks = character_.is_busy();
  const Slice slice = character_.think(budget_);
  sky_.advance(kSeconds);
  character_.walk(kSeconds);
  Frame& frame = screen_.next();
  draw(frame);
  show(frame);
  if (asks && !character_.is_busy()) {
    if (sky_.is_told()) sky_.renew();
    else character_.look(frame, sky_.next_question());
  }
  const std::chrono::duration<double, std::milli> took = dsvl::Clock::now() - began;
  (thinks || character_.is_busy() ? measured_.answering : measured_.quiet).add(took.count());
  if (thinks) measured_.step_wall.add(slice.wall), measured_.step_cpu.add(slice.cpu);
  wait_for_next();
}

void Game::draw(Frame& frame) {
  Canvas& on = frame.canvas();
  on.fill({0, 0, kWidth, kHeight}, kWall);
  constexpr SDL_FRect sky = Sky::kArea;
  on.fill({sky.x - 8, sky.y - 8, sky.w + 16, sky.h + 16}, kWood);
  sky_.draw(on);
  on.fill({0, sky.y + sky.h + 8, kWidth, kHeight - sky.y - sky.h - 8}, kGrass);
  if (has_histogram_) draw_histogram(on, measured_);
  draw_bubble(on, character_);
  character_.draw(on);
  frame.finish();
}

void Game::wait_for_next() {
  due_ += period_;
  const auto now = dsvl::Clock::now();
  if (due_ < now) due_ = now;  // too late: the next one begins at once, and none is made up for
  else std::this_thread::sleep_until(due_);
}

Measurements Game::measurements() const {
  Measurements all = measured_;
  all.answered = character_.answered();
  all.right = character_.right();
  return all;
}

}  // namespace game
