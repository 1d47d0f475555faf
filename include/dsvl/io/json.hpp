// json::Document: a JSON text as a flat, immutable tree. json::Value: a cheap, checked handle into it.
//
// It is used for everything that is configured by JSON: config.json, tokenizer.json, the header of a safetensors file
// and the index of a sharded one. The grammar is nlohmann/json's (its SAX parser, strict, UTF-8 checked); only
// json_parse.hpp includes that library.
// Source: RFC 8259. It is stricter in that an object may not have the same key twice.
#ifndef DSVL_IO_JSON_HPP
#define DSVL_IO_JSON_HPP

#include <cstdint>
#include <iterator>
#include <optional>
#include <string_view>
#include <utility>

#include "../base/buffer.hpp"
#include "../base/status.hpp"
#include "../base/view.hpp"

DSVL_BEGIN_NAMESPACE
namespace json {

inline constexpr std::size_t kMaxText = std::size_t{128} << 20;  ///< bytes of one text; safetensors allows 100 MB
inline constexpr std::size_t kMaxNodes = std::size_t{1} << 23;   ///< values in one text; a 100k vocabulary has 0.5 M
inline constexpr std::size_t kMaxToken = std::size_t{64} << 10;  ///< bytes of one string or number as written
inline constexpr int kMaxDepth = 64;                             ///< arrays and objects inside each other

/// The types of values. `missing` is the type of a value that is not there.
enum class Kind : unsigned char { missing, null, boolean, number, string, array, object };

/// The type's name, for messages.
constexpr std::string_view name(Kind kind) noexcept {
  switch (kind) {
    case Kind::missing: return "missing";
    case Kind::null: return "null";
    case Kind::boolean: return "boolean";
    case Kind::number: return "number";
    case Kind::string: return "string";
    case Kind::array: return "array";
    case Kind::object: return "object";
  }
  return "unknown";
}

/// One value in the flat tree. Nodes are in the order of the text: the first child of a container is the next node, and
/// a child's next sibling is `nodes` further on.
struct Node {
  /// Number of children, and nodes of the whole subtree, the container's own included.
  struct Children { std::uint32_t count, nodes; };
  /// Offset and size of a string in the Document's bytes.
  struct TextRange { std::uint32_t at, size; };

  /// The value, by `kind` and `integral`.
  union {
    std::int64_t integer;  ///< an integral number, or a boolean as 0 or 1
    double real;           ///< any other number
    Children children;     ///< of an array or object
    TextRange text;        ///< a string
  };
  TextRange key;           ///< name in the object; empty for values that are not members
  std::uint32_t position;  ///< offset in the text at which the value (for a member its key) was recognised
  Kind kind;               ///< type of the value
  bool integral;           ///< a number that was written as an integer and fits int64
};

/// A handle to one value of a Document, passed by value. It is valid while the Document lives, even after that was
/// moved. Asking for something that is not there gives a missing() value or nothing; no question is undefined
/// behaviour.
class Value {
 public:
  class Iterator;

  Value() noexcept = default;  ///< a missing value
  /// A value of a Document whose strings are in `text`.
  Value(const Node* node, const char* text) noexcept : node_(node), text_(text) {}

  /// The type of the value.
  [[nodiscard]] Kind kind() const noexcept { return node_ ? node_->kind : Kind::missing; }
  /// True when there is no value.
  [[nodiscard]] bool missing() const noexcept { return !node_; }
  /// True for null.
  [[nodiscard]] bool is_null() const noexcept { return kind() == Kind::null; }
  /// True for true and false.
  [[nodiscard]] bool is_boolean() const noexcept { return kind() == Kind::boolean; }
  /// True for a number.
  [[nodiscard]] bool is_number() const noexcept { return kind() == Kind::number; }
  /// True for a string.
  [[nodiscard]] bool is_string() const noexcept { return kind() == Kind::string; }
  /// True for an array.
  [[nodiscard]] bool is_array() const noexcept { return kind() == Kind::array; }
  /// True for an object.
  [[nodiscard]] bool is_object() const noexcept { return kind() == Kind::object; }

  /// Elements of an array or members of an object; 0 for anything else.
  [[nodiscard]] std::size_t size() const noexcept { return is_container() ? node_->children.count : 0; }

  /// The member of that name; missing() when there is none or this is no object. Cost: linear, so iterate to visit all.
  [[nodiscard]] Value find(std::string_view key) const noexcept;

  /// Element or member `i` in the order of the text; missing() when there is none. Cost: constant when no child is
  /// itself an array or object, otherwise linear, so iterate to visit all.
  [[nodiscard]] Value operator[](std::size_t i) const noexcept;

