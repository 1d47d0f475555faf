// Picture: what an application hands in: a path, a file's bytes, or pixels that it already has.
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

/// Where a picture comes from. A std::filesystem::path, a span of bytes and Pixels convert to one; a plain string does
/// not, since it could as well be the question: say Picture::file("photo.jpg"). Making one reads and checks nothing;
/// errors come with the answer that uses it. A Picture owns its path. Bytes and pixels it only points to: they must
/// stay until the call that takes it has returned (with Session::start: until the first token has come, or the answer
/// is over). The Picture itself, and a list of them, need not outlive the call.
class Picture {
 public:
  /// A PNG or JPEG file. Text is UTF-8 on every system.
  template <class Text>
    requires std::convertible_to<const Text&, std::string_view>
  [[nodiscard]] static Picture file(const Text& utf8) {
    return Picture(utf8_to_path(utf8));
  }
  [[nodiscard]] static Picture file(std::filesystem::path path) { return Picture(std::move(path)); }
  /// A PNG or JPEG file that lies in memory; see above how long it must stay.
  [[nodiscard]] static Picture bytes(std::span<const std::byte> encoded) { return Picture(encoded); }
  /// Zero copy: the resampler reads them where they lie, and converts what is not 8-bit RGB as it does. All planes must
  /// stay as long as it says above.
  [[nodiscard]] static Picture pixels(const Pixels& pixels) { return Picture(pixels); }

  template <std::same_as<std::filesystem::path> Path>  // and nothing that would become a path on the way
  Picture(Path file) : source_(std::move(file)) {}     // NOLINT: implicit by design
  Picture(std::span<const std::byte> encoded) : source_(encoded) {}  // NOLINT
  Picture(const Pixels& pixels) : source_(pixels) {}                 // NOLINT

  using Source = std::variant<std::filesystem::path, std::span<const std::byte>, Pixels>;
  [[nodiscard]] const Source& source() const noexcept { return source_; }

 private:
  Source source_;
};

DSVL_END_NAMESPACE

#endif  // DSVL_CHAT_PICTURE_HPP
