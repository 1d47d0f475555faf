#include "command_line.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "console.hpp"

namespace cli {

void CommandLine::section(std::string title) { add({0, "", "", std::move(title), {}}); }

void CommandLine::flag(char letter, std::string name, std::string help, bool& to) {
  add({letter, std::move(name), "", std::move(help), [&to](std::string_view) { return to = true, std::string(); }});
}

void CommandLine::text(char letter, std::string name, std::string value, std::string help, std::string& to) {
  other(letter, std::move(name), std::move(value), std::move(help),
        [&to](std::string_view given) { return to = given, std::string(); });
}

void CommandLine::texts(char letter, std::string name, std::string value, std::string help,
                        std::vector<std::string>& to) {
  other(letter, std::move(name), std::move(value), std::move(help), [&to](std::string_view given) {
    if (given.empty()) return std::string("is empty, a text is needed");
    return to.emplace_back(given), std::string();
  });
}

void CommandLine::path(char letter, std::string name, std::string value, std::string help, std::string& to) {
  other(letter, std::move(name), std::move(value), std::move(help), [&to](std::string_view given) {
    if (given.empty()) return std::string("is empty, a path is needed");
    return to = given, std::string();
  });
}

void CommandLine::paths(char letter, std::string name, std::string value, std::string help,
                        std::vector<std::string>& to) {
  other(letter, std::move(name), std::move(value), std::move(help), [&to](std::string_view given) {
    if (given.empty()) return std::string("is empty, a path is needed");
    return to.emplace_back(given), std::string();
  });
}

void CommandLine::real(char letter, std::string name, std::string help, float& to, double least, double most) {
  other(letter, std::move(name), "X", std::move(help), [&to, least, most](std::string_view given) -> std::string {
    const std::string text(given);
    char* end = nullptr;
    const double value = std::strtod(text.c_str(), &end);
    if (text.empty() || *end || !std::isfinite(value)) return "is not a number";
    char range[64];
    std::snprintf(range, sizeof range, "must be from %g to %g", least, most);
    if (value < least || value > most) return range;
    return to = static_cast<float>(value), std::string();
  });
}

void CommandLine::other(char letter, std::string name, std::string value, std::string help,
                        std::function<std::string(std::string_view)> set) {
  add({letter, std::move(name), std::move(value), std::move(help), std::move(set)});
}

std::string CommandLine::read_whole(std::string_view text, std::int64_t least, std::int64_t most, std::int64_t& value) {
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  if (error == std::errc::invalid_argument || stopped != end) return "is not a whole number";
  if (error != std::errc() || value < least || value > most)
    return "must be from " + std::to_string(least) + " to " + std::to_string(most);
  return {};
}

const CommandLine::Option* CommandLine::find(std::string_view name) const {
  const auto at = std::find_if(options_.begin(), options_.end(), [&](const Option& o) { return o.name == name; });
  return at == options_.end() || name.empty() ? nullptr : &*at;
}

const CommandLine::Option* CommandLine::find(char letter) const {
  const auto at = std::find_if(options_.begin(), options_.end(), [&](const Option& o) { return o.letter == letter; });
  return at == options_.end() || letter == 0 ? nullptr : &*at;
}

std::optional<int> CommandLine::parse(std::span<const std::string> arguments, std::vector<std::string>& rest) const {
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& given = arguments[i];
    if (given == "--") {
      rest.insert(rest.end(), arguments.begin() + static_cast<std::ptrdiff_t>(i) + 1, arguments.end());
      break;
    }
    if (given.size() < 2 || given[0] != '-') {
      rest.push_back(given);
      continue;
    }
    if (given == "-h" || given == "--help") return print_help(), finish_output();
    const bool is_long = given[1] == '-';
    const std::size_t equals = is_long ? given.find('=') : std::string::npos;
    const std::string spelled = given.substr(0, is_long ? equals : 2);
    const Option* const option = is_long ? find(std::string_view(spelled).substr(2)) : find(given[1]);
    if (!option) return usage_error("unknown option " + spelled, is_long ? nearest_name(spelled) : "");
    const bool attached = is_long ? equals != std::string::npos : given.size() > 2;
    std::string value;
    if (option->value.empty()) {
      if (attached) return usage_error("option " + spelled + " takes no value");
    } else if (attached) {
      value = given.substr(is_long ? equals + 1 : 2);
    } else if (++i < arguments.size()) {
      value = arguments[i];
    } else {
      return usage_error("option " + spelled + " needs a value: " + option->value);
    }
    if (const std::string wrong = option->set(value); !wrong.empty())
      return usage_error(spelled + " " + (value.empty() ? "\"\"" : value) + ": " + wrong);
  }
  return std::nullopt;
}

std::string CommandLine::nearest_name(std::string_view name) const {
  std::vector<std::string_view> names = {"help"};
  for (const Option& option : options_)
    if (!option.name.empty()) names.push_back(option.name);
  const std::string found = nearest(name.substr(2), names);
  return found.empty() ? "" : "did you mean --" + found + "?";
}

int CommandLine::usage_error(const std::string& what, std::string hint) const {
  if (hint.empty()) hint = "see: " + name_ + " --help";
  print_error(what, hint);
  return kUsage;
}

void CommandLine::print_help() const {
  std::printf("%s %s %s\n\n%s\n", paint(stdout, "1", "Usage:").c_str(), name_.c_str(), usage_.c_str(), about_.c_str());
  std::size_t width = 0;
  const auto spelling = [](const Option& o) {
    std::string out = o.letter ? std::string("-") + o.letter + ", " : "    ";
    return out + "--" + o.name + (o.value.empty() ? "" : " " + o.value);
  };
  for (const Option& o : options_) width = std::max<std::size_t>(width, spelling(o).size());
  const auto line = [&](const std::string& left, const std::string& help) {
    std::printf("  %-*s  %s\n", static_cast<int>(width), left.c_str(), help.c_str());
  };
  for (const Option& o : options_) {
    if (o.name.empty()) std::printf("\n%s\n", paint(stdout, "1", o.help + ":").c_str());
    else line(spelling(o), o.help);
  }
  line("-h, --help", "This text");
  if (!epilog_.empty()) std::printf("\n%s\n", epilog_.c_str());
}

std::string nearest(std::string_view word, std::span<const std::string_view> candidates) {
  std::string best;
  std::size_t least = 3;  // more than two wrong letters are another word
  for (const std::string_view candidate : candidates) {
    // Levenshtein's distance, row by row.
    std::vector<std::size_t> row(candidate.size() + 1);
    for (std::size_t j = 0; j < row.size(); ++j) row[j] = j;
    for (std::size_t i = 0; i < word.size(); ++i) {
      std::size_t diagonal = row[0]++;
      for (std::size_t j = 0; j < candidate.size(); ++j) {
        const std::size_t replaced = diagonal + (word[i] != candidate[j]);
        diagonal = row[j + 1];
        row[j + 1] = std::min<std::size_t>({replaced, row[j] + 1, diagonal + 1});
      }
    }
    if (row.back() < least && row.back() < candidate.size()) least = row.back(), best = candidate;
  }
  return best;
}

}  // namespace cli
