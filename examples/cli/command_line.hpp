// CommandLine: the options of one command, each written once: how it is spelled, what it sets, and its line of --help.
#ifndef DSVL_CLI_COMMAND_LINE_HPP
#define DSVL_CLI_COMMAND_LINE_HPP

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cli {

/// Understands `--name value`, `--name=value`, `-n value`, `-nvalue`, `--` (the rest is no option) and `-h`, `--help`.
class CommandLine {
 public:
  /// `usage` is what follows the program's name; `about` goes under it in --help.
  CommandLine(std::string name, std::string usage, std::string about)
      : name_(std::move(name)), usage_(std::move(usage)), about_(std::move(about)) {}

  /// A headline in --help for the options that follow.
  void section(std::string title);
  /// `letter` 0: the option has none.
  void flag(char letter, std::string name, std::string help, bool& to);
  void text(char letter, std::string name, std::string value, std::string help, std::string& to);
  /// Texts that mean something: an empty one is refused.
  void texts(char letter, std::string name, std::string value, std::string help, std::vector<std::string>& to);
  /// A file or a directory. An empty one, which mostly comes from a variable that was not set, is refused.
  void path(char letter, std::string name, std::string value, std::string help, std::string& to);
  void paths(char letter, std::string name, std::string value, std::string help, std::vector<std::string>& to);
  /// Whole numbers from `least` to `most`.
  template <class T>
  void whole(char letter, std::string name, std::string help, T& to, std::int64_t least, std::int64_t most) {
    add({letter, std::move(name), "N", std::move(help), [&to, least, most](std::string_view text) {
           std::int64_t value = 0;
           std::string wrong = read_whole(text, least, most, value);
           if (wrong.empty()) to = static_cast<T>(value);
           return wrong;
         }});
  }
  void real(char letter, std::string name, std::string help, float& to, double least, double most);
  /// `set` gets the value and says what is wrong with it; nothing when it is fine.
  void other(char letter, std::string name, std::string value, std::string help,
             std::function<std::string(std::string_view)> set);
  /// Shown below the options in --help.
  void epilog(std::string text) { epilog_ = std::move(text); }

  /// Sets what the arguments say and leaves those that are no options. An exit code when there is nothing more to do:
  /// after --help, and after an error (which was printed).
  std::optional<int> parse(std::span<const std::string> arguments, std::vector<std::string>& rest) const;
  /// Prints "dsvl: error: …" and where help is; returns kUsage.
  int usage_error(const std::string& what, std::string hint = {}) const;

 private:
  struct Option {
    char letter = 0;
    std::string name, value, help;  // no value: a flag; no name: a section
    std::function<std::string(std::string_view)> set;
  };

  void add(Option option) { options_.push_back(std::move(option)); }
  static std::string read_whole(std::string_view text, std::int64_t least, std::int64_t most, std::int64_t& value);
  [[nodiscard]] const Option* find(std::string_view name) const;
  [[nodiscard]] const Option* find(char letter) const;
  [[nodiscard]] std::string nearest_name(std::string_view name) const;
  void print_help() const;

  std::string name_, usage_, about_, epilog_;
  std::vector<Option> options_;
};

/// For CommandLine::other: an option that takes one of a few words.
template <class E, class Field>
auto one_of(Field& field, std::vector<std::pair<std::string_view, E>> words) {
  return [&field, words = std::move(words)](std::string_view given) {
    std::string known;
    for (const auto& [word, value] : words) {
      if (word == given) return field = value, std::string();
      (known += known.empty() ? "is none of " : ", ") += word;
    }
    return known;
  };
}

/// The candidate that a typing error could have turned into `word`; empty when none is near.
std::string nearest(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace cli

#endif  // DSVL_CLI_COMMAND_LINE_HPP
