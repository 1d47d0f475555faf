// Capture: the thread that reads a source as fast as it gives frames, and keeps the newest in a slot.
#ifndef DSVL_ROBOT_CAPTURE_HPP
#define DSVL_ROBOT_CAPTURE_HPP

#include <exception>
#include <thread>

#include "frame_slot.hpp"
#include "source.hpp"

namespace robot {

/// When a frame is read.
struct CapturePace {
  bool each = false;  ///< when it is wanted; otherwise
  double fps = 0;     ///< so many a second, or for 0 as the source gives them
};

class Capture {
 public:
  /// Begins to read. Both must outlive it; nobody else may use the source.
  Capture(FrameSource& source, FrameSlot& slot, const CapturePace& pace)
      : thread_([this, &source, &slot, pace] {
          error_ = read_all(source, slot, pace);
          slot.close();
        }) {}
  /// Waits for the source's end, or for that of the frame under way if the slot is closed.
  dsvl::Status join() {
    thread_.join();
    return error_;
  }

 private:
  /// The next frame. What is thrown in OpenCV, or for want of memory, ends the reading and not the program.
  static dsvl::Result<bool> read(FrameSource& source, Frame& frame) {
    try {
      return source.next(frame);
    } catch (const std::exception& error) {
      return dsvl::fail(dsvl::Code::io, "no frame can be had: %s", error.what());
    }
  }
  static dsvl::Status read_all(FrameSource& source, FrameSlot& slot, const CapturePace& pace) {
    Frame frame;
    for (auto next = Clock::now(); pace.each ? slot.wait_until_wanted() : slot.wait_until(next);) {
      const auto more = read(source, frame);
      if (!more) return more.error();
      if (!*more) return {};
      slot.put(frame);
      if (pace.fps > 0) {
        const auto period = std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(1 / pace.fps));
        next = std::max(next + period, Clock::now() - period);  // what was missed is not made up for
      }
    }
    return {};
  }

  dsvl::Status error_;
  std::thread thread_;  // the last member: it uses the others
};

}  // namespace robot

#endif  // DSVL_ROBOT_CAPTURE_HPP
