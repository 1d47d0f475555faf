#include <algorithm>

#include "views.hpp"

namespace desktop {

namespace {

constexpr float kPageSide = 182;

void show_page(const Look& look, const PageChooser& chooser, int page, PageWishes& wishes) {
  const auto number = static_cast<std::size_t>(page - chooser.first);
  const bool taken = std::find(chooser.taken.begin(), chooser.taken.end(), page) != chooser.taken.end();
  ImGui::PushID(page);
  ImGui::BeginGroup();
  const bool drawn = number < chooser.thumbnails.size();
  if (picture_button("##page", drawn ? chooser.thumbnails[number] : Texture(), kPageSide, look.theme, taken) && !taken)
    wishes.take = page;
  text(look.fonts.small, taken ? look.theme.accent : look.theme.dim,
       std::to_string(page + 1) + (taken ? ", opened" : ""));
  ImGui::EndGroup();
  ImGui::PopID();
}

}  // namespace

PageWishes show_pages(const Look& look, const Place& place, const PageChooser& chooser) {
  PageWishes wishes;
  dsvl::json::Writer shows;
  const Panel panel("pages", place, look.theme.page);
  begin_shows(shows, place);
  ImGui::Indent(12);
  const int last = std::min(chooser.first + Shelf::kPagesShown, chooser.pages);
  const std::string which = "Pages " + std::to_string(chooser.first + 1) + " to " + std::to_string(last) + " of " +
                            std::to_string(chooser.pages);
  text(look.fonts.heading, look.theme.text, chooser.name);
  text(look.fonts.small, look.theme.dim, which + ". Click those that you want to ask about.");
  ImGui::BeginDisabled(chooser.first == 0);
  if (ImGui::Button("Before")) wishes.turn_to = std::max(0, chooser.first - Shelf::kPagesShown);
  ImGui::EndDisabled();
  ImGui::SameLine();
  ImGui::BeginDisabled(last >= chooser.pages);
  if (ImGui::Button("Next")) wishes.turn_to = last;
  ImGui::EndDisabled();
  ImGui::SameLine();
  wishes.close = main_button("Done", look.theme);
  ImGui::Dummy({0, 4});
  const int columns = std::max(1, static_cast<int>((place.width - 36) / (kPageSide + 12)));
  for (int page = chooser.first; page < last; ++page) {
    if ((page - chooser.first) % columns != 0) ImGui::SameLine(0, 12);
    show_page(look, chooser, page, wishes);
  }
  shows.key("file").value(chooser.name).key("pages").value(chooser.pages).key("first").value(chooser.first);
  shows.key("drawn").value(chooser.thumbnails.size()).key("taken").begin_array();
  for (const int page : chooser.taken) shows.value(page);
  look.screen.add("pages", place, shows.end_array().end_object());
  return wishes;
}

}  // namespace desktop
