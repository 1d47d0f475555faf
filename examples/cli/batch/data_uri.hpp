// Pictures that stand in JSON as data URIs. They are longer than any text that the JSON reader takes, so they are taken
// out before it reads the record.
#ifndef DSVL_CLI_BATCH_DATA_URI_HPP
#define DSVL_CLI_BATCH_DATA_URI_HPP

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cli::batch {

/// A JSON text whose data URIs were replaced by "data:#0", "data:#1", …
struct LiftedJson {
  std::string text;
  std::vector<std::string> uris;
};

/// Whether a string, as it stands in JSON, is a data URI in base64.
inline bool is_base64_uri(std::string_view text) {
  constexpr std::size_t kLongestType = 200;
  const std::size_t end = text.substr(0, kLongestType).find(";base64,");
  return text.starts_with("data:") && end != text.npos && text.substr(0, end).find_first_of(" \"") == text.npos;
}

/// Takes strings out that are data URIs in base64. Cost: one pass.
inline LiftedJson lift_data_uris(std::string_view json) {
  LiftedJson out;
  std::size_t kept = 0;
  for (std::size_t at = 0; (at = json.find('"', at)) != json.npos;) {
    std::size_t end = at + 1;
    while (end < json.size() && json[end] != '"') end += json[end] == '\\' ? 2 : 1;
    if (end >= json.size()) break;
    if (const std::string_view text = json.substr(at + 1, end - at - 1); is_base64_uri(text)) {
      std::string uri(text);
      std::erase(uri, '\\');  // some writers escape slashes; base64 has nothing else to escape
      (out.text += json.substr(kept, at - kept)) += "\"data:#";
      out.text += std::to_string(out.uris.size());
      out.uris.push_back(std::move(uri));
      kept = end;
    }
    at = end + 1;
  }
  out.text += json.substr(kept);
  return out;
}

/// The URI that a string of the lifted text stands for; nothing when it stands for none.
inline std::optional<std::string_view> find_lifted(const LiftedJson& json, std::string_view text) {
  constexpr std::string_view kMark = "data:#";
  std::size_t number = 0;
  if (!text.starts_with(kMark)) return std::nullopt;
  text.remove_prefix(kMark.size());
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number >= json.uris.size()) return std::nullopt;
  return json.uris[number];
}

/// The base64 of "data:image/png;base64,…".
inline std::string_view base64_of(std::string_view uri) { return uri.substr(uri.find(',') + 1); }

}  // namespace cli::batch

#endif  // DSVL_CLI_BATCH_DATA_URI_HPP