  /// The name of this member in its object; empty for elements and the root.
  [[nodiscard]] std::string_view key() const noexcept { return node_ ? view(node_->key) : std::string_view(); }

  /// The elements or members in the order of the text; an empty range for anything else.
  [[nodiscard]] Iterator begin() const noexcept;
  /// The end of that range.
  [[nodiscard]] Iterator end() const noexcept;

  /// The value of a string, with escapes resolved. It is valid UTF-8, may hold NUL, and its bytes belong to the
  /// Document.
  [[nodiscard]] std::optional<std::string_view> string() const noexcept {
    if (!is_string()) return std::nullopt;
    return view(node_->text);
  }
  /// The value of a number that was written as an integer (`3`, not `3.0` or `3e0`) and fits an Index.
  [[nodiscard]] std::optional<Index> integer() const noexcept {
    if (!is_number() || !node_->integral || !std::in_range<Index>(node_->integer)) return std::nullopt;
    return static_cast<Index>(node_->integer);
  }
  /// The value of any number, rounded to double; always finite.
  [[nodiscard]] std::optional<double> number() const noexcept {
    if (!is_number()) return std::nullopt;
    return node_->integral ? static_cast<double>(node_->integer) : node_->real;
  }
  /// The value of a boolean.
  [[nodiscard]] std::optional<bool> boolean() const noexcept {
    if (!is_boolean()) return std::nullopt;
    return node_->integer != 0;
  }

 private:
  friend class Iterator;
  [[nodiscard]] bool is_container() const noexcept { return is_array() || is_object(); }
  [[nodiscard]] std::string_view view(Node::TextRange t) const noexcept { return {text_ + t.at, t.size}; }
  [[nodiscard]] Value next() const noexcept { return {node_ + (is_container() ? node_->children.nodes : 1), text_}; }

  const Node* node_ = nullptr;
  const char* text_ = nullptr;
};

/// Walks over the children of one container; `*it` is a Value by value.
class Value::Iterator {
 public:
  using value_type = Value;
  using difference_type = std::ptrdiff_t;
  using reference = Value;
  using pointer = const Value*;
  using iterator_category = std::input_iterator_tag;

  Iterator() noexcept = default;
  explicit Iterator(Value at) noexcept : at_(at) {}
  Value operator*() const noexcept { return at_; }
  const Value* operator->() const noexcept { return &at_; }
  Iterator& operator++() noexcept { at_ = at_.next(); return *this; }
  Iterator operator++(int) noexcept { Iterator before = *this; ++*this; return before; }
  bool operator==(const Iterator& other) const noexcept { return at_.node_ == other.at_.node_; }

 private:
  Value at_;
};

inline Value::Iterator Value::begin() const noexcept {
  return is_container() ? Iterator({node_ + 1, text_}) : Iterator();
}
inline Value::Iterator Value::end() const noexcept { return is_container() ? Iterator(next()) : Iterator(); }

inline Value Value::find(std::string_view key) const noexcept {
  if (is_object())
    for (Value member : *this)
      if (member.key() == key) return member;
  return {};
}

inline Value Value::operator[](std::size_t i) const noexcept {
  if (i >= size()) return {};
  if (node_->children.nodes == node_->children.count + 1u) return {node_ + 1 + i, text_};  // all children are leaves
  Iterator at = begin();
  while (i--) ++at;
  return *at;
}

/// A parsed text. It owns its nodes and strings, so the text itself is not needed any more. Immutable, so any number of
/// threads may read it.
class Document {
 public:
  /// Parses a text. `what` names it in errors, which also give the byte position.
  ///
  /// Codes  bad_file (not JSON, not UTF-8, a key twice in an object), limit (kMaxText, kMaxNodes, kMaxToken,
  ///        kMaxDepth),
  ///        out_of_memory
  /// Cost   one pass; from `from` about 24 bytes for each value, and the bytes of its strings
  static Result<Document> parse(std::string_view text, std::string_view what, Allocator* from = nullptr) noexcept;

  /// The outermost value; valid while the Document lives.
  [[nodiscard]] Value root() const noexcept { return {nodes_.data(), text_.data()}; }

 private:
  friend class Builder;
  Document(Buffer<Node> nodes, Buffer<char> text) noexcept : nodes_(std::move(nodes)), text_(std::move(text)) {}

  Buffer<Node> nodes_;
  Buffer<char> text_;
};

}  // namespace json
DSVL_END_NAMESPACE

#include "json_parse.hpp"

#endif  // DSVL_IO_JSON_HPP
