// Decodes a JPEG file that passed jpeg.hpp: stb_image undoes the entropy coding, the arithmetic is ours.
//
// stb's own loop over the file is not used, because its treatment of an odd marker, or of data that end early, depends
// on its version. It is handed one segment at a time, and the compressed data of a scan through a feed that continues
// with ones at their end. No Huffman code is all ones, so cut off data are noticed at once, and so is a cancellation.
#ifndef DSVL_IO_JPEG_DECODER_HPP
#define DSVL_IO_JPEG_DECODER_HPP

#include "../base/host_macros_push.hpp"

#include <algorithm>
#include <utility>

#include "../base/until.hpp"
#include "exif.hpp"
#include "jpeg.hpp"
#include "jpeg_dct.hpp"
#include "jpeg_upsample.hpp"
#include "stb_decoder.hpp"

DSVL_BEGIN_NAMESPACE
namespace jpeg {

/// Huffman tables 0 and 1, which the frames of MJPEG cameras take for granted. Source: T.81, annex K.3.
inline constexpr unsigned char kStandardTables[] = {
    0x01, 0xA2,  // length of the segment
    0x00, 0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11,
    0x01, 0, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11,
    0x10, 0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 0x7D,
    0x01, 0x02, 0x03, 0x00, 0x04, 0x11, 0x05, 0x12, 0x21, 0x31, 0x41, 0x06, 0x13, 0x51, 0x61, 0x07, 0x22, 0x71,
    0x14, 0x32, 0x81, 0x91, 0xA1, 0x08, 0x23, 0x42, 0xB1, 0xC1, 0x15, 0x52, 0xD1, 0xF0, 0x24, 0x33, 0x62, 0x72,
    0x82, 0x09, 0x0A, 0x16, 0x17, 0x18, 0x19, 0x1A, 0x25, 0x26, 0x27, 0x28, 0x29, 0x2A, 0x34, 0x35, 0x36, 0x37,
    0x38, 0x39, 0x3A, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0x4A, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58, 0x59,
    0x5A, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6A, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7A, 0x83,
    0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8A, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9A, 0xA2, 0xA3,
    0xA4, 0xA5, 0xA6, 0xA7, 0xA8, 0xA9, 0xAA, 0xB2, 0xB3, 0xB4, 0xB5, 0xB6, 0xB7, 0xB8, 0xB9, 0xBA, 0xC2, 0xC3,
    0xC4, 0xC5, 0xC6, 0xC7, 0xC8, 0xC9, 0xCA, 0xD2, 0xD3, 0xD4, 0xD5, 0xD6, 0xD7, 0xD8, 0xD9, 0xDA, 0xE1, 0xE2,
    0xE3, 0xE4, 0xE5, 0xE6, 0xE7, 0xE8, 0xE9, 0xEA, 0xF1, 0xF2, 0xF3, 0xF4, 0xF5, 0xF6, 0xF7, 0xF8, 0xF9, 0xFA,
    0x11, 0, 2, 1, 2, 4, 4, 3, 4, 7, 5, 4, 4, 0, 1, 2, 0x77,
    0x00, 0x01, 0x02, 0x03, 0x11, 0x04, 0x05, 0x21, 0x31, 0x06, 0x12, 0x41, 0x51, 0x07, 0x61, 0x71, 0x13, 0x22,
    0x32, 0x81, 0x08, 0x14, 0x42, 0x91, 0xA1, 0xB1, 0xC1, 0x09, 0x23, 0x33, 0x52, 0xF0, 0x15, 0x62, 0x72, 0xD1,
    0x0A, 0x16, 0x24, 0x34, 0xE1, 0x25, 0xF1, 0x17, 0x18, 0x19, 0x1A, 0x26, 0x27, 0x28, 0x29, 0x2A, 0x35, 0x36,
    0x37, 0x38, 0x39, 0x3A, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0x4A, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58,
    0x59, 0x5A, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6A, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7A,
    0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8A, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9A,
    0xA2, 0xA3, 0xA4, 0xA5, 0xA6, 0xA7, 0xA8, 0xA9, 0xAA, 0xB2, 0xB3, 0xB4, 0xB5, 0xB6, 0xB7, 0xB8, 0xB9, 0xBA,
    0xC2, 0xC3, 0xC4, 0xC5, 0xC6, 0xC7, 0xC8, 0xC9, 0xCA, 0xD2, 0xD3, 0xD4, 0xD5, 0xD6, 0xD7, 0xD8, 0xD9, 0xDA,
    0xE2, 0xE3, 0xE4, 0xE5, 0xE6, 0xE7, 0xE8, 0xE9, 0xEA, 0xF2, 0xF3, 0xF4, 0xF5, 0xF6, 0xF7, 0xF8, 0xF9, 0xFA};
static_assert(sizeof kStandardTables == 0x01A2);

/// The compressed data of one scan, as stb asks for them. At their end, and before every restart marker as far as stb's
/// register allows (two bytes), it gives bits that are all one; after a cancellation it gives nothing else.
class Feed {
 public:
  /// All arguments must outlive the object.
  Feed(const Segment& segment, const Until& until) noexcept
      : data_(segment.scan), restarts_(segment.restarts), until_(until) {
    find_restart(0);
  }

