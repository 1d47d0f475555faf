#include "overlay.hpp"

#include <cmath>
#include <cstdio>

namespace game {

namespace {

constexpr SDL_FRect kBubble = {408, 236, 380, 164}, kPlot = {424, 52, 348, 120};
constexpr SDL_Color kInk = {30, 32, 44, 255}, kPaper = {250, 250, 246, 255}, kGray = {120, 124, 140, 255};
constexpr SDL_Color kQuiet = {90, 170, 120, 255}, kAnswering = {60, 110, 220, 255}, kLimit = {214, 60, 60, 255};
constexpr float kInset = 14;
constexpr double kPlotMs = 20, kBarMs = 0.5;

void draw_bars(Canvas& on, const Histogram& times, SDL_Color colour, float shift) {
  constexpr float kBarWidth = kPlot.w * static_cast<float>(kBarMs / kPlotMs);
  constexpr double kDecades = 5;  // the plot's height is 100 000 frames
  for (int i = 0; i * kBarMs < kPlotMs; ++i) {
    const auto frames = static_cast<double>(times.between(i * kBarMs, (i + 1) * kBarMs));
    if (frames < 1) continue;
    const auto height = static_cast<float>(std::min(1.0, (std::log10(frames) + 0.3) / kDecades)) * kPlot.h;
    on.fill({kPlot.x + kBarWidth * static_cast<float>(i) + shift, kPlot.y + kPlot.h - height, kBarWidth / 2, height},
            colour);
  }
}

void describe(Canvas& on, const char* name, const Histogram& times, SDL_Color colour, float y) {
  char line[96];
  std::snprintf(line, sizeof line, "%-8s p50 %5.2f   p99 %5.2f   longest %5.2f ms", name, times.quantile(0.5),
                times.quantile(0.99), times.longest());
  on.text(kPlot.x, y, 1, colour, line);
}

}  // namespace

void draw_bubble(Canvas& on, const Character& character) {
  const SDL_FPoint head = character.head();
  const SDL_FPoint tail[] = {{kBubble.x + 20, kBubble.y + kBubble.h - 2}, {head.x + 14, head.y - 4},
                             {kBubble.x + 60, kBubble.y + kBubble.h - 2}};
  on.fill(kBubble, kPaper);
  on.fill({(tail[0].x + tail[1].x + tail[2].x) / 3, (tail[0].y + tail[1].y + tail[2].y) / 3}, tail, kPaper);
  constexpr float kSmall = 1.5f, kLarge = 2;
  constexpr float kLine = kBubble.w - 2 * kInset;
  on.text(kBubble.x + kInset, kBubble.y + kInset, kSmall, kGray, wrap(character.question().text, kSmall, kLine));
  on.text(kBubble.x + kInset, kBubble.y + kInset + 26, kLarge, kInk, wrap(character.words(), kLarge, kLine));
}

void draw_histogram(Canvas& on, const Measurements& m) {
  on.text(kPlot.x, 14, 1.5f, kInk, "frame times");
  on.text(kPlot.x, 32, 1, kGray, m.what);
  on.fill(kPlot, kPaper);
  draw_bars(on, m.quiet, kQuiet, 0);
  draw_bars(on, m.answering, kAnswering, kPlot.w * static_cast<float>(kBarMs / kPlotMs) / 2);
  on.fill({kPlot.x + kPlot.w * static_cast<float>(kFrameMs / kPlotMs), kPlot.y, 1, kPlot.h}, kLimit);
  on.text(kPlot.x, kPlot.y + kPlot.h + 4, 1, kGray, "0");
  on.text(kPlot.x + kPlot.w * static_cast<float>(kFrameMs / kPlotMs) - 22, kPlot.y + kPlot.h + 4, 1, kLimit, "16.7 ms");
  describe(on, "quiet", m.quiet, kQuiet, kPlot.y + kPlot.h + 20);
  describe(on, "answering", m.answering, kAnswering, kPlot.y + kPlot.h + 34);
}

}  // namespace game
