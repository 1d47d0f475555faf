// FrameSlot: room for one frame between the thread that captures and the thread that answers. A newer frame takes the
// place of one that nobody has looked at, so what is taken out is always the newest there is.
#ifndef DSVL_ROBOT_FRAME_SLOT_HPP
#define DSVL_ROBOT_FRAME_SLOT_HPP

#include <algorithm>
#include <array>
#include <condition_variable>
#include <mutex>
#include <utility>

#include "frame.hpp"

namespace robot {

/// How far apart frames come: the longest of the last few gaps, so that a source that stutters is no reason to call
/// frames old.
class FramePace {
 public:
  /// Looks at the time of the next frame.
  void note(Clock::time_point taken) {
    if (frames_++ > 0) gaps_[static_cast<std::size_t>((frames_ - 2) % kGaps)] = taken - last_;
    last_ = taken;
  }
  /// 0 until there were two frames.
  [[nodiscard]] std::chrono::nanoseconds interval() const { return *std::max_element(gaps_.begin(), gaps_.end()); }

 private:
  static constexpr std::int64_t kGaps = 8;
  std::array<std::chrono::nanoseconds, kGaps> gaps_{};
  Clock::time_point last_;
  std::int64_t frames_ = 0;
};

class FrameSlot {
 public:
  enum class Taken { frame, none, ended };

  // For the thread that captures.

  /// Puts a frame in, with its number and its interval. `frame` gets the buffers of the one whose place it took, to
  /// fill them again.
  void put(Frame& frame) {
    const std::lock_guard lock(mutex_);
    pace_.note(frame.taken);
    frame.number = ++frames_;
    frame.interval = pace_.interval();
    std::swap(frame_, frame);
    full_ = true;
    changed_.notify_all();
  }
  /// Waits until somebody waits for a frame: for sources that wait instead of dropping frames. False once it is closed.
  bool wait_until_wanted() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return closed_ || (wanted_ && !full_); });
    return !closed_;
  }
  /// Waits for a time to come. False once it is closed.
  bool wait_until(Clock::time_point time) {
    std::unique_lock lock(mutex_);
    return !changed_.wait_until(lock, time, [&] { return closed_; });
  }

  // For the thread that answers.

  /// Takes the newest frame, and leaves the buffers of `into` for the next; waits for one as long as `patience` says.
  Taken take(Frame& into, std::chrono::milliseconds patience) {
    std::unique_lock lock(mutex_);
    wanted_ = patience.count() > 0;
    if (wanted_) changed_.notify_all();
    changed_.wait_for(lock, patience, [&] { return full_ || closed_; });
    if (!full_) return closed_ ? Taken::ended : Taken::none;
    wanted_ = full_ = false;
    std::swap(frame_, into);
    return Taken::frame;
  }

  // For both.

  /// No frame comes any more, or is wanted.
  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    changed_.notify_all();
  }
  /// Frames that were put in.
  [[nodiscard]] std::int64_t frames() const {
    const std::lock_guard lock(mutex_);
    return frames_;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Frame frame_;
  FramePace pace_;
  std::int64_t frames_ = 0;
  bool full_ = false, wanted_ = false, closed_ = false;
};

}  // namespace robot

#endif  // DSVL_ROBOT_FRAME_SLOT_HPP
