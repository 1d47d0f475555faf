// What must hold of a JPEG file before the decoder may see it: every segment inside the file, an end, sane tables.
//
// stb_image gives a partly gray picture for a truncated file without a word, writes past its tables for a forged DHT
// segment (before version 2.28), and repeats its work for as many scans as a file of a few kilobytes can name.
// Source: ITU-T T.81, annex B; Exif 3.0 section 4.5.4 (APP1).
#ifndef DSVL_IO_JPEG_HPP
#define DSVL_IO_JPEG_HPP

#include "../base/host_macros_push.hpp"

#include <cstring>

#include "picture_header.hpp"

DSVL_BEGIN_NAMESPACE
namespace jpeg {

inline constexpr int kMaxScans = 256;  ///< a progressive file has about ten

inline bool is_jpeg(std::span<const std::byte> file) noexcept {
  return file.size() >= 3 && file[0] == std::byte{0xFF} && file[1] == std::byte{0xD8} && file[2] == std::byte{0xFF};
}

/// Walks the marker segments of one file.
class Reader {
 public:
  Reader(std::span<const std::byte> file, std::string_view what) noexcept : file_(file), name_(what) {}

  /// The header; `end` is where the picture ends in the file (what follows belongs to others).
  Result<PictureHeader> read(std::size_t& end) noexcept {
    at_ = 2;  // behind SOI
    for (;;) {
      const int marker = next_marker();
      if (marker < 0) return refuse("truncated: it ends before its end-of-image marker");
      if (marker == 0xD9) break;
      if (file_.size() - at_ < 2) return refuse("truncated: it ends inside a segment");
      const std::size_t length = big_endian16(file_.data() + at_);
      if (length < 2) return refuse("has a segment of a wrong size");
      if (length > file_.size() - at_) return refuse("truncated: it ends inside a segment");
      const std::span<const std::byte> data = file_.subspan(at_ + 2, length - 2);
      at_ += length;
      DSVL_CHECK_STATUS(take(marker, data));
    }
    if (header_.width == 0) return refuse("has no frame header");
    if (scans_ == 0) return refuse("has no picture data");
    end = at_;
    return header_;
  }

 private:
  Status refuse(const char* why) const noexcept { return fail(Code::bad_file, "%s: %s", name_.text(), why); }
  Status unsupported(const char* why) const noexcept {
    return fail(Code::unsupported, "%s: is a JPEG %s, which is not read", name_.text(), why);
  }

  /// The marker at or after at_, and at_ behind it; -1 at the end of the file. Between segments some cameras leave
  /// padding; after SOS comes the compressed data, in which FF 00 and the restart markers are no end.
  int next_marker() noexcept {
    while (at_ + 1 < file_.size()) {
      if (file_[at_++] != std::byte{0xFF}) continue;
      while (at_ < file_.size() && file_[at_] == std::byte{0xFF}) ++at_;
      if (at_ == file_.size()) return -1;
      const int marker = std::to_integer<int>(file_[at_++]);
      if (scans_ > 0 && (marker == 0 || (marker >= 0xD0 && marker <= 0xD7))) continue;
      return marker;
    }
    return -1;
  }

  Status take(int marker, std::span<const std::byte> data) noexcept {
    if (marker == 0xC4) return huffman_tables(data);
    if (marker == 0xDA) {
      if (header_.width == 0) return refuse("has data before its frame header");
      if (++scans_ > kMaxScans) return fail(Code::limit, "%s: has more than %d scans", name_.text(), kMaxScans);
      return {};
    }
    if (marker >= 0xC0 && marker <= 0xCF && marker != 0xC8 && marker != 0xCC) return frame(marker, data);
    if (marker == 0xE1 && header_.exif.empty() && data.size() > 6 && std::memcmp(data.data(), "Exif\0\0", 6) == 0)
      header_.exif = data.subspan(6);
    return {};
  }

  Status frame(int marker, std::span<const std::byte> data) noexcept {
    if (marker >= 0xC9) return unsupported("with arithmetic coding");
    if (marker == 0xC3 || marker == 0xC7) return unsupported("without loss");
    if (marker > 0xC2) return unsupported("in several resolutions");
    if (header_.width != 0) return refuse("has two frame headers");
    if (data.size() < 6) return refuse("has a frame header of a wrong size");
    const int components = std::to_integer<int>(data[5]);
    if (data[0] != std::byte{8}) return unsupported("of other than 8 bits");
    header_.height = static_cast<Index>(big_endian16(data.data() + 1));
    header_.width = static_cast<Index>(big_endian16(data.data() + 3));
    if (header_.width == 0) return refuse("is a picture without pixels");
    if (header_.height == 0) return unsupported("that does not say how high it is, or a picture without pixels");
    if (components != 1 && components != 3 && components != 4) return unsupported("of other than 1, 3 or 4 components");
    if (data.size() != 6 + 3 * static_cast<std::size_t>(components))
      return refuse("has a frame header of a wrong size");
    header_.bits_per_pixel = 8 * components;
    return {};
  }

  /// A table has at most 256 symbols.
  Status huffman_tables(std::span<const std::byte> data) const noexcept {
    while (!data.empty()) {
      std::size_t symbols = 0;
      if (data.size() < 17) return refuse("has a damaged Huffman table");
      for (std::size_t i = 1; i <= 16; ++i) symbols += std::to_integer<std::size_t>(data[i]);
      if (symbols > 256 || symbols > data.size() - 17) return refuse("has a damaged Huffman table");
      data = data.subspan(17 + symbols);
    }
    return {};
  }

  std::span<const std::byte> file_;
  Printable name_;
  PictureHeader header_;
  std::size_t at_ = 0;
  int scans_ = 0;
};

/// Checks a JPEG file. Codes: bad_file (truncated, damaged), unsupported (12 bit, lossless, arithmetic), limit (scans).
inline Result<PictureHeader> read(std::span<const std::byte> file, std::string_view what, std::size_t& end) noexcept {
  return Reader(file, what).read(end);
}

}  // namespace jpeg
DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_IO_JPEG_HPP
