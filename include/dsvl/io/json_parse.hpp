// Builds a json::Document: a handler for nlohmann/json's SAX events that appends nodes.
//
// json.hpp includes it. nlohmann never throws at us and builds no tree of its own. The only memory it takes is one
// token, which check_tokens() keeps short; all other memory comes from the host's allocator.
#ifndef DSVL_IO_JSON_PARSE_HPP
#define DSVL_IO_JSON_PARSE_HPP

#include "../base/host_macros_push.hpp"

#include <algorithm>
#include <limits>
#include <string>

#include <nlohmann/json.hpp>

#include "json.hpp"
#include "printable.hpp"

DSVL_BEGIN_NAMESPACE
namespace json {

/// Reads the text for the lexer. All copies share one position, so that the handler knows how far reading has come.
struct TextIterator {
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using reference = const char&;
  using pointer = const char*;
  using iterator_category = std::input_iterator_tag;

  const char** at;  ///< the shared position
  const char& operator*() const noexcept { return **at; }
  TextIterator& operator++() noexcept { ++*at; return *this; }
  TextIterator operator++(int) noexcept { ++*at; return *this; }  // only the concept needs it; nobody uses the result
  bool operator==(const TextIterator& other) const noexcept { return *at == *other.at; }
  bool operator!=(const TextIterator& other) const noexcept { return *at != *other.at; }
};

/// Receives the events of one text. Every event returns true to go on; when it returns false, error_ has the reason.
/// Nodes are appended in the order of the events, so a container's size is filled in when it ends.
class Builder {
 public:
  /// All arguments must outlive the object.
  Builder(std::string_view text, std::string_view what, Allocator* from) noexcept
      : begin_(text.data()), at_(text.data()), end_(text.data() + text.size()), what_(what), from_(from),
        nodes_(from), text_(from) {}

  /// Reads the whole text.
  Result<Document> parse() noexcept {
#if DSVL_HAS_EXCEPTIONS
    try {
      read();
    } catch (...) {  // can only be std::bad_alloc, from the lexer's token
      out_of_memory();
    }
#else
    read();
#endif
    if (!error_.ok()) return error_;
    return Document(std::move(nodes_), std::move(text_));
  }

  // The events, in the form that nlohmann's parser requires.
  bool null() { return add(Kind::null); }
  bool boolean(bool value) { return add_integer(Kind::boolean, value); }
  bool number_integer(std::int64_t value) { return add_integer(Kind::number, value); }
  bool number_unsigned(std::uint64_t value) {
    // Larger ones become doubles, as in JavaScript.
    return std::in_range<std::int64_t>(value) ? add_integer(Kind::number, static_cast<std::int64_t>(value))
                                              : number_float(static_cast<double>(value), {});
  }
  bool number_float(double value, const std::string&) {
    if (!add(Kind::number)) return false;
    nodes_[nodes_.size() - 1].real = value;
    return true;
  }
  bool string(std::string& value) {
    Node::TextRange stored;
    if (!add(Kind::string) || !store(value, stored)) return false;
    nodes_[nodes_.size() - 1].text = stored;
    return true;
  }
  bool binary(nlohmann::json::binary_t&) { return false; }  // does not occur in a text
  bool key(std::string& value) {
    key_at_ = position();
    return store(value, key_);
  }
  bool start_object(std::size_t) { return open(Kind::object); }
  bool start_array(std::size_t) { return open(Kind::array); }
  bool end_object() { return close() && keys_differ(last_closed_); }
  bool end_array() { return close(); }
  bool parse_error(std::size_t at, const std::string&, const nlohmann::json::exception& why) {
    // The message is "[json.exception.…] parse error at line 1, column 3: syntax error while parsing value - invalid
    // literal; last read: '…'; expected …". Tag and place are cut off, since ours has the place, and so is the part
    // that was read, which can be long.
    std::string text = why.what();
    if (const auto tag = text.find("] "); tag != text.npos) text.erase(0, tag + 2);
    if (text.starts_with("parse error at line"))
      if (const auto colon = text.find(": "); colon != text.npos) text.erase(0, colon + 2);
    if (const auto last = text.find("; last read: '"); last != text.npos) text.erase(last, text.rfind('\'') + 1 - last);
    return refuse(Code::bad_file, at, text);
  }

 private:
  /// Runs the check of tokens, then the parser.
  void read() {
    if (static_cast<std::size_t>(end_ - begin_) > kMaxText) {
      refuse(Code::limit, 0, "the text is longer than is accepted");
      return;
    }
    if (!check_tokens()) return;
    // What nlohmann::json::sax_parse does for a text, without its readers of binary formats, which would be half of the
    // code.
    auto input = nlohmann::detail::input_adapter(TextIterator{&at_}, TextIterator{&end_});
    nlohmann::detail::parser<nlohmann::json, decltype(input)>(std::move(input), nullptr, false).sax_parse(this);
  }

  /// A first pass over the text. No string, number or word may be long, because the lexer keeps one whole in a
  /// std::string; and there may be no NUL, which the lexer takes for the end of the text.
  bool check_tokens() noexcept {
    const char* start = begin_;
    bool quoted = false;
    for (const char* p = begin_; p != end_; ++p) {
      if (*p == '\0') return refuse(Code::bad_file, static_cast<std::size_t>(p - begin_), "a NUL byte");
      if (quoted) {
        if (*p == '\\' && p + 1 != end_) ++p;  // the next character is escaped, be it a quote
        else if (*p == '"') quoted = false;
      } else if (*p == '"') {
        quoted = true;
        start = p;
      } else if (*p == ' ' || *p == '\n' || *p == '\t' || *p == '\r' || *p == ',' || *p == ':' || *p == '[' ||
                 *p == ']' || *p == '{' || *p == '}') {
        start = p;
      }
      if (static_cast<std::size_t>(p - start) > kMaxToken)
        return refuse(Code::limit, static_cast<std::size_t>(start - begin_), "a string or number is too long");
    }
    return true;
  }

