// dsvl-robot: questions about what a camera sees, answered as lines of JSON, never about a frame that has grown old.
//
//   dsvl-robot --camera 0 --gate "Is somebody at the door?" --ask "What is he carrying?" --cpu-share 0.5
//   ffmpeg … -f rawvideo -pix_fmt bgr24 - | dsvl-robot --raw 640x480:bgr8 --questions door.json
//
// A thread captures (capture.hpp) and keeps the newest frame (frame_slot.hpp); this one looks whether it shows
// something new and asks (watcher.hpp). ROS2.md says how the parts sit in a node.
#include "../cli/library.hpp"

#include <cstdio>

#include "../cli/console.hpp"
#include "../cli/system.hpp"
#include "capture.hpp"
#include "options.hpp"
#include "watcher.hpp"

namespace {

using namespace robot;

void print(const Json& line) {
  std::printf("%s\n", to_text(line).c_str());
  std::fflush(stdout);  // whoever reads them is to have them now
}

SourceResult open_source(const Options& options, const dsvl::CancelToken& cancel) {
  if (options.raw) return open_raw(*options.raw, cancel);
  if (!options.folder.empty()) return open_folder(options.folder);
  return options.video.empty() ? open_camera(options.camera) : open_video(options.video);
}

int watch(const Options& options, const dsvl::Model& model, const dsvl::CancelToken& cancel) {
  auto watcher = Watcher::open(model, options.questions, options.watch, print);
  if (!watcher) return cli::give_up(watcher.error(), "a shorter --context takes less memory");
  auto source = open_source(options, cancel);
  if (!source) return cli::give_up(source.error());
  FrameSlot slot;
  const double fps = options.fps > 0 ? static_cast<double>(options.fps) : (*source)->rate();
  Capture capture(**source, slot, {options.each, fps});
  (*watcher)->run(slot, cancel);
  slot.close();
  const dsvl::Status read = capture.join();
  print((*watcher)->counts("summary"));
  return cli::finish_output(cli::give_up(read));
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (const auto exit = read_options(cli::start_up(argc, argv), options)) return *exit;
  const dsvl::CancelToken& cancel = cli::catch_interrupts();
  cli::catch_notices();
  cli::ProgressLine progress;
  dsvl::LoadOptions load;
  load.threads = options.threads;
  load.constraints = &dsvl::kConstraints;
  load.progress = progress.hook();
  load.cancel = &cancel;
  auto model = dsvl::Model::load(dsvl::utf8_to_path(options.model), load);
  progress.clear();
  if (!model) return cli::give_up(model.error(), "name a model's folder or GGUF file with -m");
  return watch(options, *model, cancel);
}
