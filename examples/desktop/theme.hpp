// Theme: the colours, dark and light, and the letters.
#ifndef DSVL_DESKTOP_THEME_HPP
#define DSVL_DESKTOP_THEME_HPP

#include <imgui.h>

#include <string>

namespace desktop {

struct Theme {
  ImVec4 page, panel, field, line;  ///< behind all, behind a panel, behind what can be typed in, between panels
  ImVec4 text, dim, accent, on_accent, bubble, good, bad;
};
const Theme& theme(bool light);
/// Has ImGui draw with these colours.
void use(const Theme& theme);

struct Fonts {
  ImFont *body = nullptr, *small = nullptr, *heading = nullptr;
};
/// Loads letters of `pixels` in height: from `file`, or a font of the system's, or ImGui's own. False when `file` is
/// named and is no font, or not all of one.
bool load_fonts(const std::string& file, int pixels, Fonts& to);

}  // namespace desktop

#endif  // DSVL_DESKTOP_THEME_HPP
