// ChatRequest: a body of /v1/chat/completions, read and checked.
#ifndef DSVL_SERVER_CHAT_REQUEST_HPP
#define DSVL_SERVER_CHAT_REQUEST_HPP

#include <string_view>

#include "job.hpp"
#include "options.hpp"
#include "refusal.hpp"

namespace server {

struct ChatRequest {
  Asked asked;
  bool stream = false;
  bool include_usage = false;  ///< of stream_options
};

/// Reads a body. A field that would change the answer and is not carried out is refused by name; those that only say
/// something about the caller are taken and not read.
Refused read_chat_request(std::string_view body, const dsvl::Model& model, const Options& options, dsvl::Index context,
                          ChatRequest& request);

}  // namespace server

#endif  // DSVL_SERVER_CHAT_REQUEST_HPP
