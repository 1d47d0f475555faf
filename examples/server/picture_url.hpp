// From an image_url to a picture file's bytes.
#ifndef DSVL_SERVER_PICTURE_URL_HPP
#define DSVL_SERVER_PICTURE_URL_HPP

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "options.hpp"
#include "refusal.hpp"

namespace server {

/// Takes data URIs in base64, and where Options::picture_directory allows it paths below that folder ("photo.jpg",
/// "file:photo.jpg"). Nothing is ever fetched from a network. `place` names the field for errors.
Refused read_picture_url(std::string_view url, const Options& options, const std::string& place,
                         std::vector<std::byte>& file);

}  // namespace server

#endif  // DSVL_SERVER_PICTURE_URL_HPP
