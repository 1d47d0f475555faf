#include "sky.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <numeric>
#include <span>

namespace game {

namespace {

struct NamedColour {
  const char* name;
  SDL_Color colour;
};

// The colours of the model's training, without those that are hard to tell from the night.
constexpr NamedColour kColours[] = {{"red", {222, 40, 50, 255}},     {"green", {45, 152, 60, 255}},
                                    {"yellow", {245, 220, 45, 255}}, {"orange", {238, 140, 30, 255}},
                                    {"cyan", {55, 208, 212, 255}},   {"pink", {240, 135, 190, 255}},
                                    {"white", {252, 252, 248, 255}}, {"purple", {145, 60, 180, 255}}};
constexpr const char* kKindNames[] = {"circle", "square", "triangle", "star", "cross", "ring"};
enum Kind { circle, square, triangle, star, cross, ring };
constexpr const char* kPlaceNames[] = {"at the top left",    "at the top",    "at the top right",
                                       "on the left",        "in the center", "on the right",
                                       "at the bottom left", "at the bottom", "at the bottom right"};
constexpr int kKindCount = std::size(kKindNames), kColourCount = std::size(kColours), kPlaces = std::size(kPlaceNames);
constexpr float kRadius = 28, kLargeRadius = 54;  // pixels: 0.15 and 0.28 of the sky across, as in the training
constexpr float kDrift = 10;                      // pixels to each side of the middle of a ninth
constexpr SDL_Color kNight = {12, 18, 92, 255}, kDusk = {22, 20, 58, 255};

/// Corners on one circle, or on two in turn.
std::vector<SDL_FPoint> outline(SDL_FPoint centre, int corners, float radius, float other_radius, float turn) {
  std::vector<SDL_FPoint> points;
  for (int i = 0; i < corners; ++i) {
    const float angle = turn + 2 * std::numbers::pi_v<float> * static_cast<float>(i) / static_cast<float>(corners);
    const float r = i % 2 ? other_radius : radius;
    points.push_back({centre.x + r * std::sin(angle), centre.y - r * std::cos(angle)});
  }
  return points;
}

/// A cross with arms a third of its width, whose outline goes around three corners for each arm.
std::vector<SDL_FPoint> cross_outline(SDL_FPoint centre, float radius, float turn) {
  const float arm = radius * 0.34f, c = std::cos(turn), s = std::sin(turn);
  const SDL_FPoint quarter[] = {{arm, -radius}, {arm, -arm}, {radius, -arm}};
  std::vector<SDL_FPoint> points;
  for (int turns = 0; turns < 4; ++turns)
    for (SDL_FPoint p : quarter) {
      for (int i = 0; i < turns; ++i) p = {-p.y, p.x};
      points.push_back({centre.x + c * p.x - s * p.y, centre.y + s * p.x + c * p.y});
    }
  return points;
}

void draw_shape(Canvas& on, int kind, SDL_FPoint at, float radius, float turn, SDL_Color colour) {
  constexpr int kRound = 48;  // corners that pass for a circle
  switch (kind) {
    case circle: return on.fill(at, outline(at, kRound, radius, radius, 0), colour);
    case square: return on.fill(at, outline(at, 4, radius * 1.2f, radius * 1.2f, turn + 0.785f), colour);
    case triangle: return on.fill(at, outline(at, 3, radius * 1.1f, radius * 1.1f, turn), colour);
    case star: return on.fill(at, outline(at, 10, radius * 1.1f, radius * 0.45f, turn), colour);
    case cross: return on.fill(at, cross_outline(at, radius, turn), colour);
    default: {
      const float hole = radius * 0.6f;
      on.fill_between(outline(at, kRound, radius, radius, 0), outline(at, kRound, hole, hole, 0), colour);
    }
  }
}

std::string count_text(std::size_t shapes) {
  return shapes == 1 ? "There is 1 shape." : "There are " + std::to_string(shapes) + " shapes.";
}

std::string article(std::string_view word) { return word.front() == 'o' ? "an " : "a "; }

}  // namespace

void Sky::renew() {
  std::array<int, kKindCount> kinds;
  std::array<int, kColourCount> colours;
  std::array<int, kPlaces> places;
  const auto shuffle = [&](auto& lots) {
    std::iota(lots.begin(), lots.end(), 0);
    std::shuffle(lots.begin(), lots.end(), random_);
  };
  shuffle(kinds), shuffle(colours), shuffle(places);
  shapes_.clear();
  const std::size_t count = 1 + static_cast<std::size_t>(draw_lot(4));
  for (std::size_t i = 0; i < count; ++i)
    shapes_.push_back({kinds[i], colours[i], places[i], draw_lot(2) == 0, static_cast<float>(draw_lot(100)) / 10});
  std::sort(shapes_.begin(), shapes_.end(), [](const Shape& a, const Shape& b) { return a.place < b.place; });
  asked_ = 0;
}

void Sky::draw(Canvas& on) const {
  on.fill(kArea, kNight, kDusk);
  constexpr float kNinth = kSide / 3;
  for (const Shape& s : shapes_) {
    const auto t = static_cast<float>(time_) + s.phase;
    const SDL_FPoint at = {kArea.x + kNinth * (static_cast<float>(s.place % 3) + 0.5f) + kDrift * std::sin(0.9f * t),
                           kArea.y + kNinth * (static_cast<float>(s.place / 3) + 0.5f) + kDrift * std::sin(1.3f * t)};
    draw_shape(on, s.kind, at, s.large ? kLargeRadius : kRadius, 0.3f * std::sin(0.7f * t), kColours[s.colour].colour);
  }
}

std::string Sky::describe() const {
  std::string out;
  for (std::size_t i = 0; i < shapes_.size(); ++i) {
    const Shape& s = shapes_[i];
    out += i == 0 ? "A " : i + 1 == shapes_.size() ? " and a " : ", a ";
    out += s.large ? "large " : "small ";
    ((((out += kColours[s.colour].name) += ' ') += kKindNames[s.kind]) += ' ') += kPlaceNames[s.place];
  }
  return out + '.';
}

Question Sky::ask_whether() {
  const bool there = draw_lot(2) == 0;  // else a shape in a colour that nothing has
  const Shape& s = shapes_[static_cast<std::size_t>(draw_lot(static_cast<int>(shapes_.size())))];
  int colour = s.colour;
  while (!there && std::any_of(shapes_.begin(), shapes_.end(), [&](const Shape& o) { return o.colour == colour; }))
    colour = draw_lot(kColourCount);
  const std::string name = kColours[colour].name;
  return {"Is there " + article(name) + name + ' ' + kKindNames[s.kind] + " in the image?", there ? "Yes." : "No."};
}

Question Sky::ask_where() {
  const int place = draw_lot(2) == 0 ? shapes_.front().place : draw_lot(kPlaces);
  std::string truth = "Nothing.";
  for (const Shape& s : shapes_)
    if (s.place == place)
      truth = std::string(s.large ? "A large " : "A small ") + kColours[s.colour].name + ' ' + kKindNames[s.kind] + '.';
  return {std::string("What is ") + kPlaceNames[place] + '?', truth};
}

Question Sky::next_question() {
  const Shape& any = shapes_[static_cast<std::size_t>(draw_lot(static_cast<int>(shapes_.size())))];
  const std::string kind = kKindNames[any.kind];
  if (is_told()) asked_ = 0;
  switch (asked_++) {
    case 0: return {"Describe the image.", describe()};
    case 1: return {"How many shapes are there?", count_text(shapes_.size())};
    case 2: return ask_whether();
    case 3: return {"What color is the " + kind + '?', "The " + kind + " is " + kColours[any.colour].name + '.'};
    default: return ask_where();
  }
}

}  // namespace game
