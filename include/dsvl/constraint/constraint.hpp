// Constraint: what an answer has to be: JSON that a schema accepts, any JSON, one of some choices, or a text that a
// regular expression matches.
//
// It is compiled once. What Constraint accepts is decided by the automaton that later masks tokens, so the same object
// also checks texts. A schema that says something which is not enforced is refused, and the error names it.
#ifndef DSVL_CONSTRAINT_CONSTRAINT_HPP
#define DSVL_CONSTRAINT_CONSTRAINT_HPP

#include "../base/host_macros_push.hpp"

#include <span>
#include <string_view>
#include <utility>

#include "matcher.hpp"
#include "schema_compiler.hpp"

DSVL_BEGIN_NAMESPACE

/// The form in which JSON is written. White space is never a choice of the model's.
struct JsonOptions {
  bool pretty = false;  ///< a member or element per line, indented by two spaces; otherwise no white space at all
  bool ascii = false;   ///< strings are ASCII: all other characters are escaped
};

/// A compiled constraint. It is immutable: any number of answers, sessions and threads may use one at the same time.
class Constraint {
 public:
  /// JSON that a schema (draft 2020-12) accepts. Properties come in the schema's order, others behind them.
  ///
  /// Codes  bad_file (no JSON), unsupported (a keyword, format or reference that is not enforced; the error names it
  /// and
  ///        its place), bad_argument (a keyword with a value that it cannot have, a schema that accepts nothing),
  ///        limit,
  ///        not_found (a reference), out_of_memory
  /// Cost   below 1 ms for a small schema; at most a few seconds within the default limits
  static Result<Constraint> schema(std::string_view text, const JsonOptions& options = {},
                                   const ConstraintLimits& limits = {}, Allocator* from = nullptr) noexcept {
    return guarded([&]() -> Result<constraint::Grammar> {
      DSVL_TRY(tree, constraint::SchemaTree::read(text, limits));
      constraint::Budget budget(limits);
      return constraint::SchemaCompiler(tree, {options.pretty, options.ascii}, budget).compile(from);
    });
  }
  /// Any JSON.
  ///
  /// Codes  out_of_memory
  static Result<Constraint> any_json(const JsonOptions& options = {}, Allocator* from = nullptr) noexcept {
    return schema("true", options, {}, from);
  }
  /// A text that a regular expression (of ECMA-262, as `pattern` in a schema) matches from its beginning to its end.
  ///
  /// Codes  unsupported (what is not regular; the error says where), bad_text, bad_argument (nothing matches), limit,
  ///        out_of_memory
  static Result<Constraint> regex(std::string_view pattern, const ConstraintLimits& limits = {},
                                  Allocator* from = nullptr) noexcept {
    return guarded([&]() -> Result<constraint::Grammar> {
      DSVL_CHECK_STATUS(utf8::validate(pattern, "the pattern"));
      DSVL_CHECK_STATUS(check_size(pattern.size(), limits));
      constraint::Budget budget(limits);
      return one_text(constraint::compile_regex(pattern, false, budget), budget, from);
    });
  }
  /// One of these texts.
  ///
  /// Codes  bad_text, bad_argument (no choices), limit, out_of_memory
  static Result<Constraint> choices(std::span<const std::string_view> texts, const ConstraintLimits& limits = {},
                                    Allocator* from = nullptr) noexcept {
    return guarded([&]() -> Result<constraint::Grammar> {
      std::size_t bytes = 0;
      for (const std::string_view text : texts) {
        DSVL_CHECK_STATUS(utf8::validate(text, "a choice"));
        DSVL_CHECK_STATUS(check_size(bytes += text.size() + 1, limits));
      }
      std::vector<std::u32string> list;
      for (const std::string_view text : texts) list.push_back(constraint::characters(text));
      constraint::Budget budget(limits);
      return one_text(constraint::one_of(list, budget), budget, from);
    });
  }

  /// True when the whole text satisfies the constraint.
  ///
  /// Codes  limit (more values inside each other, or more names in one object, than `limits` have), out_of_memory
  [[nodiscard]] Result<bool> matches(std::string_view text, const constraint::MatchLimits& limits = {}) const noexcept {
    constraint::Matcher matcher;
    if (!matcher.open(limits)) return fail(Code::out_of_memory, "no memory to match a text");
    matcher.begin(grammar_);
    for (const char& c : text)
      if (!matcher.accept({&c, 1})) {
        if (matcher.full()) return fail(Code::limit, "the text needs more memory than matching it may take");
        return false;
      }
    return matcher.whole();
  }
  /// The automaton, for Matcher.
  [[nodiscard]] const constraint::Grammar& grammar() const noexcept { return grammar_; }
  /// Bytes that it takes.
  [[nodiscard]] std::size_t bytes() const noexcept { return grammar_.bytes(); }

 private:
  explicit Constraint(constraint::Grammar grammar) noexcept : grammar_(std::move(grammar)) {}

  /// Runs a compiler. Its working memory comes from the standard library, which throws when there is none.
  template <class Compile>
  static Result<Constraint> guarded(Compile compile) noexcept {
#if DSVL_HAS_EXCEPTIONS
    try {
      return finish(compile());
    } catch (...) {  // can only be std::bad_alloc or std::length_error
      return fail(Code::out_of_memory, "no memory to compile a constraint");
    }
#else
    return finish(compile());
#endif
  }
  static Result<Constraint> finish(Result<constraint::Grammar> grammar) noexcept {
    if (!grammar) return grammar.error();
    return Constraint(std::move(*grammar));
  }
  static Status check_size(std::size_t bytes, const ConstraintLimits& limits) noexcept {
    if (bytes <= limits.schema_bytes) return {};
    return fail(Code::limit, "the constraint has more than %zu bytes", limits.schema_bytes);
  }
  static Result<constraint::Grammar> one_text(const constraint::CharacterAutomaton& texts, constraint::Budget& budget,
                                              Allocator* from) {
    constraint::GrammarBuilder builder({}, budget);
    const std::uint32_t start = builder.add_state();
    builder.add_text(start, texts, constraint::Spelling::raw, builder.add_state(true));
    return builder.finish(start, from);
  }

  constraint::Grammar grammar_;
};

/// The name under which a schema is compiled.
struct Schema {
  /// See Constraint::schema.
  static Result<Constraint> compile(std::string_view text, const JsonOptions& options = {},
                                    const ConstraintLimits& limits = {}, Allocator* from = nullptr) noexcept {
    return Constraint::schema(text, options, limits, from);
  }
};

DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_CONSTRAINT_CONSTRAINT_HPP
