// Preprocessor: from the caller's pixels to the normalised square tensors that the vision towers read.
//
// prepare() checks everything and has all memory. After that the work is a few steps, each cut into independent tiles
// of about half a millisecond that cannot fail. The scheduler (a session, or preprocess() below) runs the steps in
// order and the tiles of one step in any order, on any threads; the result is the same to the last bit.
// Sources: see pre_config.hpp; model details in the paper, arXiv:2403.05525, section 2.2.
#ifndef DSVL_VISION_PREPROCESS_HPP
#define DSVL_VISION_PREPROCESS_HPP

#include "../base/host_macros_push.hpp"

#include <span>

#include "check_pixels.hpp"
#include "pre_config.hpp"
#include "resample.hpp"

DSVL_BEGIN_NAMESPACE

namespace detail {

/// One letterboxed view: its 8-bit planes, and the tensor that is made of them.
struct Canvas {
  ViewConfig view;              ///< of this view
  Rect content;                 ///< where the picture lies; the background is around it
  Volume<std::uint8_t> planes;  ///< (3, side, side); none when the view is made in float
  float* normalised = nullptr;  ///< (3, 256), the normalised value of each 8-bit value of a channel
  Volume<float> out;            ///< (3, side, side), the caller's memory

  /// Declares the planes and the table.
  void carve(Arena& arena) noexcept {
    planes = {arena.array<std::uint8_t>("preprocessing", 3 * view.side * view.side), 3, view.side, view.side};
    normalised = arena.array<float>("preprocessing", 3 * 256);
  }
  /// Fills the table of normalised values.
  void fill(double rescale) noexcept {
    for (std::size_t c = 0; c < 3; ++c)
      for (int v = 0; v < 256; ++v)
        normalised[c * 256 + static_cast<std::size_t>(v)] =
            (static_cast<float>(v * rescale) - view.image_mean[c]) / view.image_std[c];
  }

  /// Fills the margins of rows [begin, end), then writes these rows of the tensor. Tables of 256 values make the
  /// normalisation a look-up, with the rounding of one division per table entry.
  void finish(Index begin, Index end) noexcept {
    for (Index c = 0; c < 3; ++c) {
      const float* const becomes = normalised + c * 256;
      const std::uint8_t background = view.background[static_cast<std::size_t>(c)];
      for (Index y = begin; y < end; ++y) {
        std::uint8_t* const row = planes.row(c, y);
        const bool inside = y >= content.y && y < content.y + content.height;
        const Index left = inside ? content.x : view.side, right = content.x + content.width;
        for (Index x = 0; x < left; ++x) row[x] = background;
        if (inside)
          for (Index x = right; x < view.side; ++x) row[x] = background;
        float* const to = out.row(c, y);
        for (Index x = 0; x < view.side; ++x) to[x] = becomes[row[x]];
      }
    }
  }
};

/// The number that a source byte stands for in an integer resize: itself.
struct AsInteger {
  /// The byte itself.
  std::int32_t operator()(std::uint8_t value) const noexcept { return value; }
};
/// The number that a source byte stands for in a float resize: its entry in a table.
struct AsFloat {
  const float* becomes;  ///< (256)
  /// The table's entry.
  float operator()(std::uint8_t value) const noexcept { return becomes[value]; }
};

}  // namespace detail

/// The rectangle that a picture of width x height pixels takes in a view: scaled to fit, in the middle. The larger half
/// of an odd margin is at the bottom or at the right, as in both processors.
DSVL_COLD
inline Rect content_of(const PreprocessConfig& config, const ViewConfig& view, Index width, Index height) noexcept {
  const Index longest = std::max<Index>(width, height), side = view.side;
  const Index w = target_side(config.size_rule, width, longest, side, config.min_side);
  const Index h = target_side(config.size_rule, height, longest, side, config.min_side);
  return {(side - w) / 2, (side - h) / 2, w, h};
}

/// Makes the tower inputs of one picture.
///
///   Preprocessor p;
///   DSVL_CHECK_STATUS(p.prepare(pixels, config, low, high));
///   for (int s = 0; s < p.steps(); ++s)
///     for (Index t = 0; t < p.tiles(s); ++t) p.run(s, t, scratch);   // tiles in any order, or several at once
///
/// Memory: the 8-bit views (3.4 MB for 1024 and 384) and the weights (about 16 bytes per row and column of the
/// picture). The picture is not copied. An object may be prepared again for another picture.
class Preprocessor {
 public:
  /// Declares memory that is enough for every picture of up to `side` pixels a side. It is optional: without it, or for
  /// a larger picture, prepare() allocates. `config` must be one that check() accepts, and `side` 1 to kMaxPictureSide.
  void carve(Arena& arena, const PreprocessConfig& config, Index side) noexcept;
  /// Bytes of scratch_bytes() that no picture of up to `side` pixels a side exceeds.
  static std::size_t most_scratch_bytes(const PreprocessConfig& config, Index side) noexcept;

