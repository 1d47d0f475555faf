// Pictures made small enough for a list: upright, and averaged, so that thin lines stay.
#ifndef DSVL_DESKTOP_THUMBNAIL_HPP
#define DSVL_DESKTOP_THUMBNAIL_HPP

#include "picture_source.hpp"

namespace desktop {

/// Averages blocks of pixels (8-bit RGB) until the longest side has at most `side`; smaller ones stay as they are.
cli::Drawing shrink(const dsvl::Pixels& rgb, dsvl::Index side);

/// A picture as its owner would see it.
struct Decoded {
  dsvl::Index width = 0, height = 0;  ///< of the picture, upright
  int orientation = 1;                ///< what its file's EXIF data say; 1: upright, or nothing
  cli::Drawing small;                 ///< of `side` pixels at most
};
/// Decodes a picture as sessions of `options` do.
dsvl::Result<Decoded> decode(const PictureSource& source, const dsvl::SessionOptions& options, dsvl::Index side);

}  // namespace desktop

#endif  // DSVL_DESKTOP_THUMBNAIL_HPP
