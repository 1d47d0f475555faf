// Names of files: URIs as file managers copy them and records of data sets have them, and what a name ends with.
#ifndef DSVL_CLI_FILE_NAMES_HPP
#define DSVL_CLI_FILE_NAMES_HPP

#include <filesystem>
#include <string>
#include <string_view>

#include <dsvl/constraint/uri.hpp>

#include "system.hpp"

namespace cli {

/// The path in "file:///home/a%20b.png"; any other text as it is.
inline std::string path_of_uri(std::string_view text) {
  return text.starts_with("file://") ? dsvl::constraint::percent_decode(text.substr(7)) : std::string(text);
}

/// The end of a file's name from its last point on, ASCII letters small: ".jpg".
inline std::string lower_extension(const std::filesystem::path& path) {
  std::string text = to_text(path.extension());
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

}  // namespace cli

#endif  // DSVL_CLI_FILE_NAMES_HPP
