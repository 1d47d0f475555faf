#include "../cli/console.hpp"
#include "views.hpp"

namespace desktop {

namespace {

/// "tiny-vl   hybrid, 64 tokens a picture, 1024 of context, 21 MiB"
std::string details_of(const TalkState& talk) {
  const dsvl::ModelInfo& info = talk.model->model->info();
  return std::to_string(info.image_tokens) + " tokens a picture, context of " + std::to_string(talk.context) + ", " +
         cli::bytes_text(static_cast<double>(talk.session_bytes)) + " beside " +
         cli::bytes_text(static_cast<double>(info.file_bytes)) + " of weights";
}

}  // namespace

HeaderWishes show_header(const Look& look, const Place& place, const TalkState& talk, bool light) {
  HeaderWishes wishes;
  const Panel panel("header", place, look.theme.panel,
                    ImGuiWindowFlags_NoScrollbar | ImGuiWindowFlags_NoScrollWithMouse);
  ImGui::SetCursorPos({18, 16});
  std::string name, details;
  if (talk.model) {
    const auto path = dsvl::utf8_to_path(talk.model->choice.model);
    name = dsvl::path_to_utf8(path.has_filename() ? path.filename() : path.parent_path().filename());
    details = details_of(talk);
  } else {
    name = talk.phase == Phase::loading ? "Loading..." : "No model yet";
  }
  text(look.fonts.heading, look.theme.text, name);
  ImGui::SameLine(0, 14);
  ImGui::SetCursorPosY(19);
  line(look.fonts.small, look.theme.dim, details, place.width - 620);

  const char* const other = light ? "Dark" : "Light";
  const auto width = [](const char* label) { return ImGui::CalcTextSize(label).x + 24; };
  ImGui::SetCursorPos({place.width - width("New conversation") - width("Model...") - width("Light") - 38, 9});
  const bool idle = talk.phase == Phase::ready;
  ImGui::BeginDisabled(!idle || talk.turns.empty());
  wishes.begin_anew = ImGui::Button("New conversation");
  ImGui::EndDisabled();
  ImGui::SameLine();
  ImGui::BeginDisabled(!idle && talk.phase != Phase::empty);
  wishes.choose_model = ImGui::Button("Model...");
  ImGui::EndDisabled();
  ImGui::SameLine();
  wishes.change_theme = ImGui::Button(other, {width("Light"), 0});

  dsvl::json::Writer shows;
  begin_shows(shows, place);
  shows.key("model").value(name).key("details").value(details);
  shows.key("phase").value(desktop::name(talk.phase)).key("anew").value(idle && !talk.turns.empty()).end_object();
  look.screen.add("header", place, shows);
  return wishes;
}

}  // namespace desktop
