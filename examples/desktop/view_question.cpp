#include "views.hpp"

namespace desktop {

namespace {

const char* hint(const TalkState& talk, int pictures) {
  if (talk.phase == Phase::empty) return "Load a model first";
  if (talk.phase == Phase::loading) return "The model is being loaded";
  return pictures == 0 ? "Ask anything" : pictures == 1 ? "Ask about the picture" : "Ask about the pictures";
}

}  // namespace

QuestionWishes show_question(const Look& look, const Place& place, Field& question, const TalkState& talk,
                             int pictures) {
  QuestionWishes wishes;
  dsvl::json::Writer shows;
  const Panel panel("question", place, look.theme.page,
                    ImGuiWindowFlags_NoScrollbar | ImGuiWindowFlags_NoScrollWithMouse);
  begin_shows(shows, place);
  constexpr float kButton = 92;
  ImGui::SetCursorPos({18, 8});
  ImGui::SetNextItemWidth(place.width - kButton - 46);
  const bool entered = input("##question", hint(talk, pictures), question);
  if (entered) question.focus = true;  // the keyboard stays here
  ImGui::SameLine();
  const bool answering = talk.phase == Phase::answering;
  const bool can_ask = talk.phase == Phase::ready && !question.text.empty();
  if (answering) {
    ImGui::BeginDisabled(talk.stopping);
    wishes.stop = ImGui::Button("Stop", {kButton, 0});
    ImGui::EndDisabled();
  } else {
    ImGui::BeginDisabled(!can_ask);
    wishes.ask = main_button("Ask", look.theme, {kButton, 0});
    ImGui::EndDisabled();
  }
  wishes.ask = (wishes.ask || entered) && can_ask;
  shows.key("text").value(question.text).key("hint").value(hint(talk, pictures)).key("active").value(question.active);
  shows.key("button").value(answering ? talk.stopping ? "stopping" : "stop" : can_ask ? "ask" : "none");
  look.screen.add("question", place, shows.end_object());
  return wishes;
}

}  // namespace desktop
