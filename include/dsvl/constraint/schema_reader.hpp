// SchemaReader: what one schema, or its negation, says about a value: facts, further literals, and alternatives.
//
// A schema is a conjunction of keywords. Its negation is a choice: one of the keywords does not hold.
#ifndef DSVL_CONSTRAINT_SCHEMA_READER_HPP
#define DSVL_CONSTRAINT_SCHEMA_READER_HPP

#include "../base/function_ref.hpp"
#include "facts.hpp"
#include "schema_index.hpp"

DSVL_BEGIN_NAMESPACE
namespace constraint {

/// What a literal amounts to: everything in `facts` and `literals` holds, and one branch of each choice.
struct Meaning {
  Facts facts;                               ///< hold
  std::vector<Literal> literals;             ///< hold
  Literal same = kNoLiteral;                 ///< holds too: what the schema's own $ref refers to
  std::vector<std::vector<Branch>> choices;  ///< of each, one branch holds
};

/// Reads the schemas of one tree.
class SchemaReader {
 public:
  /// Asks whether two literals exclude each other, which spares oneOf most of its negations. It may say no at any time.
  using Exclude = FunctionRef<bool(Literal, Literal)>;
  /// All arguments must outlive the object.
  SchemaReader(const SchemaTree& tree, const SchemaIndex& index, Budget& budget)
      : tree_(tree), index_(index), budget_(budget) {}

  /// The meaning of one literal.
  Meaning read(Literal literal, Exclude exclude) {
    Meaning out;
    const NodeId node = literal / 4;
    const bool negated = literal & 1u;
    budget_.spend(tree_[node].children.size() + 8);
    if (literal & 2u) {
      negated ? read_unequal(node, out) : read_equal(node, out);
    } else if (tree_[node].kind == json::Kind::boolean) {
      if (tree_[node].truth == negated) out.facts.types = 0;
    } else if (negated) {
      std::vector<Branch> branches;
      for (const NodeId member : tree_[node].children) negate_keyword(node, member, branches);
      out.choices.push_back(std::move(branches));
    } else {
      read_layers(node, out.facts);
      for (const NodeId member : tree_[node].children) read_keyword(node, member, out, exclude);
    }
    return out;
  }

 private:
  [[nodiscard]] std::uint64_t count(NodeId value) const {
    const auto number = Decimal::read(tree_[value].text);
    std::uint64_t out = 0;
    if (number)
      for (const char c : number->whole.substr(0, 18)) out = out * 10 + static_cast<std::uint64_t>(c - '0');
    return out;
  }
  static Keyword keyword_of(std::string_view name) {
    const KeywordRow* const row = find_keyword(name);
    return row ? row->keyword : Keyword::unknown;
  }
  /// Bits of the types that `type` names; `integer` says whether numbers must be whole.
  std::uint8_t types_of(NodeId value, bool& integer) const {
    std::vector<NodeId> names = tree_[value].children;
    if (tree_[value].kind == json::Kind::string) names = {value};
    std::uint8_t bits = 0;
    bool any_number = false, whole = false;
    for (const NodeId name : names) {
      const std::string& t = tree_[name].text;
      whole = whole || t == "integer";
      any_number = any_number || t == "number";
      bits |= static_cast<std::uint8_t>(t == "null"      ? kNull
                                        : t == "boolean" ? kFalseBit | kTrueBit
                                        : t == "string"  ? kString
                                        : t == "array"   ? kArray
                                        : t == "object"  ? kObject
                                                         : kNumber);
    }
    integer = whole && !any_number;
    return bits;
  }

  // --- what a schema says -------------------------------------------------------------------------------------------

