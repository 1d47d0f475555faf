// Videos and cameras through OpenCV. Its frames are BGR, and are read where OpenCV put them.
#include <algorithm>
#include <opencv2/core.hpp>
#include <opencv2/videoio.hpp>

#include "source.hpp"

namespace robot {

namespace {

class OpenCvSource final : public FrameSource {
 public:
  OpenCvSource(std::unique_ptr<cv::VideoCapture> capture, double rate) : capture_(std::move(capture)), rate_(rate) {}

  dsvl::Result<bool> next(Frame& frame) override {
    // Whoever held this frame last has let go of its picture, so that OpenCV can write into the same memory.
    std::shared_ptr<cv::Mat> picture = std::static_pointer_cast<cv::Mat>(std::const_pointer_cast<void>(frame.owner));
    if (!picture) picture = std::make_shared<cv::Mat>();
    if (!capture_->read(*picture) || picture->empty()) return false;
    frame.taken = Clock::now();
    if (picture->depth() != CV_8U || (picture->channels() != 3 && picture->channels() != 1))
      return dsvl::fail(dsvl::Code::unsupported, "frames of OpenCV's type %d, needed: 8 bits, BGR or gray",
                        picture->type());
    frame.pixels = {picture->data, picture->cols, picture->rows,
                    picture->channels() == 3 ? dsvl::PixelFormat::bgr : dsvl::PixelFormat::gray,
                    static_cast<dsvl::Index>(picture->step[0])};
    frame.owner = std::move(picture);
    return true;
  }
  [[nodiscard]] double rate() const override { return rate_; }

 private:
  std::unique_ptr<cv::VideoCapture> capture_;
  double rate_;
};

dsvl::Status no_such(const char* what, const std::string& name) {
  return dsvl::fail(dsvl::Code::not_found, "%s: OpenCV can not open this %s", name.c_str(), what);
}

}  // namespace

bool has_opencv() { return true; }

SourceResult open_video(const std::string& file) {
  auto capture = std::make_unique<cv::VideoCapture>(file);
  if (!capture->isOpened()) return no_such("video", file);
  const double rate = capture->get(cv::CAP_PROP_FPS);
  const bool known = rate > 0 && rate < 1000;  // some containers have nonsense there
  return std::unique_ptr<FrameSource>(std::make_unique<OpenCvSource>(std::move(capture), known ? rate : 0));
}

SourceResult open_camera(const std::string& camera) {
  const bool is_number = std::all_of(camera.begin(), camera.end(), [](char c) { return c >= '0' && c <= '9'; });
  auto capture = std::make_unique<cv::VideoCapture>();
  const bool opened = is_number && camera.size() < 4 ? capture->open(std::stoi(camera)) : capture->open(camera);
  if (!opened) return no_such("camera", camera);
  capture->set(cv::CAP_PROP_BUFFERSIZE, 1);  // where the driver keeps several, the oldest would come first
  return std::unique_ptr<FrameSource>(std::make_unique<OpenCvSource>(std::move(capture), 0));
}

}  // namespace robot
