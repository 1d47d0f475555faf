// What a message has to say: a test that does not find its words prints what was said instead.
#ifndef DSVL_TESTS_MESSAGES_HPP
#define DSVL_TESTS_MESSAGES_HPP

#include <doctest/doctest.h>

#include <dsvl/base/status.hpp>
#include <string>
#include <string_view>

namespace test {

inline bool has(std::string_view text, std::string_view part) {
  const bool found = text.find(part) != std::string_view::npos;
  if (!found) MESSAGE(text);
  return found;
}
inline bool has(const dsvl::Status& status, std::string_view part) { return has(std::string_view(status.text()), part); }

/// "bad_file: what it says", or nothing where there is no error.
template <class T>
std::string error_of(const dsvl::Result<T>& result) {
  return result ? "" : std::string(name(result.error().code())) + ": " + result.error().text();
}

}  // namespace test

#endif  // DSVL_TESTS_MESSAGES_HPP