  /// Writes exactly `size` bytes.
  int read(char* to, int size) noexcept {
    cancelled_ = cancelled_ || until_.over();
    for (int n = 0; n < size;) {
      if (at_ == restart_at_) {
        pad_ = 4;  // two bytes of ones, each written as two bytes
        behind_restart_ = given_ + n + pad_ + 2;
        find_restart(at_ + 2);
      }
      if (pad_ > 0 || cancelled_ || at_ == data_.size()) {
        if (pad_ > 0) --pad_;
        else if (end_ < 0) end_ = given_ + n;
        half_ = !half_;
        to[n++] = static_cast<char>(half_ ? 0xFF : 0x00);  // JPEG escapes a byte of ones as FF 00
      } else {
        const std::size_t bytes =
            (std::min)(static_cast<std::size_t>(size - n), (std::min)(restart_at_, data_.size()) - at_);
        std::memcpy(to + n, data_.data() + at_, bytes);
        at_ += bytes;
        n += static_cast<int>(bytes);
      }
    }
    given_ += size;
    return size;
  }

  /// True once it was time to stop.
  [[nodiscard]] bool cancelled() const noexcept { return cancelled_; }
  /// True when stb used all the data and needed none of the ones behind them. `unread` of the given bytes still wait in
  /// stb's buffer, and of those it took `bits` bits are unused.
  [[nodiscard]] bool met(std::int64_t unread, int bits) const noexcept {
    // stb may have taken ones into its register that it did not use. All ones it took must be among the unused bits.
    const std::int64_t taken = given_ - unread;
    const std::int64_t ones = end_ < 0 || taken < end_ ? 0 : (taken - end_) / 2;
    return restart_at_ == kNone && taken >= behind_restart_ && 8 * ones <= bits;
  }

 private:
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);

  /// Finds the next restart marker, from byte `from` on.
  void find_restart(std::size_t from) noexcept {
    restart_at_ = kNone;
    if (restarts_ == 0) return;
    --restarts_;
    for (restart_at_ = from;; ++restart_at_)  // ends, because jpeg_segments.hpp has counted the markers
      if (data_[restart_at_] == std::byte{0xFF} && is_restart(std::to_integer<int>(data_[restart_at_ + 1]))) return;
  }

  std::span<const std::byte> data_;
  int restarts_;
  Until until_;
  std::size_t at_ = 0, restart_at_ = kNone;                 // next byte, and the next restart marker
  std::int64_t given_ = 0, end_ = -1, behind_restart_ = 0;  // counted in given bytes; end_: where the ones begin
  int pad_ = 0;                                             // bytes of ones still to come before a restart marker
  bool half_ = false, cancelled_ = false;                   // half_: an FF was given, its 00 has to follow
};

/// The outcome of a decoding. `damaged` includes lack of memory, which the arena tells.
enum class Outcome { done, damaged, cancelled };

/// Decodes a file into planes of samples, in memory of the current stb::DecodeArena.
class Decoder {
 public:
  /// All arguments must outlive the object.
  Decoder(std::span<const std::byte> file, const Frame& frame, const Until& until) noexcept
      : file_(file), frame_(frame), until_(until) {}

  /// Decodes all scans. The tables are set to the standard's first, in case the file has none.
  Outcome decode() noexcept {
    stb_ = static_cast<stb::stbi__jpeg*>(stb::allocate_block(sizeof(stb::stbi__jpeg)));
    if (!stb_) return Outcome::damaged;
    // These are the members that stb's own entry point would set up. The inverse DCT is replaced by ours.
    stb_->s = &context_;
    stb_->idct_block_kernel = [](stb::stbi_uc* out, int stride, short* data) { idct(out, stride, data); };
    stb_->progressive = frame_.progressive;
    // The standard's tables come first; a file's own replace them.
    set_context({reinterpret_cast<const std::byte*>(kStandardTables), sizeof kStandardTables});
    if (!stb::stbi__process_marker(stb_, kDht)) return Outcome::damaged;
    Segments segments(file_);
    for (Segment segment; !segments.next(segment) && segment.marker != kEoi;)
      if (const Outcome outcome = take(segment); outcome != Outcome::done) return outcome;
    if (frame_.progressive) stb::stbi__jpeg_finish(stb_);
    for (int c = 0; c < frame_.components; ++c) {
      stb::release_block(std::exchange(stb_->img_comp[c].raw_coeff, nullptr));  // makes room for the picture
      // 128 is the middle of the range: no chroma, or medium gray.
      if (!frame_.component[c].scanned)
        std::memset(stb_->img_comp[c].data, 128,
                    static_cast<std::size_t>(stb_->img_comp[c].w2) * static_cast<std::size_t>(stb_->img_comp[c].h2));
    }
    return Outcome::done;
  }

