// JSON of requests and replies. Objects keep their order: a schema's properties are asked for in it.
#ifndef DSVL_SERVER_JSON_HPP
#define DSVL_SERVER_JSON_HPP

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace server {

using Json = nlohmann::ordered_json;

/// Parses a text that nobody vouches for. `wrong` says what is the matter; then there is no value. It has as many
/// values as an honest request could have, inside each other too, so that its memory is a small multiple of its size.
Json parse_json(std::string_view text, std::string& wrong);

/// The text of a value, without white space. Texts that are not UTF-8 have U+FFFD in them.
std::string to_text(const Json& value);

}  // namespace server

#endif  // DSVL_SERVER_JSON_HPP
