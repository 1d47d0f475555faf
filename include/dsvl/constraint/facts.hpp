// Facts: what is known about a value once a conjunction of schemas was taken apart, with nothing left to decide.
//
// Facts about different types do not touch each other: "at least 3 characters" says nothing about a number. So one
// Facts holds for all types at once, and its `types` say which are possible. What is inside arrays and objects stays a
// list of literals (schemas that must, or must not, hold for the element), which are taken apart when they are needed.
#ifndef DSVL_CONSTRAINT_FACTS_HPP
#define DSVL_CONSTRAINT_FACTS_HPP

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "number_automaton.hpp"
#include "schema_tree.hpp"

DSVL_BEGIN_NAMESPACE
namespace constraint {

/// Something that must hold for a value: it satisfies a schema, or equals a value of the schema's text; or does not.
/// The number is node * 4, plus 2 for equality, plus 1 for "does not".
using Literal = std::uint32_t;
/// Literals that must all hold: sorted, no two the same.
using Goal = std::vector<Literal>;
inline constexpr Literal kNoLiteral = 0xFFFFFFFFu;                   ///< none
inline constexpr Literal kImpossible = SchemaTree::kFalse * 4;       ///< never holds
/// The value satisfies this schema.
constexpr Literal satisfies(NodeId schema) { return schema * 4; }
/// The value equals that one.
constexpr Literal equals(NodeId value) { return value * 4 + 2; }
/// The opposite.
constexpr Literal negation(Literal l) { return l ^ 1u; }

/// Adds a literal to a goal.
inline void add_literal(Goal& goal, Literal literal) {
  if (literal == satisfies(SchemaTree::kTrue) || literal == kNoLiteral) return;
  if (literal == negation(kImpossible)) return;
  if (literal == negation(satisfies(SchemaTree::kTrue))) literal = kImpossible;
  const auto at = std::lower_bound(goal.begin(), goal.end(), literal);
  if (at == goal.end() || *at != literal) goal.insert(at, literal);
}

/// Types of values as bits; the two booleans are types of their own.
enum TypeBits : std::uint8_t { kNull = 1, kFalseBit = 2, kTrueBit = 4, kNumber = 8, kString = 16, kArray = 32,
                               kObject = 64, kAllTypes = 127 };
inline constexpr std::uint64_t kUnbounded = ~std::uint64_t{0};  ///< no upper bound

/// A relation of a number to those of the schema's text. With several values: it is one of them.
struct NumberFact {
  bool one_of = false;                            ///< the number is one of `values`
  NumberRule::Kind kind = NumberRule::equal;      ///< otherwise its relation to the only one
  std::vector<NodeId> values;                     ///< numbers; none with not one_of: 1
};
/// A language that a string is in, or is not in.
struct TextFact {
  enum class Kind : std::uint8_t { pattern, format, one_of };  ///< what `values` are
  Kind kind = Kind::pattern;                                   ///< which of them
  bool negated = false;                                        ///< the string is not in it
  std::vector<NodeId> values;                                  ///< strings
};
/// prefixItems and items of one schema, or the elements of one value.
struct ArrayLayer {
  std::vector<Literal> prefix;   ///< of the first elements
  Literal items = kNoLiteral;    ///< of those behind them
};
/// `what` holds for min..max of the elements from number `from` on.
struct ItemCount {
  std::uint64_t from = 0;             ///< first element that counts
  Literal what = kNoLiteral;          ///< what is counted
  std::uint64_t min = 0, max = kUnbounded;  ///< how many
};
/// properties, patternProperties and additionalProperties of one schema, or the members of one value.
struct ObjectLayer {
  NodeId properties = kNoNode;        ///< the object that has the names
  bool members_equal = false;         ///< its members are values to be equal to, not schemas
  NodeId patterns = kNoNode;          ///< the value of patternProperties
  Literal additional = kNoLiteral;    ///< what holds for all others
};
/// A property that was named.
struct NameFact {
  std::string name;                 ///< its name
  int source = 1 << 30;             ///< number of the layer whose properties have it; large when none has
  bool required = false;            ///< it must be there
  bool absent = false;              ///< it must not
  Goal values;                      ///< what holds for its value beside what the layers say
};
/// At least one property has a name of some kind, and a value for which something holds.
struct PropertyDemand {
  NodeId pattern = kNoNode;         ///< the name matches this key of a patternProperties
  bool outside = false;             ///< the name is none of `layer`
  ObjectLayer layer;                ///< see `outside`
  Literal name = kNoLiteral;        ///< this holds for the name
  Goal values;                      ///< these hold for the value
};

/// What is known about one value.
struct Facts {
  std::uint8_t types = kAllTypes;                            ///< those that it can have
  bool integer = false;                                      ///< a number is whole
  std::vector<NumberFact> numbers;                           ///< of a number
  std::vector<TextFact> texts;                               ///< of a string
  std::uint64_t min_length = 0, max_length = kUnbounded;     ///< characters of a string
  std::vector<ArrayLayer> arrays;                            ///< of an array
  std::vector<std::pair<std::uint64_t, Literal>> elements;   ///< of single elements of an array
  std::vector<ItemCount> counts;                             ///< of an array
  std::uint64_t min_items = 0, max_items = kUnbounded;       ///< elements of an array
  std::vector<ObjectLayer> objects;                          ///< of an object
  std::vector<NameFact> names;                               ///< of an object, in the order of the schema
  Goal keys;                                                 ///< of all names of an object
  std::vector<PropertyDemand> demands;                       ///< of an object
  std::uint64_t min_properties = 0, max_properties = kUnbounded;  ///< members of an object