  /// The keywords that belong together: properties with its siblings, items with prefixItems.
  void read_layers(NodeId schema, Facts& facts) {
    ObjectLayer object = object_layer(schema);
    if (object.properties != kNoNode || object.patterns != kNoNode || object.additional != kNoLiteral) {
      facts.objects.push_back(object);
      if (object.properties != kNoNode)
        for (const NodeId member : tree_[object.properties].children)
          if (budget_.spend(facts.names.size() / 8)) facts.at(tree_[member].key).source = 0;
    }
    ArrayLayer array;
    if (const NodeId prefix = tree_.find(schema, "prefixItems"); prefix != kNoNode)
      for (const NodeId element : tree_[prefix].children) array.prefix.push_back(satisfies(element));
    if (const NodeId items = tree_.find(schema, "items"); items != kNoNode) array.items = satisfies(items);
    if (!array.prefix.empty() || array.items != kNoLiteral) facts.arrays.push_back(std::move(array));
  }
  [[nodiscard]] ObjectLayer object_layer(NodeId schema) const {
    ObjectLayer layer;
    layer.properties = tree_.find(schema, "properties");
    layer.patterns = tree_.find(schema, "patternProperties");
    if (const NodeId other = tree_.find(schema, "additionalProperties"); other != kNoNode)
      layer.additional = satisfies(other);
    return layer;
  }
  void read_keyword(NodeId schema, NodeId member, Meaning& out, Exclude exclude) {
    const std::vector<NodeId>& parts = tree_[member].children;
    Facts& facts = out.facts;
    switch (const Keyword keyword = keyword_of(tree_[member].key)) {
      case Keyword::ref: out.same = satisfies(index_.target(member)); return;
      case Keyword::type: facts.types &= types_of(member, facts.integer); return;
      case Keyword::enumeration: return read_enumeration(parts, out);
      case Keyword::constant: return out.literals.push_back(equals(member));
      case Keyword::no: return out.literals.push_back(negation(satisfies(member)));
      case Keyword::all_of:
        for (const NodeId part : parts) out.literals.push_back(satisfies(part));
        return;
      case Keyword::any_of: {
        std::vector<Branch> branches;
        for (const NodeId part : parts) branches.push_back({{satisfies(part)}, {}});
        return out.choices.push_back(std::move(branches));
      }
      case Keyword::one_of: return read_one_of(parts, out, exclude);
      case Keyword::if_: return read_if(schema, member, out);
      case Keyword::required:
        for (const NodeId name : parts)
          if (budget_.spend(facts.names.size() / 8)) facts.at(tree_[name].text).required = true;
        return;
      case Keyword::dependent_required:
      case Keyword::dependent_schemas: return read_dependent(keyword, parts, out);
      case Keyword::property_names: return add_literal(facts.keys, satisfies(member));
      case Keyword::contains: {
        const auto [min, max] = contains_bounds(schema);
        if (min > 0 || max != kUnbounded) facts.counts.push_back({0, satisfies(member), min, max});
        return;
      }
      default: return facts.merge(single_fact(keyword, member, false));
    }
  }
  [[nodiscard]] std::pair<std::uint64_t, std::uint64_t> contains_bounds(NodeId schema) const {
    const NodeId min = tree_.find(schema, "minContains"), max = tree_.find(schema, "maxContains");
    return {min == kNoNode ? 1 : count(min), max == kNoNode ? kUnbounded : count(max)};
  }
  /// Numbers, strings and single words of an enum are one fact; arrays and objects are a branch each.
  void read_enumeration(const std::vector<NodeId>& values, Meaning& out) {
    Branch simple;
    simple.facts.types = 0;
    NumberFact numbers;
    numbers.one_of = true;
    TextFact texts;
    texts.kind = TextFact::Kind::one_of;
    std::vector<Branch> branches;
    for (const NodeId value : values) {
      const SchemaNode& v = tree_[value];
      if (v.kind == json::Kind::array || v.kind == json::Kind::object) branches.push_back({{equals(value)}, {}});
      if (v.kind == json::Kind::null) simple.facts.types |= kNull;
      if (v.kind == json::Kind::boolean) simple.facts.types |= v.truth ? kTrueBit : kFalseBit;
      if (v.kind == json::Kind::number) simple.facts.types |= kNumber, numbers.values.push_back(value);
      if (v.kind == json::Kind::string) simple.facts.types |= kString, texts.values.push_back(value);
    }
    if (!numbers.values.empty()) simple.facts.numbers.push_back(std::move(numbers));
    if (!texts.values.empty()) simple.facts.texts.push_back(std::move(texts));
    if (simple.facts.types != 0 || branches.empty()) branches.push_back(std::move(simple));
    out.choices.push_back(std::move(branches));
  }
  void read_one_of(const std::vector<NodeId>& parts, Meaning& out, Exclude exclude) {
    std::vector<Branch> branches;
    for (const NodeId only : parts) {
      Branch branch;
      branch.literals.push_back(satisfies(only));
      for (const NodeId other : parts)
        if (other != only && !exclude(satisfies(only), satisfies(other)))
          branch.literals.push_back(negation(satisfies(other)));
      branches.push_back(std::move(branch));
    }
    out.choices.push_back(std::move(branches));
  }
  void read_if(NodeId schema, NodeId condition, Meaning& out) {
    const NodeId then = tree_.find(schema, "then"), otherwise = tree_.find(schema, "else");
    if (then == kNoNode && otherwise == kNoNode) return;
    std::vector<Branch> branches(2);
    branches[0].literals = {satisfies(condition)};
    branches[1].literals = {negation(satisfies(condition))};
    if (then != kNoNode) branches[0].literals.push_back(satisfies(then));
    if (otherwise != kNoNode) branches[1].literals.push_back(satisfies(otherwise));
    out.choices.push_back(std::move(branches));
  }
  void read_dependent(Keyword keyword, const std::vector<NodeId>& parts, Meaning& out) {
    for (const NodeId part : parts) {
      std::vector<Branch> branches(2);
      branches[0].facts.at(tree_[part].key).absent = true;
      branches[1].facts.types = kObject;
      branches[1].facts.at(tree_[part].key).required = true;
      if (keyword == Keyword::dependent_schemas) branches[1].literals.push_back(satisfies(part));
      else
        for (const NodeId name : tree_[part].children) branches[1].facts.at(tree_[name].text).required = true;
      out.choices.push_back(std::move(branches));
    }
  }
  void read_equal(NodeId value, Meaning& out) {
    const SchemaNode& v = tree_[value];
    if (v.kind != json::Kind::array && v.kind != json::Kind::object) return read_enumeration({value}, out);
    const std::uint64_t n = v.children.size();
    if (v.kind == json::Kind::array) {
      out.facts.types = kArray;
      out.facts.min_items = out.facts.max_items = n;
      ArrayLayer layer;
      for (const NodeId element : v.children) layer.prefix.push_back(equals(element));
      out.facts.arrays.push_back(std::move(layer));
      return;
    }
    out.facts.types = kObject;
    ObjectLayer layer;
    layer.properties = value;
    layer.members_equal = true;
    layer.additional = kImpossible;
    out.facts.objects.push_back(layer);
    for (const NodeId member : v.children)
      if (budget_.spend(out.facts.names.size() / 8)) out.facts.at(tree_[member].key).required = true;
  }

