// Resampler: resizes a picture in two passes, cut into tiles that may run in any order on any threads.
//
// preprocess.hpp brings pictures to a tower's size with it. Integer weights give Pillow's 8-bit resize bit for bit,
// float weights torchvision's float resize. The result of the first pass is never stored for the whole picture: a tile
// filters just the source it needs into scratch memory along one axis, then along the other. Rows that two tiles share
// are computed in both. Both passes are the same loop, over kLanes neighbours at once and one weight at a time.
// Sources: Pillow, Resample.c (ImagingResampleInner, and in 12.2/12.3 the exception for tall pictures).
#ifndef DSVL_VISION_RESAMPLE_HPP
#define DSVL_VISION_RESAMPLE_HPP

#include "../base/host_macros_push.hpp"

#include <algorithm>

#include "../base/read_pixels.hpp"
#include "pre_taps.hpp"

DSVL_BEGIN_NAMESPACE

/// The addresses of a picture's 8-bit samples, interleaved or planar: sample (c, y, x) is
/// plane[c][y * row_stride + x * pixel_stride]. Pixels in other formats (YUV, float) are converted while they are read.
/// The memory is the caller's and must outlive the resize.
struct Samples {
  const std::uint8_t* plane[3] = {};  ///< top left sample of red, green and blue; all three of gray are the same
  Index row_stride = 0;               ///< bytes from a row to the next; negative in bottom-up pictures
  Index pixel_stride = 0;             ///< bytes from a pixel to the next
  int channels = 0;                   ///< 3, or 1 for gray
  Pixels converted = {};              ///< pixels to convert; when it has an address, the planes above are not read
};

/// The samples of the caller's picture, read in place.
inline Samples samples_of(const Pixels& pixels) noexcept {
  const int of = channels(pixels.format) == 1 ? 1 : 3;
  if (!reads_in_place(pixels)) return {{}, 0, 0, of, pixels};
  const detail::PixelLayout at = detail::layout_of(pixels.format);
  const std::uint8_t* const first = pixels.data;
  return {{first + at.red, first + at.green, first + at.blue}, pixels.row_stride(), at.step, of};
}
/// The samples of a channels-first picture of three channels.
inline Samples samples_of(Volume<const std::uint8_t> v) noexcept {
  return {{v.row(0, 0), v.row(1, 0), v.row(2, 0)}, v.width, 1, 3};
}

namespace detail {

/// Neighbours that a pass filters at once: a vector register of 16 x 32 bits, or two of half that size.
inline constexpr Index kLanes = 16;

/// out[l] = sum over j of samples[j * stride + l] * weights[j], rounded to 8 bits as Pillow does. The magnitudes of a
/// pixel's weights sum to less than 1.5, so 32 bits hold the result.
inline void weigh(const std::int32_t* DSVL_RESTRICT samples, Index stride, const std::int32_t* DSVL_RESTRICT weights,
                  Index n, std::int32_t* DSVL_RESTRICT out) noexcept {
  std::int32_t sum[kLanes];
  for (Index l = 0; l < kLanes; ++l) sum[l] = 1 << (kWeightBits - 1);
  Index j = 0;
  for (; j + 4 <= n; j += 4) {  // four at a time, because some compilers keep the sums in memory
    const std::int32_t *a = samples + j * stride, *b = a + stride, *c = b + stride, *d = c + stride;
    const std::int32_t wa = weights[j], wb = weights[j + 1], wc = weights[j + 2], wd = weights[j + 3];
    for (Index l = 0; l < kLanes; ++l) sum[l] += a[l] * wa + b[l] * wb + c[l] * wc + d[l] * wd;
  }
  for (; j < n; ++j) {
    const std::int32_t *a = samples + j * stride, wa = weights[j];
    for (Index l = 0; l < kLanes; ++l) sum[l] += a[l] * wa;
  }
  for (Index l = 0; l < kLanes; ++l) {
    const std::int32_t value = sum[l] >> kWeightBits, positive = value < 0 ? 0 : value;
    out[l] = positive > 255 ? 255 : positive;
  }
}

/// out[l] = sum over j of samples[j * stride + l] * weights[j] in floats. Products of two floats are exact in double,
/// so the result does not depend on whether the compiler fuses them with the sum.
inline void weigh(const float* DSVL_RESTRICT samples, Index stride, const float* DSVL_RESTRICT weights, Index n,
                  float* DSVL_RESTRICT out) noexcept {
  double sum[kLanes] = {};
  for (Index j = 0; j < n; ++j) {
    const float* const a = samples + j * stride;
    const double wa = weights[j];
    for (Index l = 0; l < kLanes; ++l) sum[l] += static_cast<double>(a[l]) * wa;
  }
  for (Index l = 0; l < kLanes; ++l) out[l] = static_cast<float>(sum[l]);
}

}  // namespace detail

