// Overlay: a picture as the model got it, and where its answer looked.
#ifndef DSVL_DESKTOP_OVERLAY_HPP
#define DSVL_DESKTOP_OVERLAY_HPP

#include "canvas.hpp"
#include "mailbox.hpp"
#include "talk.hpp"
#include "task_thread.hpp"

namespace desktop {

enum class OverlayKind { view, attention };

/// What is to be drawn.
struct OverlayWish {
  SharedPicture picture;
  OverlayKind kind = OverlayKind::view;
  std::vector<float> attention;  ///< of each image token; for OverlayKind::attention
  bool operator==(const OverlayWish&) const = default;
};

class Overlay {
 public:
  static constexpr dsvl::Index kSide = 320;  ///< pixels of the longest side, as it is drawn

  /// All must outlive the overlay.
  Overlay(Mailbox& mailbox, TaskThread& background, Canvas& canvas)
      : mailbox_(mailbox), background_(background), canvas_(canvas) {}

  /// Has a picture drawn as that model sees it, unless it is already.
  void want(const SharedModel& model, const OverlayWish& wish);
  void clear();

  /// Empty before it is drawn for the first time.
  [[nodiscard]] const Texture& texture() const { return texture_; }
  /// False while what is wanted is drawn; the texture is the one before.
  [[nodiscard]] bool done() const { return done_; }
  [[nodiscard]] const std::optional<OverlayWish>& wish() const { return wish_; }
  /// How the picture was cut, scaled and padded.
  [[nodiscard]] const dsvl::SeenPicture& seen() const { return seen_; }
  /// The token that was looked at most; -1 without attention.
  [[nodiscard]] dsvl::Index strongest() const { return strongest_; }
  [[nodiscard]] const std::string& error() const { return error_; }

 private:
  Mailbox& mailbox_;
  TaskThread& background_;
  Canvas& canvas_;
  std::optional<OverlayWish> wish_;
  Texture texture_;
  dsvl::SeenPicture seen_;
  dsvl::Index strongest_ = -1;
  std::string error_;
  bool done_ = false;
};

}  // namespace desktop

#endif  // DSVL_DESKTOP_OVERLAY_HPP
