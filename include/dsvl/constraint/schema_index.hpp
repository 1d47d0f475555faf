// SchemaIndex: checks that every keyword of a schema is one that is enforced, and finds what $ref refers to.
//
// Nothing of a schema is ignored: what is not in the table below is an error that names the keyword and its place.
// Source: JSON Schema draft 2020-12, core and validation.
#ifndef DSVL_CONSTRAINT_SCHEMA_INDEX_HPP
#define DSVL_CONSTRAINT_SCHEMA_INDEX_HPP

#include "../base/host_macros_push.hpp"

#include <map>
#include <string>
#include <utility>

#include "formats.hpp"
#include "schema_tree.hpp"
#include "uri.hpp"

DSVL_BEGIN_NAMESPACE
namespace constraint {

/// The keywords that are enforced, or that only describe.
enum class Keyword : std::uint8_t {
  unknown,
  note,
  schema,
  id,
  anchor,
  ref,
  defs,
  type,
  enumeration,
  constant,
  any_of,
  one_of,
  all_of,
  no,
  if_,
  then,
  else_,
  properties,
  pattern_properties,
  additional_properties,
  property_names,
  required,
  dependent_required,
  dependent_schemas,
  min_properties,
  max_properties,
  items,
  prefix_items,
  min_items,
  max_items,
  contains,
  min_contains,
  max_contains,
  min_length,
  max_length,
  pattern,
  format,
  minimum,
  maximum,
  exclusive_minimum,
  exclusive_maximum,
  multiple_of,
};
/// What a keyword's value has to be.
enum class ValueOf : std::uint8_t { anything, text, subschema, subschemas, map_of_schemas, texts, text_lists, count,
                                    number, list, type_names };
/// A row of the table.
struct KeywordRow {
  std::string_view name;  ///< as written
  Keyword keyword;        ///< its enumerator
  ValueOf value;          ///< what it needs
};

inline constexpr KeywordRow kKeywords[] = {
    ///< all of them
    {"title", Keyword::note, ValueOf::anything},
    {"description", Keyword::note, ValueOf::anything},
    {"default", Keyword::note, ValueOf::anything},
    {"examples", Keyword::note, ValueOf::anything},
    {"deprecated", Keyword::note, ValueOf::anything},
    {"readOnly", Keyword::note, ValueOf::anything},
    {"writeOnly", Keyword::note, ValueOf::anything},
    {"$comment", Keyword::note, ValueOf::anything},
    {"$schema", Keyword::schema, ValueOf::text},
    {"$id", Keyword::id, ValueOf::text},
    {"$anchor", Keyword::anchor, ValueOf::text},
    {"$ref", Keyword::ref, ValueOf::text},
    {"$defs", Keyword::defs, ValueOf::map_of_schemas},
    {"type", Keyword::type, ValueOf::type_names},
    {"enum", Keyword::enumeration, ValueOf::list},
    {"const", Keyword::constant, ValueOf::anything},
    {"anyOf", Keyword::any_of, ValueOf::subschemas},
    {"oneOf", Keyword::one_of, ValueOf::subschemas},
    {"allOf", Keyword::all_of, ValueOf::subschemas},
    {"not", Keyword::no, ValueOf::subschema},
    {"if", Keyword::if_, ValueOf::subschema},
    {"then", Keyword::then, ValueOf::subschema},
    {"else", Keyword::else_, ValueOf::subschema},
    {"properties", Keyword::properties, ValueOf::map_of_schemas},
    {"patternProperties", Keyword::pattern_properties, ValueOf::map_of_schemas},
    {"additionalProperties", Keyword::additional_properties, ValueOf::subschema},
    {"propertyNames", Keyword::property_names, ValueOf::subschema},
    {"required", Keyword::required, ValueOf::texts},
    {"dependentRequired", Keyword::dependent_required, ValueOf::text_lists},
    {"dependentSchemas", Keyword::dependent_schemas, ValueOf::map_of_schemas},
    {"minProperties", Keyword::min_properties, ValueOf::count},
    {"maxProperties", Keyword::max_properties, ValueOf::count},
    {"items", Keyword::items, ValueOf::subschema},
    {"prefixItems", Keyword::prefix_items, ValueOf::subschemas},
    {"minItems", Keyword::min_items, ValueOf::count},
    {"maxItems", Keyword::max_items, ValueOf::count},
    {"contains", Keyword::contains, ValueOf::subschema},
    {"minContains", Keyword::min_contains, ValueOf::count},
    {"maxContains", Keyword::max_contains, ValueOf::count},
    {"minLength", Keyword::min_length, ValueOf::count},
    {"maxLength", Keyword::max_length, ValueOf::count},
    {"pattern", Keyword::pattern, ValueOf::text},
    {"format", Keyword::format, ValueOf::text},
    {"minimum", Keyword::minimum, ValueOf::number},
    {"maximum", Keyword::maximum, ValueOf::number},
    {"exclusiveMinimum", Keyword::exclusive_minimum, ValueOf::number},
    {"exclusiveMaximum", Keyword::exclusive_maximum, ValueOf::number},
    {"multipleOf", Keyword::multiple_of, ValueOf::number},
};

/// The row of a keyword; null when there is none.
inline const KeywordRow* find_keyword(std::string_view name) {
  for (const KeywordRow& row : kKeywords)
    if (row.name == name) return &row;
  return nullptr;
}

/// What was found in one schema.
class SchemaIndex {
 public:
  /// Checks the whole schema. Errors go to `budget`.
  SchemaIndex(const SchemaTree& tree, Budget& budget) : tree_(tree), budget_(budget) {
    visit(SchemaTree::kRoot, Uri());
    for (std::size_t i = 0; i < refs_.size() && budget_.ok(); ++i) resolve(refs_[i]);
    std::map<NodeId, int> seen;
    for (const auto& [node, base] : bases_)
      if (budget_.ok()) check_loops(node, seen);
  }
  /// The schema that a $ref (the value's node) refers to.
  [[nodiscard]] NodeId target(NodeId ref) const { return targets_.at(ref); }

