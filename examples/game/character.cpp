#include "character.hpp"

#include <cmath>
#include <ctime>

namespace game {

namespace {

constexpr float kGround = 462;           // where its feet are
constexpr float kFrom = 440, kTo = 840;  // where it turns round
constexpr float kSpeed = 60;             // pixels a second
constexpr SDL_Color kCoat = {70, 130, 200, 255}, kSkin = {246, 206, 170, 255}, kDark = {40, 40, 60, 255};

/// Milliseconds that this thread has computed; other threads and waiting do not count.
double thread_milliseconds() {
#ifdef CLOCK_THREAD_CPUTIME_ID
  timespec now = {};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return 1e3 * static_cast<double>(now.tv_sec) + 1e-6 * static_cast<double>(now.tv_nsec);
#else
  return 0;
#endif
}

}  // namespace

dsvl::Result<Character> Character::wake(const dsvl::Model& model) {
  dsvl::SessionOptions options;
  options.limits.context = model.info().image_tokens + 256;
  auto session = dsvl::Session::open(model, options);
  if (!session) return session.error();
  return Character(std::move(*session));
}

void Character::walk(double seconds) {
  if (!is_busy()) walked_ += seconds;
}

void Character::look(Frame& frame, Question question) {
  if (seen_) seen_->held = false;
  session_.clear();  // each question stands alone; what was computed of the words in front of it stays
  constexpr SDL_FRect sky = Sky::kArea;
  const dsvl::Picture picture = dsvl::Picture::pixels(frame.pixels())
                                    .region({static_cast<dsvl::Index>(sky.x), static_cast<dsvl::Index>(sky.y),
                                             static_cast<dsvl::Index>(sky.w), static_cast<dsvl::Index>(sky.h)});
  asked_ = std::move(question);
  dsvl::GenerateOptions how;
  how.max_tokens = 64;
  answer_.emplace(session_.start({&picture, 1}, asked_.text, how));
  seen_ = &frame;
  frame.held = is_busy();  // not when it could not begin
}

Slice Character::think(std::chrono::nanoseconds budget) {
  if (!is_busy()) return {};
  const double cpu = thread_milliseconds();
  const auto began = dsvl::Clock::now();
  const auto piece = answer_->step(budget);
  const std::chrono::duration<double, std::milli> wall = dsvl::Clock::now() - began;
  const Slice slice = {wall.count(), thread_milliseconds() - cpu};

  if (piece) {
    shown_ = asked_;
    words_ = answer_->text();
  }
  if (piece || !is_busy()) seen_->held = false;  // the first token has come, so its pixels are not read any more
  if (!is_busy() && answer_->status().ok()) {
    ++answered_;
    right_ += words_ == asked_.truth;
  }
  return slice;
}

SDL_FPoint Character::head() const {
  const double way = std::fmod(walked_ * kSpeed, 2.0 * (kTo - kFrom));
  const auto there = static_cast<float>(way);
  return {there < kTo - kFrom ? kFrom + there : 2 * kTo - kFrom - there, kGround - 46};
}

void Character::draw(Canvas& on) const {
  const SDL_FPoint at = head();
  const float stride = is_busy() ? 0 : 7 * static_cast<float>(std::sin(9 * walked_));
  on.fill({at.x - 5 + stride, kGround - 16, 5, 16}, kDark);
  on.fill({at.x - stride, kGround - 16, 5, 16}, kDark);
  on.fill({at.x - 9, at.y + 8, 18, 22}, kCoat);
  on.circle(at, 13, kSkin);
  const float left = is_busy() ? -5.0f : 0.0f, up = is_busy() ? -4.0f : -2.0f;  // there it sees the sky
  for (const float side : {-4.5f, 4.5f}) on.circle({at.x + side + left, at.y + up}, 2, kDark);
  on.fill({at.x - 3 + left, at.y + 5, 6, is_busy() ? 3.0f : 1.0f}, kDark);
}

}  // namespace game