  /// Checks the arguments, plans the steps and lays them out in the memory that was carved, or else in its own.
  ///
  /// picture  1 to kMaxPictureSide pixels a side; read in place, must stay until the last step has run
  /// low      (3, config.low.side, config.low.side), written by the last step
  /// high     (3, config.high.side, config.high.side), or empty where the configuration has no high view
  /// from     the allocator, when there is no room in what was carved; null means operator new
  /// Fails    bad_argument (picture, configuration), bad_shape (low, high), limit (a side too long), out_of_memory;
  ///          then there are no steps to run
  Status prepare(const Pixels& picture, const PreprocessConfig& config, Volume<float> low, Volume<float> high = {},
                 Allocator* from = nullptr) noexcept;

  /// Forgets the picture, and gives back what prepare() allocated. What was carved stays.
  void clear() noexcept;

  static constexpr int kMaxSteps = 4;  ///< a resize and a finish for each view
  /// Number of steps, at most kMaxSteps; 0 before prepare().
  [[nodiscard]] int steps() const noexcept { return steps_; }
  /// Number of tiles of a step.
  [[nodiscard]] Index tiles(int step) const noexcept;
  /// Bytes that run() needs at `scratch`, aligned to kAlignment; the same for every step.
  [[nodiscard]] std::size_t scratch_bytes() const noexcept { return scratch_bytes_; }
  /// Runs one tile. A step may begin when all tiles of the steps before it have returned. Threads need a scratch each.
  void run(int step, Index tile, void* scratch) noexcept;

  /// The 8-bit letterboxed low view (3, side, side) after the last step, in RGB planes. It is empty when the low view
  /// was made in float. Valid as long as this object and until the next prepare().
  [[nodiscard]] Volume<const std::uint8_t> low_pixels() const noexcept { return seen(low_); }
  /// The 8-bit high view, in the same form; empty when there is none.
  [[nodiscard]] Volume<const std::uint8_t> high_pixels() const noexcept { return seen(high_); }

 private:
  enum class Work : unsigned char { resize_high, finish_high, resize_low, resize_low_floats, finish_low };
  static constexpr Index kFinishRows = 32;  // about 0.1 ms for rows of 1024 pixels and 3 channels

  static Volume<const std::uint8_t> seen(const detail::Canvas& c) noexcept {
    if (!c.planes.data) return {};
    return c.planes;
  }
  void set_views(const PreprocessConfig& config) noexcept;
  void plan_largest(const PreprocessConfig& config, Index side) noexcept;
  Status plan(const PreprocessConfig& config) noexcept;
  Status plan_low_from_high() noexcept;
  void lay_out(Arena& arena) noexcept;
  Status take_memory(Allocator* from) noexcept;
  void fill(double rescale) noexcept;
  void add(Work work, std::size_t scratch) noexcept {
    work_[steps_++] = work;
    scratch_bytes_ = std::max<std::size_t>(scratch_bytes_, scratch);
  }
  void resize_into(detail::Canvas& canvas, const Resampler<std::int32_t>& by, const Samples& source, Index tile,
                   void* scratch) noexcept;
  void resize_low_floats(Index tile, void* scratch) noexcept;

  std::span<std::byte> room_;  // what was carved
  Buffer<std::byte> slab_;     // of a picture that had no room there

  Pixels picture_;
  LowSource low_source_ = LowSource::picture;
  detail::Canvas low_, high_;  // a side of 0 means no high view
  float* unit_ = nullptr;      // (256), each 8-bit value in 0..1, not normalised; for a low view made in float
  Resampler<std::int32_t> to_high_, to_low_;
  Resampler<float> to_low_floats_;
  Work work_[kMaxSteps] = {};
  int steps_ = 0;
  std::size_t scratch_bytes_ = 0;
};

namespace detail {

/// bad_shape unless the caller's memory for a view has the shape that the configuration makes.
DSVL_COLD inline Status check(const char* name, Volume<float> out, Index side) noexcept {
  if (side == 0 && !out.data) return {};
  if (out.data && out.channels == 3 && out.height == side && out.width == side) return {};
  return fail(Code::bad_shape, "%s view: given %td x %td x %td, the configuration makes %d x %td x %td", name,
              out.data ? out.channels : 0, out.height, out.width, side ? 3 : 0, side, side);
}

}  // namespace detail

