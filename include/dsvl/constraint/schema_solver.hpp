// SchemaSolver: takes a conjunction of literals apart, into alternatives that have nothing left to decide.
//
// Alternatives may overlap; the automaton runs them side by side. Those that plainly cannot hold are dropped.
#ifndef DSVL_CONSTRAINT_SCHEMA_SOLVER_HPP
#define DSVL_CONSTRAINT_SCHEMA_SOLVER_HPP

#include <memory>

#include "languages.hpp"
#include "schema_reader.hpp"

DSVL_BEGIN_NAMESPACE
namespace constraint {

/// Solves goals of one schema, and remembers which cannot hold.
class SchemaSolver {
 public:
  /// All arguments must outlive the object.
  SchemaSolver(const SchemaTree& tree, const SchemaIndex& index, Languages& languages, Budget& budget)
      : tree_(tree), reader_(tree, index, budget), languages_(languages), budget_(budget) {}

  /// The alternatives of a goal. One of them must hold; none: the goal cannot.
  std::vector<Facts> solve(const Goal& goal, int depth = kDepth) {
    std::vector<Facts> out;
    Partial all;
    all.todo = goal;
    all.own = goal;
    if (++nested_ <= 60) solve(std::move(all), out, depth);
    else budget_.refuse(fail(Code::limit, "schemas are nested too deeply"));
    --nested_;
    return out;
  }
  /// What holds for element `i` of an array.
  [[nodiscard]] Goal element_goal(const Facts& facts, std::uint64_t i) const {
    Goal goal;
    for (const ArrayLayer& layer : facts.arrays)
      add_literal(goal, i < layer.prefix.size() ? layer.prefix[static_cast<std::size_t>(i)] : layer.items);
    for (const auto& [at, literal] : facts.elements)
      if (at == i) add_literal(goal, literal);
    return goal;
  }
  /// What holds for the value of a property of that name.
  Goal property_goal(const Facts& facts, const std::string& name) {
    Goal goal;
    const std::u32string text = characters(name);
    for (const ObjectLayer& layer : facts.objects) {
      bool known = false;
      if (layer.properties != kNoNode && budget_.spend(tree_[layer.properties].children.size() / 8))
        if (const NodeId member = tree_.find(layer.properties, name); member != kNoNode) {
          add_literal(goal, layer.members_equal ? equals(member) : satisfies(member));
          known = true;
        }
      if (layer.patterns != kNoNode)
        for (const NodeId member : tree_[layer.patterns].children)
          if (languages_.pattern_names(member).accepts(text)) add_literal(goal, satisfies(member)), known = true;
      if (!known) add_literal(goal, layer.additional);
    }
    for (const NameFact& fact : facts.names)
      if (fact.name == name)
        for (const Literal l : fact.values) add_literal(goal, l);
    for (const Literal l : facts.keys)
      if (!name_language(l).accepts(text)) add_literal(goal, kImpossible);
    return goal;
  }
  /// The strings for which a literal holds: the names that a propertyNames allows, or refuses.
  const CharacterAutomaton& name_language(Literal literal) {
    const auto found = names_.find(literal);
    if (found != names_.end()) return found->second;
    CharacterAutomaton out;
    for (const Facts& facts : solve({literal}, 0))
      if (facts.types & kString) out = combine(out, languages_.strings(facts), Combine::either, budget_);
    return names_.emplace(literal, std::move(out)).first->second;
  }
  /// True when no value can satisfy the goal, as far as a look of `depth` levels shows.
  bool impossible(const Goal& goal, int depth) {
    if (goal.empty()) return false;
    for (std::size_t i = 0; i < goal.size(); ++i)
      if (goal[i] == kImpossible || (i + 1 < goal.size() && goal[i + 1] == negation(goal[i]) && !(goal[i] & 1u)))
        return true;
    if (depth <= 0) return false;
    std::vector<std::uint32_t> key = goal;
    key.push_back(static_cast<std::uint32_t>(depth));
    if (const auto known = impossible_.find(key); known != impossible_.end()) return known->second;
    const bool none = solve(goal, depth - 1).empty();
    impossible_.emplace(std::move(key), none);
    return none;
  }

