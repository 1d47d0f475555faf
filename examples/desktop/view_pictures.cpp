#include <algorithm>

#include "views.hpp"

namespace desktop {

namespace {

std::string size_text(const ShelfPicture& picture, bool asked) {
  std::string out = std::to_string(picture.width) + " x " + std::to_string(picture.height);
  if (picture.orientation != 1) out += ", turned";
  return asked ? out + ", asked" : out;
}

void show_tile(const Look& look, ShelfPicture& picture, std::size_t number, float side, bool asked,
               PictureWishes& wishes) {
  ImGui::PushID(static_cast<int>(number));
  ImGui::BeginGroup();
  const ImVec2 at = ImGui::GetCursorPos();
  if (picture_button("##picture", picture.thumbnail, side, look.theme, picture.ticked)) {
    picture.ticked = !picture.ticked;
    wishes.look_at = picture.source;
  }
  ImGui::SetItemAllowOverlap();
  ImGui::SetCursorPos({at.x + side - 26, at.y + 4});
  ImGui::PushStyleVar(ImGuiStyleVar_FramePadding, {6, 2});
  if (ImGui::Button("x")) wishes.remove = number;
  ImGui::PopStyleVar();
  ImGui::SetCursorPos({at.x, at.y + side + 4});
  ImGui::PushStyleVar(ImGuiStyleVar_ItemSpacing, {10, 2});
  line(look.fonts.small, picture.ticked ? look.theme.accent : look.theme.text, picture.source->name, side);
  line(look.fonts.small, look.theme.dim, size_text(picture, asked), side);
  ImGui::PopStyleVar();
  ImGui::EndGroup();
  ImGui::PopID();
}

void show_tiles(const Look& look, Shelf& shelf, const TalkState& talk, PictureWishes& wishes,
                dsvl::json::Writer& shows) {
  const float side = std::min(std::floor((ImGui::GetContentRegionAvail().x - 10) / 2), 126.0f);
  shows.key("pictures").begin_array();
  for (std::size_t i = 0; i < shelf.pictures().size(); ++i) {
    ShelfPicture& picture = shelf.pictures()[i];
    const bool asked = talk.knows(picture.source);
    if (i % 2 == 1) ImGui::SameLine(0, 10);
    show_tile(look, picture, i, side, asked, wishes);
    shows.begin_object().key("name").value(picture.source->name);
    shows.key("width").value(picture.width).key("height").value(picture.height);
    shows.key("orientation").value(picture.orientation).key("ticked").value(picture.ticked);
    shows.key("asked").value(asked).end_object();
  }
  shows.end_array();
}

}  // namespace

PictureWishes show_pictures(const Look& look, const Place& place, Shelf& shelf, Field& path, const TalkState& talk) {
  PictureWishes wishes;
  dsvl::json::Writer shows;
  const Panel panel("pictures", place, look.theme.panel);
  begin_shows(shows, place);
  text(look.fonts.heading, look.theme.text, "Pictures");
  ImGui::SetNextItemWidth(-1);
  if (input("##path", kHasPdf ? "Path of a picture or PDF" : "Path of a picture", path)) wishes.open = path.text;
  if (!shelf.error().empty()) text(look.fonts.small, look.theme.bad, shelf.error());
  else if (shelf.reading() > 0) text(look.fonts.small, look.theme.dim, "Reading...");
  else if (shelf.pictures().empty())
    text(look.fonts.small, look.theme.dim,
         "Drop pictures into this window. Those with a frame go with the next question.");
  ImGui::Spacing();
  shows.key("path").value(path.text).key("active").value(path.active).key("error").value(shelf.error());
  shows.key("reading").value(shelf.reading());
  show_tiles(look, shelf, talk, wishes, shows);
  look.screen.add("pictures", place, shows.end_object());
  return wishes;
}

}  // namespace desktop
