#include <algorithm>
#include <cmath>
#include <iterator>

#include "../cli/console.hpp"
#include "views.hpp"

namespace desktop {

namespace {

struct Part {
  const char* name;
  std::size_t bytes;
  ImU32 colour;
};

/// A bar of the plan's parts, and what each is.
void show_parts(const Look& look, std::span<const Part> parts) {
  std::size_t all = 1;
  for (const Part& part : parts) all += part.bytes;
  ImDrawList& list = *ImGui::GetWindowDrawList();
  const ImVec2 from = ImGui::GetCursorScreenPos();
  const float width = ImGui::GetContentRegionAvail().x - 12;
  float x = from.x;
  for (const Part& part : parts) {
    const float end = std::round(x + width * static_cast<float>(part.bytes) / static_cast<float>(all));
    list.AddRectFilled({x, from.y}, {end, from.y + 14}, part.colour);
    x = end;
  }
  ImGui::Dummy({width, 18});
  for (const Part& part : parts) {
    const ImVec2 at = ImGui::GetCursorScreenPos();
    list.AddRectFilled({at.x, at.y + 3}, {at.x + 10, at.y + 13}, part.colour);
    ImGui::Dummy({16, 14});
    ImGui::SameLine(0, 4);
    text(look.fonts.small, look.theme.text, part.name);
    ImGui::SameLine(230);
    text(look.fonts.small, look.theme.dim, cli::bytes_text(static_cast<double>(part.bytes)));
  }
}

std::string total(const dsvl::Plan& plan, std::uint64_t free) {
  std::string out = cli::bytes_text(static_cast<double>(plan.peak())) + " of memory at the most";
  if (free > 0) out += ", of " + cli::bytes_text(static_cast<double>(free)) + " that are free";
  return out;
}

/// What it would take. Returns what was said, for the state.
std::string show_plan(const Look& look, const Planner& planner) {
  if (!planner.error().empty()) {
    text(look.fonts.body, look.theme.bad, planner.error());
    return planner.error();
  }
  if (!planner.plan()) {
    text(look.fonts.body, look.theme.dim, "...");
    return "...";
  }
  const dsvl::Plan& plan = *planner.plan();
  const std::string words = total(plan, planner.free_bytes());
  const bool fits = planner.free_bytes() == 0 || plan.peak() + plan.file_bytes <= planner.free_bytes();
  text(look.fonts.heading, fits ? look.theme.text : look.theme.bad, words);
  const Part parts[] = {{"Weights, in the file", plan.file_bytes, IM_COL32(0x7A, 0x84, 0x96, 255)},
                        {"Model", plan.model, IM_COL32(0x5B, 0x8D, 0xEF, 255)},
                        {"Keys and values", plan.cache, IM_COL32(0xE0, 0x9F, 0x3E, 255)},
                        {"Decoder", plan.decoder, IM_COL32(0x67, 0xC5, 0x8F, 255)},
                        {"Pictures", plan.vision, IM_COL32(0xB5, 0x7B, 0xD9, 255)}};
  show_parts(look, parts);
  return words;
}

constexpr const char* kKvNames[] = {"As the weights suggest", "Float", "bf16 (half)", "8 bits (a quarter)"};
constexpr std::optional<dsvl::KvFormat> kKvFormats[] = {
    {}, dsvl::KvFormat::full, dsvl::KvFormat::bf16, dsvl::KvFormat::q8};
constexpr const char* kActivationNames[] = {"Float", "bf16, where weights are"};

void show_precision(Choice& choice) {
  int kv =
      static_cast<int>(std::find(std::begin(kKvFormats), std::end(kKvFormats), choice.kv) - std::begin(kKvFormats));
  ImGui::SetNextItemWidth(250);
  if (ImGui::Combo("Keys and values", &kv, kKvNames, static_cast<int>(std::size(kKvNames)))) choice.kv = kKvFormats[kv];
  int activations = static_cast<int>(choice.activations);
  ImGui::SetNextItemWidth(250);
  if (ImGui::Combo("Activations", &activations, kActivationNames, 2))
    choice.activations = static_cast<dsvl::ActivationPrecision>(activations);
  ImGui::SetNextItemWidth(250);
  ImGui::InputInt("Context, in tokens (0: its own)", &choice.context, 256, 1024);
  choice.context = std::clamp(choice.context, 0, 1 << 20);
  ImGui::SetNextItemWidth(250);
  ImGui::InputInt("Threads", &choice.threads, 1, 4);
  choice.threads = std::clamp(choice.threads, 1, 256);
}

void list_choice(const Choice& choice, dsvl::json::Writer& shows) {
  const auto kv = std::find(std::begin(kKvFormats), std::end(kKvFormats), choice.kv) - std::begin(kKvFormats);
  shows.key("model").value(choice.model).key("kv").value(kKvNames[kv]);
  shows.key("activations").value(kActivationNames[static_cast<int>(choice.activations)]);
  shows.key("context").value(choice.context).key("threads").value(choice.threads);
}

}  // namespace

ChooserWishes show_chooser(const Look& look, const Place& place, const Planner& planner, Choice& choice, Field& path,
                           const TalkState& talk) {
  ChooserWishes wishes;
  dsvl::json::Writer shows;
  const Panel panel("chooser", place, look.theme.page);
  begin_shows(shows, place);
  ImGui::Indent(12);
  text(look.fonts.heading, look.theme.text, "Model");
  for (const std::string& model : planner.models())
    if (ImGui::RadioButton(model.c_str(), model == choice.model)) choice.model = model;
  ImGui::SetNextItemWidth(-12);
  if (input("##model", "Path of another folder or GGUF file", path)) wishes.add = path.text;
  ImGui::Dummy({0, 4});
  text(look.fonts.heading, look.theme.text, "Precision");
  text(look.fonts.small, look.theme.dim, "Weights are as the file has them; dsvl convert makes files of 8 and 4 bits.");
  show_precision(choice);
  ImGui::Dummy({0, 4});
  const std::string words = show_plan(look, planner);
  if (!talk.error.empty() && planner.error().empty()) text(look.fonts.body, look.theme.bad, talk.error);
  ImGui::Dummy({0, 4});
  ImGui::BeginDisabled(!planner.plan());
  wishes.load = main_button("Load", look.theme, {120, 0}) && planner.plan();
  ImGui::EndDisabled();
  ImGui::SameLine();
  if (talk.model) wishes.close = ImGui::Button("Cancel", {120, 0});
  list_choice(choice, shows);
  shows.key("list_open").value(ImGui::IsPopupOpen("", ImGuiPopupFlags_AnyPopupId | ImGuiPopupFlags_AnyPopupLevel));
  shows.key("models").begin_array();
  for (const std::string& model : planner.models()) shows.value(model);
  shows.end_array().key("path").value(path.text).key("plan").value(words).key("error").value(talk.error);
  shows.key("peak").value(planner.plan() ? planner.plan()->peak() : 0);
  look.screen.add("chooser", place, shows.end_object());
  return wishes;
}

}  // namespace desktop
