#include "picture_url.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "../cli/base64.hpp"

namespace server {

namespace {

Refused read_data(std::string_view url, const std::string& place, std::vector<std::byte>& file) {
  const std::size_t comma = url.find(',');
  if (comma == url.npos || !url.substr(0, comma).ends_with(";base64"))
    return bad_field(place, "a data URI must be data:image/png;base64,… (or image/jpeg)", "invalid_image");
  auto bytes = cli::decode_base64(url.substr(comma + 1));
  if (!bytes) return bad_field(place, "its data is no base64, or is cut off", "invalid_image");
  file = std::move(*bytes);
  return {};
}

/// The file that a path means, if that is below the folder whatever links and dots say. Whether others exist is not
/// told.
Refused read_path(std::string_view path, const Options& options, const std::string& place,
                  std::vector<std::byte>& file) {
  namespace fs = std::filesystem;
  const Refusal none = bad_field(place, "there is no such picture below the folder that pictures may come from",
                                 "invalid_image");
  if (path.find('\0') != path.npos) return none;
  std::error_code error;
  const fs::path root = fs::canonical(dsvl::utf8_to_path(options.picture_directory), error);
  if (error) return none;
  const fs::path found = fs::canonical(root / dsvl::utf8_to_path(path), error);
  if (error || std::mismatch(root.begin(), root.end(), found.begin(), found.end()).first != root.end()) return none;
  if (!fs::is_regular_file(found, error)) return none;
  const auto bytes = fs::file_size(found, error);
  const auto most = static_cast<std::uintmax_t>(options.body_mib) << 20;
  if (error || bytes > most)
    return bad_field(place, "the picture's file is larger than a request may be (--body-mib)", "invalid_image");
  file.resize(static_cast<std::size_t>(bytes));
  std::ifstream in(found, std::ios::binary);
  if (!in.read(reinterpret_cast<char*>(file.data()), static_cast<std::streamsize>(bytes))) return none;
  return {};
}

}  // namespace

Refused read_picture_url(std::string_view url, const Options& options, const std::string& place,
                         std::vector<std::byte>& file) {
  if (url.starts_with("data:")) return read_data(url, place, file);
  const std::size_t colon = url.find(':');
  if (url.find("://") != url.npos && !url.starts_with("file://"))
    return bad_field(place, "nothing is fetched from other places: send the picture as a data URI",
                     "invalid_image_url");
  if (options.picture_directory.empty())
    return bad_field(place, "must be a data URI; this server takes no paths (--pictures-from FOLDER allows them)",
                     "invalid_image_url");
  if (url.starts_with("file:")) url.remove_prefix(colon + 1);
  if (url.starts_with("//")) url.remove_prefix(2);
  return read_path(url, options, place, file);
}

}  // namespace server