/// One resize, planned once and run in tiles. Weight is std::int32_t (Pillow: rounded to 8 bits between and after the
/// passes) or float (torchvision: nothing is rounded or clipped). Once filled it is constant, so any number of threads
/// may run tiles at a time.
///
///   Resampler<float> r;
///   DSVL_CHECK_STATUS(r.plan(Filter::bicubic, 640, 480, 384, 288, 3));
///   if (!carve_slab(slab, [&](Arena& arena) { r.carve(arena); })) return out_of_memory;
///   r.fill();
template <class Weight>
class Resampler {
 public:
  /// The type that the passes compute with, and that the sink gets.
  using Value = Weight;

  /// Plans (in_height, in_width) -> (out_height, out_width) for `channels` = 1 or 3. Then carve() and fill() follow.
  ///
  /// Fails  bad_argument, limit (a side out of range)
  Status plan(Filter filter, Index in_width, Index in_height, Index out_width, Index out_height,
              int channels) noexcept {
    // Pillow 12.2 and 12.3 filter very tall pictures along the columns first. The 8-bit rounding between the passes
    // makes that visible in the result, so we do it too: the axes are swapped here, and the strides in transpose().
    constexpr bool integer = std::is_same_v<Weight, std::int32_t>;
    const bool sane = in_width >= 1 && in_width <= kMaxPictureSide;
    columns_first_ = integer && sane && in_height > 100 * in_width && out_height < in_height;
    DSVL_CHECK_STATUS((columns_first_ ? second_ : first_).plan(filter, in_width, out_width));
    DSVL_CHECK_STATUS((columns_first_ ? first_ : second_).plan(filter, in_height, out_height));
    channels_ = channels;
    choose_tile();
    return {};
  }
  /// A resize whose carve() and most_scratch_bytes() are not below those of any resize from sides of at most `in` to
  /// sides of at most `out` pixels, none of which makes a side more than `shrink` times smaller. It is never run.
  [[nodiscard]] static Resampler largest(Filter filter, Index in, Index out, Index shrink) noexcept {
    Resampler r;
    r.first_ = r.second_ = Taps<Weight>::largest(filter, in, out, shrink);
    return r;
  }
  /// Declares the memory of the weights.
  void carve(Arena& arena) noexcept {
    first_.carve(arena);
    second_.carve(arena);
  }
  /// Computes the weights, in memory that was carved.
  void fill() noexcept {
    first_.fill();
    second_.fill();
  }

  /// Number of tiles, each about half a millisecond of work at most.
  [[nodiscard]] Index tiles() const noexcept {
    return ceil_div(first_.out, tile_first_) * ceil_div(second_.out, tile_second_);
  }
  /// Bytes that run() needs at `scratch`, at alignment kAlignment: some 100 KiB for photos, a few MiB at worst.
  [[nodiscard]] std::size_t scratch_bytes() const noexcept { return scratch_bytes(tile_first_, tile_second_); }
  /// What scratch_bytes() does not exceed, however the tiles are chosen: a tile of one output may need more than others
  /// are allowed.
  [[nodiscard]] std::size_t most_scratch_bytes() const noexcept {
    return std::max<std::size_t>(kMostScratch, scratch_bytes(1, 1));
  }
  /// Bytes that rectangle() needs for a rectangle of this size.
  [[nodiscard]] std::size_t rectangle_scratch_bytes(Index width, Index height) const noexcept {
    return columns_first_ ? scratch_bytes(height, width) : scratch_bytes(width, height);
  }

  /// Computes one tile of the output.
  ///
  /// load     Value(std::uint8_t): the number that a sample of the source stands for
  /// sink     void(Index c, Index y, Index x, Value): takes output samples, each once; gray ones come as channel 0
  /// scratch  scratch_bytes(), one per thread
  template <class Load, class Sink>
  void run(Index tile, const Samples& source, const Load& load, const Sink& sink, void* scratch) const noexcept {
    const Index across = ceil_div(first_.out, tile_first_);
    const Index a = tile % across * tile_first_, b = tile / across * tile_second_;
    resample({a, std::min<Index>(a + tile_first_, first_.out), b, std::min<Index>(b + tile_second_, second_.out)},
             source, load, sink, static_cast<Value*>(scratch));
  }

  /// Computes any rectangle of the output, with the same values as every tile that covers it. Tests use it to show that
  /// the cut into tiles does not matter.
  template <class Load, class Sink>
  void rectangle(Rect r, const Samples& source, const Load& load, const Sink& sink, void* scratch) const noexcept {
    if (r.width < 1 || r.height < 1) return;
    const OutputRange range = columns_first_ ? OutputRange{r.y, r.y + r.height, r.x, r.x + r.width}
                                             : OutputRange{r.x, r.x + r.width, r.y, r.y + r.height};
    resample(range, source, load, sink, static_cast<Value*>(scratch));
  }