 private:
  static constexpr std::size_t kMostChoices = 256;
  static constexpr int kDepth = 3;  // levels of a look ahead; it only spares work
  /// A conjunction that is being taken apart.
  struct Partial {
    Facts facts;
    std::vector<Literal> todo;                 // not yet read, in order
    std::vector<Literal> own;                  // of the goal, or referred to by it: their properties are in order
    std::vector<Literal> done;                 // read
    std::vector<std::shared_ptr<const std::vector<Branch>>> choices;  // of each one branch must hold
  };

  void solve(Partial p, std::vector<Facts>& out, int depth) {
    for (std::size_t i = 0; i < p.todo.size(); ++i) {
      const Literal literal = p.todo[i];
      if (!budget_.spend(p.done.size() + 1)) return;
      if (std::find(p.done.begin(), p.done.end(), negation(literal)) != p.done.end()) return;
      if (std::find(p.done.begin(), p.done.end(), literal) != p.done.end()) continue;
      p.done.push_back(literal);
      Meaning meaning = reader_.read(literal, [&](Literal a, Literal b) {
        Goal both;
        add_literal(both, a);
        add_literal(both, b);
        return impossible(both, (std::min)(depth, 2));
      });
      const bool own = std::find(p.own.begin(), p.own.end(), literal) != p.own.end();
      for (NameFact& name : meaning.facts.names)
        if (!own) name.source = NameFact().source;
      if (meaning.same != kNoLiteral) {
        p.todo.insert(p.todo.begin() + static_cast<std::ptrdiff_t>(i) + 1, meaning.same);
        if (own) p.own.push_back(meaning.same);
      }
      if (!budget_.spend(meaning.facts.names.size() * p.facts.names.size() / 8)) return;
      p.facts.merge(meaning.facts);
      p.todo.insert(p.todo.end(), meaning.literals.begin(), meaning.literals.end());
      for (auto& choice : meaning.choices)
        p.choices.push_back(std::make_shared<const std::vector<Branch>>(std::move(choice)));
      if (p.choices.size() > kMostChoices)
        budget_.refuse(fail(Code::limit, "a part of the schema has more than %zu choices", kMostChoices));
      if (!p.facts.settle()) return;
    }
    p.todo.clear();
    if (p.choices.empty()) {
      drop_impossible(p.facts, depth);
      if (p.facts.settle()) out.push_back(std::move(p.facts));
      if (out.size() > 2000) budget_.refuse(fail(Code::limit, "a part of the schema has more than 2000 alternatives"));
      return;
    }
    // The choice with the fewest branches first, so that those which cannot hold are seen early.
    const auto fewest = std::min_element(p.choices.begin(), p.choices.end(),
                                         [](const auto& a, const auto& b) { return a->size() < b->size(); });
    const std::shared_ptr<const std::vector<Branch>> choice = *fewest;
    p.choices.erase(fewest);
    for (const Branch& branch : *choice) {
      if (!budget_.spend(50 + p.choices.size() + p.facts.names.size() * (1 + branch.facts.names.size()))) return;
      Partial next = p;
      next.facts.merge(branch.facts);
      next.todo = branch.literals;
      if (next.facts.settle()) solve(std::move(next), out, depth);
    }
  }
  /// Removes types of which no value can be, as far as a look of `depth` levels shows.
  void drop_impossible(Facts& facts, int depth) {
    const auto drop = [&](std::uint8_t bits) { facts.types &= static_cast<std::uint8_t>(~bits); };
    if (!facts.settle()) return;
    if ((facts.types & kString) && !facts.texts.empty() && languages_.strings(facts).empty()) drop(kString);
    if ((facts.types & kNumber) && !facts.numbers.empty() && languages_.numbers(facts).empty()) drop(kNumber);
    if (depth <= 0) return;
    if (facts.types & kArray)
      for (std::uint64_t i = 0; i < std::min<std::uint64_t>(facts.min_items, 20); ++i)
        if (impossible(element_goal(facts, i), depth - 1)) { drop(kArray); break; }
    if (facts.types & kObject)
      for (const NameFact& fact : facts.names)
        if (fact.required && impossible(property_goal(facts, fact.name), depth - 1)) { drop(kObject); break; }
  }

  const SchemaTree& tree_;
  SchemaReader reader_;
  Languages& languages_;
  Budget& budget_;
  int nested_ = 0;
  std::map<Literal, CharacterAutomaton> names_;
  std::map<std::vector<std::uint32_t>, bool> impossible_;
};

}  // namespace constraint
DSVL_END_NAMESPACE

#endif  // DSVL_CONSTRAINT_SCHEMA_SOLVER_HPP
