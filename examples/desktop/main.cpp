// dsvl-desktop: a window to ask about pictures in.
//
//   dsvl-desktop -m deepseek-vl-1.3b-chat.gguf photo.jpg
//
// main.cpp waits for what happens and draws a frame when something did; desk.hpp has what is shown and does what the
// user wants; talk.hpp is the thread that loads and answers; shelf.hpp has the pictures; canvas.hpp draws.
#include "../cli/library.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>

#include <imgui.h>

#include "../cli/console.hpp"
#include "../cli/system.hpp"
#include "desk.hpp"
#include "state_file.hpp"

namespace {

using namespace desktop;
using Clock = std::chrono::steady_clock;

/// Frames in a second at the most, where nothing else holds them back.
constexpr auto kFrame = std::chrono::microseconds(16'667);
/// After something happened: ImGui learns in one frame what it draws in the next.
constexpr int kFramesAfterEvent = 3;

bool presses(const SDL_Event& event) { return event.type == SDL_KEYDOWN || event.type == SDL_MOUSEBUTTONDOWN; }
bool lets_go(const SDL_Event& event) { return event.type == SDL_KEYUP || event.type == SDL_MOUSEBUTTONUP; }

/// Takes what happens until a frame is due: not before `next`, and never while `due` is 0 and nothing happens. False
/// when the window is to close.
bool wait_for_frame(Clock::time_point next, int& due, Desk& desk) {
  const auto left = [&] {
    return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(next - Clock::now()).count());
  };
  SDL_Event event;
  for (bool pressed = false;;) {
    SDL_PumpEvents();
    while (SDL_PeepEvents(&event, 1, SDL_PEEKEVENT, SDL_FIRSTEVENT, SDL_LASTEVENT) == 1) {
      // A frame has to see a key that is down, also one that is let go at once.
      if (pressed && lets_go(event)) return SDL_Delay(static_cast<Uint32>(std::max(left(), 0))), true;
      SDL_PollEvent(&event);
      pressed = pressed || presses(event);
      due = kFramesAfterEvent;
      if (event.type == SDL_QUIT) return false;
      if (!desk.handle(event)) Canvas::handle(event);
    }
    if (due == 0) SDL_WaitEvent(nullptr);
    else if (left() > 0) SDL_WaitEventTimeout(nullptr, left());
    else return true;
  }
}

void run(Canvas& canvas, Mailbox& mailbox, Desk& desk, StateFile& file) {
  cli::Histogram all, answering;
  FrameState state;
  int due = kFramesAfterEvent;
  for (auto next = Clock::now();;) {
    if (!wait_for_frame(next, due, desk)) return;
    const auto began = Clock::now();
    next = began + kFrame;
    if (mailbox.open_letters()) due = kFramesAfterEvent;
    canvas.begin_frame();
    const bool answers = desk.phase() == Phase::answering;
    state.phase = name(desk.phase()), state.light = desk.light();  // as they are shown; what is wished for comes next
    const Theme& colours = desk.colours();
    const ImVec2 size = ImGui::GetIO().DisplaySize;
    desk.show(size.x, size.y);
    canvas.end_frame(&colours.line.x);
    --due;
    const double took = std::chrono::duration<double, std::milli>(Clock::now() - began).count();
    all.add(took);
    if (answers) answering.add(took);
    ++state.frame;
    state.settled = due == 0;
    file.write(state, desk.screen(), all, answering);
  }
}

int open_window(const Options& options) {
  auto canvas = Canvas::open("dsvl", 1280, 720);
  if (!canvas) return cli::give_up(canvas.error(), "is there a screen? DISPLAY names it");
  Fonts fonts;
  if (!load_fonts(options.font, options.font_pixels, fonts)) {
    cli::print_error(options.font + " is not there, or is no whole TrueType font",
                     "name another file with --font, or leave it out");
    return cli::kError;
  }
  if (const dsvl::Status s = (*canvas)->upload_fonts(); !s.ok()) return cli::give_up(s);
  const Uint32 letter = SDL_RegisterEvents(1);
  Mailbox mailbox([letter] {
    SDL_Event event = {};
    event.type = letter;
    SDL_PushEvent(&event);
  });
  Desk desk(options, fonts, **canvas, mailbox);
  StateFile file(options.state);
  run(**canvas, mailbox, desk, file);
  return cli::kOk;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (const auto exit = read_options(cli::start_up(argc, argv), options)) return *exit;
  return open_window(options);
}
