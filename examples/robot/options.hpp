// What the command line says: the model, the source, the questions, and how much of the machine they may have.
#ifndef DSVL_ROBOT_OPTIONS_HPP
#define DSVL_ROBOT_OPTIONS_HPP

#include "../cli/library.hpp"

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "questions.hpp"
#include "source.hpp"
#include "watcher.hpp"

namespace robot {

struct Options {
  std::string model = "examples/models/tiny-vl";
  int threads = 0;  ///< of the model; 0: as many as the process may use

  std::string folder, video, camera;    ///< where frames come from: one of these,
  std::optional<RawFormat> raw = {};    ///< or standard input
  float fps = 0;      ///< frames a second of a folder or a video; 0: a video's own, and a folder's as they are wanted
  bool each = false;  ///< no frame is dropped: the source waits

  std::vector<Question> questions;
  WatchOptions watch;
};

/// Reads the command line. An exit code when there is nothing more to do.
std::optional<int> read_options(std::span<const std::string> arguments, Options& options);

}  // namespace robot

#endif  // DSVL_ROBOT_OPTIONS_HPP
