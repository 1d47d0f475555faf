// KeyClasses: the names of an object that the schema does not spell out, divided by what holds for their values.
//
// Which patterns a name matches decides what its value must be. So all other names are divided by patterns, and by what
// `not` demands of some property, into languages within which everything is the same.
#ifndef DSVL_CONSTRAINT_KEY_CLASSES_HPP
#define DSVL_CONSTRAINT_KEY_CLASSES_HPP

#include "schema_solver.hpp"

DSVL_BEGIN_NAMESPACE
namespace constraint {

/// Names for whose values the same holds.
struct KeyClass {
  CharacterAutomaton names;           ///< the names
  Goal goal;                          ///< what holds for their values
  std::vector<std::uint8_t> demands;  ///< by demand: 1 if the name can be the one that is demanded
  std::uint32_t count = 0;            ///< how many names these are, where they may run out; otherwise 0
};

/// Divides the names of one object.
class KeyClasses {
 public:
  /// All arguments must outlive the object.
  KeyClasses(const Facts& facts, const SchemaTree& tree, SchemaSolver& solver, Languages& languages, Budget& budget)
      : facts_(facts), tree_(tree), solver_(solver), languages_(languages), budget_(budget) {}

  /// All classes in which names are possible, without the names that `facts` has.
  std::vector<KeyClass> divide() {
    std::vector<Part> parts(1);
    parts[0].names = all_texts();
    std::vector<std::u32string> known;
    for (const NameFact& fact : facts_.names) known.push_back(characters(fact.name));
    languages_.restrict(parts[0].names, one_of(known, budget_), true);
    for (const Literal l : facts_.keys) languages_.restrict(parts[0].names, solver_.name_language(l), false);
    for (const ObjectLayer& layer : facts_.objects)
      if (layer.patterns != kNoNode)
        for (const NodeId member : tree_[layer.patterns].children) split(parts, languages_.pattern_names(member));
    for (const PropertyDemand& demand : facts_.demands) split(parts, demanded(demand));
    std::vector<KeyClass> out;
    if (!budget_.ok()) return out;
    for (Part& part : parts) {
      if (part.names.empty()) continue;
      KeyClass made = describe(part);
      if (!solver_.impossible(made.goal, 1)) out.push_back(std::move(made));
    }
    return out;
  }
  /// The names that a demand can be about.
  CharacterAutomaton demanded(const PropertyDemand& demand) {
    if (demand.outside) return languages_.names_outside(demand.layer);
    return demand.pattern != kNoNode ? languages_.pattern_names(demand.pattern) : solver_.name_language(demand.name);
  }

 private:
  struct Part {
    CharacterAutomaton names;
    std::vector<std::uint8_t> in;  // by splitter: 1 if its names are in the splitter's language
  };
  /// Divides every part into the names that are in a language and those that are not.
  void split(std::vector<Part>& parts, const CharacterAutomaton& language) {
    std::vector<Part> out;
    for (const Part& part : parts)
      for (const std::uint8_t in : {std::uint8_t{1}, std::uint8_t{0}}) {
        if (!budget_.spend(100)) return;
        Part half{part.names, part.in};
        languages_.restrict(half.names, language, in == 0);
        half.in.push_back(in);
        if (!half.names.empty()) out.push_back(std::move(half));
      }
    parts = std::move(out);
  }
  KeyClass describe(Part& part) {
    KeyClass out;
    std::size_t splitter = 0;
    for (const ObjectLayer& layer : facts_.objects) {
      bool known = false;
      if (layer.patterns != kNoNode)
        for (const NodeId member : tree_[layer.patterns].children)
          if (part.in[splitter++] != 0) add_literal(out.goal, satisfies(member)), known = true;
      if (!known) add_literal(out.goal, layer.additional);
    }
    out.demands.assign(part.in.begin() + static_cast<std::ptrdiff_t>(splitter), part.in.end());
    out.names = std::move(part.names);
    return out;
  }

  const Facts& facts_;
  const SchemaTree& tree_;
  SchemaSolver& solver_;
  Languages& languages_;
  Budget& budget_;
};

}  // namespace constraint
DSVL_END_NAMESPACE

#endif  // DSVL_CONSTRAINT_KEY_CLASSES_HPP
