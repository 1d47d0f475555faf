// Walks over the segments of a JPEG file: the marker, the data, and after SOS the end of the compressed data.
//
// It knows nothing of a segment's meaning. Bytes between segments that are not a marker are skipped, as libjpeg does:
// cameras leave padding there, some programs FF 00.
// Source: ITU-T T.81, annex B.
#ifndef DSVL_IO_JPEG_SEGMENTS_HPP
#define DSVL_IO_JPEG_SEGMENTS_HPP

#include <cstring>
#include <span>

#include "picture_header.hpp"

DSVL_BEGIN_NAMESPACE
namespace jpeg {

/// The markers that are used here, under their names in the standard.
inline constexpr int kSof0 = 0xC0, kSof1 = 0xC1, kSof2 = 0xC2, kDht = 0xC4, kRst0 = 0xD0, kSoi = 0xD8, kEoi = 0xD9,
                     kSos = 0xDA, kDqt = 0xDB, kDri = 0xDD, kApp0 = 0xE0;

/// True for RST0 to RST7.
constexpr bool is_restart(int marker) noexcept { return marker >= kRst0 && marker < kRst0 + 8; }

/// True when a file begins like a JPEG.
DSVL_COLD inline bool is_jpeg(std::span<const std::byte> file) noexcept {
  return file.size() >= 3 && file[0] == std::byte{0xFF} && file[1] == std::byte{0xD8} && file[2] == std::byte{0xFF};
}

/// One segment; the spans point into the file.
struct Segment {
  int marker = 0;                    ///< second byte of the marker
  std::span<const std::byte> whole;  ///< from its two bytes of length on; empty for markers that stand alone
  std::span<const std::byte> scan;   ///< the compressed data behind SOS, with the restart markers in it
  int restarts = 0;                  ///< number of these markers
  bool in_order = true;              ///< they count from 0 to 7, and begin again at 0

  /// The segment without its length.
  [[nodiscard]] std::span<const std::byte> data() const noexcept { return whole.subspan(whole.empty() ? 0 : 2); }
};

/// The walk over one file.
class Segments {
 public:
  /// `file` begins with SOI.
  explicit Segments(std::span<const std::byte> file) noexcept : file_(file) {}

  /// Finds the next segment, EOI included. Returns null when there is one, otherwise the reason why there is none.
  const char* next(Segment& out) noexcept {
    out = {};
    out.marker = next_marker();
    if (out.marker < 0) return "truncated: it ends before its end-of-image marker";
    if (stands_alone(out.marker)) return nullptr;
    if (file_.size() - at_ < 2) return "truncated: it ends inside a segment";
    const std::size_t length = big_endian16(file_.data() + at_);
    if (length < 2) return "has a segment of a wrong size";
    if (length > file_.size() - at_) return "truncated: it ends inside a segment";
    out.whole = file_.subspan(at_, length);
    at_ += length;
    if (out.marker == kSos) take_scan(out);
    return nullptr;
  }

  /// Offset behind the last segment.
  [[nodiscard]] std::size_t at() const noexcept { return at_; }

 private:
  /// True for markers without a segment.
  static bool stands_alone(int marker) noexcept {
    return marker == kSoi || marker == kEoi || marker == 0x01 || is_restart(marker);
  }

  /// The byte behind the next run of FF bytes; the run begins at `begin`, and at_ moves behind it. It is 0 where the FF
  /// is a byte of the data, and -1 at the end of the file.
  int next_code(std::size_t& begin) noexcept {
    const void* const ff = at_ < file_.size() ? std::memchr(file_.data() + at_, 0xFF, file_.size() - at_) : nullptr;
    begin = ff ? static_cast<std::size_t>(static_cast<const std::byte*>(ff) - file_.data()) : file_.size();
    for (at_ = begin; at_ < file_.size() && file_[at_] == std::byte{0xFF};) ++at_;
    return at_ == file_.size() ? -1 : std::to_integer<int>(file_[at_++]);
  }

  /// The next marker, or -1 at the end of the file.
  int next_marker() noexcept {
    std::size_t begin = 0;
    for (;;)
      if (const int code = next_code(begin); code != 0) return code;
  }

  /// Finds the end of the compressed data: the first marker that is no restart, which is left for next().
  void take_scan(Segment& out) noexcept {
    const std::size_t begin = at_;
    for (std::size_t end = at_;;) {
      const int code = next_code(end);
      if (code == 0) continue;
      if (is_restart(code)) {
        out.in_order = out.in_order && code == kRst0 + out.restarts % 8;
        ++out.restarts;
        continue;
      }
      at_ = end;
      out.scan = file_.subspan(begin, end - begin);
      return;
    }
  }

  std::span<const std::byte> file_;
  std::size_t at_ = 2;
};

}  // namespace jpeg
DSVL_END_NAMESPACE

#endif  // DSVL_IO_JPEG_SEGMENTS_HPP
