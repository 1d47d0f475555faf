// Stands for another version of nlohmann/json: the names of the real one, with other meanings, and macros that nobody
// else can do with.
#ifndef INCLUDE_NLOHMANN_JSON_HPP_
#define INCLUDE_NLOHMANN_JSON_HPP_

#include <cstddef>
#include <functional>

#define NLOHMANN_JSON_VERSION_MAJOR 1
#define NLOHMANN_JSON_NAMESPACE_BEGIN this is not the macro of the other copy
#define JSON_ASSERT(x) nor this
#define JSON_HEDLEY_VERSION 99
#define JSON_HEDLEY_LIKELY(x) nor this
#define JSON_NOEXCEPTION 1

namespace nlohmann {
struct json {
  std::size_t length;
  friend bool operator==(json, json) = default;
};
namespace detail {
struct exception {};
}
inline namespace literals {
inline namespace json_literals {
inline json operator""_json(const char*, std::size_t length) { return {length}; }
}  // namespace json_literals
}  // namespace literals
int version();  // other.cpp
}  // namespace nlohmann
using nlohmann::literals::json_literals::operator""_json;

template <>
struct std::hash<nlohmann::json> {
  std::size_t operator()(nlohmann::json value) const noexcept { return value.length; }
};

#endif  // INCLUDE_NLOHMANN_JSON_HPP_
