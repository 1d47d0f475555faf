// FrameSource: where frames come from: a folder, raw bytes on standard input, a video or a camera.
#ifndef DSVL_ROBOT_SOURCE_HPP
#define DSVL_ROBOT_SOURCE_HPP

#include "../cli/library.hpp"

#include <memory>
#include <string>

#include "encoding.hpp"
#include "frame.hpp"

namespace robot {

class FrameSource {
 public:
  virtual ~FrameSource() = default;
  /// Fills a frame's pixels and the time at which it was taken; its buffers are there to be used again. Waits for it.
  /// False at the end.
  ///
  /// Codes  what is wrong with the source; nothing comes after that
  virtual dsvl::Result<bool> next(Frame& frame) = 0;
  /// Frames a second that it was recorded at; 0: it does not say, or gives them when they come.
  [[nodiscard]] virtual double rate() const { return 0; }
};

using SourceResult = dsvl::Result<std::unique_ptr<FrameSource>>;

/// The PNG and JPEG files of a folder, in the order of their names. What can not be decoded is passed over, and said.
///
/// Codes  not_found, io
SourceResult open_folder(const std::string& folder);

/// Frames of one size and encoding that follow each other on standard input, without anything between them.
struct RawFormat {
  std::string encoding;
  std::uint32_t width = 0, height = 0;
  dsvl::ColorRange range = dsvl::ColorRange::limited;
  dsvl::ColorMatrix matrix = dsvl::ColorMatrix::bt601;
};
/// Reads "640x480:bgr8". What is wrong with it; nothing when all is well.
std::string read_raw_format(std::string_view text, RawFormat& format);
/// Standard input. `cancel` ends a wait for its writer.
SourceResult open_raw(const RawFormat& format, const dsvl::CancelToken& cancel);

/// Whether this program was built with OpenCV, which the next two need.
bool has_opencv();
/// Codes  unsupported (no OpenCV, or it cannot open that), not_found
SourceResult open_video(const std::string& file);
/// A camera by its number, or by what OpenCV understands: a device, an address.
SourceResult open_camera(const std::string& camera);

}  // namespace robot

#endif  // DSVL_ROBOT_SOURCE_HPP
