// SchemaTree: the text of a schema as a tree that keeps the order of members and the digits of numbers.
//
// json::Document has checked the text before, and gives numbers as doubles, which are too coarse for multipleOf.
#ifndef DSVL_CONSTRAINT_SCHEMA_TREE_HPP
#define DSVL_CONSTRAINT_SCHEMA_TREE_HPP

#include "../base/host_macros_push.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "../base/utf8.hpp"
#include "../io/json.hpp"
#include "budget.hpp"
#include "decimal.hpp"

DSVL_BEGIN_NAMESPACE
namespace constraint {

using NodeId = std::uint32_t;                     ///< a value of the tree
inline constexpr NodeId kNoNode = 0xFFFFFFFFu;    ///< no value

/// One value.
struct SchemaNode {
  json::Kind kind = json::Kind::null;  ///< its type
  bool truth = false;                  ///< of a boolean
  NodeId parent = kNoNode;             ///< the array or object it is in
  std::string key;                     ///< its name there; of an element its number
  std::string text;                    ///< of a string its value, of a number its digits as written
  std::vector<NodeId> children;        ///< of an array or object, in the order of the text
};

/// All values of one text. Value 0 is the outermost; 1 and 2 behind it are `true` and `false`, for schemas that are
/// left out.
class SchemaTree {
 public:
  /// Reads a text.
  ///
  /// Codes  those of json::Document::parse, limit (limits.schema_bytes)
  static Result<SchemaTree> read(std::string_view text, const ConstraintLimits& limits) {
    if (text.size() > limits.schema_bytes)
      return fail(Code::limit, "the schema has %zu bytes, at most %zu are accepted", text.size(), limits.schema_bytes);
    DSVL_TRY(document, json::Document::parse(text, "the schema"));
    SchemaTree tree;
    tree.text_ = text;
    tree.nodes_.resize(3);
    tree.nodes_[1].kind = tree.nodes_[2].kind = json::Kind::boolean;
    tree.nodes_[1].truth = true;
    tree.copy(document.root(), 0);
    tree.text_ = {};
    return tree;
  }
  static constexpr NodeId kRoot = 0, kTrue = 1, kFalse = 2;  ///< values that are always there

  /// A value.
  [[nodiscard]] const SchemaNode& operator[](NodeId id) const { return nodes_[id]; }
  /// Number of values.
  [[nodiscard]] std::size_t size() const { return nodes_.size(); }
  /// The member of that name, or kNoNode.
  [[nodiscard]] NodeId find(NodeId object, std::string_view key) const {
    if (nodes_[object].kind == json::Kind::object)
      for (const NodeId child : nodes_[object].children)
        if (nodes_[child].key == key) return child;
    return kNoNode;
  }
  /// The JSON pointer of a value, for messages; "" is the whole.
  [[nodiscard]] std::string pointer(NodeId id) const {
    std::string out;
    for (; id != kNoNode && nodes_[id].parent != kNoNode; id = nodes_[id].parent) {
      std::string key;
      for (const char c : nodes_[id].key) key += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
      out.insert(0, "/" + key);
    }
    return out;
  }

 private:
  void copy(json::Value from, NodeId to) {
    nodes_[to].kind = from.kind();
    if (const auto truth = from.boolean()) nodes_[to].truth = *truth;
    if (const auto string = from.string()) nodes_[to].text = *string;
    if (from.is_number()) nodes_[to].text = next_number();
    if (!from.is_array() && !from.is_object()) return;
    if (from.is_object()) nodes_[to].children.reserve(from.size());
    std::size_t number = 0;
    for (const json::Value child : from) {
      const auto id = static_cast<NodeId>(nodes_.size());
      nodes_.emplace_back();
      nodes_[id].parent = to;
      nodes_[id].key = from.is_object() ? std::string(child.key()) : std::to_string(number++);
      nodes_[to].children.push_back(id);
      copy(child, id);
    }
  }
  /// The next number of the text that is not in a string. Values come in the order of the text.
  std::string next_number() {
    bool quoted = false;
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (quoted && c == '\\') ++at_;
      else if (c == '"') quoted = !quoted;
      else if (!quoted && (c == '-' || (c >= '0' && c <= '9'))) break;
    }
    const std::size_t begin = at_;
    while (at_ < text_.size() && std::string_view("+-.0123456789eE").find(text_[at_]) != std::string_view::npos) ++at_;
    return std::string(text_.substr(begin, at_ - begin));
  }

  std::vector<SchemaNode> nodes_;
  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace constraint
DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_CONSTRAINT_SCHEMA_TREE_HPP
