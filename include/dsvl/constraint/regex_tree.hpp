// RegexTree: a regular expression of ECMA-262, as a tree. regex.hpp makes an automaton of it.
//
// The subset is what describes a regular language: classes, groups, alternatives, quantifiers (lazy ones mean the same
// here), the anchors ^ and $. Look-around, back references, \b and properties of characters (\p) are refused by name.
// Source: ECMA-262, 22.2.1, with the flag `u`, as JSON Schema 2020-12 wants it.
#ifndef DSVL_CONSTRAINT_REGEX_TREE_HPP
#define DSVL_CONSTRAINT_REGEX_TREE_HPP

#include "../base/host_macros_push.hpp"

#include <cstdint>
#include <string>
#include <vector>

#include "budget.hpp"
#include "character_automaton.hpp"
#include "code_set.hpp"

DSVL_BEGIN_NAMESPACE
namespace constraint {

/// One expression inside another. Children are indices into RegexTree::nodes.
struct RegexNode {
  /// What the node matches.
  enum class Kind : std::uint8_t { empty, set, sequence, choice, repeat, begin, end };
  Kind kind = Kind::empty;            ///< which of them
  std::uint32_t set = 0;              ///< of a set: index into RegexTree::sets
  std::uint32_t min = 0, max = 0;     ///< of a repeat: how often; kDead as max is without bound
  std::vector<std::uint32_t> parts;   ///< of a sequence, choice or repeat
};

/// A parsed expression.
struct RegexTree {
  std::vector<RegexNode> nodes;  ///< in no particular order
  std::vector<CodeSet> sets;     ///< of characters
  std::uint32_t root = 0;        ///< the whole expression
};

/// Reads one expression.
class RegexParser {
 public:
  /// The pattern must be valid UTF-8. An error goes to `budget`.
  RegexParser(std::string_view pattern, Budget& budget) : text_(characters(pattern)), budget_(budget) {}

  /// The tree; of no use when the budget has an error.
  RegexTree parse() {
    tree_.root = choice(0);
    if (at_ < text_.size()) refuse("an unmatched )");
    return std::move(tree_);
  }

 private:
  using Kind = RegexNode::Kind;
  static constexpr int kMaxDepth = 100;  // groups inside each other
  static constexpr char32_t kEnd = 0xFFFFFFFF;

  [[nodiscard]] char32_t peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : kEnd;
  }
  bool take(char32_t c) { return peek() == c ? (++at_, true) : false; }
  void refuse(const char* what) {
    budget_.refuse(fail(Code::unsupported, "the pattern has %s at character %zu", what, at_));
    at_ = text_.size();
  }
  std::uint32_t add(RegexNode node) {
    budget_.spend();
    tree_.nodes.push_back(std::move(node));
    return static_cast<std::uint32_t>(tree_.nodes.size() - 1);
  }
  std::uint32_t add_set(CodeSet set) {
    set.normalise();
    tree_.sets.push_back(std::move(set));
    RegexNode node;
    node.kind = Kind::set;
    node.set = static_cast<std::uint32_t>(tree_.sets.size() - 1);
    return add(std::move(node));
  }

  /// Alternatives between | up to a ) or the end.
  std::uint32_t choice(int depth) {
    if (depth > kMaxDepth) return refuse("too many groups inside each other"), 0;
    RegexNode node;
    node.kind = Kind::choice;
    do node.parts.push_back(sequence(depth));
    while (take('|'));
    return node.parts.size() == 1 ? node.parts[0] : add(std::move(node));
  }
  std::uint32_t sequence(int depth) {
    RegexNode node;
    node.kind = Kind::sequence;
    while (peek() != kEnd && peek() != '|' && peek() != ')' && budget_.ok()) node.parts.push_back(quantified(depth));
    return add(std::move(node));
  }
  /// An atom with the quantifier behind it.
  std::uint32_t quantified(int depth) {
    const bool anchor = peek() == '^' || peek() == '$';
    std::uint32_t atom = this->atom(depth);
    std::uint32_t min = 1, max = 1;
    if (take('*')) min = 0, max = kDead;
    else if (take('+')) max = kDead;
    else if (take('?')) min = 0;
    else if (peek() == '{') braces(min, max);
    else return atom;
    take('?');
    if (anchor) refuse("a quantifier behind an anchor");
    if (peek() == '*' || peek() == '+' || peek() == '?' || peek() == '{') refuse("two quantifiers in a row");
    RegexNode node;
    node.kind = Kind::repeat;
    node.min = min;
    node.max = max;
    node.parts.push_back(atom);
    return add(std::move(node));
  }
  void braces(std::uint32_t& min, std::uint32_t& max) {
    ++at_;
    if (!number(min)) return refuse("a { that begins no quantifier");
    max = min;
    if (take(',')) {
      max = kDead;
      if (peek() != '}' && !number(max)) return refuse("a { that begins no quantifier");
    }
    if (!take('}')) return refuse("a { that begins no quantifier");
    if (max < min) refuse("a quantifier whose bounds are the wrong way round");
  }
  bool number(std::uint32_t& value) {
    if (peek() < '0' || peek() > '9') return false;
    value = 0;
    for (; peek() >= '0' && peek() <= '9'; ++at_)
      value = std::min<std::uint32_t>(value * 10 + static_cast<std::uint32_t>(peek() - '0'), 100'000'000);
    return true;
  }

