// Reading and writing whole files, with messages that name them.
#ifndef DSVL_CLI_EVALUATION_FILES_HPP
#define DSVL_CLI_EVALUATION_FILES_HPP

#include "../library.hpp"

#include <fstream>
#include <sstream>
#include <string>
#include <string_view>

#include <dsvl/io/new_file.hpp>

#include "../pictures.hpp"
#include "../system.hpp"

namespace cli::evaluation {

/// Codes  io, bad_file (it is empty)
inline dsvl::Result<std::string> read_text(const std::string& file) {
  const std::string why = why_unreadable(to_path(file));
  if (!why.empty()) return dsvl::fail(dsvl::Code::io, "%s: %s", file.c_str(), why.c_str());
  std::ifstream in(to_path(file), std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) return dsvl::fail(dsvl::Code::bad_file, "%s: is empty, or cannot be read", file.c_str());
  return std::move(text).str();
}

/// Codes  io
inline dsvl::Status write_text(const std::filesystem::path& file, std::string_view text) {
  dsvl::NewFile out(file);
  out.write_at(0, std::as_bytes(std::span<const char>(text.data(), text.size())));
  return out.commit();
}

/// A file's name without its folder and its last ending.
inline std::string stem(const std::string& file) { return to_text(to_path(file).stem()); }

}  // namespace cli::evaluation

#endif  // DSVL_CLI_EVALUATION_FILES_HPP
