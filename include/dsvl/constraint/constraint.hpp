// Constraint: what an answer has to be: JSON that a schema accepts, any JSON, one of some choices, or a text that a
// regular expression matches.
//
//   auto model = Model::load(path, {.constraints = &kConstraints});
//   auto schema = Schema::compile(text);
//   session->ask(picture, question, {.constraint = &*schema});
//
// It is compiled once. What Constraint accepts is decided by the automaton that masks tokens, so the same object also
// checks texts. A schema that says something which is not enforced is refused, and the error names it.
//
// Where the library is compiled once (DSVL_HEADER_ONLY=0), the file that has the definitions includes this too.
#ifndef DSVL_CONSTRAINT_CONSTRAINT_HPP
#define DSVL_CONSTRAINT_CONSTRAINT_HPP

#include "../base/host_macros_push.hpp"

#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include "../text/token_filter.hpp"
#include "limits.hpp"

DSVL_BEGIN_NAMESPACE

namespace constraint {
struct Grammar;  // constraint/grammar.hpp
}

/// The form in which JSON is written. White space is never a choice of the model's.
struct JsonOptions {
  bool pretty = false;  ///< a member or element per line, indented by two spaces; otherwise no white space at all
  bool ascii = false;   ///< strings are ASCII: all other characters are escaped
};

/// A compiled constraint. It is immutable: any number of answers, sessions and threads may use one at the same time.
/// Copying it copies a handle.
class Constraint {
 public:
  /// Takes an automaton that was compiled; null is not allowed.
  explicit Constraint(std::shared_ptr<const constraint::Grammar> grammar) noexcept : grammar_(std::move(grammar)) {}
  /// JSON that a schema (draft 2020-12) accepts. Properties come in the schema's order, others behind them.
  ///
  /// Codes  bad_file (no JSON), unsupported (a keyword, format or reference that is not enforced; the error names it
  ///        and its place), bad_argument (a keyword with a value that it cannot have, a schema that accepts nothing),
  ///        limit, not_found (a reference), out_of_memory
  /// Cost   below 1 ms for a small schema; at most a few seconds within the default limits
  static Result<Constraint> schema(std::string_view text, const JsonOptions& options = {},
                                   const ConstraintLimits& limits = {}, Allocator* from = nullptr) noexcept;
  /// Any JSON.
  ///
  /// Codes  out_of_memory
  static Result<Constraint> any_json(const JsonOptions& options = {}, Allocator* from = nullptr) noexcept;
  /// A text that a regular expression (of ECMA-262, as `pattern` in a schema) matches from its beginning to its end.
  ///
  /// Codes  unsupported (what is not regular; the error says where), bad_text, bad_argument (nothing matches), limit,
  ///        out_of_memory
  static Result<Constraint> regex(std::string_view pattern, const ConstraintLimits& limits = {},
                                  Allocator* from = nullptr) noexcept;
  /// One of these texts.
  ///
  /// Codes  bad_text, bad_argument (no choices), limit, out_of_memory
  static Result<Constraint> choices(std::span<const std::string_view> texts, const ConstraintLimits& limits = {},
                                    Allocator* from = nullptr) noexcept;

  /// True when the whole text satisfies the constraint.
  ///
  /// Codes  limit (more values inside each other, or more names in one object, than `limits` have), out_of_memory
  [[nodiscard]] Result<bool> matches(std::string_view text, const constraint::MatchLimits& limits = {}) const noexcept;
  /// The automaton, for Matcher. It lives as long as a copy of this.
  [[nodiscard]] const constraint::Grammar& grammar() const noexcept { return *grammar_; }
  /// Bytes that it takes.
  [[nodiscard]] std::size_t bytes() const noexcept;

 private:
  std::shared_ptr<const constraint::Grammar> grammar_;
};

/// The name under which a schema is compiled.
struct Schema {
  /// See Constraint::schema.
  static Result<Constraint> compile(std::string_view text, const JsonOptions& options = {},
                                    const ConstraintLimits& limits = {}, Allocator* from = nullptr) noexcept {
    return Constraint::schema(text, options, limits, from);
  }
};

namespace constraint {
// What kConstraints points to.
Result<std::unique_ptr<const FilterTables>> make_tables(const Tokenizer& tokenizer, Allocator* from) noexcept;
std::size_t tables_bytes(Index vocab) noexcept;
std::size_t filter_bytes(Index vocab) noexcept;
}  // namespace constraint

/// For LoadOptions::constraints. The model keeps tables of its vocabulary (about 6 MB for the published ones), which
/// take 60 ms to make, and each session the state of one answer (about 1 MB); plan() counts both.
inline constexpr ConstraintSupport kConstraints = {&constraint::make_tables, &constraint::tables_bytes,
                                                   &constraint::filter_bytes};

DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#if DSVL_HEADER_ONLY || defined(DSVL_IMPLEMENTATION)
#include "implementation.hpp"
#endif

#endif  // DSVL_CONSTRAINT_CONSTRAINT_HPP
