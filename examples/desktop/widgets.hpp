// What several parts of the window are made of.
#ifndef DSVL_DESKTOP_WIDGETS_HPP
#define DSVL_DESKTOP_WIDGETS_HPP

#include "canvas.hpp"
#include "screen.hpp"
#include "theme.hpp"

#include <string>

namespace desktop {

/// A part of the window with a colour of its own, as long as the object lives.
class Panel {
 public:
  Panel(const char* name, const Place& place, const ImVec4& colour, ImGuiWindowFlags flags = 0);
  ~Panel();
  Panel(const Panel&) = delete;
  Panel& operator=(const Panel&) = delete;
};

/// Begins what an area shows: where it is scrolled to, and the pointer while it is in it, since what it is over looks
/// different. Inside a Panel.
void begin_shows(dsvl::json::Writer& shows, const Place& place);

/// A line of text that can be typed in.
struct Field {
  std::string text;
  bool focus = false;   ///< it gets the keyboard as soon as possible
  bool active = false;  ///< it has the keyboard
};
/// Shows one. True when Enter was pressed in it.
bool input(const char* id, const char* hint, Field& field);

/// Text in one font and colour, wrapped at the panel's right side.
void text(ImFont* font, const ImVec4& colour, const std::string& words);
/// One line of it, cut with an ellipsis to what fits `width`.
void line(ImFont* font, const ImVec4& colour, const std::string& words, float width);
/// A button in the accent's colour, for what is mostly wanted next.
bool main_button(const char* label, const Theme& theme, const ImVec2& size = {0, 0});
/// A button that is words alone.
bool quiet_button(const char* label, const Theme& theme, ImFont* font);
/// A picture in the middle of a square, which is clicked as a whole.
bool picture_button(const char* id, const Texture& texture, float side, const Theme& theme, bool ticked);
/// A picture's size on the screen, within a square.
ImVec2 fitted(const Texture& texture, float side);

}  // namespace desktop

#endif  // DSVL_DESKTOP_WIDGETS_HPP