 private:
  static constexpr Index kLanes = detail::kLanes;
  /// Bytes of scratch that a tile may take, so that it stays in a second-level cache. For sides of up to 4096 pixels a
  /// resize with larger tiles would be 0.1 % cheaper on average, by cost().
  static constexpr std::size_t kMostScratch = std::size_t{208} << 10;

  /// Outputs [first_begin, first_end) along the axis that is filtered first, and the others along the second.
  struct OutputRange { Index first_begin, first_end, second_begin, second_end; };

  /// Values in a row of the strip, for `first` outputs along the first axis: whole vectors.
  [[nodiscard]] Index strip_width(Index first) const noexcept { return round_up(first * channels_, kLanes); }
  /// Scratch of a tile of first x second outputs: see resample() for its three parts.
  [[nodiscard]] std::size_t scratch_bytes(Index first, Index second) const noexcept {
    const Index block = first_.reach(first) * channels_ * kLanes;
    const Index strip = (second_.reach(second) + 1) * strip_width(first);
    return static_cast<std::size_t>(block + strip) * sizeof(Value);
  }

  /// Work of a tile of that many outputs, in multiplications. The weights of the terms were measured: a load costs 1.2,
  /// and each output about 6 more than its weights.
  [[nodiscard]] double cost(Index first, Index second) const noexcept {
    const double lanes = static_cast<double>(strip_width(first)), of = channels_;
    const double rows = static_cast<double>(round_up(second_.reach(second), kLanes));
    const double loads = static_cast<double>(first_.reach(first)) * of * 1.2;
    const double filters = static_cast<double>(first) * of * static_cast<double>(first_.most + 6);
    return rows * (loads + filters) + static_cast<double>(second) * lanes * static_cast<double>(second_.most + 6) + 2e4;
  }

  /// Chooses the tile, among powers of two, that makes the whole resize cheapest and stays under about half a
  /// millisecond and within kMostScratch.
  void choose_tile() noexcept {
    constexpr double kMost = 1.4e6;
    double best = -1;
    for (Index a = 1; a < 2 * first_.out; a *= 2) {
      for (Index b = 1; b < 2 * second_.out; b *= 2) {
        const Index first = std::min<Index>(a, first_.out), second = std::min<Index>(b, second_.out);
        const double each = cost(first, second);
        const bool too_large = each > kMost || scratch_bytes(first, second) > kMostScratch;
        if (too_large && (a > 1 || b > 1)) continue;
        const double all = each * static_cast<double>(ceil_div(first_.out, first) * ceil_div(second_.out, second));
        if (best >= 0 && all >= best) continue;
        best = all;
        tile_first_ = first;
        tile_second_ = second;
      }
    }
  }

  /// Filters the source of one range along the first axis into the strip, kLanes source rows at a time, then the strip
  /// along the second axis, an output row at a time.
  template <class Load, class Sink>
  void resample(OutputRange r, const Samples& source, const Load& load, const Sink& sink,
                Value* scratch) const noexcept {
    const Index x0 = first_.begin(r.first_begin), x1 = first_.end(r.first_end - 1);
    const Index y0 = second_.begin(r.second_begin), y1 = second_.end(r.second_end - 1);
    const Index width = strip_width(r.first_end - r.first_begin);
    Value* const row = scratch;            // one finished row
    Value* const strip = row + width;      // (y1 - y0, width), filtered along the first axis
    Value* const block = strip + (y1 - y0) * width;  // (x1 - x0, channels, kLanes): kLanes source rows, transposed
    DSVL_ASSERT(x1 - x0 <= first_.reach(r.first_end - r.first_begin));
    DSVL_ASSERT(y1 - y0 <= second_.reach(r.second_end - r.second_begin));
    for (Index y = y0; y < y1; y += kLanes) {
      const Index rows = std::min<Index>(kLanes, y1 - y);
      transpose(source, load, x0, x1, y, rows, block);
      filter_first(r, block, x0, rows, width, strip + (y - y0) * width);
    }
    for (Index o = r.second_begin; o < r.second_end; ++o) {
      const Value* const from = strip + (second_.begin(o) - y0) * width;
      for (Index l = 0; l < width; l += kLanes)
        detail::weigh(from + l, width, second_.row(o), second_.size(o), row + l);
      for (int c = 0; c < channels_; ++c)
        for (Index i = r.first_begin; i < r.first_end; ++i)
          put(sink, c, o, i, row[(i - r.first_begin) * channels_ + c]);
    }
  }

