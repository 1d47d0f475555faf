// Refusal: why a request is not answered, in the words of OpenAI's API.
#ifndef DSVL_SERVER_REFUSAL_HPP
#define DSVL_SERVER_REFUSAL_HPP

#include "../cli/library.hpp"

#include <optional>
#include <string>
#include <utility>

namespace server {

struct Refusal {
  int status = 400;     ///< of HTTP
  std::string message;  ///< what was found, what was needed
  std::string param;    ///< the field of the request that is wrong; empty: none
  std::string code;     ///< for programs; empty: none
};

/// Nothing, where all is well.
using Refused = std::optional<Refusal>;

inline Refusal bad_field(std::string param, std::string message, std::string code = "invalid_value") {
  return {400, param + ": " + std::move(message), param, std::move(code)};
}

/// An error of the library's. What the request has brought about is 400; nobody can do better by asking again.
inline Refusal refusal_of(const dsvl::Status& error, std::string param) {
  using dsvl::Code;
  const Code code = error.code();
  const bool ours =
      code == Code::out_of_memory || code == Code::io || code == Code::bad_shape || code == Code::not_found;
  const int status = code == Code::out_of_memory ? 503 : ours ? 500 : 400;
  return {status, error.text(), std::move(param), std::string(dsvl::name(code))};
}

}  // namespace server

#endif  // DSVL_SERVER_REFUSAL_HPP
