// Checks a PNG file, its structure and its checksums, and copies the chunks that the decoder needs.
//
// stb_image looks neither at checksums nor at the end of the file, and reads palette entries that the file does not
// have. So it is given a file that is made here: IHDR, a full palette where one is needed, tRNS where alpha is wanted,
// the data, IEND.
// Source: PNG specification, third edition, sections 5 and 11 and annex D (CRC).
#ifndef DSVL_IO_PNG_HPP
#define DSVL_IO_PNG_HPP

#include "../base/host_macros_push.hpp"

#include <array>

#include "../base/buffer.hpp"
#include "picture_header.hpp"

DSVL_BEGIN_NAMESPACE
namespace png {

/// The first bytes of every PNG file.
inline constexpr std::array<unsigned char, 8> kSignature = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};

/// True when a file begins like a PNG.
DSVL_COLD inline bool is_png(std::span<const std::byte> file) noexcept {
  return file.size() >= kSignature.size() && std::memcmp(file.data(), kSignature.data(), kSignature.size()) == 0;
}

/// The table of annex D, computed at compile time.
constexpr std::array<std::uint32_t, 256> make_crc_table() noexcept {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t n = 0; n < 256; ++n) {
    std::uint32_t c = n;
    for (int k = 0; k < 8; ++k) c = (c & 1u) ? 0xEDB88320u ^ (c >> 1) : c >> 1;
    table[n] = c;
  }
  return table;
}
/// The CRC of each byte.
inline constexpr std::array<std::uint32_t, 256> kCrcTable = make_crc_table();

/// The CRC-32 of a chunk's type and data, a byte at a time; inflating the data takes longer.
inline std::uint32_t crc32(std::span<const std::byte> bytes) noexcept {
  std::uint32_t c = 0xFFFFFFFFu;
  for (const std::byte b : bytes) c = kCrcTable[(c ^ std::to_integer<std::uint32_t>(b)) & 0xFFu] ^ (c >> 8);
  return ~c;
}

/// Walks over the chunks of one file.
class ChunkReader {
 public:
  /// `alpha` asks for transparency; the reduced file is appended to `essential`. All arguments must outlive the object.
  ChunkReader(std::span<const std::byte> file, std::string_view what, bool alpha, Buffer<std::byte>& essential) noexcept
      : file_(file), what_(what), alpha_(alpha), out_(essential) {}

  /// Reads all chunks up to IEND. Checksums of chunks that are not used are not looked at.
  Result<PictureHeader> read() noexcept {
    if (!out_.reserve(file_.size() + 2048) || !out_.append(file_.data(), kSignature.size())) return no_memory();
    std::size_t at = kSignature.size();
    for (bool first = true;; first = false) {
      // A chunk has 4 bytes of length, 4 of type, its data, and 4 of checksum over type and data.
      if (file_.size() - at < 12) return refuse("truncated: it ends before its IEND chunk");
      const std::uint32_t length = big_endian32(file_.data() + at);
      if (length > file_.size() - at - 12) return refuse("truncated: it ends inside a chunk");
      const std::span<const std::byte> checked = file_.subspan(at + 4, 4 + length);
      const std::string_view type(reinterpret_cast<const char*>(checked.data()), 4);
      const bool critical = (type[0] & 0x20) == 0;  // the first letter is a capital
      if (first && type == "CgBI")
        return fail(Code::unsupported, "%s: is Apple's variant of PNG, which other programs cannot read", name());
      if (first != (type == "IHDR")) return refuse("has no IHDR chunk at its beginning, or a second one");
      if ((critical || (alpha_ && type == "tRNS")) && crc32(checked) != big_endian32(checked.data() + checked.size()))
        return fail(Code::bad_file, "%s: damaged: the checksum of its chunk '%s' is wrong", name(),
                    Printable(type).text());
      if (type == "IEND") return finish();
      DSVL_CHECK_STATUS(take(type, critical, checked.subspan(4)));
      at += 12 + length;
    }
  }

 private:
  [[nodiscard]] const char* name() const noexcept { return name_.text(); }
  Status refuse(const char* why) const noexcept { return fail(Code::bad_file, "%s: %s", name(), why); }
  Status no_memory() const noexcept {
    return fail(Code::out_of_memory, "%s: no memory for its %zu bytes", name(), file_.size());
  }

  /// Handles one chunk. Unknown chunks are skipped, unless they are critical.
  Status take(std::string_view type, bool critical, std::span<const std::byte> data) noexcept {
    if (type == "IHDR") return header(data);
    if (type == "PLTE") return palette(data);
    if (type == "IDAT") {
      if (color_ == 3 && palette_colors_ == 0) return refuse("has no palette before its data");
      if (data_at_ == 0 && !chunk("IDAT", {}, &data_at_)) return no_memory();
      // All data becomes one chunk, whose length is filled in at the end. stb does not look at its checksum.
      return out_.append(data.data(), data.size()) ? Status() : no_memory();
    }
    if (type == "tRNS" && alpha_) return transparency(data);
    if (type == "eXIf") header_.exif = data;
    if (critical)
      return fail(Code::unsupported, "%s: has the unknown critical chunk '%s'", name(), Printable(type).text());
    return {};
  }