  // --- what it does not say -----------------------------------------------------------------------------------------

  void read_unequal(NodeId value, Meaning& out) {
    const SchemaNode& v = tree_[value];
    const auto without = [&](unsigned bits) { out.facts.types &= static_cast<std::uint8_t>(~bits); };
    if (v.kind == json::Kind::null) return without(kNull);
    if (v.kind == json::Kind::boolean) return without(v.truth ? kTrueBit : kFalseBit);
    if (v.kind == json::Kind::number) return out.facts.numbers.push_back({false, NumberRule::not_equal, {value}});
    if (v.kind == json::Kind::string)
      return out.facts.texts.push_back({TextFact::Kind::one_of, true, {value}});
    const std::uint64_t n = v.children.size();
    const bool array = v.kind == json::Kind::array;
    std::vector<Branch> branches(1);
    branches[0].facts.types = static_cast<std::uint8_t>(kAllTypes & ~(array ? kArray : kObject));
    const auto add = [&]() -> Facts& {
      branches.emplace_back();
      branches.back().facts.types = array ? kArray : kObject;
      return branches.back().facts;
    };
    if (array) {
      add().min_items = n + 1;
      if (n > 0) add().max_items = n - 1;
      for (std::uint64_t i = 0; i < n; ++i) {
        Facts& facts = add();
        facts.min_items = i + 1;
        facts.elements.push_back({i, negation(equals(v.children[static_cast<std::size_t>(i)]))});
      }
      return out.choices.push_back(std::move(branches));
    }
    for (const NodeId member : v.children) {
      add().at(tree_[member].key).absent = true;
      NameFact& name = add().at(tree_[member].key);
      name.required = true;
      add_literal(name.values, negation(equals(member)));
    }
    PropertyDemand other;
    other.outside = true;
    other.layer.properties = value;
    add().demands.push_back(other);
    out.choices.push_back(std::move(branches));
  }

