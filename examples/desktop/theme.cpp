#include "theme.hpp"

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string_view>
#include <system_error>

#include "../cli/system.hpp"

namespace desktop {

namespace {

ImVec4 rgb(int hex, float alpha = 1) {
  const auto level = [&](int shift) { return static_cast<float>((hex >> shift) & 0xFF) / 255; };
  return {level(16), level(8), level(0), alpha};
}

const Theme kDark = {rgb(0x14161A), rgb(0x1C1F25), rgb(0x272B33), rgb(0x31363F), rgb(0xE6E8EC), rgb(0x969CA8),
                     rgb(0x5B8DEF), rgb(0xFFFFFF), rgb(0x2A3A57), rgb(0x67C58F), rgb(0xF0857D)};
const Theme kLight = {rgb(0xF2F3F5), rgb(0xFFFFFF), rgb(0xECEEF1), rgb(0xD9DCE1), rgb(0x1D2026), rgb(0x666D79),
                      rgb(0x2F66D0), rgb(0xFFFFFF), rgb(0xDCE7FB), rgb(0x1E7F4B), rgb(0xB3362C)};

ImVec4 mix(const ImVec4& a, const ImVec4& b, float share) {
  const auto one = [&](float x, float y) { return x + (y - x) * share; };
  return {one(a.x, b.x), one(a.y, b.y), one(a.z, b.z), 1};
}

/// Where systems keep a font that can be read well: the plain one, and its bold one.
constexpr const char* kKnown[][2] = {
    {"/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf", "/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf"},
    {"/usr/share/fonts/TTF/DejaVuSans.ttf", "/usr/share/fonts/TTF/DejaVuSans-Bold.ttf"},
    {"/usr/share/fonts/truetype/noto/NotoSans-Regular.ttf", "/usr/share/fonts/truetype/noto/NotoSans-Bold.ttf"},
    {"/System/Library/Fonts/Supplemental/Arial.ttf", "/System/Library/Fonts/Supplemental/Arial Bold.ttf"},
    {"C:/Windows/Fonts/segoeui.ttf", "C:/Windows/Fonts/segoeuib.ttf"},
};

/// Latin, Greek, Cyrillic, punctuation, arrows, and the ticks that we draw.
constexpr ImWchar kLetters[] = {0x20,   0x17F,  0x370,  0x3FF,  0x400,  0x52F, 0x2010,
                                0x2044, 0x2190, 0x2195, 0x2713, 0x2715, 0};

/// The number of `bytes` bytes at a place in a font's file, the high byte first; 0 behind its end.
std::uint64_t number_at(std::string_view file, std::uint64_t at, int bytes) {
  std::uint64_t out = 0;
  for (int i = 0; i < bytes; ++i, ++at) out = out << 8 | (at < file.size() ? static_cast<unsigned char>(file[at]) : 0);
  return out;
}

/// Whether a file is a TrueType or OpenType font and has all of its tables. ImGui ends the program when it is given
/// something else, and reads behind the end of half a font.
bool is_font(const std::string& name) {
  const std::filesystem::path path = cli::to_path(name);
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return false;
  std::ifstream in(path, std::ios::binary);
  const std::string file(std::istreambuf_iterator<char>(in), {});
  std::uint64_t at = 0;
  if (file.starts_with("ttcf")) at = number_at(file, 12, 4);  // several fonts, of which ImGui takes the first
  const std::uint64_t kind = number_at(file, at, 4), tables = number_at(file, at + 4, 2);
  if ((kind != 0x00010000 && kind != 0x74727565 && kind != 0x4F54544F) || tables == 0) return false;  // "true", "OTTO"
  for (std::uint64_t table = at + 12; table < at + 12 + 16 * tables; table += 16)
    if (number_at(file, table + 8, 4) + number_at(file, table + 12, 4) > file.size() || table + 16 > file.size())
      return false;
  return true;
}

}  // namespace

const Theme& theme(bool light) { return light ? kLight : kDark; }

void use(const Theme& t) {
  ImGuiStyle& style = ImGui::GetStyle();
  style = ImGuiStyle();
  style.WindowPadding = {18, 16}, style.FramePadding = {12, 8}, style.ItemSpacing = {10, 8};
  style.FrameRounding = 6, style.GrabRounding = 6, style.ScrollbarRounding = 6, style.PopupRounding = 6;
  style.WindowRounding = 0, style.WindowBorderSize = 0, style.ChildBorderSize = 0;
  style.AntiAliasedLinesUseTex = false;  // letters are drawn pixel by pixel, and lines would be taken for such
  style.ScrollbarSize = 10, style.GrabMinSize = 14;
  ImVec4* const c = style.Colors;
  c[ImGuiCol_Text] = t.text, c[ImGuiCol_TextDisabled] = t.dim, c[ImGuiCol_WindowBg] = t.panel;
  c[ImGuiCol_PopupBg] = t.panel, c[ImGuiCol_Border] = t.line, c[ImGuiCol_Separator] = t.line;
  c[ImGuiCol_FrameBg] = t.field, c[ImGuiCol_FrameBgHovered] = mix(t.field, t.accent, 0.15f);
  c[ImGuiCol_FrameBgActive] = mix(t.field, t.accent, 0.25f);
  c[ImGuiCol_Button] = t.field, c[ImGuiCol_ButtonHovered] = mix(t.field, t.accent, 0.25f);
  c[ImGuiCol_ButtonActive] = mix(t.field, t.accent, 0.4f);
  c[ImGuiCol_Header] = mix(t.panel, t.accent, 0.2f), c[ImGuiCol_HeaderHovered] = mix(t.panel, t.accent, 0.12f);
  c[ImGuiCol_HeaderActive] = mix(t.panel, t.accent, 0.3f);
  c[ImGuiCol_CheckMark] = c[ImGuiCol_SliderGrab] = c[ImGuiCol_PlotHistogram] = t.accent;
  c[ImGuiCol_SliderGrabActive] = t.accent, c[ImGuiCol_TextSelectedBg] = mix(t.field, t.accent, 0.5f);
  c[ImGuiCol_ScrollbarBg] = {0, 0, 0, 0}, c[ImGuiCol_ScrollbarGrab] = t.line;
  c[ImGuiCol_ScrollbarGrabHovered] = c[ImGuiCol_ScrollbarGrabActive] = t.dim;
}

bool load_fonts(const std::string& file, int pixels, Fonts& to) {
  std::string plain = file, bold = file;
  for (const auto& [p, b] : kKnown)
    if (plain.empty() && is_font(p)) plain = p, bold = is_font(b) ? b : p;
  ImFontAtlas& atlas = *ImGui::GetIO().Fonts;
  const auto size = static_cast<float>(pixels);
  if (plain.empty()) {
    ImFontConfig config;
    config.SizePixels = size;
    to = {atlas.AddFontDefault(&config), nullptr, nullptr};
    to.small = to.heading = to.body;
    return true;
  }
  if (!is_font(plain)) return false;
  ImFontConfig config;
  config.PixelSnapH = true, config.OversampleH = 1;  // each letter on whole pixels, so that gaps between them are even
  to.body = atlas.AddFontFromFileTTF(plain.c_str(), size, &config, kLetters);
  to.small = atlas.AddFontFromFileTTF(plain.c_str(), std::round(size * 0.82f), &config, kLetters);
  to.heading = atlas.AddFontFromFileTTF(bold.c_str(), size, &config, kLetters);
  return true;
}

}  // namespace desktop
