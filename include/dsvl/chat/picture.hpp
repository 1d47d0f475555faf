// Picture: what an application hands in: a path, a file's bytes, or pixels that it already has.
//
// Making one reads and checks nothing. The session decodes and encodes it when an answer needs it.
#ifndef DSVL_CHAT_PICTURE_HPP
#define DSVL_CHAT_PICTURE_HPP

#include <concepts>
#include <filesystem>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <variant>

#include "../base/pixels.hpp"
#include "../io/path_text.hpp"

DSVL_BEGIN_NAMESPACE

/// The source of a picture. A std::filesystem::path, a span of bytes and Pixels convert to one. A plain string does
/// not, since it could as well be the question: say Picture::file("photo.jpg"). Errors come with the answer that uses
/// it.
///
/// A Picture owns its path. To bytes and pixels it only points: they must stay until the call that takes it has
/// returned (with Session::start: until the first token has come, or the answer is over). The Picture itself, and a
/// list of them, need not outlive the call.
class Picture {
 public:
  /// A PNG or JPEG file on disk, or one of another kind where Host::decode_picture knows it. Text is UTF-8 on every
  /// system.
  template <class Text>
    requires std::convertible_to<const Text&, std::string_view>
  [[nodiscard]] static Picture file(const Text& utf8) {
    return Picture(utf8_to_path(utf8));
  }
  /// The file at that path.
  [[nodiscard]] static Picture file(std::filesystem::path path) { return Picture(std::move(path)); }
  /// A picture file that lies in memory; see above how long it must stay.
  [[nodiscard]] static Picture bytes(std::span<const std::byte> encoded) { return Picture(encoded); }
  /// Pixels of the caller's, without a copy: the resampler reads them where they lie, and converts what is not 8-bit
  /// RGB as it goes. All planes must stay as long as it says above.
  [[nodiscard]] static Picture pixels(const Pixels& pixels) { return Picture(pixels); }

  /// A part of this picture as a picture of its own, cut out of the source before it is scaled: what was too small to
  /// be read in the whole may be large in it. `part` is in pixels of the decoded source, upright where the session
  /// turns photos (see SeenPicture::width), also when this is a region already. With YUV an edge may move outwards by
  /// one pixel. It points to what this picture points to. One that is not within the source is the answer's error:
  /// bad_argument.
  ///
  ///   session.ask({photo, photo.region({1200, 300, 400, 200})}, "What does the sign say?")
  ///
  /// Cost   image tokens and encoding like another picture; a file is read and decoded for each
  [[nodiscard]] Picture region(const Rect& part) const {
    Picture out = *this;
    out.part_ = part;
    return out;
  }

  /// The file at that path. It takes a path and nothing that would become one on the way, such as a string.
  template <std::same_as<std::filesystem::path> Path>
  Picture(Path file) : source_(std::move(file)) {}  // NOLINT: implicit by design
  /// A picture file in memory, like bytes().
  Picture(std::span<const std::byte> encoded) : source_(encoded) {}  // NOLINT
  /// Pixels of the caller's, like pixels().
  Picture(const Pixels& pixels) : source_(pixels) {}  // NOLINT

  /// The three forms: a path, a file's bytes, pixels.
  using Source = std::variant<std::filesystem::path, std::span<const std::byte>, Pixels>;
  /// The form that it has; for the session.
  [[nodiscard]] const Source& source() const noexcept { return source_; }
  /// The part of the source that it is; none: all of it.
  [[nodiscard]] const std::optional<Rect>& part() const noexcept { return part_; }

 private:
  Source source_;
  std::optional<Rect> part_;
};

DSVL_END_NAMESPACE

#endif  // DSVL_CHAT_PICTURE_HPP
