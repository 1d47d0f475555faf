// The definitions behind the front door. dsvl.hpp includes this header once: always when it is header-only, and with
// DSVL_HEADER_ONLY=0 in the one source file that defines DSVL_IMPLEMENTATION.
#ifndef DSVL_CHAT_IMPLEMENTATION_HPP
#define DSVL_CHAT_IMPLEMENTATION_HPP

#include "internal/loading.hpp"
#include "internal/planning.hpp"
#include "internal/saved_session.hpp"
#include "internal/session_answers.hpp"
#include "internal/session_branches.hpp"
#include "internal/session_calls.hpp"
#include "internal/session_scores.hpp"

#endif  // DSVL_CHAT_IMPLEMENTATION_HPP