  /// Checks IHDR and copies it.
  Status header(std::span<const std::byte> data) noexcept {
    if (data.size() != 13) return refuse("has an IHDR chunk of a wrong size");
    const std::uint32_t width = big_endian32(data.data()), height = big_endian32(data.data() + 4);
    if (width == 0 || height == 0) return refuse("is a picture without pixels");
    if (width > 0x7FFFFFFFu || height > 0x7FFFFFFFu) return refuse("has sides that PNG does not allow");
    const int depth = std::to_integer<int>(data[8]);
    color_ = std::to_integer<int>(data[9]);
    const int channels = color_ == 0 || color_ == 3 ? 1 : color_ == 2 ? 3 : color_ == 4 ? 2 : color_ == 6 ? 4 : 0;
    const bool narrow = depth == 1 || depth == 2 || depth == 4;  // several pixels in a byte
    if (channels == 0 || !(depth == 8 || (depth == 16 && color_ != 3) || (narrow && channels == 1)))
      return refuse("has a combination of depth and color type that PNG does not allow");
    if (data[10] != std::byte{0} || data[11] != std::byte{0} || data[12] > std::byte{1})
      return refuse("has an unknown compression, filter or interlace method");
    header_.width = static_cast<Index>(width);
    header_.height = static_cast<Index>(height);
    header_.bits_per_pixel = depth * channels;
    header_.gray = color_ == 0;
    header_.alpha = alpha_ && color_ >= 4;
    return chunk("IHDR", data) ? Status() : no_memory();
  }

  /// Copies PLTE, filled up to 256 colors with black: stb looks colors up without asking how many there are.
  Status palette(std::span<const std::byte> data) noexcept {
    if (data.size() > 768 || data.size() % 3 != 0 || data.empty()) return refuse("has a palette of a wrong size");
    if (palette_colors_ != 0) return refuse("has two palettes");
    if (color_ != 3 || data_at_ != 0) return {};  // a suggestion for screens of few colors, or too late to count
    palette_colors_ = data.size() / 3;
    std::array<std::byte, 768> full{};  // 256 colors of three bytes, black where the file has none
    std::memcpy(full.data(), data.data(), data.size());
    return chunk("PLTE", full) ? Status() : no_memory();
  }

  /// Copies tRNS: the alpha of a palette's entries, or the one color that is transparent. Where it makes no sense it is
  /// ignored, as libpng does.
  Status transparency(std::span<const std::byte> data) noexcept {
    const bool fits = color_ == 3 ? !data.empty() && data.size() <= palette_colors_
                                  : (color_ == 0 && data.size() == 2) || (color_ == 2 && data.size() == 6);
    if (!fits || data_at_ != 0 || header_.alpha) return {};
    header_.alpha = true;
    return chunk("tRNS", data) ? Status() : no_memory();
  }

  /// Fills in the length of the data and ends the reduced file.
  Result<PictureHeader> finish() noexcept {
    const std::size_t length = data_at_ == 0 ? 0 : out_.size() - data_at_;
    if (length == 0) return refuse("has no picture data");  // stb would copy no bytes to a null pointer
    if (length > 0x7FFFFFFFu) return refuse("has too much picture data");
    put_big_endian32(out_.data() + data_at_ - 8, static_cast<std::uint32_t>(length));
    if (!out_.append(kNoChecksum.data(), kNoChecksum.size()) || !chunk("IEND", {})) return no_memory();
    return header_;
  }

  /// Appends a chunk. With `begin` it appends only the chunk's head, and sets *begin to the offset of its data.
  [[nodiscard]] bool chunk(const char* type, std::span<const std::byte> data, std::size_t* begin = nullptr) noexcept {
    std::byte head[8];
    put_big_endian32(head, static_cast<std::uint32_t>(data.size()));
    std::memcpy(head + 4, type, 4);
    if (!out_.append(head, sizeof head)) return false;
    if (begin) return *begin = out_.size(), true;
    return out_.append(data.data(), data.size()) && out_.append(kNoChecksum.data(), kNoChecksum.size());
  }
  static void put_big_endian32(std::byte* to, std::uint32_t value) noexcept {
    for (int i = 0; i < 4; ++i) to[i] = static_cast<std::byte>((value >> (24 - 8 * i)) & 0xFFu);
  }

  static constexpr std::array<std::byte, 4> kNoChecksum{};

  std::span<const std::byte> file_;
  std::string_view what_;
  Printable name_{what_};
  bool alpha_;
  Buffer<std::byte>& out_;
  PictureHeader header_;
  int color_ = 0;                   // IHDR's color type
  std::size_t palette_colors_ = 0;  // colors that the file has in its palette
  std::size_t data_at_ = 0;         // offset of the data in the reduced file; 0 before the first IDAT
};

/// Checks a PNG file and writes the reduced file to `essential`. With `alpha` that has transparency too, of a palette
/// or of one color.
///
/// Codes  bad_file (truncated, damaged, not allowed by the format), unsupported, out_of_memory
DSVL_COLD
inline Result<PictureHeader> read(std::span<const std::byte> file, std::string_view what, bool alpha,
                                  Buffer<std::byte>& essential) noexcept {
  return ChunkReader(file, what, alpha, essential).read();
}

}  // namespace png
DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_IO_PNG_HPP
