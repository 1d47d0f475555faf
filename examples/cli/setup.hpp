// What ask, chat and eval share: options for the model and for generating, and opening both with messages that help.
#ifndef DSVL_CLI_SETUP_HPP
#define DSVL_CLI_SETUP_HPP

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "command_line.hpp"
#include "console.hpp"
#include "constraint.hpp"
#include "library.hpp"

namespace cli {

struct Settings {
  std::string model;  ///< empty: the one that ships with dsvl
  dsvl::LoadOptions load;
  dsvl::SessionOptions session;
  dsvl::GenerateOptions generate;
  Wish wish;
  bool verbose = false, quiet = false;
};

/// -m, --load, --threads, --context, --system, --exif, --verbose and --quiet; then those of generating.
void add_model_options(CommandLine& to, Settings& settings);
void add_generate_options(CommandLine& to, Settings& settings);
/// What answers depend on beside the model, the question and the lengths that are allowed, as one line: rows of runs
/// with the same one can stand beside each other.
std::string settings_text(const Settings& settings);
/// What files of results are named for: the last part of the model's path.
std::string model_name(const Settings& settings);
/// For a command whose only argument is a model, which may stand without -m. The exit code when there is nothing to do.
std::optional<int> parse_for_model(const CommandLine& line, std::span<const std::string> arguments, Settings& settings);

/// A model with a session, and how long loading took.
struct Talk {
  dsvl::Model model;
  dsvl::Session session;
  double load_seconds = 0;
};

/// The model's directory or file: the one named, or the shipped one wherever that lies. Prints why there is none.
std::optional<std::filesystem::path> find_model(const std::string& named);
/// Loads with progress; on failure prints what is wrong with the checkpoint and sets `exit`.
std::optional<dsvl::Model> load_model(const Settings& settings, dsvl::LoadReport& report, ProgressLine& progress,
                                      int& exit);
/// Prints why a session could not be opened, and what may help. Returns the exit code.
int give_up_session(const dsvl::Status& error);
/// Loads and opens. `exit` is the program's exit code when there is no Talk.
std::optional<Talk> open_talk(const Settings& settings, ProgressLine& progress, int& exit);

/// What to do about an error of an answer; empty when we do not know.
std::string hint_for(const dsvl::Answer& answer, const Talk& talk);
/// One line on stderr about where time went (with `load_seconds` if positive), for --verbose.
void print_usage(const dsvl::Answer& answer, double load_seconds);
/// How fast it was, on a terminal and when it took a while.
void print_speed(const dsvl::Answer& answer, const Settings& settings);
/// Says on stderr that an answer is not whole, when a limit cut it.
void print_cut(const dsvl::Answer& answer, const Settings& settings, const Talk& talk);

}  // namespace cli

#endif  // DSVL_CLI_SETUP_HPP
