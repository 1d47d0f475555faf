// Languages: the automata of strings, numbers and property names that Facts describe.
#ifndef DSVL_CONSTRAINT_LANGUAGES_HPP
#define DSVL_CONSTRAINT_LANGUAGES_HPP

#include "../base/host_macros_push.hpp"

#include <map>

#include "facts.hpp"
#include "formats.hpp"

DSVL_BEGIN_NAMESPACE
namespace constraint {

/// Makes automata from the values of one schema, and keeps those of patterns.
class Languages {
 public:
  /// Both arguments must outlive the object.
  Languages(const SchemaTree& tree, Budget& budget) : tree_(tree), budget_(budget) {}

  /// The strings that `facts` allow.
  CharacterAutomaton strings(const Facts& facts) {
    CharacterAutomaton out = all_texts();
    for (const TextFact& fact : facts.texts) {
      if (!budget_.ok()) return out;
      if (fact.kind == TextFact::Kind::one_of) {
        std::vector<std::u32string> texts;
        for (const NodeId value : fact.values) texts.push_back(characters(tree_[value].text));
        restrict(out, one_of(texts, budget_), fact.negated);
      } else {
        const bool pattern = fact.kind == TextFact::Kind::pattern;
        restrict(out, regex(fact.values[0], tree_[fact.values[0]].text, pattern), fact.negated);
      }
    }
    if (facts.min_length > 0 || facts.max_length != kUnbounded)
      out = with_length(out, facts.min_length, facts.max_length, budget_);
    return out;
  }
  /// The numbers that `facts` allow.
  CharacterAutomaton numbers(const Facts& facts) {
    std::vector<NumberRule> rules;
    std::vector<Decimal> values;
    bool listed = false;
    for (const NumberFact& fact : facts.numbers) {
      if (!fact.one_of) {
        rules.push_back({fact.kind, fact.values.empty() ? Decimal{false, "1", ""} : value_of(fact.values[0])});
        continue;
      }
      std::vector<Decimal> now;
      for (const NodeId node : fact.values)
        if (!budget_.spend(values.size())) return {};
        else if (const Decimal value = value_of(node);
            !listed || std::find(values.begin(), values.end(), value) != values.end())
          now.push_back(value);
      values = std::move(now);
      listed = true;
    }
    if (!listed && rules.empty() && !facts.integer) return any_number(budget_);
    CharacterAutomaton out = NumberCompiler(std::move(rules), facts.integer, budget_).compile();
    if (!listed || !budget_.ok()) return out;
    std::vector<std::u32string> texts;
    for (const Decimal& value : values) texts.push_back(characters(value.text()));
    return combine(out, one_of(texts, budget_), Combine::both, budget_);
  }
  /// The names that match a key of patternProperties.
  const CharacterAutomaton& pattern_names(NodeId member) { return regex(member, tree_[member].key, true); }
  /// The names that are none of a layer's, neither by name nor by pattern.
  CharacterAutomaton names_outside(const ObjectLayer& layer) {
    CharacterAutomaton out = all_texts();
    if (layer.properties != kNoNode) {
      std::vector<std::u32string> names;
      for (const NodeId member : tree_[layer.properties].children) names.push_back(characters(tree_[member].key));
      restrict(out, one_of(names, budget_), true);
    }
    if (layer.patterns != kNoNode)
      for (const NodeId member : tree_[layer.patterns].children) restrict(out, pattern_names(member), true);
    return out;
  }
  /// Keeps the texts that are in `other`, or with `negated` those that are not.
  void restrict(CharacterAutomaton& language, const CharacterAutomaton& other, bool negated) {
    language = combine(language, other, negated ? Combine::first_only : Combine::both, budget_);
  }

 private:
  Decimal value_of(NodeId node) {
    const auto value = Decimal::read(tree_[node].text);
    if (value) return *value;
    budget_.refuse(fail(Code::limit, "the number %.40s at \"#%.200s\" has too many digits", tree_[node].text.c_str(),
                        tree_.pointer(node).c_str()));
    return {false, "0", ""};
  }
  /// The automaton of a pattern or a format, which is kept under the node that has it.
  const CharacterAutomaton& regex(NodeId node, const std::string& text, bool pattern) {
    const auto found = regexes_.find(node);
    if (found != regexes_.end()) return found->second;
    Budget inner = budget_;
    CharacterAutomaton made = compile_regex(pattern ? text : format_pattern(text), pattern, inner);
    if (!inner.ok()) {
      const std::string at = tree_.pointer(node);
      budget_.refuse(fail(inner.error().code(), "at \"#%.160s\": %s", at.c_str(), inner.error().text()));
    }
    budget_ = inner.ok() ? inner : budget_;
    return regexes_.emplace(node, std::move(made)).first->second;
  }

  const SchemaTree& tree_;
  Budget& budget_;
  std::map<NodeId, CharacterAutomaton> regexes_;
};

}  // namespace constraint
DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_CONSTRAINT_LANGUAGES_HPP
