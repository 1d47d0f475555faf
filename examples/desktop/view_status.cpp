#include <cmath>

#include "views.hpp"

namespace desktop {

namespace {

std::string doing(const TalkState& talk) {
  if (talk.stopping) return "Stopping";
  if (talk.phase == Phase::loading) return "Loading the model";
  if (talk.phase == Phase::empty) return talk.error.empty() ? "Choose a model" : talk.error;
  if (talk.phase == Phase::ready) return "Ready";
  if (talk.stage == "encode") return "Looking at the picture";
  if (talk.stage == "decode image" || talk.stage == "preprocess") return "Decoding the picture";
  return talk.stage.empty() ? "Answering" : "Reading the question";
}

}  // namespace

void show_status(const Look& look, const Place& place, const TalkState& talk) {
  dsvl::json::Writer shows;
  const Panel panel("status", place, look.theme.page,
                    ImGuiWindowFlags_NoScrollbar | ImGuiWindowFlags_NoScrollWithMouse);
  begin_shows(shows, place);
  const std::string words = doing(talk);
  const bool failed = talk.phase == Phase::empty && !talk.error.empty();
  ImGui::SetCursorPos({30, 2});
  line(look.fonts.small, failed ? look.theme.bad : look.theme.dim, words, place.width - 60);
  // A stage's share, in steps that can be seen.
  const bool has_share = !talk.stage.empty() && (talk.phase == Phase::loading || talk.phase == Phase::answering);
  const float share = has_share ? std::round(talk.share * 200) / 200 : 0;
  if (has_share) {
    const ImVec2 from = {place.x + 240, place.y + 7}, to = {place.x + place.width - 122, place.y + 13};
    ImDrawList& list = *ImGui::GetWindowDrawList();
    list.AddRectFilled(from, to, ImGui::GetColorU32(look.theme.field));
    list.AddRectFilled(from, {std::floor(from.x + (to.x - from.x) * share), to.y},
                       ImGui::GetColorU32(look.theme.accent));
  }
  shows.key("words").value(words).key("share");
  if (has_share) shows.value(static_cast<double>(share));
  else shows.null();
  look.screen.add("status", place, shows.end_object());
}

}  // namespace desktop
