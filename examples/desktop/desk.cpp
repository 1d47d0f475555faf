#include "desk.hpp"

#include <algorithm>
#include <filesystem>

#include "../cli/file_names.hpp"
#include "../cli/system.hpp"

namespace desktop {

namespace {

constexpr const char* kShipped = "examples/models/tiny-vl";

dsvl::GenerateOptions generate_options(const Options& options) {
  dsvl::GenerateOptions out;
  out.max_tokens = options.max_tokens;
  out.sampling.temperature = options.temperature;
  return out;
}

/// One thread is left to the window.
int threads_of(const Options& options) {
  return options.threads > 0 ? options.threads : std::max(1, dsvl::available_threads() - 1);
}

}  // namespace

Desk::Desk(const Options& options, const Fonts& fonts, Canvas& canvas, Mailbox& mailbox)
    : fonts_(fonts), shelf_(mailbox, background_, canvas, session_options({})), planner_(mailbox, background_),
      overlay_(mailbox, background_, canvas), talk_(mailbox, generate_options(options)), question_{options.question},
      light_(options.light), choosing_(options.models.empty()) {
  use(colours());
  const std::string first = planner_.add(choosing_ ? kShipped : options.models.front());
  for (const std::string& model : options.models) planner_.add(model);
  choice_ = {first, {}, {}, static_cast<int>(options.context), threads_of(options)};
  for (const std::string& picture : options.pictures) open(picture);
  if (!choosing_) load();
}

Desk::~Desk() { background_.finish(); }

// --- what the user wants -----------------------------------------------------------------------

bool Desk::handle(const SDL_Event& event) {
  if (event.type == SDL_DROPFILE) {
    open(event.drop.file);
    SDL_free(event.drop.file);
    return true;
  }
  if (event.type != SDL_KEYDOWN) return false;
  if ((event.key.keysym.mod & (KMOD_CTRL | KMOD_GUI)) != 0) return handle_control_key(event.key.keysym.sym);
  const SDL_Keycode key = event.key.keysym.sym;
  if ((key == SDLK_RETURN || key == SDLK_KP_ENTER) && is_choosing() && !path_.active && !model_path_.active) {
    if (planner_.plan()) load();
    return true;
  }
  if (key != SDLK_ESCAPE) return false;
  if (phase() == Phase::answering || phase() == Phase::loading) talk_.stop();
  else if (shelf_.chooser()) shelf_.close_pages();
  else if (choosing_ && talk_.state().model) choosing_ = false;
  return true;  // the field would take back what was typed
}

bool Desk::handle_control_key(SDL_Keycode key) {
  const bool ready = phase() == Phase::ready, in_other_field = path_.active || model_path_.active;
  switch (key) {
    case SDLK_o: path_.focus = true, question_.focus = false; return true;
    case SDLK_n: begin_anew(); return true;
    case SDLK_t: change_theme(); return true;
    case SDLK_m: choosing_ = ready || phase() == Phase::empty; return true;
    case SDLK_r:
      if (ready && !talk_.state().turns.empty()) ask_again();
      return true;
    case SDLK_v: return !in_other_field && paste_file();
    // With words in the question's field they are copied.
    case SDLK_c: return question_.text.empty() && !in_other_field && (copy_answer_ = true);
    default: return false;
  }
}

/// Opens what was copied if it is a file's name, as file managers copy it. False when it is text.
bool Desk::paste_file() {
  const std::unique_ptr<char, void (*)(void*)> copied(SDL_GetClipboardText(), SDL_free);
  std::string text = copied ? copied.get() : "";
  text = text.substr(0, text.find_first_of("\r\n"));
  text = cli::path_of_uri(text);
  std::error_code error;
  if (text.empty() || !std::filesystem::is_regular_file(cli::to_path(text), error)) return false;
  open(text);
  return true;
}

void Desk::copy(const std::string& text) { SDL_SetClipboardText(text.c_str()); }

void Desk::change_theme() {
  light_ = !light_;
  use(colours());
}

void Desk::begin_anew() {
  if (phase() != Phase::ready) return;
  tick_known();
  talk_.clear();
  overlay_.clear();
  seen_ = {};
}

/// Pictures that were asked about are new to another conversation.
void Desk::tick_known() {
  for (ShelfPicture& picture : shelf_.pictures())
    picture.ticked = picture.ticked || talk_.state().knows(picture.source);
}

void Desk::tick(const std::vector<SharedPicture>& pictures, bool ticked) {
  for (ShelfPicture& picture : shelf_.pictures())
    if (std::find(pictures.begin(), pictures.end(), picture.source) != pictures.end()) picture.ticked = ticked;
}

/// Pictures of a question that failed, or was stopped at once, are no part of the conversation: they go with the next
/// question, which would be answered without them.
void Desk::tick_unanswered() {
  if (!asked_ || phase() != Phase::ready) return;
  asked_ = false;
  const std::vector<Turn>& turns = talk_.state().turns;
  if (!turns.empty() && !turns.back().kept) tick(turns.back().pictures, true);
}

void Desk::open(const std::string& path) { shelf_.open(path); }

void Desk::ask() {
  choosing_ = false;
  shelf_.close_pages();
  std::vector<SharedPicture> pictures;
  for (ShelfPicture& picture : shelf_.pictures())
    if (picture.ticked) pictures.push_back(picture.source), picture.ticked = false;  // later questions know it already
  seen_.picture.reset();
  talk_.ask(std::move(question_.text), std::move(pictures));
  question_.text.clear();
  asked_ = true;
}

void Desk::ask_again() {
  tick(talk_.state().turns.back().pictures, false);
  talk_.ask_again();
  asked_ = true;
}

void Desk::load() {
  if (phase() != Phase::ready && phase() != Phase::empty) return;
  choosing_ = false;
  tick_known();
  overlay_.clear();
  seen_ = {};
  talk_.load(choice_);
}

// --- what is shown -----------------------------------------------------------------------------

void Desk::show(float width, float height) {
  constexpr float kTop = 54, kLeft = 298, kRight = 356, kQuestion = 52, kStatus = 26;
  screen_.clear();
  tick_unanswered();
  const Look look{colours(), fonts_, screen_};
  const HeaderWishes header = show_header(look, {0, 0, width, kTop}, talk_.state(), light_);
  const float below = height - kTop - 1, middle = width - kLeft - kRight - 2;
  const PictureWishes pictures = show_pictures(look, {0, kTop + 1, kLeft, below}, shelf_, path_, talk_.state());
  show_middle(look, {kLeft + 1, kTop + 1, middle, below - kQuestion - kStatus});
  const auto ticked =
      std::count_if(shelf_.pictures().begin(), shelf_.pictures().end(), [](const ShelfPicture& p) { return p.ticked; });
  const float bottom = height - kQuestion - kStatus;
  const QuestionWishes question =
      show_question(look, {kLeft + 1, bottom, middle, kQuestion}, question_, talk_.state(), static_cast<int>(ticked));
  show_status(look, {kLeft + 1, height - kStatus, middle, kStatus}, talk_.state());
  show_right(look, {width - kRight, kTop + 1, kRight, below});

  if (header.change_theme) change_theme();
  if (header.choose_model) choosing_ = !choosing_ || !talk_.state().model;
  if (header.begin_anew) begin_anew();
  if (!pictures.open.empty()) open(pictures.open), path_.text.clear();
  if (pictures.look_at) seen_.picture = pictures.look_at;
  if (pictures.remove) shelf_.remove(*pictures.remove);
  if (question.ask) ask();
  if (question.stop) talk_.stop();
  if (copy_answer_ && !talk_.state().turns.empty()) copy(talk_.state().turns.back().answer);
  copy_answer_ = false;
  // What is typed goes to the question, unless another field was chosen.
  const bool popup = ImGui::IsPopupOpen("", ImGuiPopupFlags_AnyPopupId | ImGuiPopupFlags_AnyPopupLevel);
  if (!popup && !ImGui::IsAnyItemActive() && !path_.focus) question_.focus = true;
}

void Desk::show_middle(const Look& look, const Place& place) {
  if (shelf_.chooser()) {
    const PageWishes wishes = show_pages(look, place, *shelf_.chooser());
    if (wishes.take) shelf_.take_page(*wishes.take);
    if (wishes.turn_to) shelf_.turn_to(*wishes.turn_to);
    if (wishes.close) shelf_.close_pages();
  } else if (is_choosing()) {
    planner_.plan(choice_);
    const ChooserWishes wishes = show_chooser(look, place, planner_, choice_, model_path_, talk_.state());
    if (!wishes.add.empty()) choice_.model = planner_.add(wishes.add), model_path_.text.clear();
    if (wishes.load) load();
    if (wishes.close) choosing_ = false;
  } else {
    const TurnWishes wishes = show_conversation(look, place, talk_.state(), shelf_);
    if (wishes.copy) copy(*wishes.copy);
    if (wishes.again) ask_again();
    if (wishes.look_at) seen_.picture = wishes.look_at;
  }
}

/// The picture that was clicked, or the last one of the conversation; with where the last answer looked, if it could.
void Desk::show_right(const Look& look, const Place& place) {
  const TalkState& talk = talk_.state();
  const Turn* const last = talk.turns.empty() ? nullptr : &talk.turns.back();
  OverlayWish wish{seen_.picture, seen_.kind, {}};
  if (last && last->finish != dsvl::Finish::none)
    for (std::size_t i = 0; i < last->seen.size(); ++i) {
      if (seen_.picture && last->seen[i].source != seen_.picture) continue;
      wish.picture = last->seen[i].source;
      if (seen_.kind == OverlayKind::attention && i < last->attention.size()) wish.attention = last->attention[i];
    }
  if (!wish.picture && last && !last->pictures.empty()) wish.picture = last->pictures.back();
  if (wish.picture && talk.model) overlay_.want(talk.model, wish);
  show_seen(look, place, overlay_, seen_);
}

}  // namespace desktop