  /// The samples of component c; valid while the arena lives.
  [[nodiscard]] Plane plane(int c) const noexcept {
    const Component& own = frame_.component[c];
    return {stb_->img_comp[c].data, stb_->img_comp[c].w2,       frame_.width(c),
            frame_.height(c),       frame_.h_max / own.h, frame_.v_max / own.v};
  }

 private:
  /// Hands one segment to stb.
  Outcome take(const Segment& segment) noexcept {
    set_context(segment.whole);
    switch (segment.marker) {
      case kSof0: case kSof1: case kSof2:
        return stb::stbi__process_frame_header(stb_, stb::STBI__SCAN_load) ? Outcome::done : Outcome::damaged;
      case kDht: case kDqt: case kDri:
        return stb::stbi__process_marker(stb_, segment.marker) ? Outcome::done : Outcome::damaged;
      case kSos: return scan(segment);
      default: return Outcome::done;
    }
  }

  /// Decodes the data of one scan.
  Outcome scan(const Segment& segment) noexcept {
    if (!stb::stbi__process_scan_header(stb_)) return Outcome::damaged;
    Feed feed(segment, until_);
    // stb reads the scan's data through these. They never report an end, because Feed continues with ones.
    stb::stbi_io_callbacks callbacks = {};
    callbacks.read = [](void* user, char* to, int size) { return static_cast<Feed*>(user)->read(to, size); };
    callbacks.skip = [](void*, int) {};
    callbacks.eof = [](void*) { return 0; };
    stb::stbi__start_callbacks(&context_, &callbacks, &feed);
    const int decoded = stb::stbi__parse_entropy_coded_data(stb_);
    if (feed.cancelled()) return Outcome::cancelled;
    return decoded && feed.met(context_.img_buffer_end - context_.img_buffer, stb_->code_bits) ? Outcome::done
                                                                                               : Outcome::damaged;
  }

  /// Lets stb read from these bytes.
  void set_context(std::span<const std::byte> bytes) noexcept {
    const auto* const begin = reinterpret_cast<const stb::stbi_uc*>(bytes.data());
    stb::stbi__start_mem(&context_, begin, static_cast<int>(bytes.size()));
  }

  std::span<const std::byte> file_;
  const Frame& frame_;
  Until until_;
  stb::stbi__context context_ = {};
  stb::stbi__jpeg* stb_ = nullptr;
};

/// Writes the picture row by row to `out`: packed RGB, rotated upright from `orientation`. Its few rows of working
/// memory come from the current stb::DecodeArena; the outcome is `damaged` when that has no more.
inline Outcome write_rgb(const Decoder& decoder, const Frame& frame, int orientation, const Until& until,
                         std::uint8_t* out) noexcept {
  const Index width = frame.header.width, height = frame.header.height;
  // Each component has a buffer for one upsampled row.
  Plane planes[kMaxComponents];
  std::uint8_t* wide[kMaxComponents] = {};
  std::size_t widest = 0;
  for (int c = 0; c < frame.components; ++c) {
    planes[c] = decoder.plane(c);
    const auto samples = static_cast<std::size_t>(planes[c].stride * planes[c].across + kRowSlack);
    widest = (std::max)(widest, samples);
    wide[c] = static_cast<std::uint8_t*>(stb::allocate_block(samples));
    if (!wide[c]) return Outcome::damaged;
  }
  auto* const sums = static_cast<std::int16_t*>(stb::allocate_block(widest * sizeof(std::int16_t)));
  auto* const line = static_cast<std::uint8_t*>(stb::allocate_block(static_cast<std::size_t>(width) * 3));
  if (!sums || !line) return Outcome::damaged;
  for (Index y = 0; y < height; ++y) {
    if (until.over()) return Outcome::cancelled;
    const std::uint8_t* rows[kMaxComponents] = {};
    for (int c = 0; c < frame.components; ++c) rows[c] = upsampled_row(planes[c], y, wide[c], sums);
    exif::write_row([&](std::uint8_t* row) { to_rgb(frame.colors, rows, width, row); }, line, y, width, height,
                    orientation, out);
  }
  return Outcome::done;
}

}  // namespace jpeg
DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_IO_JPEG_DECODER_HPP
