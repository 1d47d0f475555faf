// From a regular expression to a CharacterAutomaton: a non-deterministic automaton first, then sets of its states.
//
// Anchors may stand anywhere: ^ can be passed only before the first character, and $ only behind the last.
#ifndef DSVL_CONSTRAINT_REGEX_HPP
#define DSVL_CONSTRAINT_REGEX_HPP

#include "../base/host_macros_push.hpp"

#include <algorithm>
#include <set>

#include "regex_tree.hpp"

DSVL_BEGIN_NAMESPACE
namespace constraint {

/// Thompson's construction over a RegexTree.
class RegexStates {
 public:
  /// What has to be passed to leave a state.
  enum class Pass : std::uint8_t { nothing, set, begin, end, match };
  /// One state: up to two ways out when nothing has to be passed, otherwise one.
  struct State {
    Pass pass = Pass::nothing;            ///< the condition
    std::uint32_t set = 0;                ///< index of the set of characters
    std::uint32_t to = kDead, or_to = kDead;  ///< next states; kDead where there is none
  };

  /// Makes the states. With `anywhere` the expression may match any part of the text.
  RegexStates(const RegexTree& tree, bool anywhere, Budget& budget) : tree_(tree), budget_(budget) {
    const std::uint32_t match = add({Pass::match, 0, kDead, kDead});
    if (anywhere) states_[match] = {Pass::nothing, 0, kDead, kDead};
    std::uint32_t end = match;
    const auto any = static_cast<std::uint32_t>(tree.sets.size());  // the set behind the tree's: all characters
    if (anywhere) {
      const std::uint32_t last = add({Pass::match, 0, kDead, kDead});
      const std::uint32_t loop = add({Pass::set, any, match, kDead});
      states_[match].to = last;
      states_[match].or_to = loop;
    }
    start_ = states_of(tree.root, end, 0);
    if (anywhere) {
      const std::uint32_t loop = add({Pass::set, any, kDead, kDead});
      const std::uint32_t split = add({Pass::nothing, 0, start_, loop});
      states_[loop].to = split;
      start_ = split;
    }
  }
  /// All states.
  [[nodiscard]] const std::vector<State>& states() const { return states_; }
  /// The first one.
  [[nodiscard]] std::uint32_t start() const { return start_; }

 private:
  std::uint32_t add(State s) {
    if (!budget_.spend() || !budget_.may_have(states_.size())) return 0;
    states_.push_back(s);
    return static_cast<std::uint32_t>(states_.size() - 1);
  }
  /// Adds states that match node `n` and then go on at `to`; returns the first.
  std::uint32_t states_of(std::uint32_t n, std::uint32_t to, int depth) {
    using Kind = RegexNode::Kind;
    if (!budget_.spend()) return to;
    const RegexNode& node = tree_.nodes[n];
    switch (node.kind) {
      case Kind::empty: return to;
      case Kind::set: return add({Pass::set, node.set, to, kDead});
      case Kind::begin: return add({Pass::begin, 0, to, kDead});
      case Kind::end: return add({Pass::end, 0, to, kDead});
      case Kind::sequence:
        for (std::size_t i = node.parts.size(); i-- > 0;) to = states_of(node.parts[i], to, depth + 1);
        return to;
      case Kind::choice: {
        std::uint32_t first = kDead;
        for (const std::uint32_t part : node.parts) {
          const std::uint32_t branch = states_of(part, to, depth + 1);
          first = first == kDead ? branch : add({Pass::nothing, 0, branch, first});
        }
        return first;
      }
      case Kind::repeat: return states_of_repeat(node, to, depth);
    }
    return to;
  }
  std::uint32_t states_of_repeat(const RegexNode& node, std::uint32_t to, int depth) {
    const std::uint32_t part = node.parts[0], behind = to;
    if (node.max == kDead) {
      const std::uint32_t split = add({Pass::nothing, 0, kDead, behind});
      const std::uint32_t inside = states_of(part, split, depth + 1);
      if (budget_.ok()) states_[split].to = inside;
      to = split;
    } else {
      for (std::uint32_t i = node.min; i < node.max && budget_.ok(); ++i)
        to = add({Pass::nothing, 0, states_of(part, to, depth + 1), behind});
    }
    for (std::uint32_t i = 0; i < node.min && budget_.ok(); ++i) to = states_of(part, to, depth + 1);
    return to;
  }

  const RegexTree& tree_;
  Budget& budget_;
  std::vector<State> states_;
  std::uint32_t start_ = 0;
};

/// The subset construction.
class RegexCompiler {
 public:
  /// Both arguments must outlive the object.
  RegexCompiler(const RegexTree& tree, const RegexStates& nfa, Budget& budget)
      : tree_(tree), nfa_(nfa), budget_(budget) {}