  std::uint32_t atom(int depth) {
    RegexNode node;
    const char32_t c = peek();
    if (c == '(') return group(depth);
    if (c == '[') return bracket();
    if (c == '*' || c == '+' || c == '?' || c == '{') return refuse("a quantifier behind nothing"), 0;
    if (c == ']' || c == '}') return refuse("an unmatched bracket"), 0;
    ++at_;
    if (c == '^') return node.kind = Kind::begin, add(std::move(node));
    if (c == '$') return node.kind = Kind::end, add(std::move(node));
    CodeSet set;
    if (c == '.') {
      for (const char32_t terminator : {U'\n', U'\r'}) set.add(terminator, terminator);
      set.add(0x2028, 0x2029);
      set.normalise();
      return add_set(set.complement());
    }
    if (c == '\\') (void)escape(set, false);
    else set.add(c, c);
    return add_set(std::move(set));
  }
  std::uint32_t group(int depth) {
    ++at_;
    if (take('?')) {
      if (take(':')) {
      } else if (peek() == '<' && peek(1) != '=' && peek(1) != '!') {
        while (peek() != '>' && peek() != kEnd) ++at_;
        ++at_;
      } else {
        return refuse("a look-around or another group that is not regular"), 0;
      }
    }
    const std::uint32_t inside = choice(depth + 1);
    if (!take(')')) refuse("an unmatched (");
    return inside;
  }

  /// A class in brackets.
  std::uint32_t bracket() {
    ++at_;
    const bool negated = take('^');
    CodeSet set;
    while (!take(']')) {
      if (peek() == kEnd) return refuse("an unmatched ["), 0;
      const char32_t first = class_atom(set);
      if (peek() != '-' || peek(1) == ']' || peek(1) == kEnd) {
        if (first != kEnd) set.add(first, first);
        continue;
      }
      ++at_;
      const char32_t last = class_atom(set);
      if (first == kEnd || last == kEnd || last < first) return refuse("a range that has no order"), 0;
      set.add(first, last);
    }
    set.normalise();
    return add_set(negated ? set.complement() : std::move(set));
  }
  /// One character of a class, or kEnd when it was a class itself, which goes into `set`.
  char32_t class_atom(CodeSet& set) {
    const char32_t c = peek();
    ++at_;
    return c == '\\' ? escape(set, true) : c;
  }

  static void add_words(CodeSet& set) {
    set.add('0', '9');
    set.add('A', 'Z');
    set.add('_', '_');
    set.add('a', 'z');
  }
  static void add_spaces(CodeSet& set) {
    for (const CodeRange r : {CodeRange{9, 13}, {32, 32}, {0xA0, 0xA0}, {0x1680, 0x1680}, {0x2000, 0x200A},
                              {0x2028, 0x2029}, {0x202F, 0x202F}, {0x205F, 0x205F}, {0x3000, 0x3000}, {0xFEFF, 0xFEFF}})
      set.add(r.first, r.last);
  }
  /// What stands behind a backslash. Of a single character its code, which `set` gets too unless it is in brackets;
  /// of a class kEnd.
  char32_t escape(CodeSet& set, bool in_brackets) {
    const char32_t c = peek();
    ++at_;
    CodeSet named;
    if (c == 'd' || c == 'D') named.add('0', '9');
    else if (c == 'w' || c == 'W') add_words(named);
    else if (c == 's' || c == 'S') add_spaces(named);
    if (!named.ranges().empty()) {
      named.normalise();
      set.add(c == 'D' || c == 'W' || c == 'S' ? named.complement() : named);
      return kEnd;
    }
    char32_t code = c;
    if (c == 't') code = '\t';
    else if (c == 'n') code = '\n';
    else if (c == 'r') code = '\r';
    else if (c == 'f') code = '\f';
    else if (c == 'v') code = '\v';
    else if (c == '0' && !(peek() >= '0' && peek() <= '9')) code = 0;
    else if (c == 'b' && in_brackets) code = '\b';
    else if (c == 'x') code = hex(2);
    else if (c == 'u') code = unicode();
    else if (c == 'c') code = peek() == kEnd ? kEnd : text_[at_++] % 32;
    else if (std::u32string_view(U"^$\\.*+?()[]{}|/").find(c) == std::u32string_view::npos &&
             !(c == '-' && in_brackets))
      return refuse(c == 'b' || c == 'B' ? "\\b" : c == 'p' || c == 'P' ? "\\p" : "an unknown escape"), kEnd;
    if (code > kLastCode) return refuse("an escape that is no character"), kEnd;
    if (!in_brackets) set.add(code, code);
    return code;
  }
  char32_t hex(int digits) {
    char32_t value = 0;
    for (int i = 0; i < digits; ++i) {
      const char32_t c = peek();
      const char32_t digit = c >= '0' && c <= '9'   ? c - '0'
                             : c >= 'a' && c <= 'f' ? c - 'a' + 10
                             : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                                    : 99;
      if (digit > 15) return kEnd;
      value = value * 16 + digit;
      ++at_;
    }
    return value;
  }
  char32_t unicode() {
    if (take('{')) {
      char32_t value = 0;
      if (peek() == '}') return kEnd;
      while (!take('}')) {
        const char32_t digit = hex(1);
        if (digit == kEnd) return kEnd;
        value = std::min<char32_t>(value * 16 + digit, kLastCode + 1);
      }
      return value;
    }
    const char32_t first = hex(4);
    if (first < 0xD800 || first > 0xDBFF || peek() != '\\' || peek(1) != 'u') return first;
    at_ += 2;
    const char32_t second = hex(4);
    return second < 0xDC00 || second > 0xDFFF ? kEnd : 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
  }

  std::u32string text_;
  std::size_t at_ = 0;
  Budget& budget_;
  RegexTree tree_;
};

}  // namespace constraint
DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_CONSTRAINT_REGEX_TREE_HPP