  /// block[x - x0][c][l] = sample (c, y + l, x) for the lanes l of `rows` rows. Lanes past the last row repeat it.
  template <class Load>
  void transpose(const Samples& source, const Load& load, Index x0, Index x1, Index y, Index rows,
                 Value* DSVL_RESTRICT block) const noexcept {
    if (source.converted.data) return convert(source, load, x0, x1, y, rows, block);
    const Index across = columns_first_ ? source.row_stride : source.pixel_stride;
    const Index down = columns_first_ ? source.pixel_stride : source.row_stride;
    for (Index l = 0; l < kLanes; l += 4) {  // four rows at a time, few enough streams for the prefetcher
      Index row[4];
      for (Index i = 0; i < 4; ++i) row[i] = (y + std::min<Index>(l + i, rows - 1)) * down;
      lay_down(source.plane, row, x0 * across, x1 * across, across, load, block + l);
    }
  }

  /// Fills four lanes of the block from plane[c][row[i] + at], for every `at` from begin to end in steps of `across`.
  template <class Load>
  DSVL_FORCE_INLINE void lay_down(const std::uint8_t* const* plane, const Index* row, Index begin, Index end,
                                  Index across, const Load& load, Value* DSVL_RESTRICT to) const noexcept {
    const Index a = row[0], b = row[1], c = row[2], d = row[3], channels = channels_;
    for (Index at = begin; at != end; at += across)  // `across` is negative for rows of a bottom-up picture
      for (Index channel = 0; channel < channels; ++channel, to += kLanes) {
        const std::uint8_t* const from = plane[channel] + at;
        to[0] = load(from[a]), to[1] = load(from[b]), to[2] = load(from[c]), to[3] = load(from[d]);
      }
  }

  /// transpose() for pixels that have to be converted. Pieces of up to four rows are converted to 8-bit samples in a
  /// small buffer, which stays in the first-level cache, and are laid down from there.
  template <class Load>
  DSVL_NO_INLINE void convert(const Samples& source, const Load& load, Index x0, Index x1, Index y, Index rows,
                              Value* block) const noexcept {
    constexpr Index kRun = 64;
    std::uint8_t pixels[3][4 * kRun];
    const std::uint8_t* const plane[3] = {pixels[0], pixels[1], pixels[2]};
    const Index across = columns_first_ ? 4 : 1, down = columns_first_ ? 1 : kRun;
    for (Index l = 0; l < kLanes; l += 4) {
      const Index first = std::min<Index>(l, rows - 1), count = std::min<Index>(4, rows - first);
      Index row[4];
      for (Index i = 0; i < 4; ++i) row[i] = (std::min<Index>(l + i, rows - 1) - first) * down;
      for (Index x = x0; x < x1; x += kRun) {
        const Index n = std::min<Index>(kRun, x1 - x), runs = columns_first_ ? n : count;
        for (Index i = 0; i < runs; ++i) {
          if (columns_first_) read_pixels(source.converted, y + first, x + i, count, pixels[0] + i * across, 4 * kRun);
          else read_pixels(source.converted, x, y + first + i, n, pixels[0] + i * down, 4 * kRun);
        }
        lay_down(plane, row, 0, n * across, across, load, block + (x - x0) * channels_ * kLanes + l);
      }
    }
  }

  /// Filters kLanes transposed rows along the first axis, and transposes the result back into `rows` rows of the strip.
  void filter_first(OutputRange r, const Value* block, Index x0, Index rows, Index width, Value* strip) const noexcept {
    const Index stride = channels_ * kLanes;
    for (Index o = r.first_begin; o < r.first_end; ++o) {
      for (int c = 0; c < channels_; ++c) {
        Value out[kLanes];
        detail::weigh(block + (first_.begin(o) - x0) * stride + c * kLanes, stride, first_.row(o), first_.size(o), out);
        Value* const to = strip + (o - r.first_begin) * channels_ + c;
        for (Index l = 0; l < rows; ++l) to[l * width] = out[l];
      }
    }
    for (Index l = 0; l < rows; ++l)  // the second pass computes with the padding up to the width, and drops the result
      for (Index i = (r.first_end - r.first_begin) * channels_; i < width; ++i) strip[l * width + i] = 0;
  }

  /// Hands one value to the sink, with the axes in the order that the caller knows.
  template <class Sink>
  void put(const Sink& sink, int c, Index second, Index first, Value value) const noexcept {
    if (columns_first_) sink(c, first, second, value);
    else sink(c, second, first, value);
  }

  Taps<Weight> first_, second_;  // x and y, or y and x when columns go first
  bool columns_first_ = false;
  int channels_ = 3;
  Index tile_first_ = 1, tile_second_ = 1;  // outputs of a tile along each axis
};

DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_VISION_RESAMPLE_HPP
