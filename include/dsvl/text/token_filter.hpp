// TokenFilter: decides which tokens an answer may go on with. An answer asks it in front of every choice.
//
// These are interfaces, so that a program whose answers are free does not compile what a constraint is made of:
// constraint/constraint.hpp implements them for JSON schemas, patterns and choices.
#ifndef DSVL_TEXT_TOKEN_FILTER_HPP
#define DSVL_TEXT_TOKEN_FILTER_HPP

#include "../base/host_macros_push.hpp"

#include <cstdint>
#include <memory>
#include <span>

#include "../base/host.hpp"
#include "../base/status.hpp"
#include "../base/view.hpp"

DSVL_BEGIN_NAMESPACE

class Constraint;  // constraint/constraint.hpp
class Tokenizer;   // text/tokenizer.hpp

/// The state of one constrained text. One answer uses it at a time. No call allocates.
class TokenFilter {
 public:
  TokenFilter() noexcept = default;
  TokenFilter(const TokenFilter&) = delete;
  TokenFilter& operator=(const TokenFilter&) = delete;
  virtual ~TokenFilter() = default;

  /// Begins a text that is held to `constraint`, which must stay as long as the text goes on.
  virtual void begin(const Constraint& constraint) noexcept = 0;
  /// The tokens that may come next, as bits by id: bit id % 64 of word id / 64. Ids behind the last word may not come.
  /// Tokens of `end_tokens`, which end the answer, are among them when the text is whole. Valid until the next call.
  ///
  /// Codes  limit (the text needs more memory than was taken)
  virtual Result<std::span<const std::uint64_t>> allowed(std::span<const std::int32_t> end_tokens) noexcept = 0;
  /// Makes a token part of the text. False when it may not come; then nothing has changed.
  virtual bool accept(std::int32_t id) noexcept = 0;
  /// True when the text may end here.
  [[nodiscard]] virtual bool whole() const noexcept = 0;
  /// Writes tokens of what must come next, as far as there is no choice; returns how many. They are a guess: the text
  /// is certain, its tokens are not.
  virtual std::size_t forced(std::span<std::int32_t> ids) noexcept = 0;
};

/// What filters need to know of a vocabulary. It is made once per model, and shared by all its sessions.
class FilterTables {
 public:
  FilterTables() noexcept = default;
  FilterTables(const FilterTables&) = delete;
  FilterTables& operator=(const FilterTables&) = delete;
  virtual ~FilterTables() = default;

  /// Opens a filter, which must not outlive this, with ConstraintSupport::filter_bytes from `from`.
  ///
  /// Codes  out_of_memory
  virtual Result<std::unique_ptr<TokenFilter>> open_filter(Allocator* from) const noexcept = 0;
};

/// The ability to hold answers to a constraint, for LoadOptions::constraints. There is one: kConstraints in
/// constraint/constraint.hpp.
struct ConstraintSupport {
  /// Makes the tables of a tokenizer, which must outlive them, with memory from `from`. Codes: out_of_memory.
  Result<std::unique_ptr<const FilterTables>> (*make_tables)(const Tokenizer& tokenizer, Allocator* from) noexcept;
  /// How many bytes the tables of a vocabulary take, or half as many more where its tokens are short.
  std::size_t (*tables_bytes)(Index vocab) noexcept;
  /// The most bytes that a filter for a vocabulary takes.
  std::size_t (*filter_bytes)(Index vocab) noexcept;
};

DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_TEXT_TOKEN_FILTER_HPP