  /// The fact about a name, which is added when there is none.
  NameFact& at(const std::string& name) {
    for (NameFact& fact : names)
      if (fact.name == name) return fact;
    names.emplace_back();
    names.back().name = name;
    return names.back();
  }
  /// Adds everything that `other` says.
  void merge(const Facts& other) {
    types &= other.types;
    integer = integer || other.integer;
    const auto append = [](auto& to, const auto& from) { to.insert(to.end(), from.begin(), from.end()); };
    append(numbers, other.numbers);
    append(texts, other.texts);
    append(arrays, other.arrays);
    append(elements, other.elements);
    append(counts, other.counts);
    append(demands, other.demands);
    const int shift = static_cast<int>(objects.size());
    append(objects, other.objects);
    for (const NameFact& from : other.names) {
      NameFact& to = at(from.name);
      if (from.source < (1 << 30)) to.source = (std::min)(to.source, from.source + shift);
      to.required = to.required || from.required;
      to.absent = to.absent || from.absent;
      for (const Literal l : from.values) add_literal(to.values, l);
    }
    for (const Literal l : other.keys) add_literal(keys, l);
    min_length = (std::max)(min_length, other.min_length);
    max_length = (std::min)(max_length, other.max_length);
    min_items = (std::max)(min_items, other.min_items);
    max_items = (std::min)(max_items, other.max_items);
    min_properties = (std::max)(min_properties, other.min_properties);
    max_properties = (std::min)(max_properties, other.max_properties);
  }
  /// Drops types that cannot be, as far as that is plain to see; false when none is left.
  bool settle() {
    if (min_length > max_length) types &= static_cast<std::uint8_t>(~kString);
    if (min_items > max_items) types &= static_cast<std::uint8_t>(~kArray);
    bool object = min_properties <= max_properties;
    for (const NameFact& fact : names) object = object && !(fact.required && fact.absent);
    if (!object) types &= static_cast<std::uint8_t>(~kObject);
    return types != 0;
  }
};

/// A way in which a disjunction can hold: all literals, and the facts.
struct Branch {
  std::vector<Literal> literals;  ///< all of them hold
  Facts facts;                    ///< and these
};

}  // namespace constraint
DSVL_END_NAMESPACE

#endif  // DSVL_CONSTRAINT_FACTS_HPP
