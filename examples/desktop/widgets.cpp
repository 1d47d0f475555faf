#include "widgets.hpp"

#include <algorithm>
#include <cmath>

#include <imgui_stdlib.h>

namespace desktop {

Panel::Panel(const char* name, const Place& place, const ImVec4& colour, ImGuiWindowFlags flags) {
  ImGui::SetNextWindowPos({place.x, place.y});
  ImGui::SetNextWindowSize({place.width, place.height});
  ImGui::PushStyleColor(ImGuiCol_WindowBg, colour);
  ImGui::Begin(name, nullptr,
               ImGuiWindowFlags_NoTitleBar | ImGuiWindowFlags_NoResize | ImGuiWindowFlags_NoMove |
                   ImGuiWindowFlags_NoCollapse | ImGuiWindowFlags_NoSavedSettings |
                   ImGuiWindowFlags_NoBringToFrontOnFocus | ImGuiWindowFlags_NoFocusOnAppearing | flags);
}

Panel::~Panel() {
  ImGui::End();
  ImGui::PopStyleColor();
}

void begin_shows(dsvl::json::Writer& shows, const Place& place) {
  shows.begin_object();
  if (ImGui::GetScrollMaxY() > 0) shows.key("scrolled").value(static_cast<double>(std::round(ImGui::GetScrollY())));
  const ImVec2 at = ImGui::GetMousePos();
  if (at.x >= place.x && at.y >= place.y && at.x < place.x + place.width && at.y < place.y + place.height)
    shows.key("pointer").begin_array().value(static_cast<int>(at.x)).value(static_cast<int>(at.y)).end_array();
}

namespace {

/// Puts the cursor behind the words of a field that has just got the keyboard, where ImGui would select them all, and
/// has the cursor seen, where ImGui would stay scrolled to the words before.
int to_end(ImGuiInputTextCallbackData* data) {
  Field& field = *static_cast<Field*>(data->UserData);
  if (!field.active) {
    data->CursorPos = data->SelectionStart = data->SelectionEnd = data->BufTextLen;
    data->BufDirty = true;
  }
  field.active = true;
  return 0;
}

}  // namespace

bool input(const char* id, const char* hint, Field& field) {
  if (field.focus) ImGui::SetKeyboardFocusHere();
  const bool entered = ImGui::InputTextWithHint(
      id, hint, &field.text, ImGuiInputTextFlags_EnterReturnsTrue | ImGuiInputTextFlags_CallbackAlways, to_end, &field);
  field.active = field.active && ImGui::IsItemActive();
  if (field.active) field.focus = false;
  return entered;
}

void text(ImFont* font, const ImVec4& colour, const std::string& words) {
  ImGui::PushFont(font);
  ImGui::PushStyleColor(ImGuiCol_Text, colour);
  ImGui::PushTextWrapPos(0);
  ImGui::TextUnformatted(words.data(), words.data() + words.size());
  ImGui::PopTextWrapPos();
  ImGui::PopStyleColor();
  ImGui::PopFont();
}

void line(ImFont* font, const ImVec4& colour, const std::string& words, float width) {
  ImGui::PushFont(font);
  const auto fits = [&](const std::string& text) { return ImGui::CalcTextSize(text.c_str()).x <= width; };
  std::string shown = words;
  if (!fits(words)) {
    while (!shown.empty() && !fits(shown + "...")) {
      while ((static_cast<unsigned char>(shown.back()) & 0xC0) == 0x80 && shown.size() > 1) shown.pop_back();
      shown.pop_back();  // the first byte of a character
    }
    shown += "...";
  }
  ImGui::PushStyleColor(ImGuiCol_Text, colour);
  ImGui::TextUnformatted(shown.c_str());
  ImGui::PopStyleColor();
  ImGui::PopFont();
}

bool main_button(const char* label, const Theme& theme, const ImVec2& size) {
  const auto brighter = [&](float by) {
    return ImVec4(theme.accent.x + by, theme.accent.y + by, theme.accent.z + by, 1);
  };
  ImGui::PushStyleColor(ImGuiCol_Button, theme.accent);
  ImGui::PushStyleColor(ImGuiCol_ButtonHovered, brighter(0.06f));
  ImGui::PushStyleColor(ImGuiCol_ButtonActive, brighter(-0.06f));
  ImGui::PushStyleColor(ImGuiCol_Text, theme.on_accent);
  const bool pressed = ImGui::Button(label, size);
  ImGui::PopStyleColor(4);
  return pressed;
}

bool quiet_button(const char* label, const Theme& theme, ImFont* font) {
  ImGui::PushFont(font);
  ImGui::PushStyleColor(ImGuiCol_Button, ImVec4(0, 0, 0, 0));
  ImGui::PushStyleColor(ImGuiCol_Text, theme.accent);
  ImGui::PushStyleVar(ImGuiStyleVar_FramePadding, {6, 3});
  const bool pressed = ImGui::Button(label);
  ImGui::PopStyleVar();
  ImGui::PopStyleColor(2);
  ImGui::PopFont();
  return pressed;
}

ImVec2 fitted(const Texture& texture, float side) {
  int width = 1, height = 1;
  if (texture) SDL_QueryTexture(texture.get(), nullptr, nullptr, &width, &height);
  const float scale = std::min(1.0f, side / static_cast<float>(std::max(width, height)));
  return {std::round(static_cast<float>(width) * scale), std::round(static_cast<float>(height) * scale)};
}

bool picture_button(const char* id, const Texture& texture, float side, const Theme& theme, bool ticked) {
  const bool pressed = ImGui::InvisibleButton(id, {side, side});
  const ImVec2 from = ImGui::GetItemRectMin(), to = ImGui::GetItemRectMax();
  ImDrawList& list = *ImGui::GetWindowDrawList();
  list.AddRectFilled(from, to, ImGui::GetColorU32(theme.field));
  if (texture) {
    const ImVec2 size = fitted(texture, side);
    const ImVec2 at = {std::floor((from.x + to.x - size.x) / 2), std::floor((from.y + to.y - size.y) / 2)};
    list.AddImage(texture.get(), at, {at.x + size.x, at.y + size.y});
  }
  if (ticked || ImGui::IsItemHovered())
    list.AddRect({from.x + 1, from.y + 1}, {to.x - 1, to.y - 1}, ImGui::GetColorU32(ticked ? theme.accent : theme.dim),
                 0, 0, 2);
  return pressed;
}

}  // namespace desktop
