// Character: walks below the sky, looks at the screen's own pixels when it is asked something, and says what it sees.
//
//   character.look(frame, sky.next_question());   // computes nothing, copies nothing; the frame is held
//   while (character.is_busy()) {
//     character.think(2ms);                       // once a frame
//     …                                           // what it says grows, word by word
//   }
#ifndef DSVL_GAME_CHARACTER_HPP
#define DSVL_GAME_CHARACTER_HPP

#include "../cli/library.hpp"

#include <chrono>
#include <optional>
#include <string>

#include "screen.hpp"
#include "sky.hpp"

namespace game {

/// What a call of Answer::step took, in milliseconds.
struct Slice {
  double wall = 0;
  double cpu = 0;  ///< of the thread that called it; 0 where the system does not tell
};

class Character {
 public:
  /// Opens a session with as much room as a question about one picture takes.
  static dsvl::Result<Character> wake(const dsvl::Model& model);

  /// Goes on walking to and fro, and stands still while it thinks.
  void walk(double seconds);
  /// Begins to answer a question about the sky in that frame, and holds the frame until the pixels are read.
  void look(Frame& frame, Question question);
  /// Works on the answer for about that long.
  Slice think(std::chrono::nanoseconds budget);
  void draw(Canvas& on) const;

  [[nodiscard]] bool is_busy() const { return answer_ && answer_->finish() == dsvl::Finish::none; }
  /// The question, and what it says: the answer so far, or the one before until the first word has come.
  [[nodiscard]] const Question& question() const { return shown_; }
  [[nodiscard]] const std::string& words() const { return words_; }
  /// What it was asked and has answered, and how often that was true.
  [[nodiscard]] int answered() const { return answered_; }
  [[nodiscard]] int right() const { return right_; }
  /// Not ok when the last answer ended with an error.
  [[nodiscard]] dsvl::Status status() const { return answer_ ? answer_->status() : dsvl::Status(); }
  /// The middle of its head.
  [[nodiscard]] SDL_FPoint head() const;

 private:
  explicit Character(dsvl::Session session) : session_(std::move(session)) {}

  dsvl::Session session_;
  std::optional<dsvl::Answer> answer_;
  Frame* seen_ = nullptr;  // held for the answer
  Question asked_, shown_;
  std::string words_;
  int answered_ = 0, right_ = 0;
  double walked_ = 0;      // seconds
};

}  // namespace game

#endif  // DSVL_GAME_CHARACTER_HPP
