// json::Document: a JSON text as a flat, immutable tree; json::Value: a cheap, checked handle into it.
//
// Under everything that is configured by JSON: config.json, tokenizer.json, the header of a safetensors file and the
// index of a sharded one. The grammar is nlohmann/json's (its SAX parser, strict, UTF-8 checked); json_parse.hpp is the
// only place that knows it. Source: RFC 8259; stricter than it in that an object may not have the same key twice.
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

enum class Kind : unsigned char { missing, null, boolean, number, string, array, object };

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

/// One value. Nodes lie in the order of the text: the first child of a container is the next node, and a child's next
/// sibling is `nodes` further on. Text is an offset into the Document's bytes.
struct Node {
  struct Children { std::uint32_t count, nodes; };  // nodes of the whole subtree, the container's own included
  struct Text { std::uint32_t at, size; };

  union {
    std::int64_t integer;  // also a boolean, 0 or 1
    double real;
    Children children;
    Text text;
  };
  Text key;                // empty unless a member of an object
  std::uint32_t position;  // byte of the text at which the value (of a member: its key) was recognised
  Kind kind;
  bool integral;           // a number written as an integer that int64 holds
};

/// A handle to one value of a Document, valid while the Document lives, also after it was moved. Passed by value.
/// Asking for what is not there gives a missing() value or nothing; no question is undefined.
class Value {
 public:
  class Iterator;

  Value() noexcept = default;  ///< missing
  Value(const Node* node, const char* text) noexcept : node_(node), text_(text) {}

  [[nodiscard]] Kind kind() const noexcept { return node_ ? node_->kind : Kind::missing; }
  [[nodiscard]] bool missing() const noexcept { return !node_; }
  [[nodiscard]] bool is_null() const noexcept { return kind() == Kind::null; }
  [[nodiscard]] bool is_boolean() const noexcept { return kind() == Kind::boolean; }
  [[nodiscard]] bool is_number() const noexcept { return kind() == Kind::number; }
  [[nodiscard]] bool is_string() const noexcept { return kind() == Kind::string; }
  [[nodiscard]] bool is_array() const noexcept { return kind() == Kind::array; }
  [[nodiscard]] bool is_object() const noexcept { return kind() == Kind::object; }

  /// Elements of an array or members of an object; 0 for anything else.
  [[nodiscard]] std::size_t size() const noexcept { return is_container() ? node_->children.count : 0; }

  /// The member of that name; missing() when there is none or this is no object. Linear: to visit all, iterate.
  [[nodiscard]] Value find(std::string_view key) const noexcept;

  /// Element or member `i` in the order of the text; missing() when there is none. Constant time when no child is
  /// itself an array or object, otherwise linear: to visit all, iterate.
  [[nodiscard]] Value operator[](std::size_t i) const noexcept;

  /// Name of this member in its object; empty for elements and the root.
  [[nodiscard]] std::string_view key() const noexcept { return node_ ? view(node_->key) : std::string_view(); }

  /// The elements or members in the order of the text; an empty range for anything else.
  [[nodiscard]] Iterator begin() const noexcept;
  [[nodiscard]] Iterator end() const noexcept;

  /// Escapes resolved, valid UTF-8, may hold NUL; the bytes belong to the Document.
  [[nodiscard]] std::optional<std::string_view> string() const noexcept {
    if (!is_string()) return std::nullopt;
    return view(node_->text);
  }
  /// A number written as an integer (`3`, not `3.0` or `3e0`) that fits.
  [[nodiscard]] std::optional<Index> integer() const noexcept {
    if (!is_number() || !node_->integral || !std::in_range<Index>(node_->integer)) return std::nullopt;
    return static_cast<Index>(node_->integer);
  }
  /// Any number, rounded to double; always finite.
  [[nodiscard]] std::optional<double> number() const noexcept {
    if (!is_number()) return std::nullopt;
    return node_->integral ? static_cast<double>(node_->integer) : node_->real;
  }
  [[nodiscard]] std::optional<bool> boolean() const noexcept {
    if (!is_boolean()) return std::nullopt;
    return node_->integer != 0;
  }

 private:
  friend class Iterator;
  [[nodiscard]] bool is_container() const noexcept { return is_array() || is_object(); }
  [[nodiscard]] std::string_view view(Node::Text t) const noexcept { return {text_ + t.at, t.size}; }
  [[nodiscard]] Value next() const noexcept { return {node_ + (is_container() ? node_->children.nodes : 1), text_}; }

  const Node* node_ = nullptr;
  const char* text_ = nullptr;
};

/// Walks the children of one container; `*it` is a Value by value.
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
  if (node_->children.nodes == node_->children.count + 1u) return {node_ + 1 + i, text_};  // only leaves
  Iterator at = begin();
  while (i--) ++at;
  return *at;
}

/// A parsed text; owns its nodes and strings, so the text itself may go. Immutable: any number of threads may read it.
class Document {
 public:
  /// `what` names the text in errors, which also give the byte position. Codes: bad_file (not JSON, not UTF-8, a key
  /// twice in an object), limit (kMaxText, kMaxNodes, kMaxToken, kMaxDepth), out_of_memory.
  /// Cost: one pass; about 24 bytes for each value and the bytes of its strings, from `from`.
  static Result<Document> parse(std::string_view text, std::string_view what, Allocator* from = nullptr) noexcept;

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