  /// Adds the ways in which one keyword of a schema can fail to hold.
  void negate_keyword(NodeId schema, NodeId member, std::vector<Branch>& out) {
    const std::vector<NodeId>& parts = tree_[member].children;
    const auto add = [&](std::vector<Literal> literals) { out.push_back({std::move(literals), {}}); };
    switch (const Keyword keyword = keyword_of(tree_[member].key)) {
      case Keyword::ref: return add({negation(satisfies(index_.target(member)))});
      case Keyword::constant: return add({negation(equals(member))});
      case Keyword::no: return add({satisfies(member)});
      case Keyword::enumeration:
      case Keyword::any_of: {
        std::vector<Literal> all;
        for (const NodeId part : parts)
          all.push_back(negation(keyword == Keyword::any_of ? satisfies(part) : equals(part)));
        return add(std::move(all));
      }
      case Keyword::all_of:
        for (const NodeId part : parts) add({negation(satisfies(part))});
        return;
      case Keyword::one_of: return negate_one_of(parts, out);
      case Keyword::if_: return negate_if(schema, member, out);
      case Keyword::type: return negate_type(member, out);
      case Keyword::properties: case Keyword::pattern_properties: case Keyword::additional_properties:
      case Keyword::property_names: case Keyword::required: case Keyword::dependent_required:
      case Keyword::dependent_schemas: return negate_object(keyword, schema, member, out);
      case Keyword::items: case Keyword::prefix_items: case Keyword::contains:
        return negate_array(keyword, schema, member, out);
      default:
        if (Facts facts = single_fact(keyword, member, true); facts.types != kAllTypes) out.push_back({{}, facts});
    }
  }
  void negate_one_of(const std::vector<NodeId>& parts, std::vector<Branch>& out) {
    Branch none;
    for (const NodeId part : parts) none.literals.push_back(negation(satisfies(part)));
    out.push_back(std::move(none));
    for (std::size_t i = 0; i < parts.size(); ++i)
      for (std::size_t j = i + 1; j < parts.size() && budget_.spend(); ++j)
        out.push_back({{satisfies(parts[i]), satisfies(parts[j])}, {}});
  }
  void negate_if(NodeId schema, NodeId condition, std::vector<Branch>& out) {
    if (const NodeId then = tree_.find(schema, "then"); then != kNoNode)
      out.push_back({{satisfies(condition), negation(satisfies(then))}, {}});
    if (const NodeId otherwise = tree_.find(schema, "else"); otherwise != kNoNode)
      out.push_back({{negation(satisfies(condition)), negation(satisfies(otherwise))}, {}});
  }
  void negate_type(NodeId member, std::vector<Branch>& out) {
    bool integer = false;
    const std::uint8_t bits = types_of(member, integer);
    Branch branch;
    branch.facts.types = static_cast<std::uint8_t>(kAllTypes & ~bits);
    if (branch.facts.types != 0) out.push_back(std::move(branch));
    if (!integer) return;
    Branch fraction;
    fraction.facts.types = kNumber;
    fraction.facts.numbers.push_back({false, NumberRule::no_multiple, {}});
    out.push_back(std::move(fraction));
  }
  void negate_object(Keyword keyword, NodeId schema, NodeId member, std::vector<Branch>& out) {
    const auto add = [&]() -> Branch& {
      out.emplace_back();
      out.back().facts.types = kObject;
      return out.back();
    };
    const auto demand = [&]() -> PropertyDemand& { return add().facts.demands.emplace_back(); };
    if (keyword == Keyword::additional_properties) {
      PropertyDemand& other = demand();
      other.outside = true;
      other.layer = object_layer(schema);
      return add_literal(other.values, negation(satisfies(member)));
    }
    if (keyword == Keyword::property_names) return void(demand().name = negation(satisfies(member)));
    for (const NodeId part : tree_[member].children) {
      const std::string& key = tree_[part].key;
      if (keyword == Keyword::required) {
        add().facts.at(tree_[part].text).absent = true;
      } else if (keyword == Keyword::pattern_properties) {
        PropertyDemand& matching = demand();
        matching.pattern = part;
        add_literal(matching.values, negation(satisfies(part)));
      } else if (keyword == Keyword::properties) {
        NameFact& name = add().facts.at(key);
        name.required = true;
        add_literal(name.values, negation(satisfies(part)));
      } else if (keyword == Keyword::dependent_schemas) {
        Branch& branch = add();
        branch.facts.at(key).required = true;
        branch.literals.push_back(negation(satisfies(part)));
      } else {
        for (const NodeId name : tree_[part].children) {
          Branch& branch = add();
          branch.facts.at(key).required = true;
          branch.facts.at(tree_[name].text).absent = true;
        }
      }
    }
  }
  void negate_array(Keyword keyword, NodeId schema, NodeId member, std::vector<Branch>& out) {
    const auto add = [&]() -> Facts& {
      out.emplace_back();
      out.back().facts.types = kArray;
      return out.back().facts;
    };
    if (keyword == Keyword::items) {
      const NodeId prefix = tree_.find(schema, "prefixItems");
      const std::uint64_t from = prefix == kNoNode ? 0 : tree_[prefix].children.size();
      add().counts.push_back({from, negation(satisfies(member)), 1, kUnbounded});
    } else if (keyword == Keyword::prefix_items) {
      for (std::uint64_t i = 0; i < tree_[member].children.size(); ++i) {
        Facts& facts = add();
        facts.min_items = i + 1;
        facts.elements.push_back({i, negation(satisfies(tree_[member].children[static_cast<std::size_t>(i)]))});
      }
    } else {
      const auto [min, max] = contains_bounds(schema);
      if (min > 0) add().counts.push_back({0, satisfies(member), 0, min - 1});
      if (max != kUnbounded) add().counts.push_back({0, satisfies(member), max + 1, kUnbounded});
    }
  }

