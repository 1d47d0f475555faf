// ObjectRule: the states of an object: which properties there were, how many, and which demands they met.
//
// Named properties come in the order of the schema that has them first; those that other parts of the schema name, and
// those that nobody names, come behind them in any order. Were there many of the former, their orders would be too many
// states, and they come in the order of the text as well.
#ifndef DSVL_CONSTRAINT_OBJECT_RULE_HPP
#define DSVL_CONSTRAINT_OBJECT_RULE_HPP

#include <compare>

#include "array_rule.hpp"
#include "grammar_builder.hpp"
#include "key_classes.hpp"
#include "word_count.hpp"

DSVL_BEGIN_NAMESPACE
namespace constraint {

/// Builds the states of one object.
class ObjectRule {
 public:
  /// All arguments must outlive the object.
  ObjectRule(const Facts& facts, GrammarBuilder& builder, SchemaSolver& solver, KeyClasses& keys, RuleOf rule,
             Budget& budget)
      : facts_(facts), builder_(builder), solver_(solver), keys_(keys), rule_(rule), budget_(budget) {}

  /// Makes ways from `start` to `end`.
  void build(std::uint32_t start, std::uint32_t end) {
    if (!order_names()) return;
    others_ = keys_.divide();
    if (!budget_.ok()) return;
    free_words();
    count_names();
    if (!others_.empty()) builder_.need_distinct_keys();
    const std::uint64_t cap = facts_.max_properties != kUnbounded ? facts_.max_properties : facts_.min_properties;
    if (cap > budget_.limits().states || facts_.demands.size() > 8) {
      budget_.refuse(fail(Code::limit, "an object with so many properties, or so many demands, is too large"));
      return;
    }
    cap_ = static_cast<std::uint32_t>(std::max<std::uint64_t>(cap, 1));
    end_ = end;
    Place first;
    first.used.resize(others_.size());
    builder_.add_bytes(start, "{", state_of(first));
    while (!todo_.empty() && budget_.spend()) {
      const Place place = todo_.back();
      todo_.pop_back();
      expand(place);
    }
  }

 private:
  static constexpr std::size_t kMostFree = 5;  // names that may come in any order: 32 states
  static constexpr std::uint32_t kMostCounted = 1024;  // combinations of how many names of each class were there
  /// A property with a name.
  struct Name {
    std::string name;
    Goal goal;
    bool required = false;
    std::vector<std::uint8_t> demands;  // as in KeyClass
  };
  /// How far the object has come.
  struct Place {
    std::uint32_t ordered = 0;  // names of ordered_ that were passed
    std::uint32_t seen = 0;     // bits of the names of free_ that were there
    std::uint32_t count = 0;    // properties, at most cap_
    std::uint32_t met = 0;      // bits of the demands that were met
    std::vector<std::uint16_t> used;  // by class of others_: its names that were there, where they may run out
    bool inside = false;        // a comma has been written (or the brace), and a property must follow
    std::strong_ordering operator<=>(const Place&) const = default;  // not auto: a vector has none everywhere
  };

  /// Divides the names into ordered and free ones; false when a required one is impossible.
  bool order_names() {
    int first = 1 << 30;
    for (const NameFact& fact : facts_.names) first = (std::min)(first, fact.source);
    std::size_t free = 0;
    std::vector<CharacterAutomaton> demanded;
    for (const PropertyDemand& demand : facts_.demands) demanded.push_back(keys_.demanded(demand));
    std::vector<std::pair<bool, Name>> names;
    for (const NameFact& fact : facts_.names) {
      if (fact.absent && fact.required) return false;
      if (fact.absent) continue;
      Name name{fact.name, solver_.property_goal(facts_, fact.name), fact.required, {}};
      if (solver_.impossible(name.goal, 1)) {
        if (fact.required) return false;
        continue;
      }
      for (const CharacterAutomaton& d : demanded) name.demands.push_back(d.accepts(characters(fact.name)));
      const bool ordered = fact.source == first && first < (1 << 30);
      free += !ordered;
      names.emplace_back(ordered, std::move(name));
    }
    for (auto& [ordered, name] : names)
      if (ordered) ordered_.push_back(std::move(name));
    for (auto& [ordered, name] : names)
      if (!ordered) (free > kMostFree ? ordered_ : free_).push_back(std::move(name));
    return true;
  }
  /// A class of only a few names becomes free names, so that one which was used up is no way into a dead end.
  void free_words() {
    for (std::size_t c = 0; c < others_.size();) {
      std::vector<std::u32string> words;
      std::u32string prefix;
      const bool few = list_words(others_[c].names, 0, prefix, words) && free_.size() + words.size() <= kMostFree + 1;
      if (!few) { ++c; continue; }
      for (const std::u32string& word : words) {
        std::string name;
        for (const char32_t code : word) utf8::append(name, code);
        free_.push_back({name, others_[c].goal, false, others_[c].demands});
      }
      others_.erase(others_.begin() + static_cast<std::ptrdiff_t>(c));
    }
  }
  /// Counts the names of the classes that can run out, small ones first: an answer that has all names of a large one is
  /// longer than any context.
  void count_names() {
    std::vector<std::pair<std::uint32_t, KeyClass*>> few;
    for (KeyClass& other : others_) {
      const std::uint32_t count = WordCount(other.names, kMostCounted, budget_).all();
      if (count <= kMostCounted && count < facts_.max_properties) few.emplace_back(count, &other);
    }
    std::sort(few.begin(), few.end());
    std::uint64_t combinations = 1;
    for (const auto& [count, of] : few)
      if ((combinations *= count + 1) <= kMostCounted + 1) of->count = count;
  }
  /// Lists all texts of a language if they are few and short.
  bool list_words(const CharacterAutomaton& a, std::uint32_t state, std::u32string& prefix,
                  std::vector<std::u32string>& words) {
    if (prefix.size() > 64 || words.size() > kMostFree || !budget_.spend()) return false;
    if (a.accepting[state]) words.push_back(prefix);
    for (std::size_t i = 0; i < a.starts.size(); ++i) {
      const std::uint32_t to = a.next[std::size_t{state} * a.classes + a.class_of[i]];
      if (to == kDead) continue;
      const char32_t end = i + 1 < a.starts.size() ? a.starts[i + 1] : kLastCode + 1;
      if (end - a.starts[i] > kMostFree) return false;
      for (char32_t c = a.starts[i]; c < end; ++c) {
        prefix.push_back(c);
        const bool few = list_words(a, to, prefix, words);
        prefix.pop_back();
        if (!few) return false;
      }
    }
    return words.size() <= kMostFree;
  }

