#include <cmath>
#include <cstdio>

#include "views.hpp"

namespace desktop {

namespace {

std::string of_box(const dsvl::Box& box) {
  char out[120];
  std::snprintf(out, sizeof out, "%.0f x %.0f pixels at (%.0f, %.0f)", box.width, box.height, box.x, box.y);
  return out;
}

const dsvl::SeenPicture::View& sharpest(const dsvl::SeenPicture& seen) {
  return seen.high.side > 0 ? seen.high : seen.low;
}

/// The grid of tokens over the square that a tower sees; tokens of nothing but padding are dimmed.
void draw_token_grid(const dsvl::TokenMap& map, const ImVec2& at, const ImVec2& size) {
  ImDrawList& list = *ImGui::GetWindowDrawList();
  const auto edge = [](float from, float length, dsvl::Index i, dsvl::Index count) {
    return std::floor(from + length * static_cast<float>(i) / static_cast<float>(count));
  };
  const dsvl::Grid grid = map.grid();
  for (dsvl::Index t = 0; t < grid.tokens(); ++t) {
    if (!map.box_of(t).empty()) continue;
    const dsvl::Index x = t % grid.width, y = t / grid.width;
    list.AddRectFilled({edge(at.x, size.x, x, grid.width), edge(at.y, size.y, y, grid.height)},
                       {edge(at.x, size.x, x + 1, grid.width), edge(at.y, size.y, y + 1, grid.height)},
                       IM_COL32(24, 24, 28, 150));
  }
  for (dsvl::Index x = 0; x <= grid.width; ++x)
    list.AddRectFilled({edge(at.x, size.x - 1, x, grid.width), at.y},
                       {edge(at.x, size.x - 1, x, grid.width) + 1, at.y + size.y}, IM_COL32(128, 128, 128, 110));
  for (dsvl::Index y = 0; y <= grid.height; ++y)
    list.AddRectFilled({at.x, edge(at.y, size.y - 1, y, grid.height)},
                       {at.x + size.x, edge(at.y, size.y - 1, y, grid.height) + 1}, IM_COL32(128, 128, 128, 110));
}

/// The token under the pointer: a view has margins around the picture, what was looked at has none.
std::optional<dsvl::Index> pointed_at(const Overlay& overlay, const ImVec2& at, const ImVec2& size) {
  if (!ImGui::IsItemHovered()) return std::nullopt;
  const ImVec2 mouse = ImGui::GetMousePos();
  const dsvl::SeenPicture& seen = overlay.seen();
  const double x = static_cast<double>((mouse.x - at.x) / size.x), y = static_cast<double>((mouse.y - at.y) / size.y);
  const auto number = [](dsvl::Index n) { return static_cast<double>(n); };
  const dsvl::TokenMap map = seen.map();
  if (overlay.wish()->kind == OverlayKind::attention && overlay.strongest() >= 0)
    return map.token_at(number(seen.region.x) + x * number(seen.region.width),
                        number(seen.region.y) + y * number(seen.region.height));
  return map.token(static_cast<dsvl::Index>(x * number(map.grid().width)),
                   static_cast<dsvl::Index>(y * number(map.grid().height)));
}

std::string scaling_text(const dsvl::SeenPicture& seen) {
  const dsvl::SeenPicture::View& view = sharpest(seen);
  char out[200];
  std::snprintf(out, sizeof out, "%td x %td pixels%s became %td x %td in a square of %td, %td tokens.", seen.width,
                seen.height, seen.turned ? ", turned upright," : "", view.content.width, view.content.height, view.side,
                seen.tokens);
  return out;
}

void choose_kind(const Look& look, SeenChoice& choice) {
  const auto one = [&](const char* label, OverlayKind kind) {
    const bool chosen = choice.kind == kind;
    if (chosen) main_button(label, look.theme);
    else if (ImGui::Button(label)) choice.kind = kind;
  };
  one("Where it looked", OverlayKind::attention);
  ImGui::SameLine();
  one("As it sees it", OverlayKind::view);
}

}  // namespace

void show_seen(const Look& look, const Place& place, const Overlay& overlay, SeenChoice& choice) {
  dsvl::json::Writer shows;
  const Panel panel("seen", place, look.theme.panel);
  begin_shows(shows, place);
  text(look.fonts.heading, look.theme.text, "What the model saw");
  choose_kind(look, choice);
  ImGui::Spacing();
  const bool attention = choice.kind == OverlayKind::attention;
  const bool drawn = overlay.texture() != nullptr;
  std::string words, token;
  if (!overlay.error().empty()) words = overlay.error();
  else if (!overlay.wish()) words = "Ask about a picture, and this shows it as the model got it.";
  else if (!drawn) words = "...";
  if (drawn && words.empty()) {
    const ImVec2 size = fitted(overlay.texture(), static_cast<float>(Overlay::kSide)), at = ImGui::GetCursorScreenPos();
    ImGui::Image(overlay.texture().get(), size);
    const auto pointed = pointed_at(overlay, at, size);
    const dsvl::TokenMap map = overlay.seen().map();
    if (overlay.strongest() < 0) draw_token_grid(map, at, size);
    words = scaling_text(overlay.seen());
    if (pointed) {
      const dsvl::Box box = map.box_of(*pointed);
      token = "Token " + std::to_string(*pointed) + ": " + (box.empty() ? "padding" : of_box(box));
    } else if (overlay.strongest() >= 0) {
      token = "It looked most at " + of_box(map.box_of(overlay.strongest())) + ".";
    } else if (attention) {
      token = "The answer to come shows where it looks.";
    }
    text(look.fonts.small, look.theme.text, token.empty() ? "Point at a token to see what it shows." : token);
  }
  text(look.fonts.small, look.theme.dim, words);
  shows.key("picture");
  if (overlay.wish()) shows.value(overlay.wish()->picture->name);
  else shows.null();
  shows.key("kind")
      .value(attention ? "attention" : "view")
      .key("drawn")
      .value(drawn && overlay.done())
      .key("strongest")
      .value(overlay.strongest());
  shows.key("words").value(words).key("token").value(token);
  look.screen.add("seen", place, shows.end_object());
}

}  // namespace desktop
