#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>

#include "source.hpp"

namespace robot {

namespace {

constexpr int kStandardInput = 0;

class RawSource final : public FrameSource {
 public:
  RawSource(RawFormat format, std::size_t bytes, const dsvl::CancelToken& cancel)
      : format_(std::move(format)), bytes_(bytes), cancel_(cancel) {}

  dsvl::Result<bool> next(Frame& frame) override {
    frame.bytes.resize(bytes_);
    std::size_t got = 0;
    while (got < bytes_) {
      if (cancel_.cancelled()) return false;
      pollfd input = {kStandardInput, POLLIN, 0};
      if (poll(&input, 1, kLookAround) <= 0) continue;  // nothing yet, or a signal
      const auto n = ::read(kStandardInput, frame.bytes.data() + got, bytes_ - got);
      if (n < 0 && errno != EINTR && errno != EAGAIN)
        return dsvl::fail(dsvl::Code::io, "standard input can not be read: %s", std::strerror(errno));
      if (n == 0) break;
      if (n > 0) got += static_cast<std::size_t>(n);
    }
    if (got == 0) return false;
    if (got < bytes_)
      return dsvl::fail(dsvl::Code::bad_file, "standard input ends within a frame, behind %zu of its %zu bytes: is it "
                        "%ux%u:%s?", got, bytes_, format_.width, format_.height, format_.encoding.c_str());
    auto pixels = image_pixels({format_.encoding, format_.width, format_.height}, frame.bytes);
    if (!pixels) return pixels.error();
    frame.pixels = *pixels;
    frame.pixels.range = format_.range;
    frame.pixels.matrix = format_.matrix;
    frame.taken = Clock::now();
    return true;
  }

 private:
  static constexpr int kLookAround = 100;  // milliseconds between looks at whether anybody wants more

  RawFormat format_;
  std::size_t bytes_;
  const dsvl::CancelToken& cancel_;
};

/// A whole number in front of `text`, and the character behind it; both are taken off.
bool take_number(std::string_view& text, char behind, std::uint32_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end == text.data() + text.size() || *end != behind) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()) + 1);
  return true;
}

/// The bytes of a frame.
dsvl::Result<std::size_t> frame_bytes(const RawFormat& format) {
  const auto known = pixel_format(format.encoding);
  if (!known) return known.error();
  constexpr std::uint32_t kMostSide = 1u << 14;
  if (format.width < 1 || format.height < 1 || format.width > kMostSide || format.height > kMostSide)
    return dsvl::fail(dsvl::Code::bad_argument, "sides of raw frames are 1 to %u pixels", kMostSide);
  return image_bytes(*known, format.width, format.height);
}

}  // namespace

std::string read_raw_format(std::string_view text, RawFormat& format) {
  if (!take_number(text, 'x', format.width) || !take_number(text, ':', format.height) || text.empty())
    return "is not like 640x480:bgr8";
  format.encoding = text;
  const auto bytes = frame_bytes(format);
  return bytes ? "" : bytes.error().text();
}

SourceResult open_raw(const RawFormat& format, const dsvl::CancelToken& cancel) {
  const auto bytes = frame_bytes(format);
  if (!bytes) return bytes.error();
  return std::unique_ptr<FrameSource>(std::make_unique<RawSource>(format, *bytes, cancel));
}

}  // namespace robot