 private:
  void refuse(Code code, NodeId node, const char* why) {
    const std::string key = tree_[node].key, at = tree_.pointer(tree_[node].parent);
    budget_.refuse(fail(code, "\"%.60s\" at \"#%.200s\" %s", key.c_str(), at.c_str(), why));
  }
  /// Checks a schema and those inside it. `base` is the URI it is known by.
  void visit(NodeId node, Uri base) {
    if (!budget_.spend() || bases_.count(node)) return;
    const SchemaNode& schema = tree_[node];
    if (schema.kind == json::Kind::boolean) return void(bases_.emplace(node, base));
    if (schema.kind != json::Kind::object)
      return refuse(Code::bad_argument, node, "must be a schema: an object or a boolean");
    if (const NodeId id = tree_.find(node, "$id"); id != kNoNode && tree_[id].kind == json::Kind::string) {
      base = Uri::read(tree_[id].text).against(base);
      if (!base.fragment.empty()) return refuse(Code::unsupported, id, "has a fragment");
      resources_.try_emplace(base.resource(), node);
    } else if (node == SchemaTree::kRoot) {
      resources_.try_emplace("", node);
    }
    bases_.emplace(node, base);
    for (const NodeId member : schema.children) {
      const KeywordRow* const row = find_keyword(tree_[member].key);
      if (!row) return refuse(Code::unsupported, member, "is a keyword that is not enforced");
      check_value(*row, member, base);
      if (row->keyword == Keyword::anchor) anchors_.try_emplace({base.resource(), tree_[member].text}, node);
      if (row->keyword == Keyword::ref) refs_.push_back(member);
      if (!budget_.ok()) return;
    }
  }
  void check_value(const KeywordRow& row, NodeId value, const Uri& base) {
    const SchemaNode& v = tree_[value];
    const auto is = [&](json::Kind kind) {
      if (v.kind != kind) refuse(Code::bad_argument, value, "has a value of the wrong type");
      return v.kind == kind;
    };
    const auto texts = [&](NodeId list) {
      bool right = tree_[list].kind == json::Kind::array;
      for (const NodeId t : tree_[list].children) right = right && tree_[t].kind == json::Kind::string;
      if (!right) refuse(Code::bad_argument, value, "must list texts");
    };
    switch (row.value) {
      case ValueOf::anything: return;
      case ValueOf::text: return is(json::Kind::string) ? check_text(row.keyword, value) : void();
      case ValueOf::subschema: return visit(value, base);
      case ValueOf::subschemas:
        if (is(json::Kind::array))
          for (const NodeId s : v.children) visit(s, base);
        return;
      case ValueOf::map_of_schemas:
        if (is(json::Kind::object))
          for (const NodeId s : v.children) visit(s, base);
        return;
      case ValueOf::texts: return texts(value);
      case ValueOf::text_lists:
        if (is(json::Kind::object))
          for (const NodeId list : v.children) texts(list);
        return;
      case ValueOf::list: return void(is(json::Kind::array));
      case ValueOf::count:
      case ValueOf::number: return is(json::Kind::number) ? check_number(row, value) : void();
      case ValueOf::type_names:
        if (v.kind != json::Kind::string) texts(value);
        return check_types(value);
    }
  }
  void check_text(Keyword keyword, NodeId value) {
    const std::string& text = tree_[value].text;
    if (keyword == Keyword::format && format_pattern(text).empty())
      refuse(Code::unsupported, value, "is a format that is not enforced");
    if (keyword == Keyword::schema && text != "https://json-schema.org/draft/2020-12/schema" &&
        text != "https://json-schema.org/draft/2020-12/schema#")
      refuse(Code::unsupported, value, "is another dialect than draft 2020-12");
  }
  void check_number(const KeywordRow& row, NodeId value) {
    const auto number = Decimal::read(tree_[value].text);
    if (!number) return refuse(Code::limit, value, "has too many digits");
    if (row.value == ValueOf::count && (number->negative || !number->is_integer() || number->whole.size() > 15))
      return refuse(Code::bad_argument, value, "must be a whole number, 0 or more");
    if (row.keyword == Keyword::multiple_of && (number->negative || *number == Decimal{false, "0", ""}))
      refuse(Code::bad_argument, value, "must be above 0");
  }
  void check_types(NodeId value) {
    std::vector<NodeId> names = tree_[value].children;
    if (tree_[value].kind == json::Kind::string) names = {value};
    for (const NodeId name : names) {
      bool known = false;
      for (const char* type : {"null", "boolean", "number", "integer", "string", "array", "object"})
        known = known || tree_[name].text == type;
      if (!known) refuse(Code::bad_argument, value, "names an unknown type");
    }
  }

