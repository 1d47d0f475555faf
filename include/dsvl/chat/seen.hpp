// SeenPicture: what became of one picture of a question on its way to the model.
//
// An application can show it, for example to explain that a very long picture had few pixels left after scaling.
#ifndef DSVL_CHAT_SEEN_HPP
#define DSVL_CHAT_SEEN_HPP

#include "../base/pixels.hpp"

DSVL_BEGIN_NAMESPACE

/// One for each picture of a question that was looked at, in their order; also for one that was recognised and so was
/// not encoded again. See Answer::seen().
struct SeenPicture {
  /// A square that a tower sees, and where the scaled picture lies in it; background is around that.
  struct View {
    Index side = 0;     ///< in pixels; 0: the model has no such view
    Rect content = {};  ///< the scaled picture within the square
  };

  Index width = 0,             ///< pixels that were decoded or given, upright where it was turned; 0: not decoded
      height = 0;              ///< pixels, likewise
  int orientation = 1;         ///< 1 to 8, as the file's EXIF data name it; 1: upright, or they name none
  bool turned = false;         ///< the picture was turned as they say (SessionOptions::apply_exif_orientation)
  View low = {};               ///< the view of SigLIP
  View high = {};              ///< the view of SAM-B, in hybrid models
  bool low_from_high = false;  ///< the low view was made of the high one, margins included
  Index tokens = 0;            ///< image tokens that it takes in the prompt
  bool recognised = false;     ///< its embedding was known, so it was not encoded
  bool done = false;           ///< its rows are there; false for the one that an error or the user stopped at
};

DSVL_END_NAMESPACE

#endif  // DSVL_CHAT_SEEN_HPP
