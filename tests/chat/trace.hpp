// An answer down to its bits.
#ifndef DSVL_TESTS_CHAT_TRACE_HPP
#define DSVL_TESTS_CHAT_TRACE_HPP

#include <cstring>

#include "demo.hpp"

namespace test {

/// The logits of every step of an answer, and its ids.
struct Trace {
  std::vector<float> logits;
  std::vector<std::int32_t> ids;
  bool operator==(const Trace& other) const {
    return ids == other.ids && logits.size() == other.logits.size() &&
           std::memcmp(logits.data(), other.logits.data(), logits.size() * sizeof(float)) == 0;
  }
};

/// Runs an answer to its end.
inline Trace trace(dsvl::Answer& answer) {
  Trace out;
  REQUIRE_MESSAGE(answer.status().ok(), answer.status().text());
  do out.logits.insert(out.logits.end(), answer.logits().begin(), answer.logits().end());
  while (answer.next());
  out.ids = ids(answer.ids());
  return out;
}
inline Trace trace(dsvl::Answer&& answer) { return trace(answer); }

}  // namespace test

#endif  // DSVL_TESTS_CHAT_TRACE_HPP
