// Shelf: the pictures that were opened. The window's thread owns it; another one reads, decodes and draws.
#ifndef DSVL_DESKTOP_SHELF_HPP
#define DSVL_DESKTOP_SHELF_HPP

#include "canvas.hpp"
#include "mailbox.hpp"
#include "pdf.hpp"
#include "picture_source.hpp"
#include "task_thread.hpp"
#include "thumbnail.hpp"

#include <optional>

namespace desktop {

struct ShelfPicture {
  SharedPicture source;
  dsvl::Index width = 0, height = 0;  ///< upright
  int orientation = 1;                ///< of its file
  Texture thumbnail;
  bool ticked = true;  ///< it goes with the next question
};

/// A PDF file whose pages are being chosen.
struct PageChooser {
  std::string name;
  std::shared_ptr<Pdf> pdf;  ///< for the background's thread
  int pages = 0;
  int first = 0;                     ///< the first page that is shown
  std::vector<Texture> thumbnails;   ///< of pages first, first + 1, …, as far as they are drawn
  std::vector<int> taken;            ///< pages that were put on the shelf
  std::shared_ptr<const int> shown;  ///< goes when other pages are shown, or none: these are not drawn any more then
};

class Shelf {
 public:
  static constexpr int kPagesShown = 6;

  /// `session` says how pictures are decoded. The others must outlive the shelf.
  Shelf(Mailbox& mailbox, TaskThread& background, Canvas& canvas, const dsvl::SessionOptions& session);

  /// Reads a picture, or opens a PDF file to choose pages of.
  void open(const std::string& path);
  /// Puts a page on the shelf.
  void take_page(int number);
  /// Shows pages from another one on.
  void turn_to(int first);
  void close_pages() { chooser_.reset(); }
  void remove(std::size_t at);

  [[nodiscard]] std::vector<ShelfPicture>& pictures() { return pictures_; }
  [[nodiscard]] const ShelfPicture* find(const SharedPicture& source) const;
  [[nodiscard]] const std::optional<PageChooser>& chooser() const { return chooser_; }
  /// Files that are still being read.
  [[nodiscard]] int reading() const { return reading_; }
  /// Why the last file could not be opened; empty when it could.
  [[nodiscard]] const std::string& error() const { return error_; }
  void clear_error() { error_.clear(); }

 private:
  void add(SharedPicture source);                                           // the background's thread
  void arrive(SharedPicture source, const dsvl::Result<Decoded>& decoded);  // the window's
  void arrive(const std::string& name, const dsvl::Result<std::shared_ptr<Pdf>>& pdf);
  void draw_pages();
  void fail(const dsvl::Status& status);

  Mailbox& mailbox_;
  TaskThread& background_;
  Canvas& canvas_;
  const dsvl::SessionOptions session_;
  std::vector<ShelfPicture> pictures_;
  std::optional<PageChooser> chooser_;
  int reading_ = 0;
  std::string error_;
};

}  // namespace desktop

#endif  // DSVL_DESKTOP_SHELF_HPP
