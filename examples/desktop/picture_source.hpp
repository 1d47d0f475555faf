// PictureSource: what a picture is asked about with: a file's bytes, or a page's pixels. It never changes once it is
// made, so any number of threads may read it.
#ifndef DSVL_DESKTOP_PICTURE_SOURCE_HPP
#define DSVL_DESKTOP_PICTURE_SOURCE_HPP

#include "../cli/library.hpp"

#include <memory>
#include <string>
#include <vector>

#include "../cli/drawing.hpp"

namespace desktop {

struct PictureSource {
  std::string name;             ///< for people
  std::vector<std::byte> file;  ///< a picture's file; empty: it is a page
  cli::Drawing page;

  /// Valid while this object lives.
  [[nodiscard]] dsvl::Picture picture() const {
    return file.empty() ? dsvl::Picture::pixels(page.pixels()) : dsvl::Picture::bytes(file);
  }
};
using SharedPicture = std::shared_ptr<const PictureSource>;

}  // namespace desktop

#endif  // DSVL_DESKTOP_PICTURE_SOURCE_HPP
