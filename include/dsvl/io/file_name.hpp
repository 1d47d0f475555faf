// check_name(): which names of files within a folder are taken from an untrusted file.
#ifndef DSVL_IO_FILE_NAME_HPP
#define DSVL_IO_FILE_NAME_HPP

#include "../base/host_macros_push.hpp"

#include <string_view>

#include "../base/status.hpp"
#include "printable.hpp"

DSVL_BEGIN_NAMESPACE

/// Ok for a plain relative name like "model.safetensors" or "shards/1.safetensors"; else bad_argument. Names from an
/// index file are untrusted: those that could leave the folder, or mean two things on two systems, are refused.
DSVL_COLD inline Status check_name(std::string_view name) noexcept {
  const auto refuse = [name](const char* why) {
    return fail(Code::bad_argument, "file name '%s': %s", Printable(name).text(), why);
  };
  if (name.empty()) return refuse("is empty");
  if (name.size() > 1024) return refuse("is too long");
  // A backslash separates folders on Windows only, and a colon names a drive or a stream there.
  for (const char c : name) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) return refuse("has a control character");
    if (c == '\\' || c == ':') return refuse("has a backslash or a colon");
  }
  if (name.front() == '/') return refuse("is absolute");
  // Each part between slashes must be a real name, so that ".." cannot leave the folder.
  for (std::size_t from = 0; from <= name.size();) {
    const std::size_t to = (std::min)(name.find('/', from), name.size());
    const std::string_view part = name.substr(from, to - from);
    if (part.empty() || part == "." || part == "..") return refuse("has an empty part, '.' or '..'");
    from = to + 1;
  }
  return {};
}

DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_IO_FILE_NAME_HPP
