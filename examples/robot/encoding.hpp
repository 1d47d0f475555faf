// What ROS and cameras call the layout of an image's bytes, as dsvl's Pixels. No byte is copied or converted here: the
// model's own preprocessing reads them where they lie.
//
// The names are those of sensor_msgs/image_encodings.hpp of ROS 2. This header needs nothing else of the example, so a
// node can take it alone (see ROS2.md).
#ifndef DSVL_ROBOT_ENCODING_HPP
#define DSVL_ROBOT_ENCODING_HPP

#include <cstdint>
#include <dsvl/base/pixels.hpp>
#include <dsvl/base/status.hpp>
#include <span>
#include <string>
#include <string_view>

namespace robot {

/// An encoding that is taken, and what dsvl calls it.
struct Encoding {
  std::string_view name;
  dsvl::PixelFormat format;
};

inline constexpr Encoding kEncodings[] = {
    {"rgb8", dsvl::PixelFormat::rgb},       {"bgr8", dsvl::PixelFormat::bgr},
    {"rgba8", dsvl::PixelFormat::rgba},     {"bgra8", dsvl::PixelFormat::bgra},
    {"mono8", dsvl::PixelFormat::gray},     {"mono16", dsvl::PixelFormat::gray16},
    {"rgb16", dsvl::PixelFormat::rgb16},    {"bgr16", dsvl::PixelFormat::bgr16},
    {"rgba16", dsvl::PixelFormat::rgba16},  {"bgra16", dsvl::PixelFormat::bgra16},
    {"yuv422", dsvl::PixelFormat::uyvy},    {"uyvy", dsvl::PixelFormat::uyvy},
    {"yuv422_yuy2", dsvl::PixelFormat::yuy2}, {"yuyv", dsvl::PixelFormat::yuy2},
    {"nv12", dsvl::PixelFormat::nv12},      {"nv21", dsvl::PixelFormat::nv21},
};

/// An image as sensor_msgs/Image describes it.
struct ImageLayout {
  std::string_view encoding;
  std::uint32_t width = 0, height = 0;
  std::uint32_t step = 0;     ///< bytes from row to row; 0: there is nothing between rows
  bool is_bigendian = false;  ///< of samples of 16 bits
};

/// What to do with an image that is not taken.
inline std::string_view advice_for(std::string_view encoding) {
  if (encoding.starts_with("bayer_")) return "a Bayer mosaic: have image_proc or cv::demosaicing make bgr8 of it";
  if (encoding == "16UC1" || encoding == "32FC1") return "depth in numbers, which is no picture";
  if (encoding == "nv24") return "4:4:4: have the driver send nv12, or cv::cvtColor make bgr8 of it";
  if (encoding.find('C') != std::string_view::npos) return "it does not say which colours these are, as bgr8 does";
  return "no encoding of ROS";
}

/// The format of an encoding.
///
/// Codes  unsupported, with what to do
inline dsvl::Result<dsvl::PixelFormat> pixel_format(std::string_view encoding) {
  for (const Encoding& known : kEncodings)
    if (known.name == encoding) return known.format;
  std::string taken;
  for (const Encoding& known : kEncodings) (taken += taken.empty() ? "" : ", ") += known.name;
  return dsvl::fail(dsvl::Code::unsupported, "images of encoding %s are not taken (%s); taken are %s",
                    std::string(encoding.substr(0, 40)).c_str(), std::string(advice_for(encoding)).c_str(),
                    taken.c_str());
}

/// Bytes from the first to the last of an image's pixels, all planes; `step` 0: there is nothing between rows. Sides
/// are below 2^17.
inline std::size_t image_bytes(dsvl::PixelFormat format, dsvl::Index width, dsvl::Index height, dsvl::Index step = 0) {
  const dsvl::Index row = dsvl::row_bytes(format, width);
  if (step == 0) step = row;
  dsvl::Index bytes = (height - 1) * step + row;
  if (dsvl::plane_count(format) == 2)  // colour of two rows follows in one, whose step is even
    bytes = height * step + ((height + 1) / 2 - 1) * (step + step % 2) + dsvl::row_bytes(format, width, 1);
  return static_cast<std::size_t>(bytes);
}

/// The pixels of an image, in place: `bytes` must stay as long as they are used.
///
/// Codes  unsupported (an encoding, or samples whose high byte comes first), bad_argument (sizes that do not fit)
inline dsvl::Result<dsvl::Pixels> image_pixels(const ImageLayout& image, std::span<const std::uint8_t> bytes) {
  const auto format = pixel_format(image.encoding);
  if (!format) return format.error();
  constexpr std::uint32_t kMostSide = 1u << 16;
  if (image.width < 1 || image.height < 1 || image.width > kMostSide || image.height > kMostSide)
    return dsvl::fail(dsvl::Code::bad_argument, "an image of %u x %u pixels: sides are 1 to %u", image.width,
                      image.height, kMostSide);
  if (image.is_bigendian && dsvl::sample_bytes(*format) == 2)
    return dsvl::fail(dsvl::Code::unsupported, "an image of encoding %s whose high bytes come first (is_bigendian): "
                      "swap them, or send mono8", std::string(image.encoding).c_str());
  const dsvl::Index row = dsvl::row_bytes(*format, image.width);
  if (image.step != 0 && image.step < row)
    return dsvl::fail(dsvl::Code::bad_argument, "an image of %u pixels of %s a row takes %td bytes, its step is %u",
                      image.width, std::string(image.encoding).c_str(), row, image.step);
  const std::size_t needed = image_bytes(*format, image.width, image.height, image.step);
  if (bytes.size() < needed)
    return dsvl::fail(dsvl::Code::bad_argument, "an image of %u x %u pixels of %s takes %zu bytes, and has %zu",
                      image.width, image.height, std::string(image.encoding).c_str(), needed, bytes.size());
  return dsvl::Pixels{bytes.data(), image.width, image.height, *format, image.step};
}

}  // namespace robot

#endif  // DSVL_ROBOT_ENCODING_HPP
