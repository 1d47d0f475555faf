// Frames: the last pictures of a camera, a video or a screen, and questions about them.
//
//   #include <dsvl/chat/frames.hpp>
//
//   dsvl::Frames frames({.most = 4, .tolerance = 8});
//   while (auto frame = camera.next()) {
//     auto change = frames.add(frame->pixels, frame->time);
//     if (change && change->kept) watch(change->where);          // a picture like the one before costs a comparison
//   }
//   auto answer = frames.ask(*session, "What has moved?");       // all of them, each with its time
//
// dsvl.hpp does not include it.
#ifndef DSVL_CHAT_FRAMES_HPP
#define DSVL_CHAT_FRAMES_HPP

#include "../base/host_macros_push.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "../base/read_pixels.hpp"
#include "../text/tokenizer.hpp"
#include "../vision/check_pixels.hpp"
#include "session.hpp"

DSVL_BEGIN_NAMESPACE

/// Choices for Frames.
struct FrameOptions {
  /// Frames that are kept, 1 to 256: the newest ones. Each takes 3 bytes a pixel.
  Index most = 4;
  /// How far a channel of a pixel may be from the last frame that was kept without being a change, 0 to 255. 0: every
  /// difference is one, as is right for screens; the noise of cameras is about 8.
  int tolerance = 0;
  /// The share of a frame's pixels that has to differ for it to be kept, 0 to 1; with 0 one pixel does. Frames are
  /// compared with the last one kept, so that small changes add up.
  double least_share = 0;
  Allocator* allocator = nullptr;  ///< of the frames; null means operator new. It must outlive the Frames
};

/// What a frame had that the last one kept did not.
struct FrameChange {
  bool kept = false;  ///< it differs enough, and is the newest frame now; false: it was forgotten
  Rect where = {};    ///< the smallest rectangle with all pixels that differ; all of a first frame, or another size
  Index pixels = 0;   ///< how many differ, of a frame that was not kept too
};

/// Keeps copies of the frames that differ from the one before, with their times. For one thread at a time. It moves and
/// does not copy.
class Frames {
 public:
  /// No frames yet. Options out of their range are taken for the nearest in it, and a share that is no number for 0.
  explicit Frames(const FrameOptions& options = {}) noexcept : options_(options) {
    options_.most = std::clamp<Index>(options.most, 1, 256);
    options_.tolerance = std::clamp<int>(options.tolerance, 0, 255);
    options_.least_share = options.least_share > 0 ? std::min<double>(options.least_share, 1) : 0;  // a NaN, too
  }

  /// Looks at a frame that was taken at `time`, since the beginning of the film or of the day. One that shows the same
  /// as the last one kept is forgotten; any other is copied, and the oldest makes room. Pixels may be in any format,
  /// and need not stay.
  ///
  /// Codes  those of pixels handed to a session; bad_argument (a time before 0, or before that of the last frame),
  ///        out_of_memory. The frames are what they were before then
  /// Cost   reads both frames once; memory is taken for a frame of another size, or while there are fewer than
  ///        FrameOptions::most
  Result<FrameChange> add(const Pixels& frame, std::chrono::milliseconds time) {
    DSVL_CHECK_STATUS(detail::check(frame));
    if (time < latest_)
      return fail(Code::bad_argument, "a frame of %lld ms behind one of %lld: frames come in the order of their times",
                  static_cast<long long>(time.count()), static_cast<long long>(latest_.count()));
    DSVL_TRY(change, compare(frame));
    latest_ = time;
    if (change.kept) keep(time);
    return change;
  }
  /// Forgets all frames; times begin anew.
  void clear() noexcept {
    frames_.clear();
    latest_ = {};
  }

  /// Frames that are kept.
  [[nodiscard]] std::size_t size() const noexcept { return frames_.size(); }
  /// Frame i, the oldest first: valid until the next add() or clear().
  [[nodiscard]] Pixels pixels(std::size_t i) const noexcept {
    const Frame& f = frames_[i];
    return {f.rgb.data(), f.width, f.height, PixelFormat::rgb, 0};
  }
  /// When frame i was taken.
  [[nodiscard]] std::chrono::milliseconds time(std::size_t i) const noexcept { return frames_[i].time; }
  /// All of them for a session, the oldest first; valid like pixels().
  [[nodiscard]] std::vector<Picture> pictures() const {
    std::vector<Picture> out;
    for (std::size_t i = 0; i < frames_.size(); ++i) out.emplace_back(pixels(i));
    return out;
  }
  /// A question with the place of every frame in front, each with its time: "0:01.5 <image_placeholder>", a line each.
  /// For GenerateOptions::placeholders, and pictures() as they are then.
  ///
  /// Codes  bad_argument (the question has a placeholder itself)
  [[nodiscard]] Result<std::string> text(std::string_view question) const {
    if (question.find(kImageText) == std::string_view::npos) return with_places(question);
    return fail(Code::bad_argument, "the question has %s itself, which is the place of a frame", kImageText.data());
  }
  /// Asks one question about all frames, which the session encodes as far as it does not know them. It returns like
  /// Session::ask, and others may be added from then on.
  ///
  /// Codes  those of Session::ask and of text(), in the answer's status
  [[nodiscard]] Answer ask(Session& session, std::string_view question, GenerateOptions options = {}) const {
    options.placeholders = true;
    // With a placeholder of its own, the question has more places than there are frames, so the session refuses it.
    return session.ask(pictures(), with_places(question), options);
  }

