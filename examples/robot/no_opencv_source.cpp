// What stands for opencv_source.cpp where OpenCV is not there.
#include "source.hpp"

namespace robot {

namespace {

dsvl::Status not_built() {
  return dsvl::fail(dsvl::Code::unsupported, "this program was built without OpenCV, so it has no videos and no "
                    "cameras (examples/install-dependencies.sh robot, then build again); --folder and --raw work");
}

}  // namespace

bool has_opencv() { return false; }
SourceResult open_video(const std::string&) { return not_built(); }
SourceResult open_camera(const std::string&) { return not_built(); }

}  // namespace robot