  /// The automaton.
  CharacterAutomaton compile() {
    CharacterAutomaton out;
    divide(out);
    NumberedStates todo;
    // The first element of a key says whether the text's beginning is here, where ^ can be passed.
    todo.number(close({nfa_.start()}, true));
    for (std::size_t s = 0; s < todo.size(); ++s) {
      if (!budget_.may_have(todo.size())) return {};
      const std::vector<std::uint32_t>& key = todo[s];
      out.accepting.push_back(ends(key));
      out.next.push_back(kDead);  // the class of surrogates
      for (std::uint32_t c = 1; c < out.classes; ++c) {
        if (!budget_.spend(key.size() + 4)) return {};
        std::vector<std::uint32_t> targets;
        for (std::size_t i = 1; i < key.size(); ++i) {
          const RegexStates::State& state = nfa_.states()[key[i]];
          if (state.pass == RegexStates::Pass::set && in_class_[c][state.set]) targets.push_back(state.to);
        }
        out.next.push_back(targets.empty() ? kDead : todo.number(close(std::move(targets), false)));
      }
    }
    minimise(out, budget_);
    return out;
  }

 private:
  /// Divides all characters into classes that no set tells apart.
  void divide(CharacterAutomaton& out) {
    std::set<char32_t> starts{0, kFirstSurrogate, kBehindSurrogates};
    for (const CodeSet& set : tree_.sets)
      for (const CodeRange r : set.ranges()) {
        budget_.spend();
        starts.insert(r.first);
        if (r.last < kLastCode) starts.insert(r.last + 1);
      }
    std::map<std::vector<bool>, std::uint16_t> known;
    in_class_.assign(1, {});
    out.starts.assign(starts.begin(), starts.end());
    out.class_of.clear();
    for (const char32_t start : out.starts) {
      if (!budget_.spend(tree_.sets.size() + 1)) return;
      std::uint16_t number = 0;
      if (start < kFirstSurrogate || start >= kBehindSurrogates) {
        std::vector<bool> in;
        for (const CodeSet& set : tree_.sets) in.push_back(set.has(start));
        in.push_back(true);  // the set of all characters
        const auto found = known.try_emplace(in, static_cast<std::uint16_t>(known.size() + 1));
        if (found.second) in_class_.push_back(std::move(in));
        number = found.first->second;
      }
      out.class_of.push_back(number);
    }
    out.classes = static_cast<std::uint32_t>(in_class_.size());
  }
  /// All states that are reached from `states` without a character, without those that only lead on.
  std::vector<std::uint32_t> close(std::vector<std::uint32_t> states, bool at_begin) {
    std::vector<std::uint32_t> key{at_begin ? 1u : 0u};
    reach(states, at_begin, false);
    for (const std::uint32_t s : states)
      if (nfa_.states()[s].pass != RegexStates::Pass::nothing) key.push_back(s);
    std::sort(key.begin() + 1, key.end());
    return key;
  }
  void reach(std::vector<std::uint32_t>& states, bool at_begin, bool at_end) {
    using Pass = RegexStates::Pass;
    if (marks_.size() < nfa_.states().size()) marks_.resize(nfa_.states().size(), 0);
    ++mark_;
    std::vector<std::uint32_t> out;
    const auto add = [&](std::uint32_t s) {
      if (s != kDead && marks_[s] != mark_) marks_[s] = mark_, out.push_back(s);
    };
    for (const std::uint32_t s : states) add(s);
    for (std::size_t i = 0; i < out.size(); ++i) {
      const RegexStates::State& state = nfa_.states()[out[i]];
      if (state.pass == Pass::nothing || (state.pass == Pass::begin && at_begin) || (state.pass == Pass::end && at_end))
        add(state.to), add(state.or_to);
    }
    budget_.spend(out.size());
    states = std::move(out);
  }
  bool ends(const std::vector<std::uint32_t>& key) {
    std::vector<std::uint32_t> states(key.begin() + 1, key.end());
    reach(states, key[0] != 0, true);
    return std::any_of(states.begin(), states.end(),
                       [&](std::uint32_t s) { return nfa_.states()[s].pass == RegexStates::Pass::match; });
  }

  const RegexTree& tree_;
  const RegexStates& nfa_;
  Budget& budget_;
  std::vector<std::vector<bool>> in_class_;  // by class and set
  std::vector<std::uint32_t> marks_;
  std::uint32_t mark_ = 0;
};

/// The texts that a pattern matches: as a whole, or with `anywhere` in some part, which is what JSON Schema means.
inline CharacterAutomaton compile_regex(std::string_view pattern, bool anywhere, Budget& budget) {
  const RegexTree tree = RegexParser(pattern, budget).parse();
  if (!budget.ok()) return {};
  const RegexStates nfa(tree, anywhere, budget);
  if (!budget.ok()) return {};
  return RegexCompiler(tree, nfa, budget).compile();
}

}  // namespace constraint
DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_CONSTRAINT_REGEX_HPP