DSVL_COLD inline void Preprocessor::carve(Arena& arena, const PreprocessConfig& config, Index side) noexcept {
  Preprocessor largest;
  largest.plan_largest(config, side);
  Arena needed;
  largest.lay_out(needed);
  const std::size_t bytes = needed.peak();
  std::byte* const at = arena.array<std::byte>("preprocessing", static_cast<Index>(bytes));
  room_ = {at, arena.measuring() ? 0 : bytes};
}

DSVL_COLD
inline std::size_t Preprocessor::most_scratch_bytes(const PreprocessConfig& config, Index side) noexcept {
  Preprocessor largest;
  largest.plan_largest(config, side);
  return std::max<std::size_t>({largest.to_high_.most_scratch_bytes(), largest.to_low_.most_scratch_bytes(),
                                largest.to_low_floats_.most_scratch_bytes()});
}

DSVL_COLD
inline Status Preprocessor::prepare(const Pixels& picture, const PreprocessConfig& config, Volume<float> low,
                                    Volume<float> high, Allocator* from) noexcept {
  clear();
  DSVL_CHECK_STATUS(detail::check(picture));
  DSVL_CHECK_STATUS(check(config));
  DSVL_CHECK_STATUS(detail::check("low", low, config.low.side));
  DSVL_CHECK_STATUS(detail::check("high", high, config.high.side));
  picture_ = picture;
  Status done = plan(config);
  if (done.ok()) done = take_memory(from);
  if (!done.ok()) return clear(), done;
  low_.out = low;
  high_.out = high;
  fill(config.rescale);
  return {};
}

DSVL_COLD inline void Preprocessor::clear() noexcept {
  const std::span<std::byte> room = room_;
  *this = Preprocessor();
  room_ = room;
}

/// Takes what the configuration says about the views.
DSVL_COLD inline void Preprocessor::set_views(const PreprocessConfig& config) noexcept {
  high_.view = config.high;
  low_.view = config.low;
  low_source_ = config.low_source;
}

/// Plans resizes that take no less memory than those of any picture of up to `side` pixels a side, to be measured.
DSVL_COLD inline void Preprocessor::plan_largest(const PreprocessConfig& config, Index side) noexcept {
  set_views(config);
  // The longest side becomes that of the view. The other one keeps the aspect ratio but for rounding, which leaves at
  // least one pixel, so it shrinks by at most twice as much.
  const auto largest = [&](const ViewConfig& view) noexcept {
    return Resampler<std::int32_t>::largest(view.filter, side, view.side, ceil_div(2 * side, view.side));
  };
  if (config.high.side) to_high_ = largest(config.high);
  if (config.low_source == LowSource::picture) to_low_ = largest(config.low);
  else (void)plan_low_from_high();  // it is the same for all pictures
}

/// Lists the steps: the high view first, because the low one may be made from it. Gray pictures are resized once and
/// copied to the three channels.
DSVL_COLD inline Status Preprocessor::plan(const PreprocessConfig& config) noexcept {
  set_views(config);
  const Index width = picture_.width, height = picture_.height;
  const int of = channels(picture_.format) == 1 ? 1 : 3;
  if (config.high.side) {
    const Rect at = high_.content = content_of(config, config.high, width, height);
    DSVL_CHECK_STATUS(to_high_.plan(config.high.filter, width, height, at.width, at.height, of));
    add(Work::resize_high, to_high_.scratch_bytes());
    add(Work::finish_high, 0);
  }
  if (low_source_ != LowSource::picture) {
    DSVL_CHECK_STATUS(plan_low_from_high());
  } else {
    const Rect at = low_.content = content_of(config, config.low, width, height);
    DSVL_CHECK_STATUS(to_low_.plan(config.low.filter, width, height, at.width, at.height, of));
  }
  if (low_source_ == LowSource::high_floats) {
    add(Work::resize_low_floats, to_low_floats_.scratch_bytes());
  } else {
    add(Work::resize_low, to_low_.scratch_bytes());
    add(Work::finish_low, 0);
  }
  return {};
}

/// Plans the resize from the high view to the low one. The high view has its margins already.
DSVL_COLD inline Status Preprocessor::plan_low_from_high() noexcept {
  const Index side = low_.view.side, square = high_.view.side;
  low_.content = {0, 0, side, side};
  if (low_source_ == LowSource::high_floats)
    return to_low_floats_.plan(low_.view.filter, square, square, side, side, 3);
  return to_low_.plan(low_.view.filter, square, square, side, side, 3);
}

