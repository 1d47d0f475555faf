// Checks a JPEG file before the decoder may see it: it must be complete, with sane tables and complete scans.
//
// stb_image returns a partly gray picture for a truncated file without an error, writes past its tables for a forged
// DHT segment (before version 2.28), takes an unreadable marker for the end (since 2.30), and repeats its work for as
// many scans as a file of a few kilobytes can name. libjpeg fills in what is missing, and not every version in the same
// way. A file that passes here decodes to the same picture with all of them; damaged and unfinished files are refused.
// Source: ITU-T T.81, annexes B, F and G; JFIF 1.02; Exif 3.0 section 4.5.4 (APP1); jdapimin.c of libjpeg (colours).
#ifndef DSVL_IO_JPEG_HPP
#define DSVL_IO_JPEG_HPP

#include "../base/host_macros_push.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "jpeg_colors.hpp"
#include "jpeg_segments.hpp"

DSVL_BEGIN_NAMESPACE
namespace jpeg {

inline constexpr int kMaxScans = 256;     ///< more are refused; a progressive file has about ten
inline constexpr int kMaxComponents = 4;  ///< for CMYK

/// One component (Y, Cb, …) of the picture, and how much of it the scans have brought.
struct Component {
  int id = 0;            ///< by which scans name it
  int h = 1, v = 1;      ///< sampling factors, 1 to 4
  int quantisation = 0;  ///< number of its table, 0 to 3
  bool scanned = false;  ///< a component without any scan is flat gray
  /// For each coefficient in zigzag order, the number of low bits that no scan has brought yet; -1 when none has
  /// brought any. Only for progressive files.
  std::array<signed char, 64> missing{};
};

/// The result for a file that passed.
struct Frame {
  PictureHeader header;                 ///< size and EXIF
  Colors colors = Colors::gray;         ///< meaning of the components
  bool progressive = false;             ///< coefficients come in several scans
  int components = 0;                   ///< 1, 3 or 4
  Component component[kMaxComponents];  ///< in the order of the frame header
  int h_max = 1, v_max = 1;             ///< the largest sampling factors
  std::size_t end = 0;                  ///< offset of the picture's end in the file; what follows is not part of it

  /// Samples of component c in a row.
  [[nodiscard]] Index width(int c) const noexcept { return ceil_div(header.width * component[c].h, Index{h_max}); }
  /// Rows of component c.
  [[nodiscard]] Index height(int c) const noexcept { return ceil_div(header.height * component[c].v, Index{v_max}); }
};

/// Reads a file segment by segment.
class FrameReader {
 public:
  /// `file` begins with SOI and must outlive the reader; `what` names it in errors.
  FrameReader(std::span<const std::byte> file, std::string_view what) noexcept : segments_(file), name_(what) {}

  /// Reads all segments.
  Result<Frame> read() noexcept {
    for (Segment segment;;) {
      if (const char* const wrong = segments_.next(segment)) return refuse(wrong);
      if (segment.marker == kEoi) break;
      DSVL_CHECK_STATUS(take(segment));
    }
    if (frame_.components == 0) return refuse("has no frame header");
    if (scans_ == 0) return refuse("has no picture data");
    if (frame_.progressive && !finished()) return refuse("unfinished: scans that refine its picture are not there");
    frame_.end = segments_.at();
    return frame_;
  }

 private:
  /// libjpeg guesses the missing bits of the first ten coefficients, each version in its own way, and leaves later
  /// coefficients alone. So only files that are complete in these ten decode alike everywhere.
  static constexpr int kGuessed = 10;

  Status refuse(const char* why) const noexcept { return fail(Code::bad_file, "%s: %s", name_.text(), why); }
  Status unsupported(const char* why) const noexcept {
    return fail(Code::unsupported, "%s: is a JPEG %s, which is not read", name_.text(), why);
  }
  static int byte(std::span<const std::byte> data, std::size_t i) noexcept { return std::to_integer<int>(data[i]); }