 private:
  /// A copy of one frame.
  struct Frame {
    Buffer<std::uint8_t> rgb;  // (height, width, 3)
    Index width = 0, height = 0;
    std::chrono::milliseconds time{};
  };

  /// The question behind the places of all frames.
  [[nodiscard]] std::string with_places(std::string_view question) const {
    std::string out;
    for (const Frame& f : frames_) out += clock(f.time) + " " + std::string(kImageText) + "\n";
    return out += question;
  }
  /// "1:02.5": minutes, seconds, and as much behind the point as there is.
  static std::string clock(std::chrono::milliseconds time) {
    const long long all = time.count(), ms = all % 1000;
    char out[40];
    std::snprintf(out, sizeof out, "%lld:%02lld.%03lld", all / 60000, all / 1000 % 60, ms);
    std::string text = out;
    while (text.back() == '0') text.pop_back();
    if (text.back() == '.') text.pop_back();
    return text;
  }

  /// Reads a frame into fresh_ and says how it differs from the newest one kept.
  Result<FrameChange> compare(const Pixels& frame) {
    const auto row = static_cast<std::size_t>(3 * frame.width);
    fresh_.width = frame.width, fresh_.height = frame.height;
    if (!fresh_.rgb.resize(row * static_cast<std::size_t>(frame.height)) || !planes_.resize(row))
      return fail(Code::out_of_memory, "no memory for a frame of %td x %td pixels", frame.width, frame.height);
    for (Index y = 0; y < frame.height; ++y)
      read_rgb_row(frame, y, planes_.data(), fresh_.rgb.data() + static_cast<std::size_t>(y) * row);
    const Rect whole{0, 0, frame.width, frame.height};
    const Frame* const last = frames_.empty() ? nullptr : &frames_.back();
    if (!last || last->width != frame.width || last->height != frame.height)
      return FrameChange{true, whole, frame.width * frame.height};
    return difference(last->rgb.data(), fresh_.rgb.data(), frame.width, frame.height);
  }
  /// The pixels of two frames of one size that differ by more than the tolerance.
  [[nodiscard]] FrameChange difference(const std::uint8_t* a, const std::uint8_t* b, Index width,
                                       Index height) const noexcept {
    FrameChange out;
    Index left = width, right = 0, top = height, bottom = 0;
    for (Index y = 0; y < height; ++y, a += 3 * width, b += 3 * width) {
      if (std::memcmp(a, b, static_cast<std::size_t>(3 * width)) == 0) continue;
      for (Index x = 0; x < width; ++x) {
        int most = 0;
        for (Index c = 3 * x; c < 3 * x + 3; ++c) most = std::max<int>(most, std::abs(a[c] - b[c]));
        if (most <= options_.tolerance) continue;
        ++out.pixels;
        left = std::min<Index>(left, x), right = std::max<Index>(right, x + 1);
        top = std::min<Index>(top, y), bottom = y + 1;
      }
    }
    out.kept = out.pixels > 0 && static_cast<double>(out.pixels) >=
                                     options_.least_share * static_cast<double>(width) * static_cast<double>(height);
    if (out.pixels > 0) out.where = {left, top, right - left, bottom - top};
    return out;
  }
  /// Makes fresh_ the newest frame; the memory of the one that makes room is used for the next.
  void keep(std::chrono::milliseconds time) {
    Frame spare{Buffer<std::uint8_t>(options_.allocator), 0, 0, {}};
    if (std::ssize(frames_) == options_.most) {
      spare = std::move(frames_.front());
      frames_.erase(frames_.begin());
    }
    fresh_.time = time;
    frames_.push_back(std::move(fresh_));
    fresh_ = std::move(spare);
  }

  FrameOptions options_;
  std::vector<Frame> frames_;                                        // kept, the oldest first
  Frame fresh_{Buffer<std::uint8_t>(options_.allocator), 0, 0, {}};  // being looked at
  Buffer<std::uint8_t> planes_{options_.allocator};                  // a row, while it is converted
  std::chrono::milliseconds latest_{};                               // of the frame that was added last
};

DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_CHAT_FRAMES_HPP