/// Declares what the planned steps work in.
DSVL_COLD inline void Preprocessor::lay_out(Arena& arena) noexcept {
  if (high_.view.side) {
    high_.carve(arena);
    to_high_.carve(arena);
  }
  if (low_source_ == LowSource::high_floats) {
    unit_ = arena.array<float>("preprocessing", 256);
    to_low_floats_.carve(arena);
  } else {
    low_.carve(arena);
    to_low_.carve(arena);
  }
}

/// Lays the planned steps out in the memory that was carved, or in a slab where that is too small.
///
/// Codes  out_of_memory
DSVL_COLD inline Status Preprocessor::take_memory(Allocator* from) noexcept {
  Arena needed;
  lay_out(needed);
  if (needed.peak() > room_.size()) {
    slab_ = Buffer<std::byte>(from);
    if (!slab_.resize(needed.peak()))
      return fail(Code::out_of_memory, "preprocessing: no memory for %zu bytes", needed.peak());
  }
  Arena carved(slab_.empty() ? room_ : slab_.span());
  lay_out(carved);
  return {};
}

/// Computes the weights and the tables of values.
DSVL_COLD inline void Preprocessor::fill(double rescale) noexcept {
  if (high_.view.side) {
    high_.fill(rescale);
    to_high_.fill();
  }
  if (low_source_ == LowSource::high_floats) {
    for (int v = 0; v < 256; ++v) unit_[v] = static_cast<float>(v * rescale);
    to_low_floats_.fill();
  } else {
    low_.fill(rescale);
    to_low_.fill();
  }
}

inline Index Preprocessor::tiles(int step) const noexcept {
  switch (work_[step]) {
    case Work::resize_high: return to_high_.tiles();
    case Work::finish_high: return ceil_div(high_.view.side, kFinishRows);
    case Work::resize_low: return to_low_.tiles();
    case Work::resize_low_floats: return to_low_floats_.tiles();
    case Work::finish_low: return ceil_div(low_.view.side, kFinishRows);
  }
  return 0;
}

inline void Preprocessor::run(int step, Index tile, void* scratch) noexcept {
  const Index first = tile * kFinishRows, last = first + kFinishRows;
  switch (work_[step]) {
    case Work::resize_high: return resize_into(high_, to_high_, samples_of(picture_), tile, scratch);
    case Work::finish_high: return high_.finish(first, std::min<Index>(last, high_.view.side));
    case Work::resize_low:
      return resize_into(low_, to_low_, low_source_ == LowSource::picture ? samples_of(picture_)
                                                                          : samples_of(high_pixels()), tile, scratch);
    case Work::resize_low_floats: return resize_low_floats(tile, scratch);
    case Work::finish_low: return low_.finish(first, std::min<Index>(last, low_.view.side));
  }
}

inline void Preprocessor::resize_into(detail::Canvas& canvas, const Resampler<std::int32_t>& by, const Samples& source,
                                      Index tile, void* scratch) noexcept {
  const Volume<std::uint8_t> planes = canvas.planes;
  const Rect at = canvas.content;
  const bool gray = source.channels == 1;
  by.run(tile, source, detail::AsInteger(), [=](Index c, Index y, Index x, std::int32_t value) noexcept {
    const auto byte = static_cast<std::uint8_t>(value);
    planes.row(c, at.y + y)[at.x + x] = byte;
    if (gray) planes.row(1, at.y + y)[at.x + x] = planes.row(2, at.y + y)[at.x + x] = byte;
  }, scratch);
}

inline void Preprocessor::resize_low_floats(Index tile, void* scratch) noexcept {
  const ViewConfig& view = low_.view;
  const Volume<float> out = low_.out;
  const auto sink = [&](Index c, Index y, Index x, float value) noexcept {
    const auto channel = static_cast<std::size_t>(c);
    out.row(c, y)[x] = (value - view.image_mean[channel]) / view.image_std[channel];
  };
  to_low_floats_.run(tile, samples_of(high_pixels()), detail::AsFloat{unit_}, sink, scratch);
}

/// Does all of it on the calling thread. For arguments and errors see Preprocessor::prepare.
inline Status preprocess(const Pixels& picture, const PreprocessConfig& config, Volume<float> low,
                         Volume<float> high = {}, Allocator* from = nullptr) noexcept {
  Preprocessor work;
  DSVL_CHECK_STATUS(work.prepare(picture, config, low, high, from));
  Buffer<std::byte> scratch(from);
  if (!scratch.resize(work.scratch_bytes()))
    return fail(Code::out_of_memory, "preprocessing: no memory for %zu bytes of scratch", work.scratch_bytes());
  for (int step = 0; step < work.steps(); ++step)
    for (Index tile = 0; tile < work.tiles(step); ++tile) work.run(step, tile, scratch.data());
  return {};
}

DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_VISION_PREPROCESS_HPP