  void resolve(NodeId ref) {
    const Uri base = bases_.at(tree_[ref].parent);
    const Uri to = Uri::read(tree_[ref].text).against(base);
    const auto resource = resources_.find(to.resource());
    if (resource == resources_.end()) return refuse(Code::unsupported, ref, "refers to another document");
    const std::string fragment = percent_decode(to.fragment);
    NodeId node = resource->second;
    if (!fragment.empty() && fragment[0] != '/') {
      const auto anchor = anchors_.find({resource->first, fragment});
      if (anchor == anchors_.end()) return refuse(Code::not_found, ref, "refers to an anchor that is not there");
      node = anchor->second;
    }
    Uri inside = bases_.at(node);
    if (!fragment.empty() && fragment[0] == '/') node = follow(node, fragment);
    if (node == kNoNode) return refuse(Code::not_found, ref, "refers to a place that is not there");
    targets_[ref] = node;
    visit(node, inside);
  }
  /// The value at a JSON pointer.
  NodeId follow(NodeId node, const std::string& pointer) {
    for (std::size_t at = 0; at < pointer.size() && node != kNoNode && budget_.spend();) {
      const std::size_t end = (std::min)(pointer.find('/', at + 1), pointer.size());
      std::string key;
      for (std::size_t i = at + 1; i < end; ++i) {
        const bool escaped = pointer[i] == '~' && i + 1 < end;
        key.push_back(!escaped ? pointer[i] : pointer[i + 1] == '1' ? '/' : '~');
        i += escaped;
      }
      NodeId next = kNoNode;
      for (const NodeId child : tree_[node].children)
        if (tree_[child].key == key) next = child;
      node = next;
      at = end;
    }
    return node;
  }
  /// Refuses schemas that apply themselves to the same value: nothing could ever be said about it.
  void check_loops(NodeId node, std::map<NodeId, int>& seen) {
    int& state = seen[node];
    if (state == 2 || !budget_.spend()) return;
    if (state == 1) {
      const std::string at = tree_.pointer(node);
      budget_.refuse(
          fail(Code::unsupported, "the schema at \"#%.200s\" refers to itself for the same value", at.c_str()));
      return;
    }
    state = 1;
    if (++depth_ > 2000) budget_.refuse(fail(Code::limit, "too many references behind each other"));
    for (const NodeId member : tree_[node].children) {
      if (!budget_.ok() || tree_[node].kind != json::Kind::object) break;
      const KeywordRow* const row = find_keyword(tree_[member].key);
      const Keyword k = row ? row->keyword : Keyword::unknown;
      if (k == Keyword::ref) check_loops(targets_.at(member), seen);
      if (k == Keyword::no || k == Keyword::if_ || k == Keyword::then || k == Keyword::else_) check_loops(member, seen);
      if (k == Keyword::any_of || k == Keyword::one_of || k == Keyword::all_of || k == Keyword::dependent_schemas)
        for (const NodeId part : tree_[member].children) check_loops(part, seen);
    }
    --depth_;
    seen[node] = 2;
  }

  const SchemaTree& tree_;
  Budget& budget_;
  int depth_ = 0;
  std::map<NodeId, Uri> bases_;                                     // of every schema
  std::map<std::string, NodeId> resources_;                         // by URI
  std::map<std::pair<std::string, std::string>, NodeId> anchors_;   // by URI of the resource and name
  std::vector<NodeId> refs_;                                        // values of $ref
  std::map<NodeId, NodeId> targets_;                                // by $ref
};

}  // namespace constraint
DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_CONSTRAINT_SCHEMA_INDEX_HPP
