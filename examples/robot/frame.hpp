// Frame: one picture of a source, when it was taken, and who keeps its bytes.
#ifndef DSVL_ROBOT_FRAME_HPP
#define DSVL_ROBOT_FRAME_HPP

#include <chrono>
#include <cstdint>
#include <dsvl/base/pixels.hpp>
#include <memory>
#include <vector>

namespace robot {

using Clock = std::chrono::steady_clock;

/// It moves and does not copy, so its pixels stay where they are.
struct Frame {
  dsvl::Pixels pixels;                ///< point into one of the next two
  std::vector<std::uint8_t> bytes;    ///< of its own, which the source fills again and again
  std::shared_ptr<const void> owner;  ///< or whatever keeps them: a decoded file, a message of ROS
  Clock::time_point taken;            ///< when its last byte was there, unless the source knows better

  // What the slot knows of it.
  std::int64_t number = 0;                ///< the source's frames count from 1
  std::chrono::nanoseconds interval{0};   ///< how long a frame is the newest one; 0: not known yet

  Frame() = default;
  Frame(Frame&&) = default;
  Frame& operator=(Frame&&) = default;
};

}  // namespace robot

#endif  // DSVL_ROBOT_FRAME_HPP
