// What the program says: errors with hints, colours and progress where a person is looking, plain bytes everywhere
// else.
#ifndef DSVL_CLI_CONSOLE_HPP
#define DSVL_CLI_CONSOLE_HPP

#include <chrono>
#include <cstdio>
#include <string>
#include <string_view>

#include "library.hpp"

namespace cli {

enum Exit : int { kOk = 0, kError = 1, kUsage = 2, kInterrupted = 130 };

using Clock = std::chrono::steady_clock;
double seconds_since(Clock::time_point began);

/// Whether escape sequences may go there: a terminal that knows them, and NO_COLOR not set.
bool has_colours(std::FILE* stream);
/// The text in a colour where that is possible: "1" bold, "2" dim, "31" red, "32" green, "33" yellow.
std::string paint(std::FILE* stream, const char* colour, std::string_view text);

/// "dsvl: error: …" on stderr, and below it what to do about it.
void print_error(std::string_view text, std::string_view hint = {});
void print_warning(std::string_view text);
/// The error as such, with a hint where we know one; returns the program's exit code (kInterrupted when cancelled).
int give_up(const dsvl::Status& status, std::string_view hint = {});

/// To stdout. On a terminal, control characters in it are shown and not obeyed: a picture's text may reach this.
void print_text(std::string_view text);
/// The exit code of a program that is done, kError when its output could not be written.
int finish_output(int code = kOk);

std::string bytes_text(double bytes);   ///< "1.50 GiB"
std::string count_text(double count);   ///< "6.74 G"
std::string seconds_text(double seconds);  ///< "120 ms", "2.4 s"

/// One line on stderr that says what is going on; only on a terminal, and only when it takes a while.
class ProgressLine {
 public:
  explicit ProgressLine(bool allowed = true);
  ~ProgressLine() { clear(); }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  /// For the library.
  [[nodiscard]] dsvl::Progress hook() { return {&ProgressLine::on_progress, this}; }
  void show(std::string_view what, double done, double total);
  /// Takes the line away, before something else is printed; what comes next is given its while again.
  void clear();

 private:
  static void on_progress(void* self, dsvl::Stage stage, double done, double total);

  bool enabled_;
  bool shown_ = false;
  Clock::time_point next_;
};

}  // namespace cli

#endif  // DSVL_CLI_CONSOLE_HPP