  /// Handles one segment. Unknown markers are refused, because decoders disagree on them.
  Status take(const Segment& segment) noexcept {
    const int marker = segment.marker;
    const std::span<const std::byte> data = segment.data();
    switch (marker) {
      case kDht: return huffman_tables(data);
      case kDqt: return quantisation_tables(data);
      case kDri:
        if (data.size() != 2) return refuse("has a restart interval of a wrong size");
        interval_ = static_cast<Index>(big_endian16(data.data()));
        return {};
      case kSos: return scan(segment);
      case kSoi: return refuse("damaged: a second picture begins inside it");
      default: break;
    }
    if (marker >= kSof0 && marker <= 0xCF && marker != 0xC8 && marker != 0xCC) return frame(marker, data);
    if (marker >= kApp0 && marker <= 0xEF) return application(marker, data);
    if (marker == 0xCC || marker == 0xDC || marker == 0xFE || is_restart(marker) || marker == 0x01) return {};
    return fail(Code::bad_file, "%s: damaged: has the unknown marker FF %02X", name_.text(),
                static_cast<unsigned>(marker));
  }

  /// Reads the segments that say what colours the components are, which count up to the first scan, and keeps the EXIF.
  Status application(int marker, std::span<const std::byte> data) noexcept {
    const auto begins = [data](std::size_t size, const char* text, std::size_t letters) {
      return data.size() >= size && std::memcmp(data.data(), text, letters) == 0;
    };
    if (marker == kApp0 && scans_ == 0 && begins(14, "JFIF", 5)) jfif_ = true;
    if (marker == 0xEE && scans_ == 0 && begins(12, "Adobe", 5)) adobe_ = byte(data, 11);
    if (marker == 0xE1 && !has_exif_ && begins(6, "Exif\0", 6)) {
      has_exif_ = true;
      frame_.header.exif = data.subspan(6);
    }
    return {};
  }

  /// Reads the frame header: size, components and their sampling. Other processes than baseline, extended and
  /// progressive Huffman are refused by name.
  Status frame(int marker, std::span<const std::byte> data) noexcept {
    if (marker >= 0xC9) return unsupported("with arithmetic coding");
    if (marker == 0xC3 || marker == 0xC7) return unsupported("without loss");
    if (marker > kSof2) return unsupported("in several resolutions");
    if (frame_.components != 0) return refuse("has two frame headers");
    if (data.size() < 6) return refuse("has a frame header of a wrong size");
    if (byte(data, 0) != 8) return unsupported("of other than 8 bits");
    frame_.header.height = static_cast<Index>(big_endian16(data.data() + 1));
    frame_.header.width = static_cast<Index>(big_endian16(data.data() + 3));
    if (frame_.header.width == 0) return refuse("is a picture without pixels");
    if (frame_.header.height == 0)
      return unsupported("that does not say how high it is, or a picture without pixels");
    const int n = byte(data, 5);  // components
    if (n != 1 && n != 3 && n != 4) return unsupported("of other than 1, 3 or 4 components");
    if (data.size() != 6 + 3 * static_cast<std::size_t>(n)) return refuse("has a frame header of a wrong size");
    // Each component has its id, its two sampling factors in one byte, and the number of its quantisation table.
    frame_.header.bits_per_pixel = 8 * n;
    frame_.progressive = marker == kSof2;
    frame_.components = n;
    for (int c = 0; c < n; ++c) {
      Component& own = frame_.component[c];
      const std::size_t at = 6 + 3 * static_cast<std::size_t>(c);
      own.id = byte(data, at);
      own.h = byte(data, at + 1) >> 4;
      own.v = byte(data, at + 1) & 15;
      own.quantisation = byte(data, at + 2);
      own.missing.fill(-1);
      for (int other = 0; other < c; ++other)
        if (frame_.component[other].id == own.id) return refuse("has two components of one name");
      if (own.h < 1 || own.h > 4 || own.v < 1 || own.v > 4 || own.quantisation > 3)
        return refuse("has a damaged frame header");
      frame_.h_max = (std::max)(frame_.h_max, own.h);
      frame_.v_max = (std::max)(frame_.v_max, own.v);
    }
    for (int c = 0; c < n; ++c)
      if (frame_.h_max % frame_.component[c].h != 0 || frame_.v_max % frame_.component[c].v != 0)
        return unsupported("with sampling ratios that are no whole numbers");
    return {};
  }