  /// The offset up to which the text was read.
  [[nodiscard]] std::uint32_t position() const noexcept { return static_cast<std::uint32_t>(at_ - begin_); }

  /// Notes an error at a byte of the text, and returns false.
  bool refuse(Code code, std::size_t at, std::string_view why) noexcept {
    error_ = fail(code, "%s: byte %zu: %s", Printable(what_).text(), at, Printable(why).text());
    return false;
  }
  /// Notes that memory ran out, and returns false.
  bool out_of_memory() noexcept {
    error_ = fail(Code::out_of_memory, "%s: no memory for its %zu values", Printable(what_).text(), nodes_.size());
    return false;
  }

  /// Copies a string into the document.
  bool store(std::string_view value, Node::TextRange& stored) noexcept {
    stored = {static_cast<std::uint32_t>(text_.size()), static_cast<std::uint32_t>(value.size())};
    return text_.append(value.data(), value.size()) || out_of_memory();
  }

  /// Appends a node, and counts it as a child of the container that is open.
  bool add(Kind kind) noexcept {
    if (nodes_.size() >= kMaxNodes) return refuse(Code::limit, position(), "more values than are accepted");
    // The node gets its value afterwards, from the event that called this.
    Node node;
    node.integer = 0;
    node.kind = kind;
    node.integral = false;
    node.key = {0, 0};
    node.position = position();
    if (depth_ > 0) {
      Node& parent = nodes_[open_[depth_ - 1]];
      ++parent.children.count;
      if (parent.kind == Kind::object) node.key = key_, node.position = key_at_;
    }
    return nodes_.push_back(node) || out_of_memory();
  }
  /// Appends an integral number or a boolean.
  bool add_integer(Kind kind, std::int64_t value) noexcept {
    if (!add(kind)) return false;
    nodes_[nodes_.size() - 1].integer = value;
    nodes_[nodes_.size() - 1].integral = true;
    return true;
  }
  /// Begins a container.
  bool open(Kind kind) noexcept {
    if (depth_ == kMaxDepth) return refuse(Code::limit, position(), "arrays and objects are nested too deep");
    if (!add(kind)) return false;
    nodes_[nodes_.size() - 1].children = {0, 0};
    open_[depth_++] = static_cast<std::uint32_t>(nodes_.size() - 1);
    return true;
  }
  /// Ends the innermost container; its subtree is then known.
  bool close() noexcept {
    last_closed_ = open_[--depth_];
    nodes_[last_closed_].children.nodes = static_cast<std::uint32_t>(nodes_.size() - last_closed_);
    return true;
  }

  /// The name of a member.
  [[nodiscard]] std::string_view key_of(std::uint32_t node) const noexcept {
    return {text_.data() + nodes_[node].key.at, nodes_[node].key.size};
  }

  /// Checks that no two members of the object have the same name. It sorts them, so that a hostile object of a million
  /// members costs n log n, whatever the names.
  bool keys_differ(std::uint32_t object) noexcept {
    const std::size_t count = nodes_[object].children.count;
    if (count < 2) return true;
    std::uint32_t few[kFewMembers];
    Buffer<std::uint32_t> many(from_);
    if (count > kFewMembers && !many.resize(count)) return out_of_memory();
    std::uint32_t* const members = count > kFewMembers ? many.data() : few;
    // Members follow one another, each with its whole subtree.
    std::uint32_t at = object + 1;
    for (std::size_t i = 0; i < count; ++i) {
      members[i] = at;
      const Node& node = nodes_[at];
      at += node.kind == Kind::object || node.kind == Kind::array ? node.children.nodes : 1;
    }
    std::sort(members, members + count, [this](std::uint32_t a, std::uint32_t b) {
      // Any order will do; comparing lengths first is cheap.
      const std::string_view left = key_of(a), right = key_of(b);
      return left.size() != right.size() ? left.size() < right.size() : left < right;
    });
    for (std::size_t i = 1; i < count; ++i) {
      if (key_of(members[i - 1]) != key_of(members[i])) continue;
      error_ = fail(Code::bad_file, "%s: byte %u: the key '%s' is there twice", Printable(what_).text(),
                    (std::max)(nodes_[members[i - 1]].position, nodes_[members[i]].position),
                    Printable(key_of(members[i])).text());
      return false;
    }
    return true;
  }

  static constexpr std::size_t kFewMembers = 64;  // so many are sorted on the stack

  const char* begin_;
  const char* at_;
  const char* end_;
  std::string_view what_;
  Allocator* from_;
  Buffer<Node> nodes_;
  Buffer<char> text_;
  Node::TextRange key_ = {0, 0};
  std::uint32_t key_at_ = 0;
  std::uint32_t open_[kMaxDepth] = {};  // the open containers' nodes, from the outermost on
  int depth_ = 0;                       // number of open containers
  std::uint32_t last_closed_ = 0;
  Status error_;
};

DSVL_COLD
inline Result<Document> Document::parse(std::string_view text, std::string_view what, Allocator* from) noexcept {
  return Builder(text, what, from).parse();
}

}  // namespace json
DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_IO_JSON_PARSE_HPP
