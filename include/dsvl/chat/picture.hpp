// Picture: what an application hands in: a path, a file's bytes, or pixels that it already has.
#ifndef DSVL_CHAT_PICTURE_HPP
#define DSVL_CHAT_PICTURE_HPP

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "../base/pixels.hpp"
#include "../io/path_text.hpp"

DSVL_BEGIN_NAMESPACE

/// Converts from all three, so calls take `"photo.jpg"`, a span of bytes or Pixels where a Picture stands. Nothing is
/// read or copied until it is used; bytes and pixels must stay until that call returns.
class Picture {
 public:
  Picture(std::filesystem::path file) : source_(std::move(file)) {}  // NOLINT: implicit by design
  /// UTF-8 on every system.
  Picture(const char* file) : Picture(std::string_view(file)) {}         // NOLINT
  Picture(const std::string& file) : Picture(std::string_view(file)) {}  // NOLINT
  Picture(std::string_view file)                                         // NOLINT
      : source_(utf8_to_path(file)) {}
  /// A PNG or JPEG file in memory.
  Picture(std::span<const std::byte> encoded) : source_(encoded) {}  // NOLINT
  /// Zero copy: the resampler reads them where they lie.
  Picture(const Pixels& pixels) : source_(pixels) {}  // NOLINT

  using Source = std::variant<std::filesystem::path, std::span<const std::byte>, Pixels>;
  [[nodiscard]] const Source& source() const noexcept { return source_; }

 private:
  Source source_;
};

DSVL_END_NAMESPACE

#endif  // DSVL_CHAT_PICTURE_HPP
