// Converts paths to UTF-8 and back, on every system, whatever characters they have.
//
// std::filesystem::path::u8string throws for names that are not UTF-16 on Windows, and the narrow functions use the
// system's code page there.
#ifndef DSVL_IO_PATH_TEXT_HPP
#define DSVL_IO_PATH_TEXT_HPP

#include <filesystem>
#include <string>
#include <string_view>

#include "../base/config.hpp"
#ifdef _WIN32
#include "../base/utf16.hpp"
#endif

DSVL_BEGIN_NAMESPACE

/// A path as UTF-8, for messages and for names in files. On Windows characters that are not UTF-16 become U+FFFD, so
/// the result may name no file; elsewhere the bytes are those of the path.
DSVL_COLD inline std::string path_to_utf8(const std::filesystem::path& path) {
#ifdef _WIN32
  return utf16::to_utf8(std::wstring_view(path.native()));
#else
  return path.native();
#endif
}

/// The path that UTF-8 names. On Windows bytes that are not UTF-8 become U+FFFD; elsewhere they stay as they are.
DSVL_COLD inline std::filesystem::path utf8_to_path(std::string_view text) {
#ifdef _WIN32
  return utf16::from_utf8<wchar_t>(text);
#else
  return text;
#endif
}

DSVL_END_NAMESPACE

#endif  // DSVL_IO_PATH_TEXT_HPP
