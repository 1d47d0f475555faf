// From a conversation in JSON to the prompt's ids and its pictures.
#ifndef DSVL_SERVER_MESSAGES_HPP
#define DSVL_SERVER_MESSAGES_HPP

#include "job.hpp"
#include "json.hpp"
#include "options.hpp"
#include "refusal.hpp"

namespace server {

/// Fills `ids` and `pictures` from the body's "messages": system texts first, then turns of user and assistant, a
/// user's last. Neighbouring messages of one role are one turn. Pictures stand where they are put, but in front of a
/// turn's text if they all came behind it: that is the order the model has learned.
Refused read_messages(const Json& body, const dsvl::Model& model, const Options& options, dsvl::Index context,
                      Asked& asked);

}  // namespace server

#endif  // DSVL_SERVER_MESSAGES_HPP
