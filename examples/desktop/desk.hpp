// Desk: what the window knows and where its parts are: it hands each part what it draws, and does what the user wants.
#ifndef DSVL_DESKTOP_DESK_HPP
#define DSVL_DESKTOP_DESK_HPP

#include "options.hpp"
#include "views.hpp"

namespace desktop {

class Desk {
 public:
  /// The others must outlive the desk.
  Desk(const Options& options, const Fonts& fonts, Canvas& canvas, Mailbox& mailbox);
  /// Stops what is going on.
  ~Desk();

  /// Files that were dropped, and keys that mean something here. True: nobody else is to see the event.
  bool handle(const SDL_Event& event);
  /// Describes a frame of that size.
  void show(float width, float height);

  [[nodiscard]] const Screen& screen() const { return screen_; }
  [[nodiscard]] const Theme& colours() const { return theme(light_); }
  [[nodiscard]] bool light() const { return light_; }
  [[nodiscard]] Phase phase() const { return talk_.state().phase; }

 private:
  [[nodiscard]] bool is_choosing() const { return choosing_ || phase() == Phase::empty; }
  bool handle_control_key(SDL_Keycode key);
  bool paste_file();
  void copy(const std::string& text);
  void change_theme();
  void begin_anew();
  void tick_known();
  void tick(const std::vector<SharedPicture>& pictures, bool ticked);
  void tick_unanswered();
  void open(const std::string& path);
  void ask();
  void ask_again();
  void load();
  void show_middle(const Look& look, const Place& place);
  void show_right(const Look& look, const Place& place);

  const Fonts& fonts_;
  TaskThread background_;
  Shelf shelf_;
  Planner planner_;
  Overlay overlay_;
  Talk talk_;
  Screen screen_;
  Choice choice_;
  Field path_, model_path_, question_;
  SeenChoice seen_;
  bool light_, choosing_, copy_answer_ = false;
  bool asked_ = false;  // a question is being answered, or its answer has not been shown yet
};

}  // namespace desktop

#endif  // DSVL_DESKTOP_DESK_HPP
