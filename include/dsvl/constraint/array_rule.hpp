// ArrayRule: the states of an array: how many elements there were, and how many of them counted for `contains`.
#ifndef DSVL_CONSTRAINT_ARRAY_RULE_HPP
#define DSVL_CONSTRAINT_ARRAY_RULE_HPP

#include "grammar_builder.hpp"
#include "schema_solver.hpp"

DSVL_BEGIN_NAMESPACE
namespace constraint {

/// Gives the rule of a goal, which is built later.
using RuleOf = FunctionRef<std::uint32_t(const Goal&)>;

/// Builds the states of one array.
class ArrayRule {
 public:
  /// All arguments must outlive the object.
  ArrayRule(const Facts& facts, GrammarBuilder& builder, SchemaSolver& solver, RuleOf rule, Budget& budget)
      : facts_(facts), builder_(builder), solver_(solver), rule_(rule), budget_(budget) {}

  /// Makes ways from `start` to `end`.
  void build(std::uint32_t start, std::uint32_t end) {
    cap_ = std::max<std::uint64_t>(1, facts_.min_items);
    if (facts_.max_items != kUnbounded) cap_ = (std::max)(cap_, facts_.max_items);
    for (const ArrayLayer& layer : facts_.arrays) cap_ = std::max<std::uint64_t>(cap_, layer.prefix.size());
    for (const auto& [at, literal] : facts_.elements) cap_ = (std::max)(cap_, at + 1);
    for (const ItemCount& c : facts_.counts) cap_ = (std::max)(cap_, c.from + 1);
    if (cap_ > budget_.limits().states) {
      budget_.refuse(fail(Code::limit, "an array of %llu elements is too long", static_cast<unsigned long long>(cap_)));
      return;
    }
    end_ = end;
    std::vector<std::uint32_t> key(1 + facts_.counts.size(), 0);
    builder_.add_bytes(start, "[", state_of(key));
    while (!todo_.empty() && budget_.spend()) {
      key = std::move(todo_.back());
      todo_.pop_back();
      expand(key);
    }
  }

 private:
  // A key is the number of elements, at most cap_, and of each count how many elements counted.
  std::uint32_t state_of(const std::vector<std::uint32_t>& key) {
    const auto [found, added] = states_.try_emplace(key, 0);
    if (added) {
      found->second = builder_.add_state();
      todo_.push_back(key);
    }
    return found->second;
  }
  void expand(const std::vector<std::uint32_t>& key) {
    const std::uint32_t state = states_.at(key);
    const std::uint64_t i = key[0];
    bool whole = i >= facts_.min_items;
    for (std::size_t c = 0; c < facts_.counts.size(); ++c) whole = whole && key[1 + c] >= facts_.counts[c].min;
    if (whole) builder_.add_bytes(i > 0 ? builder_.indent(state, 0) : state, "]", end_);
    if (i >= facts_.max_items) return;
    std::uint32_t front = state;
    if (i > 0) builder_.add_bytes(state, ",", front = builder_.add_state());
    front = builder_.indent(front, 1);
    std::vector<std::uint32_t> next = key;
    next[0] = static_cast<std::uint32_t>((std::min)(i + 1, cap_));
    count(0, front, solver_.element_goal(facts_, i), next);
  }
  /// Adds the element, with each way in which it may count for counts `c` and those behind.
  void count(std::size_t c, std::uint32_t front, const Goal& goal, const std::vector<std::uint32_t>& next) {
    if (!budget_.spend()) return;
    if (c == facts_.counts.size()) {
      if (!solver_.impossible(goal, 1)) builder_.add_call(front, rule_(goal), state_of(next), true);
      return;
    }
    const ItemCount& rule = facts_.counts[c];
    const bool bounded = rule.max != kUnbounded;
    const std::uint64_t before = next[1 + c], enough = bounded ? rule.max : rule.min;
    // next[0] is the number of elements with this one, at most cap_, which is above rule.from.
    const bool active = next[0] > rule.from;
    if (!active || (!bounded && before >= rule.min)) return count(c + 1, front, goal, next);
    Goal other = goal;
    if (bounded) add_literal(other, negation(rule.what));
    count(c + 1, front, other, next);
    if (before >= enough) return;
    Goal counted = goal;
    add_literal(counted, rule.what);
    std::vector<std::uint32_t> more = next;
    ++more[1 + c];
    count(c + 1, front, counted, more);
  }

  const Facts& facts_;
  GrammarBuilder& builder_;
  SchemaSolver& solver_;
  RuleOf rule_;
  Budget& budget_;
  std::uint64_t cap_ = 1;
  std::uint32_t end_ = 0;
  std::map<std::vector<std::uint32_t>, std::uint32_t> states_;
  std::vector<std::vector<std::uint32_t>> todo_;
};

}  // namespace constraint
DSVL_END_NAMESPACE

#endif  // DSVL_CONSTRAINT_ARRAY_RULE_HPP
