// Definitions of constraint/constraint.hpp.
#ifndef DSVL_CONSTRAINT_IMPLEMENTATION_HPP
#define DSVL_CONSTRAINT_IMPLEMENTATION_HPP

#include "../base/host_macros_push.hpp"

#include <new>

#include "answer_filter.hpp"
#include "constraint.hpp"
#include "schema_compiler.hpp"

DSVL_BEGIN_NAMESPACE

namespace constraint {

/// Runs a compiler. Its working memory comes from the standard library, which throws when there is none.
template <class Compile>
Result<Constraint> compiled(Compile compile) noexcept {
  const auto constraint = [&]() -> Result<Constraint> {
    DSVL_TRY(grammar, compile());
    return Constraint(std::make_shared<const Grammar>(std::move(grammar)));
  };
#if DSVL_HAS_EXCEPTIONS
  try {
    return constraint();
  } catch (...) {  // can only be std::bad_alloc or std::length_error
    return fail(Code::out_of_memory, "no memory to compile a constraint");
  }
#else
  return constraint();
#endif
}
/// Refuses texts that are longer than allowed.
inline Status check_size(std::size_t bytes, const ConstraintLimits& limits) noexcept {
  if (bytes <= limits.schema_bytes) return {};
  return fail(Code::limit, "the constraint has more than %zu bytes", limits.schema_bytes);
}
/// The automaton of one text that stands alone.
inline Result<Grammar> one_text(const CharacterAutomaton& texts, Budget& budget, Allocator* from) {
  GrammarBuilder builder({}, budget);
  const std::uint32_t start = builder.add_state();
  builder.add_text(start, texts, Spelling::raw, builder.add_state(true));
  return builder.finish(start, from);
}

}  // namespace constraint

DSVL_COLD
DSVL_INLINE Result<Constraint> Constraint::schema(std::string_view text, const JsonOptions& options,
                                                  const ConstraintLimits& limits, Allocator* from) noexcept {
  return constraint::compiled([&]() -> Result<constraint::Grammar> {
    DSVL_TRY(tree, constraint::SchemaTree::read(text, limits));
    constraint::Budget budget(limits);
    return constraint::SchemaCompiler(tree, {options.pretty, options.ascii}, budget).compile(from);
  });
}
DSVL_INLINE Result<Constraint> Constraint::any_json(const JsonOptions& options, Allocator* from) noexcept {
  return schema("true", options, {}, from);
}
DSVL_COLD
DSVL_INLINE Result<Constraint> Constraint::regex(std::string_view pattern, const ConstraintLimits& limits,
                                                 Allocator* from) noexcept {
  return constraint::compiled([&]() -> Result<constraint::Grammar> {
    DSVL_CHECK_STATUS(utf8::validate(pattern, "the pattern"));
    DSVL_CHECK_STATUS(constraint::check_size(pattern.size(), limits));
    constraint::Budget budget(limits);
    return constraint::one_text(constraint::compile_regex(pattern, false, budget), budget, from);
  });
}
DSVL_COLD
DSVL_INLINE Result<Constraint> Constraint::choices(std::span<const std::string_view> texts,
                                                   const ConstraintLimits& limits, Allocator* from) noexcept {
  return constraint::compiled([&]() -> Result<constraint::Grammar> {
    std::size_t bytes = 0;
    for (const std::string_view text : texts) {
      DSVL_CHECK_STATUS(utf8::validate(text, "a choice"));
      DSVL_CHECK_STATUS(constraint::check_size(bytes += text.size() + 1, limits));
    }
    std::vector<std::u32string> list;
    for (const std::string_view text : texts) list.push_back(constraint::characters(text));
    constraint::Budget budget(limits);
    return constraint::one_text(constraint::one_of(list, budget), budget, from);
  });
}
DSVL_INLINE Result<bool> Constraint::matches(std::string_view text,
                                             const constraint::MatchLimits& limits) const noexcept {
  constraint::Matcher matcher;
  if (!matcher.open(limits)) return fail(Code::out_of_memory, "no memory to match a text");
  matcher.begin(*grammar_);
  for (const char& c : text)
    if (!matcher.accept({&c, 1})) {
      if (matcher.full()) return fail(Code::limit, "the text needs more memory than matching it may take");
      return false;
    }
  return matcher.whole();
}
DSVL_INLINE std::size_t Constraint::bytes() const noexcept { return grammar_->bytes(); }

inline void AnswerFilter::begin(const Constraint& constraint) noexcept { matcher_.begin(constraint.grammar()); }

namespace constraint {

/// The tree of a model's tokens, which all its filters share.
class TrieTables final : public FilterTables {
 public:
  /// Takes the tree that was made of `tokenizer`, which must outlive this.
  TrieTables(TokenTrie trie, const Tokenizer& tokenizer) noexcept : trie_(std::move(trie)), tokenizer_(tokenizer) {}
  Result<std::unique_ptr<TokenFilter>> open_filter(Allocator* from) const noexcept override {
    return AnswerFilter::open(trie_, tokenizer_, from);
  }

 private:
  TokenTrie trie_;
  const Tokenizer& tokenizer_;
};

DSVL_COLD
DSVL_INLINE Result<std::unique_ptr<const FilterTables>> make_tables(const Tokenizer& tokenizer,
                                                                    Allocator* from) noexcept {
  DSVL_TRY(trie, TokenTrie::build(tokenizer, from));
  std::unique_ptr<const FilterTables> tables(new (std::nothrow) TrieTables(std::move(trie), tokenizer));
  if (!tables) return fail(Code::out_of_memory, "no memory for the tables of constraints");
  return tables;
}
/// Vocabularies of 1 000 to 102 400 tokens take 42 to 60 bytes for each: the more there are, the longer they are.
DSVL_INLINE std::size_t tables_bytes(Index vocab) noexcept { return static_cast<std::size_t>(vocab) * 60; }
DSVL_INLINE std::size_t filter_bytes(Index vocab) noexcept {
  return AnswerFilter::bytes_for(static_cast<std::size_t>(vocab));
}

}  // namespace constraint

DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_CONSTRAINT_IMPLEMENTATION_HPP
