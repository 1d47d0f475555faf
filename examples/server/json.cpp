#include "json.hpp"

namespace server {

namespace {

constexpr int kDepth = 200;
constexpr std::size_t kValues = 200'000;

/// What makes the text too large for a tree; empty when nothing does. Whether it is JSON is the parser's business.
std::string too_large(std::string_view text) {
  bool inside = false;
  int depth = 0;
  std::size_t values = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (inside) {
      if (c == '\\') ++i;
      else if (c == '"') inside = false;
      continue;
    }
    if (c == '"') inside = true;
    else if (c == '[' || c == '{') ++depth, ++values;
    else if (c == ']' || c == '}') --depth;
    else if (c == ',') ++values;
    if (depth > kDepth) return "its values are more than " + std::to_string(kDepth) + " deep";
    if (values > kValues) return "it has more than " + std::to_string(kValues) + " values";
  }
  return {};
}

}  // namespace

Json parse_json(std::string_view text, std::string& wrong) {
  wrong = too_large(text);
  if (!wrong.empty()) return {};
  Json value = Json::parse(text, nullptr, false);
  if (value.is_discarded()) wrong = "it is no JSON in UTF-8";
  return value;
}

std::string to_text(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace server
