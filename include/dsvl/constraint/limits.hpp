// Sizes of constraints, and of what follows a text through one.
#ifndef DSVL_CONSTRAINT_LIMITS_HPP
#define DSVL_CONSTRAINT_LIMITS_HPP

#include <cstddef>
#include <cstdint>

#include "../base/config.hpp"

DSVL_BEGIN_NAMESPACE

/// Sizes that a constraint may have, and the steps that compiling it may take. What needs more is Code::limit.
struct ConstraintLimits {
  std::size_t schema_bytes = std::size_t{1} << 20;  ///< bytes of a schema, a pattern or a list of choices
  std::size_t states = 100'000;                     ///< states of all automata together; about 40 bytes for each
  std::size_t work = 30'000'000;                    ///< steps of compiling, each a few nanoseconds
};

namespace constraint {

/// Sizes of what runs a constraint; all memory is taken when it is opened.
struct MatchLimits {
  std::uint32_t depth = 256;       ///< frames on top of each other: values inside each other, and two more
  std::uint32_t threads = 8192;    ///< threads, of all sets that are looked at together
  std::uint32_t frames = 8192;     ///< frames that are waiting
  std::uint32_t keys = 4096;       ///< names that the open objects have
};

}  // namespace constraint
DSVL_END_NAMESPACE

#endif  // DSVL_CONSTRAINT_LIMITS_HPP