  std::uint32_t state_of(const Place& place) {
    const auto [found, added] = states_.try_emplace(place, 0);
    if (added) {
      found->second = builder_.add_state();
      todo_.push_back(place);
    }
    return found->second;
  }
  void expand(const Place& place) {
    const std::uint32_t state = states_.at(place);
    if (place.inside) return add_properties(place, state);
    if (may_end(place)) builder_.add_bytes(place.count > 0 ? builder_.indent(state, 0) : state, "}", end_);
    if (place.count >= facts_.max_properties) return;
    Place inside = place;
    inside.inside = true;
    std::uint32_t front = state;
    if (place.count > 0) builder_.add_bytes(state, ",", front = builder_.add_state());
    builder_.add_jump(builder_.indent(front, 1), state_of(inside));
  }
  [[nodiscard]] bool may_end(const Place& place) const {
    for (std::size_t i = place.ordered; i < ordered_.size(); ++i)
      if (ordered_[i].required) return false;
    for (std::size_t i = 0; i < free_.size(); ++i)
      if (free_[i].required && !(place.seen >> i & 1u)) return false;
    return place.count >= facts_.min_properties && place.met + 1 == 1u << facts_.demands.size();
  }
  /// Adds the properties that can come at a place.
  void add_properties(const Place& place, std::uint32_t state) {
    Place next = place;
    next.inside = false;
    next.count = (std::min)(place.count + 1, cap_);
    if (place.ordered < ordered_.size()) {
      const Name& name = ordered_[place.ordered];
      ++next.ordered;
      add_named(state, name, next);
      if (name.required) return;
      Place skipped = place;
      ++skipped.ordered;
      return builder_.add_jump(state, state_of(skipped));
    }
    for (std::size_t i = 0; i < free_.size(); ++i) {
      if (place.seen >> i & 1u) continue;
      Place with = next;
      with.seen |= 1u << i;
      add_named(state, free_[i], with);
    }
    for (std::size_t c = 0; c < others_.size(); ++c) {
      if (!budget_.spend(4)) return;
      const KeyClass& other = others_[c];
      Place with = next;
      if (other.count > 0 && with.used[c]++ == other.count) continue;
      const std::uint32_t opened = builder_.add_state(), closed = builder_.add_state(), value = builder_.add_state();
      builder_.add_bytes(state, "\"", opened);
      builder_.add_text(opened, other.names, Spelling::key, closed);
      builder_.add_bytes(closed, builder_.form().pretty ? ": " : ":", value);
      add_value(value, other.goal, other.demands, with, 0);
    }
  }
  void add_named(std::uint32_t state, const Name& name, const Place& next) {
    const std::uint32_t value = builder_.add_state();
    builder_.add_call(state, builder_.name_rule(name.name), value, false);
    add_value(value, name.goal, name.demands, next, 0);
  }
  /// Adds the value, with each way in which it may meet demand `d` and those behind.
  void add_value(std::uint32_t from, const Goal& goal, const std::vector<std::uint8_t>& demands, const Place& next,
                 std::size_t d) {
    if (!budget_.spend()) return;
    if (d == facts_.demands.size()) {
      if (!solver_.impossible(goal, 1)) builder_.add_call(from, rule_(goal), state_of(next), true);
      return;
    }
    add_value(from, goal, demands, next, d + 1);
    if (demands[d] == 0 || (next.met >> d & 1u)) return;
    Goal both = goal;
    for (const Literal l : facts_.demands[d].values) add_literal(both, l);
    Place met = next;
    met.met |= 1u << d;
    add_value(from, both, demands, met, d + 1);
  }

  const Facts& facts_;
  GrammarBuilder& builder_;
  SchemaSolver& solver_;
  KeyClasses& keys_;
  RuleOf rule_;
  Budget& budget_;
  std::vector<Name> ordered_, free_;
  std::vector<KeyClass> others_;
  std::uint32_t cap_ = 1, end_ = 0;
  std::map<Place, std::uint32_t> states_;
  std::vector<Place> todo_;
};

}  // namespace constraint
DSVL_END_NAMESPACE

#endif  // DSVL_CONSTRAINT_OBJECT_RULE_HPP
