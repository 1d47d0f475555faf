// Picture: what an application hands in: a path, a file's bytes, or pixels that it already has.
//
// Making one reads and checks nothing. The session decodes and encodes it when an answer needs it.
#ifndef DSVL_CHAT_PICTURE_HPP
#define DSVL_CHAT_PICTURE_HPP

#include <concepts>
#include <filesystem>
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

 private:
  Source source_;
};

DSVL_END_NAMESPACE

#endif  // DSVL_CHAT_PICTURE_HPP
