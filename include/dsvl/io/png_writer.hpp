// encode_png(): 8-bit RGB as a PNG file in memory.
//
// For looking at pictures and for tests: every reader takes the result, and files are about as large as those of other
// encoders at their quickest. Rows are filtered by Up or Sub, whichever leaves the smaller differences, and compressed
// with fixed Huffman codes and matches that a table of the last place of each three bytes finds.
// Sources: PNG specification (ISO/IEC 15948); RFC 1950 and RFC 1951.
#ifndef DSVL_IO_PNG_WRITER_HPP
#define DSVL_IO_PNG_WRITER_HPP

#include "../base/host_macros_push.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string_view>

#include "../base/buffer.hpp"
#include "../base/read_pixels.hpp"
#include "../base/status.hpp"

DSVL_BEGIN_NAMESPACE

namespace png_detail {

/// Bytes that are appended, and whether all of them found memory.
class Bytes {
 public:
  explicit Bytes(Allocator* from) noexcept : data_(from) {}
  void byte(std::uint32_t value) noexcept { fits_ = fits_ && data_.push_back(static_cast<std::byte>(value & 0xFF)); }
  /// Most significant byte first, as PNG has it.
  void word(std::uint32_t value) noexcept {
    for (int shift = 24; shift >= 0; shift -= 8) byte(value >> shift);
  }
  void text(std::string_view text) noexcept {
    for (const char c : text) byte(static_cast<unsigned char>(c));
  }
  [[nodiscard]] bool fits() const noexcept { return fits_; }
  [[nodiscard]] std::span<const std::byte> span() const noexcept { return data_.span(); }
  [[nodiscard]] Buffer<std::byte> take() noexcept { return std::move(data_); }

 private:
  Buffer<std::byte> data_;
  bool fits_ = true;
};

/// The checksum of PNG's chunks, CRC-32.
inline std::uint32_t crc32(std::span<const std::byte> bytes) noexcept {
  std::uint32_t crc = 0xFFFFFFFF;
  for (const std::byte b : bytes) {
    crc ^= static_cast<std::uint32_t>(b);
    for (int i = 0; i < 8; ++i) crc = crc >> 1 ^ (0xEDB88320 & (0 - (crc & 1)));
  }
  return ~crc;
}
/// The checksum of zlib's streams, Adler-32.
inline std::uint32_t adler32(std::span<const std::uint8_t> bytes) noexcept {
  std::uint32_t a = 1, b = 0;
  for (const std::uint8_t value : bytes) a = (a + value) % 65521, b = (b + a) % 65521;
  return b << 16 | a;
}

/// Compresses with fixed codes: RFC 1951, 3.2.6.
class Deflater {
 public:
  explicit Deflater(Bytes& to) noexcept : to_(to) { bits(3, 3); }  // the last block, and fixed codes

  /// A byte as it is.
  void literal(std::uint32_t value) noexcept {
    if (value < 144) code(0x30 + value, 8);
    else code(0x190 + value - 144, 9);
  }
  /// `length` (3 to 258) bytes that stand `distance` (1 to 32768) bytes further in front.
  void match(std::uint32_t length, std::uint32_t distance) noexcept {
    if (length == 258) {
      code(0xC5, 8);
    } else {
      const std::uint32_t n = length - 3, extra = n < 8 ? 0 : bit_width(n) - 3;
      const std::uint32_t symbol = n < 8 ? 257 + n : 257 + 4 * extra + (n >> extra);
      if (symbol < 280) code(symbol - 256, 7);
      else code(0xC0 + symbol - 280, 8);
      bits(n & ((1u << extra) - 1), extra);
    }
    const std::uint32_t n = distance - 1, extra = n < 4 ? 0 : bit_width(n) - 2;
    code(n < 4 ? n : 2 * extra + (n >> extra), 5);
    bits(n & ((1u << extra) - 1), extra);
  }
  /// Ends the stream.
  void finish() noexcept {
    code(0, 7);
    if (used_ > 0) to_.byte(held_);
  }

 private:
  static constexpr std::uint32_t bit_width(std::uint32_t n) noexcept {
    std::uint32_t width = 0;
    for (; n > 0; n >>= 1) ++width;
    return width;
  }
  /// Codes begin with their most significant bit, all else with its least.
  void code(std::uint32_t value, std::uint32_t count) noexcept {
    while (count-- > 0) bits(value >> count & 1, 1);
  }
  void bits(std::uint32_t value, std::uint32_t count) noexcept {
    held_ |= value << used_;
    for (used_ += count; used_ >= 8; used_ -= 8, held_ >>= 8) to_.byte(held_);
  }

