// File URIs: the names that file managers copy, and that records of data sets have.
#ifndef DSVL_CLI_FILE_URI_HPP
#define DSVL_CLI_FILE_URI_HPP

#include <string>
#include <string_view>

#include <dsvl/constraint/uri.hpp>

namespace cli {

/// The path in "file:///home/a%20b.png"; any other text as it is.
inline std::string path_of_uri(std::string_view text) {
  return text.starts_with("file://") ? dsvl::constraint::percent_decode(text.substr(7)) : std::string(text);
}

}  // namespace cli

#endif  // DSVL_CLI_FILE_URI_HPP
