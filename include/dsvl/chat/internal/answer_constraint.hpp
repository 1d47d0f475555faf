// AnswerConstraint: what the answer of a session is held to, and how far its text is.
//
// What a constraint is made of stays behind TokenFilter, so that a program whose answers are free does not compile it.
#ifndef DSVL_CHAT_INTERNAL_ANSWER_CONSTRAINT_HPP
#define DSVL_CHAT_INTERNAL_ANSWER_CONSTRAINT_HPP

#include "../../base/host_macros_push.hpp"

#include <memory>
#include <span>

#include "../../base/bump_allocator.hpp"
#include "../../run/arena.hpp"
#include "../../text/token_filter.hpp"
#include "token_roles.hpp"

DSVL_BEGIN_NAMESPACE
namespace detail {

/// The constraint of one answer after another. Without one every call lets everything pass.
class AnswerConstraint {
 public:
  /// Memory beyond what carve() declares comes from `from`.
  explicit AnswerConstraint(Allocator* from) noexcept : memory_(from) {}
  /// Declares the memory of a filter for a vocabulary.
  void carve(Arena& arena, const ConstraintSupport& support, Index vocab) noexcept {
    const std::size_t bytes = support.filter_bytes(vocab);
    std::byte* const room = arena.array<std::byte>("filter of constraints", static_cast<Index>(bytes));
    if (!arena.measuring()) memory_.use({room, bytes});
  }
  /// Makes the filter. Call it once, after carve(); `tables` must outlive this object. False when there is no memory.
  [[nodiscard]] bool open(const FilterTables& tables) noexcept {
    auto filter = tables.open_filter(&memory_);
    if (filter) filter_ = std::move(*filter);
    return filter.has_value();
  }

  /// Holds the answer that begins to a constraint, which must stay until end(); null: to none.
  ///
  /// Codes  bad_argument (the model can not hold its answers to constraints)
  Status begin(const Constraint* constraint, const TokenRoles& roles) noexcept {
    constraint_ = nullptr;
    whole_ = false;
    if (!constraint) return {};
    if (!roles.tokenizer)
      return fail(Code::bad_argument, "the answer can not be held to a constraint: the model has no tokenizer");
    if (!filter_)
      return fail(Code::bad_argument,
                  "the answer can not be held to a constraint: load the model with LoadOptions::constraints");
    constraint_ = constraint;
    filter_->begin(*constraint);
    return {};
  }
  /// The tokens that may come next; see TokenFilter::allowed. No bits at all: every token may.
  ///
  /// Codes  limit (the text needs more memory than was planned)
  Result<std::span<const std::uint64_t>> allowed(std::span<const std::int32_t> end_tokens) noexcept {
    if (!constraint_) return std::span<const std::uint64_t>();
    return filter_->allowed(end_tokens);
  }
  /// Takes a token that was chosen.
  ///
  /// Codes  bad_argument (it does not fit)
  Status accept(std::int32_t id) noexcept {
    if (!constraint_ || filter_->accept(id)) return {};
    return fail(Code::bad_argument, "token %d does not fit the constraint", id);
  }
  /// Takes the tokens of the answer anew, some of which were taken back.
  ///
  /// Codes  those of accept()
  Status replay(std::span<const std::int32_t> ids) noexcept {
    if (!constraint_) return {};
    filter_->begin(*constraint_);
    for (const std::int32_t id : ids) DSVL_CHECK_STATUS(accept(id));
    return {};
  }
  /// Writes tokens that must come next, as far as there is no choice; returns how many.
  std::size_t forced(std::span<std::int32_t> ids) noexcept { return constraint_ ? filter_->forced(ids) : 0; }

  /// Ends the answer, which was `complete` if nothing cut it off. The constraint need not stay any longer.
  void end(bool complete) noexcept {
    whole_ = constraint_ && complete && filter_->whole();
    constraint_ = nullptr;
  }
  /// Forgets the constraint: the answer was let go, and what it was held to may be gone as well.
  void drop() noexcept { constraint_ = nullptr; }
  /// True when the answer, which is over, satisfies its constraint as a whole.
  [[nodiscard]] bool whole() const noexcept { return whole_; }

 private:
  BumpAllocator memory_;                    // of the filter, which is destroyed before it
  std::unique_ptr<TokenFilter> filter_;     // null where the model has no support for constraints
  const Constraint* constraint_ = nullptr;  // of the answer; null: none
  bool whole_ = false;                      // of the last answer
};

}  // namespace detail
DSVL_END_NAMESPACE

#include "../../base/host_macros_pop.hpp"

#endif  // DSVL_CHAT_INTERNAL_ANSWER_CONSTRAINT_HPP