  /// Checks DQT. A progressive file may not change a table that a scan has used, since it is applied at the end.
  Status quantisation_tables(std::span<const std::byte> data) noexcept {
    while (!data.empty()) {
      const int table = byte(data, 0) & 15;
      const std::size_t size = byte(data, 0) >> 4 == 0 ? 65 : 129;  // 64 steps of 8 or of 16 bits
      if (byte(data, 0) >> 4 > 1 || table > 3 || data.size() < size) return refuse("has a damaged quantisation table");
      for (int c = 0; frame_.progressive && c < frame_.components; ++c)
        if (frame_.component[c].scanned && frame_.component[c].quantisation == table)
          return unsupported("that changes its quantisation between scans");
      has_quantisation_[table] = true;
      data = data.subspan(size);
    }
    return {};
  }

  /// Checks DHT: a table has at most 256 symbols, and no more codes of a length than that length allows.
  Status huffman_tables(std::span<const std::byte> data) noexcept {
    while (!data.empty()) {
      const char* const damaged = "has a damaged Huffman table";
      if (data.size() < 17 || byte(data, 0) >> 4 > 1 || (byte(data, 0) & 15) > 3) return refuse(damaged);
      // Codes of each length are numbered on from those of the length before, doubled. They may not run over.
      std::size_t symbols = 0, code = 0;
      for (std::size_t bits = 1; bits <= 16; ++bits, code *= 2) {
        symbols += std::to_integer<std::size_t>(data[bits]);
        code += std::to_integer<std::size_t>(data[bits]);
        if (code > std::size_t{1} << bits) return refuse(damaged);
      }
      if (symbols > 256 || symbols > data.size() - 17) return refuse(damaged);
      has_huffman_[byte(data, 0) >> 4][byte(data, 0) & 15] = true;
      data = data.subspan(17 + symbols);
    }
    return {};
  }

  /// Checks a scan header, its tables, and that the restart markers in its data have the right number and order.
  Status scan(const Segment& segment) noexcept {
    const std::span<const std::byte> data = segment.data();
    if (frame_.components == 0) return refuse("has data before its frame header");
    if (scans_ == 0) frame_.colors = colors();
    if (++scans_ > kMaxScans) return fail(Code::limit, "%s: has more than %d scans", name_.text(), kMaxScans);
    const std::size_t n = data.empty() ? 0 : std::to_integer<std::size_t>(data[0]);
    if (n < 1 || n > 4 || data.size() != 4 + 2 * n) return refuse("has a scan header of a wrong size");
    // The scan brings coefficients `first` to `last`: all bits from `low` up when `high` is 0, otherwise bit `low`
    // alone.
    const int first = byte(data, 1 + 2 * n), last = byte(data, 2 + 2 * n);
    const int high = byte(data, 3 + 2 * n) >> 4, low = byte(data, 3 + 2 * n) & 15;
    // Some sequential files have 0 for `last`, so it is not checked there.
    if (!frame_.progressive && (first != 0 || high != 0 || low != 0)) return refuse("has a damaged scan header");
    if (frame_.progressive && (first > last || last > 63 || low > 13 || (first == 0) != (last == 0) ||
                               (first > 0 && n != 1) || (high != 0 && high != low + 1)))
      return refuse("has a damaged scan header");
    Index blocks = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const int c = component_of(byte(data, 1 + 2 * i));
      if (c < 0) return refuse("has a scan of a component that its frame header does not name");
      for (std::size_t j = 0; j < i; ++j)
        if (data[1 + 2 * j] == data[1 + 2 * i]) return refuse("has a scan that names a component twice");
      const int tables = byte(data, 2 + 2 * i);
      DSVL_CHECK_STATUS(check_tables(frame_.component[c], tables >> 4, tables & 15, first, high));
      DSVL_CHECK_STATUS(advance(frame_.component[c], first, last, high, low));
      blocks = ceil_div(frame_.width(c), 8) * ceil_div(frame_.height(c), 8);
    }
    // A scan of several components counts its restart interval in units of all their blocks (MCUs).
    if (n > 1)
      blocks = ceil_div(frame_.header.width, Index{8} * frame_.h_max) *
               ceil_div(frame_.header.height, Index{8} * frame_.v_max);
    const Index most = interval_ ? blocks / interval_ : 0, least = interval_ ? (blocks - 1) / interval_ : 0;
    if (segment.restarts < least || segment.restarts > most || !segment.in_order)
      return fail(Code::bad_file, "%s: damaged: a scan has %d restart markers%s, where %td belong", name_.text(),
                  segment.restarts, segment.in_order ? "" : " out of order", least);
    return {};
  }

