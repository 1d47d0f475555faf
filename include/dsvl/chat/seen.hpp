// SeenPicture: what became of one picture of a question on its way to the model.
//
// An application can show it, for example to explain that a very long picture had few pixels left after scaling, and
// finds the tokens of a place in the picture with it. The pictures as the towers get them are made by prepare_picture()
// (chat/prepared_picture.hpp).
#ifndef DSVL_CHAT_SEEN_HPP
#define DSVL_CHAT_SEEN_HPP

#include <array>

#include "../base/pixels.hpp"
#include "../vision/token_map.hpp"

DSVL_BEGIN_NAMESPACE

/// One for each picture of a question that was looked at, in their order; also for one that was recognised and so was
/// not encoded again. See Answer::pictures().
struct SeenPicture {
  /// A square that a tower sees, and where the scaled picture lies in it; background is around that.
  struct View {
    Index side = 0;     ///< in pixels; 0: the model has no such view
    Rect content = {};  ///< the scaled picture within the square
    double scale = 0;   ///< pixels of the square for one of the picture, along its longest side; 1: as it is
    /// The colour (r, g, b) around the picture.
    std::array<std::uint8_t, 3> background = {};
    std::array<float, 3> mean = {};       ///< of each channel: the tower reads (value / 255 - mean) / deviation
    std::array<float, 3> deviation = {};  ///< likewise
  };

  Index width = 0,             ///< pixels that were decoded or given, upright where it was turned; 0: not decoded
      height = 0;              ///< pixels, likewise
  Rect region = {};            ///< the part of these that is the picture: all, or that of Picture::region()
  int orientation = 1;         ///< 1 to 8, as the file's EXIF data name it; 1: upright, or they name none
  bool turned = false;         ///< the picture was turned as they say (SessionOptions::apply_exif_orientation)
  View low = {};               ///< the view of SigLIP
  View high = {};              ///< the view of SAM-B, in hybrid models
  bool low_from_high = false;  ///< the low view was made of the high one, margins included
  Index tokens = 0;            ///< image tokens that it takes in the prompt
  Grid grid = {};              ///< their rows and columns
  bool recognised = false;     ///< its embedding was known, so it was not encoded
  bool done = false;           ///< its rows are there; false for the one that an error or the user stopped at

  /// The places of its tokens, in pixels of the whole picture that was decoded or given, for a region too.
  [[nodiscard]] TokenMap map() const noexcept {
    const View& shown = low_from_high ? high : low;
    if (shown.side == 0) return {};
    return {region, shown.content, shown.side, grid};
  }
};

DSVL_END_NAMESPACE

#endif  // DSVL_CHAT_SEEN_HPP
