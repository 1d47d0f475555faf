// SchemaCompiler: from the text of a JSON schema to a Grammar.
//
//   text -> SchemaTree -> SchemaIndex (every keyword is known, every reference found)
//        -> goals, each solved into alternatives (SchemaSolver) and built as one rule -> Grammar
#ifndef DSVL_CONSTRAINT_SCHEMA_COMPILER_HPP
#define DSVL_CONSTRAINT_SCHEMA_COMPILER_HPP

#include "../base/host_macros_push.hpp"

#include "object_rule.hpp"

DSVL_BEGIN_NAMESPACE
namespace constraint {

/// Builds the rules of one schema.
class SchemaCompiler {
 public:
  /// All arguments must outlive the object.
  SchemaCompiler(const SchemaTree& tree, const JsonForm& form, Budget& budget)
      : tree_(tree), budget_(budget), index_(tree, budget), languages_(tree, budget),
        solver_(tree, index_, languages_, budget), builder_(form, budget) {}

  /// The grammar.
  Result<Grammar> compile(Allocator* from) {
    if (!budget_.ok()) return budget_.error();
    Goal root;
    add_literal(root, satisfies(SchemaTree::kRoot));
    const std::uint32_t start = rule_of(root);
    for (std::size_t i = 0; i < todo_.size() && budget_.ok(); ++i) {
      const Goal goal = todo_[i];
      build(goal, rules_.at(goal));
    }
    return builder_.finish(start, from);
  }

 private:
  /// The first state of a goal's rule.
  std::uint32_t rule_of(const Goal& goal) {
    const auto [found, added] = rules_.try_emplace(goal, 0);
    if (added) {
      found->second = builder_.add_state();
      todo_.push_back(goal);
    }
    return found->second;
  }
  void build(const Goal& goal, std::uint32_t start) {
    const std::vector<Facts> ways = solver_.solve(goal);
    if (!budget_.ok()) return;
    std::uint8_t types = 0;
    for (const Facts& facts : ways) types |= facts.types;
    const std::uint32_t end = builder_.add_state(true);
    if (types & kNull) builder_.add_bytes(start, "null", end);
    if (types & kFalseBit) builder_.add_bytes(start, "false", end);
    if (types & kTrueBit) builder_.add_bytes(start, "true", end);
    if (types & kNumber) {
      const CharacterAutomaton numbers = united(ways, kNumber);
      builder_.add_text(start, numbers, Spelling::raw, end);
    }
    if (types & kString) {
      const std::uint32_t opened = builder_.add_state();
      builder_.add_bytes(start, "\"", opened);
      builder_.add_text(opened, united(ways, kString), given(ways) ? Spelling::key : Spelling::string, end);
    }
    const auto rule = [this](const Goal& inside) { return rule_of(inside); };
    for (const Facts& facts : ways) {
      if (!budget_.ok()) return;
      if (facts.types & kArray) ArrayRule(facts, builder_, solver_, rule, budget_).build(start, end);
      if (!(facts.types & kObject)) continue;
      KeyClasses keys(facts, tree_, solver_, languages_, budget_);
      ObjectRule(facts, builder_, solver_, keys, rule, budget_).build(start, end);
    }
  }
  /// True when the schema lists all strings. They are then written as it has them, so that they can be known ahead.
  static bool given(const std::vector<Facts>& ways) {
    return std::all_of(ways.begin(), ways.end(), [](const Facts& facts) {
      return !(facts.types & kString) || std::any_of(facts.texts.begin(), facts.texts.end(), [](const TextFact& fact) {
        return fact.kind == TextFact::Kind::one_of && !fact.negated;
      });
    });
  }
  /// The numbers, or the strings, of all alternatives.
  CharacterAutomaton united(const std::vector<Facts>& ways, std::uint8_t type) {
    CharacterAutomaton out;
    for (const Facts& facts : ways) {
      if (!(facts.types & type)) continue;
      CharacterAutomaton one = type == kNumber ? languages_.numbers(facts) : languages_.strings(facts);
      out = out.empty() ? std::move(one) : combine(out, one, Combine::either, budget_);
    }
    return out;
  }

  const SchemaTree& tree_;
  Budget& budget_;
  SchemaIndex index_;
  Languages languages_;
  SchemaSolver solver_;
  GrammarBuilder builder_;
  std::map<Goal, std::uint32_t> rules_;
  std::vector<Goal> todo_;
};

}  // namespace constraint
DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_CONSTRAINT_SCHEMA_COMPILER_HPP