  /// The index of the component with this id, or -1.
  [[nodiscard]] int component_of(int id) const noexcept {
    for (int c = 0; c < frame_.components; ++c)
      if (frame_.component[c].id == id) return c;
    return -1;
  }

  /// The tables that a scan needs must be there. Huffman tables 0 and 1 of a sequential file may be missing: they are
  /// then the standard's, as in the frames of MJPEG cameras.
  Status check_tables(const Component& c, int dc, int ac, int first, int high) const noexcept {
    const auto has = [this](int kind, int table) {
      return table < 4 && (has_huffman_[kind][table] || (!frame_.progressive && table < 2));
    };
    const bool needs_dc = first == 0 && high == 0, needs_ac = !frame_.progressive || first > 0;
    if ((needs_dc && !has(0, dc)) || (needs_ac && !has(1, ac)) || dc > 3 || ac > 3)
      return refuse("has a scan whose Huffman table is missing");
    if (!has_quantisation_[c.quantisation]) return refuse("has a scan whose quantisation table is missing");
    return {};
  }

  /// Notes which bits of the coefficients a scan brings. It must bring exactly what the scans before it left open, the
  /// lowest coefficient first.
  Status advance(Component& c, int first, int last, int high, int low) noexcept {
    if (!frame_.progressive && c.scanned) return refuse("has two scans of one component");
    if (frame_.progressive && first > 0 && c.missing[0] < 0) return refuse("damaged: its scans are in a wrong order");
    c.scanned = true;
    for (int i = first; frame_.progressive && i <= last; ++i) {
      signed char& missing = c.missing[static_cast<std::size_t>(i)];
      if (missing < 0 ? high != 0 : high != missing || high == 0)
        return refuse("damaged: its scans are in a wrong order");
      missing = static_cast<signed char>(low);
    }
    return {};
  }

  /// True when the scans brought all bits of the coefficients that decoders would otherwise guess.
  [[nodiscard]] bool finished() const noexcept {
    for (int c = 0; c < frame_.components; ++c)
      for (std::size_t i = 0; i < kGuessed; ++i)
        if (frame_.component[c].scanned && frame_.component[c].missing[i] != 0) return false;
    return true;
  }

  /// The meaning of the components, by libjpeg's rules: JFIF says YCbCr, Adobe's segment says which, and without both
  /// the component ids decide.
  [[nodiscard]] Colors colors() const noexcept {
    if (frame_.components == 1) return Colors::gray;
    if (frame_.components == 4) return adobe_ > 0 ? Colors::ycck : Colors::cmyk;
    if (jfif_) return Colors::ycbcr;
    if (adobe_ >= 0) return adobe_ == 0 ? Colors::rgb : Colors::ycbcr;
    const Component* const c = frame_.component;
    return c[0].id == 'R' && c[1].id == 'G' && c[2].id == 'B' ? Colors::rgb : Colors::ycbcr;
  }

  Segments segments_;
  Printable name_;
  Frame frame_;
  Index interval_ = 0;  // blocks between two restart markers; 0 for none
  int scans_ = 0;
  bool has_quantisation_[4] = {}, has_huffman_[2][4] = {}, has_exif_ = false, jfif_ = false;
  int adobe_ = -1;  // the Adobe segment's code for the colours; -1 when there is no such segment
};

/// Checks a JPEG file.
///
/// Codes  bad_file (truncated, damaged, unfinished), unsupported (12 bit, lossless, arithmetic, fractional sampling
///        ratios), limit (scans)
DSVL_COLD inline Result<Frame> read(std::span<const std::byte> file, std::string_view what) noexcept {
  return FrameReader(file, what).read();
}

}  // namespace jpeg
DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_IO_JPEG_HPP
