// What the command line says: the model, pictures to open, and how answers are made.
#ifndef DSVL_DESKTOP_OPTIONS_HPP
#define DSVL_DESKTOP_OPTIONS_HPP

#include "../cli/library.hpp"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace desktop {

struct Options {
  std::vector<std::string> models;    ///< folders and GGUF files to choose from; the first is loaded at once
  std::vector<std::string> pictures;  ///< opened when the window is
  std::string question;               ///< what the question's field begins with
  bool light = false;                 ///< the light theme
  std::string font;                   ///< a TrueType file; empty: one of the system's
  int font_pixels = 17;               ///< height of the text
  std::string state;                  ///< a file that says what is shown; empty: none

  int threads = 0;          ///< of the model; 0: one fewer than cores
  dsvl::Index context = 0;  ///< tokens of a conversation; 0: the model's own
  int max_tokens = 512;     ///< of an answer
  float temperature = 0;    ///< 0: the likeliest token
};

/// Reads the command line. An exit code when there is nothing more to do.
std::optional<int> read_options(std::span<const std::string> arguments, Options& options);

}  // namespace desktop

#endif  // DSVL_DESKTOP_OPTIONS_HPP
