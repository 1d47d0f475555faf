// frame_of_message: a sensor_msgs/Image of ROS 2 as a Frame, without a copy: the frame keeps the message.
#ifndef DSVL_ROBOT_MESSAGE_FRAME_HPP
#define DSVL_ROBOT_MESSAGE_FRAME_HPP

#include <algorithm>

#include "encoding.hpp"
#include "frame.hpp"

namespace robot {

/// `message` is a sensor_msgs::msg::Image::ConstSharedPtr, or points to something else with its members; `age` is what
/// has passed since its header's stamp. A stamp in the future counts as now.
///
/// Codes  those of image_pixels()
template <class ImagePointer>
dsvl::Result<Frame> frame_of_message(const ImagePointer& message, std::chrono::nanoseconds age) {
  const auto pixels = image_pixels(
      {message->encoding, message->width, message->height, message->step, message->is_bigendian != 0}, message->data);
  if (!pixels) return pixels.error();
  Frame frame;
  frame.pixels = *pixels;
  frame.owner = message;
  frame.taken = Clock::now() - std::max(age, std::chrono::nanoseconds(0));
  return frame;
}

}  // namespace robot

#endif  // DSVL_ROBOT_MESSAGE_FRAME_HPP
