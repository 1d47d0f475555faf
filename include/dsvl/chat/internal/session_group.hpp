// SessionGroup: what a session needs to know of the sessions that it decodes with.
//
// A session alone has a Decoding of its own and drives it. A member of a group uses the group's: when it is asked for a
// token, the group works on all members. chat/scheduler.hpp has the one implementation. It stands behind this interface
// so that an application without it does not compile it.
#ifndef DSVL_CHAT_INTERNAL_SESSION_GROUP_HPP
#define DSVL_CHAT_INTERNAL_SESSION_GROUP_HPP

#include "../../base/host_macros_push.hpp"

#include <memory>

#include "../../engine/decoding.hpp"
#include "../../engine/image_cache.hpp"
#include "../../engine/page_pool.hpp"

DSVL_BEGIN_NAMESPACE
namespace detail {

class SessionState;

/// A group of sessions that are used by one thread at a time, with the decoding that they share.
class SessionGroup {
 public:
  SessionGroup() = default;
  SessionGroup(const SessionGroup&) = delete;
  SessionGroup& operator=(const SessionGroup&) = delete;
  virtual ~SessionGroup() = default;

  /// The decoding of all members, laid out.
  [[nodiscard]] virtual Decoding& decoding() noexcept = 0;
  /// Takes a session in, which has not been opened yet; it must leave() before it goes.
  ///
  /// Codes  limit (there are as many as were planned, or it is larger than planned)
  virtual Status join(SessionState& member) noexcept = 0;
  /// Notes that a member begins an answer: it is behind all others from then on where there is an order.
  virtual void begins(SessionState& member) noexcept = 0;
  /// Lets a member go, in the middle of its work too. One that is not there is no error.
  virtual void leave(SessionState& member) noexcept = 0;
  /// Works on all members until `member` has logits to choose from or the deadline has passed.
  ///
  /// Codes  those of the member's own work; those of other members stay with them
  virtual Status advance(SessionState& member, const Control& control) noexcept = 0;
};

/// What a session has in common with others: pages and pictures with its forks, and all three with the members of a
/// group. Null members: nothing.
struct SharedParts {
  std::shared_ptr<PagePool> pages = nullptr;      ///< of keys and values
  std::shared_ptr<ImageCache> images = nullptr;   ///< embeddings of pictures, and the encoder
  std::shared_ptr<SessionGroup> group = nullptr;  ///< decodes for all
};

}  // namespace detail
DSVL_END_NAMESPACE

#include "../../base/host_macros_pop.hpp"

#endif  // DSVL_CHAT_INTERNAL_SESSION_GROUP_HPP
