// SeenPicture: what became of one picture of a question on its way to the model.
#ifndef DSVL_CHAT_SEEN_HPP
#define DSVL_CHAT_SEEN_HPP

#include "../base/pixels.hpp"

DSVL_BEGIN_NAMESPACE

/// One for each picture of a question that was looked at, in their order; also for one that was recognised and so was
/// not encoded again. See Answer::seen().
struct SeenPicture {
  /// A square that a tower sees, and where the scaled picture lies in it; background around that.
  struct View {
    Index side = 0;  ///< pixels; 0: the model has no such view
    Rect content = {};
  };

  Index width = 0, height = 0;  ///< pixels that were decoded or given, upright where they were turned; 0: not decoded
  int orientation = 1;          ///< that the file's EXIF data name, 1 to 8; 1: upright, or they name none
  bool turned = false;          ///< the picture was turned as they say (SessionOptions::apply_exif_orientation)
  View low = {};   ///< what SigLIP sees; made of the high view where there is one and `low_from_high` says so
  View high = {};  ///< what SAM-B sees, in hybrid models
  bool low_from_high = false;
  Index tokens = 0;         ///< of the prompt
  bool recognised = false;  ///< it had been encoded before
  bool done = false;        ///< its rows are there; false for the one that an error or the user stopped at
};

DSVL_END_NAMESPACE

#endif  // DSVL_CHAT_SEEN_HPP
