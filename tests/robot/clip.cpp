// Writes a short film for the robot's tests, if OpenCV can here: MJPEG in AVI, of pictures.
//   test_robot_clip OUT.avi FRAMES_PER_SECOND SECONDS_EACH PICTURE.rgb WIDTH HEIGHT...
// A picture is width x height x 3 bytes, RGB. 77: there is no such codec.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <opencv2/core.hpp>
#include <opencv2/videoio.hpp>
#include <string>
#include <vector>

int main(int argc, char** argv) {
  if (argc < 7 || argc % 3 != 1) return 2;
  const double fps = std::atof(argv[2]);
  const int repeats = static_cast<int>(fps * std::atof(argv[3]));
  const cv::Size size(std::atoi(argv[5]), std::atoi(argv[6]));
  cv::VideoWriter film(argv[1], cv::VideoWriter::fourcc('M', 'J', 'P', 'G'), fps, size);
  if (!film.isOpened()) return 77;
  for (int i = 4; i + 2 < argc; i += 3) {
    std::ifstream in(argv[i], std::ios::binary);
    const std::vector<char> rgb(std::istreambuf_iterator<char>(in), {});
    if (static_cast<int>(rgb.size()) != 3 * size.area()) return 2;
    cv::Mat bgr(size, CV_8UC3);
    for (std::size_t k = 0; k < rgb.size(); ++k)
      bgr.data[k - k % 3 + 2 - k % 3] = static_cast<unsigned char>(rgb[k]);
    for (int n = 0; n < repeats; ++n) film.write(bgr);
  }
  return 0;
}
