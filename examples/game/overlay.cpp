#include "overlay.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace game {

namespace {

constexpr SDL_FRect kBubble = {412, 188, 456, 194}, kPlot = {420, 46, 440, 90};
constexpr SDL_Color kInk = {30, 32, 44, 255}, kPaper = {250, 250, 246, 255}, kGray = {120, 124, 140, 255};
constexpr SDL_Color kQuietInk = {90, 170, 120, 255}, kAnsweringInk = {60, 110, 220, 255};
constexpr SDL_Color kLimitInk = {214, 60, 60, 255};
constexpr float kInset = 14, kScale = 2;  // of the bubble's text
constexpr double kShownMs = 20, kBarMs = 0.5;

void draw_bars(Canvas& on, const Histogram& times, SDL_Color colour, float shift) {
  constexpr float kBarWidth = kPlot.w * static_cast<float>(kBarMs / kShownMs);
  constexpr double kDecades = 5;  // the plot's height is 100 000 frames
  for (int i = 0; i * kBarMs < kShownMs; ++i) {
    const auto frames = static_cast<double>(times.between(i * kBarMs, (i + 1) * kBarMs));
    if (frames < 1) continue;
    const auto height = static_cast<float>(std::min(1.0, (std::log10(frames) + 0.3) / kDecades)) * kPlot.h;
    on.fill({kPlot.x + kBarWidth * static_cast<float>(i) + shift, kPlot.y + kPlot.h - height, kBarWidth / 2, height},
            colour);
  }
}

void describe(Canvas& on, const char* name, const Histogram& times, SDL_Color colour, float y) {
  char line[96];
  std::snprintf(line, sizeof line, "%-9s p50 %5.2f   p99 %5.2f   longest %5.2f ms", name, times.quantile(0.5),
                times.quantile(0.99), times.longest());
  on.text(kPlot.x, y, 1, colour, line);
}

}  // namespace

void draw_bubble(Canvas& on, const Character& character) {
  const SDL_FPoint head = character.head();
  constexpr float kBottom = kBubble.y + kBubble.h;
  const SDL_FPoint tail[] = {{head.x - 10, kBottom}, {head.x, head.y - 17}, {head.x + 10, kBottom}};
  on.fill(kBubble, kPaper);
  on.fill({head.x, kBottom + 5}, tail, kPaper);
  const std::string question = wrap(character.question().text, kScale, kBubble.w - 2 * kInset);
  const auto lines = 1 + std::count(question.begin(), question.end(), '\n');
  on.text(kBubble.x + kInset, kBubble.y + kInset, kScale, kGray, question);
  on.text(kBubble.x + kInset, kBubble.y + kInset + kScale * kLineHeight * static_cast<float>(lines) + 4, kScale, kInk,
          wrap(character.words(), kScale, kBubble.w - 2 * kInset));
}

void draw_histogram(Canvas& on, const Measurements& m) {
  on.text(kPlot.x, 10, 2, kInk, "frame times");
  on.text(kPlot.x, 32, 1, kGray, m.what);
  on.fill(kPlot, kPaper);
  draw_bars(on, m.quiet, kQuietInk, 0);
  draw_bars(on, m.answering, kAnsweringInk, kPlot.w * static_cast<float>(kBarMs / kShownMs) / 2);
  const float limit = kPlot.x + kPlot.w * static_cast<float>(kFrameMs / kShownMs);
  on.fill({limit, kPlot.y, 1, kPlot.h}, kLimitInk);
  on.text(kPlot.x, kPlot.y + kPlot.h + 4, 1, kGray, "0");
  on.text(limit - 22, kPlot.y + kPlot.h + 4, 1, kLimitInk, "16.7 ms");
  describe(on, "quiet", m.quiet, kQuietInk, kPlot.y + kPlot.h + 16);
  describe(on, "answering", m.answering, kAnsweringInk, kPlot.y + kPlot.h + 30);
}

}  // namespace game
