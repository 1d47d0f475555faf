#include <algorithm>
#include <cmath>

#include "../cli/console.hpp"
#include "views.hpp"

namespace desktop {

namespace {

constexpr float kAskedSide = 84;

/// What was computed for an answer, and what was not.
std::string pictures_text(const Turn& turn) {
  const auto count = [](int n) { return std::to_string(n) + (n == 1 ? " picture" : " pictures"); };
  std::string out;
  if (turn.computed > 0)
    out = "looked at " + count(turn.computed) + " in " + cli::seconds_text(turn.usage.encode + turn.usage.preprocess);
  if (turn.known > 0) out += (out.empty() ? "" : ", ") + count(turn.known) + " known: not computed again";
  return out;
}

std::string footer(const Turn& turn) {
  std::string out = pictures_text(turn);
  if (!out.empty()) out += "  ·  ";
  out += std::to_string(turn.usage.answer_tokens) + " tokens in " + cli::seconds_text(turn.usage.decode);
  if (turn.usage.reused_tokens > 0)
    out += "  ·  " + std::to_string(turn.usage.reused_tokens) + " of " + std::to_string(turn.usage.prompt_tokens) +
           " prompt tokens reused";
  if (turn.finish == dsvl::Finish::cancelled) out += "  ·  stopped";
  if (turn.finish == dsvl::Finish::length) out += "  ·  cut at --max-tokens";
  if (turn.finish == dsvl::Finish::context_full) out += "  ·  the context is full: begin a new conversation";
  return out;
}

/// A question's pictures, in rows at the right side.
void show_asked_pictures(const Look& look, const Turn& turn, const Shelf& shelf, TurnWishes& wishes) {
  constexpr float kGap = 10;
  const float left = ImGui::GetCursorPosX(), room = ImGui::GetContentRegionAvail().x;
  const auto in_a_row = static_cast<std::size_t>(std::max(1.0f, (room + kGap) / (kAskedSide + kGap)));
  for (std::size_t i = 0; i < turn.pictures.size(); ++i) {
    const std::size_t here = std::min(in_a_row, turn.pictures.size() - i / in_a_row * in_a_row);
    if (i % in_a_row > 0) ImGui::SameLine(0, kGap);
    else ImGui::SetCursorPosX(std::floor(left + room - static_cast<float>(here) * (kAskedSide + kGap) + kGap));
    ImGui::PushID(static_cast<int>(i));
    const ShelfPicture* const known = shelf.find(turn.pictures[i]);
    if (picture_button("##asked", known ? known->thumbnail : Texture(), kAskedSide, look.theme, false))
      wishes.look_at = turn.pictures[i];
    ImGui::PopID();
  }
}

/// The question as a bubble at the right side, under its pictures.
void show_asked(const Look& look, const Turn& turn, const Shelf& shelf, TurnWishes& wishes) {
  const float right = ImGui::GetCursorPosX() + ImGui::GetContentRegionAvail().x;
  show_asked_pictures(look, turn, shelf, wishes);
  constexpr float kMargin = 12;
  const float widest = std::floor(ImGui::GetContentRegionAvail().x * 0.8f);
  const ImVec2 size = ImGui::CalcTextSize(turn.question.c_str(), nullptr, false, widest - 2 * kMargin);
  const float left = std::floor(right - size.x - 2 * kMargin);
  ImGui::SetCursorPosX(left);
  const ImVec2 from = ImGui::GetCursorScreenPos();
  ImGui::GetWindowDrawList()->AddRectFilled(from, {from.x + size.x + 2 * kMargin, from.y + size.y + 16},
                                            ImGui::GetColorU32(look.theme.bubble), 8);
  ImGui::SetCursorPos({left + kMargin, ImGui::GetCursorPosY() + 8});
  ImGui::PushTextWrapPos(left + kMargin + size.x + 1);
  ImGui::TextUnformatted(turn.question.c_str());
  ImGui::PopTextWrapPos();
  ImGui::Dummy({0, 6});
}

void show_answer(const Look& look, const Turn& turn, bool last, const TalkState& talk, TurnWishes& wishes) {
  const bool under_way = last && talk.phase == Phase::answering;
  if (!turn.error.empty()) return text(look.fonts.body, look.theme.bad, turn.error);
  if (!turn.answer.empty()) text(look.fonts.body, look.theme.text, turn.answer);
  if (under_way) return text(look.fonts.body, look.theme.dim, turn.answer.empty() ? "..." : "");
  text(look.fonts.small, look.theme.dim, footer(turn));
  ImGui::SetCursorPosX(ImGui::GetCursorPosX() - 6);
  if (quiet_button("Copy", look.theme, look.fonts.small)) wishes.copy = turn.answer;
  ImGui::SameLine(0, 4);
  if (last && talk.phase == Phase::ready) wishes.again = quiet_button("Ask again", look.theme, look.fonts.small);
  else ImGui::NewLine();
}

void list_turn(const Turn& turn, dsvl::json::Writer& shows) {
  shows.begin_object().key("question").value(turn.question).key("pictures").begin_array();
  for (const SharedPicture& p : turn.pictures) shows.value(p->name);
  shows.end_array().key("answer").value(turn.answer).key("finish").value(dsvl::name(turn.finish));
  shows.key("error").value(turn.error);
  shows.key("pictures_computed").value(turn.computed).key("pictures_known").value(turn.known);
  shows.key("footer").value(turn.finish == dsvl::Finish::none ? "" : footer(turn)).end_object();
}

}  // namespace

TurnWishes show_conversation(const Look& look, const Place& place, const TalkState& talk, const Shelf& shelf) {
  TurnWishes wishes;
  dsvl::json::Writer shows;
  const Panel panel("conversation", place, look.theme.page);
  // Whoever reads further up is left there.
  const bool at_end = ImGui::GetScrollY() >= ImGui::GetScrollMaxY() - 4;
  ImGui::Indent(12);
  if (talk.turns.empty() && talk.phase != Phase::loading) {
    ImGui::Dummy({0, place.height / 2 - 90});
    text(look.fonts.heading, look.theme.text, "What do you want to know about a picture?");
    text(look.fonts.body, look.theme.dim, "Drop one into this window, type a question, and press Enter.");
  }
  for (std::size_t i = 0; i < talk.turns.size(); ++i) {
    ImGui::PushID(static_cast<int>(i));
    show_asked(look, talk.turns[i], shelf, wishes);
    show_answer(look, talk.turns[i], i + 1 == talk.turns.size(), talk, wishes);
    ImGui::Dummy({0, 12});
    ImGui::PopID();
  }
  if (at_end) ImGui::SetScrollHereY(1);
  begin_shows(shows, place);
  shows.key("loading").value(talk.phase == Phase::loading);
  shows.key("turns").begin_array();
  for (const Turn& turn : talk.turns) list_turn(turn, shows);
  look.screen.add("conversation", place, shows.end_array().key("ready").value(talk.phase == Phase::ready).end_object());
  return wishes;
}

}  // namespace desktop