  /// What a keyword about a single number, text or count says, or its negation. A negation is about one type only.
  Facts single_fact(Keyword keyword, NodeId member, bool negated) const {
    using Kind = NumberRule::Kind;
    Facts facts;
    const auto number = [&](Kind holds, Kind fails) {
      if (negated) facts.types = kNumber;
      facts.numbers.push_back({false, negated ? fails : holds, {member}});
    };
    const auto bound = [&](std::uint8_t type, bool lower, std::uint64_t& min, std::uint64_t& max) {
      const std::uint64_t n = count(member);
      if (negated) facts.types = lower && n == 0 ? 0 : type;
      if (lower == negated) max = lower ? (n == 0 ? 0 : n - 1) : n;
      else min = lower ? n : n + 1;
    };
    switch (keyword) {
      case Keyword::minimum: number(Kind::at_least, Kind::less); break;
      case Keyword::maximum: number(Kind::at_most, Kind::greater); break;
      case Keyword::exclusive_minimum: number(Kind::greater, Kind::at_most); break;
      case Keyword::exclusive_maximum: number(Kind::less, Kind::at_least); break;
      case Keyword::multiple_of: number(Kind::multiple, Kind::no_multiple); break;
      case Keyword::min_length: bound(kString, true, facts.min_length, facts.max_length); break;
      case Keyword::max_length: bound(kString, false, facts.min_length, facts.max_length); break;
      case Keyword::min_items: bound(kArray, true, facts.min_items, facts.max_items); break;
      case Keyword::max_items: bound(kArray, false, facts.min_items, facts.max_items); break;
      case Keyword::min_properties: bound(kObject, true, facts.min_properties, facts.max_properties); break;
      case Keyword::max_properties: bound(kObject, false, facts.min_properties, facts.max_properties); break;
      case Keyword::pattern:
      case Keyword::format:
        if (negated) facts.types = kString;
        facts.texts.push_back({keyword == Keyword::pattern ? TextFact::Kind::pattern : TextFact::Kind::format, negated,
                               {member}});
        break;
      default: break;
    }
    return facts;
  }

  const SchemaTree& tree_;
  const SchemaIndex& index_;
  Budget& budget_;
};

}  // namespace constraint
DSVL_END_NAMESPACE

#endif  // DSVL_CONSTRAINT_SCHEMA_READER_HPP
