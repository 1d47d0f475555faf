// The parts of the window. Each draws what it is given, tells the screen what it shows, and returns what the user
// wants: it changes nothing but what can be typed or ticked in it.
#ifndef DSVL_DESKTOP_VIEWS_HPP
#define DSVL_DESKTOP_VIEWS_HPP

#include "overlay.hpp"
#include "planner.hpp"
#include "screen.hpp"
#include "shelf.hpp"
#include "talk.hpp"
#include "theme.hpp"
#include "widgets.hpp"

#include <optional>
#include <string>

namespace desktop {

/// What all parts are drawn with.
struct Look {
  const Theme& theme;
  const Fonts& fonts;
  Screen& screen;
};

struct HeaderWishes {
  bool choose_model = false, begin_anew = false, change_theme = false;
};
HeaderWishes show_header(const Look& look, const Place& place, const TalkState& talk, bool light);

struct PictureWishes {
  std::string open;       ///< a file
  SharedPicture look_at;  ///< a picture that was clicked
  std::optional<std::size_t> remove;
};
PictureWishes show_pictures(const Look& look, const Place& place, Shelf& shelf, Field& path, const TalkState& talk);

struct TurnWishes {
  std::optional<std::string> copy;
  bool again = false;
  SharedPicture look_at;
};
TurnWishes show_conversation(const Look& look, const Place& place, const TalkState& talk, const Shelf& shelf);

struct QuestionWishes {
  bool ask = false, stop = false;
};
/// `pictures` go with the question.
QuestionWishes show_question(const Look& look, const Place& place, Field& question, const TalkState& talk,
                             int pictures);

void show_status(const Look& look, const Place& place, const TalkState& talk);

/// What the user chose to look at, and which way.
struct SeenChoice {
  SharedPicture picture;  ///< none: the last one that was asked about
  OverlayKind kind = OverlayKind::attention;
};
void show_seen(const Look& look, const Place& place, const Overlay& overlay, SeenChoice& choice);

struct ChooserWishes {
  bool load = false, close = false;
  std::string add;  ///< a path
};
ChooserWishes show_chooser(const Look& look, const Place& place, const Planner& planner, Choice& choice, Field& path,
                           const TalkState& talk);

struct PageWishes {
  std::optional<int> take, turn_to;
  bool close = false;
};
PageWishes show_pages(const Look& look, const Place& place, const PageChooser& chooser);

}  // namespace desktop

#endif  // DSVL_DESKTOP_VIEWS_HPP
