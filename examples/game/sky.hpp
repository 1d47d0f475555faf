// Sky: the scene that the character looks at: coloured shapes that drift and turn, and questions about them whose true
// answers are known, so that what the model says can be checked.
#ifndef DSVL_GAME_SKY_HPP
#define DSVL_GAME_SKY_HPP

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "canvas.hpp"

namespace game {

/// What is asked about the sky, and what is true, in the shipped model's words.
struct Question {
  std::string text;
  std::string truth;
};

/// One to four shapes, no two of one kind or colour, each in a ninth of the sky of its own.
class Sky {
 public:
  static constexpr float kSide = 384;           ///< pixels
  static constexpr SDL_FRect kArea = {8, 8, kSide, kSide};  ///< its place on the screen

  explicit Sky(std::uint32_t seed) : random_(seed) { renew(); }
  /// Other shapes, at other places.
  void renew();
  /// Lets the shapes drift and turn. They stay in their ninths, so what was true stays true.
  void advance(double seconds) { time_ += seconds; }
  void draw(Canvas& on) const;
  /// The next of five questions in turn: describe, how many, is there a, what colour, what is where. After the last one
  /// the next sky is due.
  [[nodiscard]] Question next_question();
  /// True when all kinds of questions were asked about these shapes.
  [[nodiscard]] bool is_told() const { return asked_ == kKinds; }

 private:
  static constexpr int kKinds = 5;
  struct Shape {
    int kind, colour, place;  // rows of the tables in sky.cpp; places row by row
    bool large;
    float phase;              // of its drift and its turn
  };

  [[nodiscard]] int draw_lot(int below) { return std::uniform_int_distribution<int>(0, below - 1)(random_); }
  [[nodiscard]] std::string describe() const;
  [[nodiscard]] Question ask_whether();
  [[nodiscard]] Question ask_where();

  std::mt19937 random_;
  std::vector<Shape> shapes_;  // in the order of their places
  double time_ = 0;            // seconds
  int asked_ = 0;
};

}  // namespace game

#endif  // DSVL_GAME_SKY_HPP