  Bytes& to_;
  std::uint32_t held_ = 0, used_ = 0;  // bits that do not make a byte yet
};

/// Compresses `data`.
inline void deflate(std::span<const std::uint8_t> data, Buffer<std::uint32_t>& places, Bytes& to) noexcept {
  constexpr std::size_t kLongest = 258, kFurthest = 32768;
  Deflater out(to);
  for (std::size_t i = 0; i < data.size();) {
    std::size_t length = 0, from = 0;
    if (data.size() - i >= 3) {
      const std::uint32_t three = data[i] | static_cast<std::uint32_t>(data[i + 1]) << 8 |
                                  static_cast<std::uint32_t>(data[i + 2]) << 16;
      std::uint32_t& place = places[(three * 0x9E3779B1u) >> (32 - 15)];
      from = place;  // one more than the place, so that 0 is none
      place = static_cast<std::uint32_t>(i + 1);
      const std::size_t most = std::min<std::size_t>(kLongest, data.size() - i);
      if (from > 0 && i - (from - 1) <= kFurthest)
        while (length < most && data[from - 1 + length] == data[i + length]) ++length;
    }
    if (length >= 3) {
      out.match(static_cast<std::uint32_t>(length), static_cast<std::uint32_t>(i - (from - 1)));
      i += length;
    } else {
      out.literal(data[i++]);
    }
  }
  out.finish();
}

/// Writes a row's filter and its differences to `to` (1 + 3 * width).
inline void filter_row(const std::uint8_t* row, const std::uint8_t* above, std::size_t bytes,
                       std::uint8_t* to) noexcept {
  const auto left = [&](std::size_t i) { return static_cast<std::uint8_t>(row[i] - (i < 3 ? 0 : row[i - 3])); };
  const auto up = [&](std::size_t i) { return static_cast<std::uint8_t>(row[i] - (above ? above[i] : 0)); };
  const auto size = [](std::uint8_t difference) { return std::abs(int{static_cast<std::int8_t>(difference)}); };
  long long by_left = 0, by_up = 0;
  for (std::size_t i = 0; i < bytes; ++i) by_left += size(left(i)), by_up += size(up(i));
  to[0] = by_up <= by_left ? 2 : 1;
  for (std::size_t i = 0; i < bytes; ++i) to[i + 1] = to[0] == 2 ? up(i) : left(i);
}

/// Appends a chunk.
inline void chunk(std::string_view type, std::span<const std::byte> data, Bytes& to) noexcept {
  to.word(static_cast<std::uint32_t>(data.size()));
  const std::size_t first = to.span().size();
  to.text(type);
  for (const std::byte b : data) to.byte(static_cast<std::uint32_t>(b));
  to.word(crc32(to.span().subspan(first)));
}

}  // namespace png_detail

/// A PNG file of the pixels, as 8-bit RGB in the form that the model sees them (see read_pixels). They must be pixels
/// that check() accepts, such as those of an Image.
///
/// Codes  out_of_memory, bad_argument (nothing to see), limit (more than 1 GiB of RGB)
/// Cost   memory of three times the pixels while it works
inline Result<Buffer<std::byte>> encode_png(const Pixels& pixels, Allocator* from = nullptr) noexcept {
  if (!pixels.data || pixels.width < 1 || pixels.height < 1)
    return fail(Code::bad_argument, "a PNG file of %td x %td pixels: there is nothing to see", pixels.width,
                pixels.height);
  if (pixels.width > (Index{1} << 30) / 3 / pixels.height)
    return fail(Code::limit, "a PNG file of %td x %td pixels: more than 1 GiB", pixels.width, pixels.height);
  const auto row = static_cast<std::size_t>(3 * pixels.width), rows = static_cast<std::size_t>(pixels.height);
  Buffer<std::uint8_t> lines(from), planes(from), filtered(from);
  Buffer<std::uint32_t> places(from);
  png_detail::Bytes data(from), out(from), head(from);
  const auto no_memory = [&] {
    return fail(Code::out_of_memory, "no memory for a PNG file of %td x %td pixels", pixels.width, pixels.height);
  };
  if (!lines.resize(2 * row) || !planes.resize(row) || !filtered.resize((row + 1) * rows) || !places.resize(1 << 15))
    return no_memory();
  std::fill(places.begin(), places.end(), 0u);
  for (std::size_t y = 0; y < rows; ++y) {
    std::uint8_t* const line = lines.data() + y % 2 * row;
    read_rgb_row(pixels, static_cast<Index>(y), planes.data(), line);
    png_detail::filter_row(line, y > 0 ? lines.data() + (y + 1) % 2 * row : nullptr, row,
                           filtered.data() + y * (row + 1));
  }
  data.byte(0x78), data.byte(0x01);  // zlib: a window of 32 KiB, compressed quickly
  png_detail::deflate(filtered.span(), places, data);
  data.word(png_detail::adler32(filtered.span()));

  head.word(static_cast<std::uint32_t>(pixels.width)), head.word(static_cast<std::uint32_t>(pixels.height));
  for (const std::uint32_t field : {8u, 2u, 0u, 0u, 0u}) head.byte(field);  // 8 bits, RGB; as every PNG; not interlaced
  out.text("\x89PNG\r\n\x1A\n");
  png_detail::chunk("IHDR", head.span(), out);
  png_detail::chunk("IDAT", data.span(), out);
  png_detail::chunk("IEND", {}, out);
  if (!data.fits() || !out.fits() || !head.fits()) return no_memory();
  return out.take();
}

DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_IO_PNG_WRITER_HPP
