// GrammarBuilder: collects states, rules and automata of texts, and makes a Grammar of them that has no dead ends.
#ifndef DSVL_CONSTRAINT_GRAMMAR_BUILDER_HPP
#define DSVL_CONSTRAINT_GRAMMAR_BUILDER_HPP

#include "../base/host_macros_push.hpp"

#include <set>
#include <string>
#include <vector>

#include "../base/buffer.hpp"
#include "character_automaton.hpp"
#include "character_bits.hpp"
#include "grammar.hpp"
#include "spelling.hpp"
#include "word_count.hpp"

DSVL_BEGIN_NAMESPACE
namespace constraint {

/// The form of the JSON that a constraint accepts. One form only, so that spaces are never a choice.
struct JsonForm {
  bool pretty = false;  ///< a member or element per line, two spaces for each level; otherwise no white space
  bool ascii = false;   ///< other characters than ASCII are escaped in strings
};

/// Collects a grammar.
class GrammarBuilder {
 public:
  /// A state of any rule.
  using StateId = std::uint32_t;
  /// `budget` must outlive the object.
  GrammarBuilder(const JsonForm& form, Budget& budget) : form_(form), budget_(budget) {
    edges_.emplace_back();  // state 0 is behind the whole, and what a failed add_state() gives
    accepting_.push_back(1);
  }
  /// The form of the JSON.
  [[nodiscard]] const JsonForm& form() const { return form_; }

  /// A new state; a rule may end there if `accepting`.
  StateId add_state(bool accepting = false) {
    if (!budget_.keep_states(1)) return 0;
    edges_.emplace_back();
    accepting_.push_back(accepting);
    return static_cast<StateId>(edges_.size() - 1);
  }
  /// Makes a way of the bytes of `bytes`.
  void add_bytes(StateId from, std::string_view bytes, StateId to) {
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      const StateId next = i + 1 == bytes.size() ? to : add_state();
      const auto b = static_cast<std::uint8_t>(bytes[i]);
      add({Edge::Kind::byte, b, b, Spelling::raw, next, 0}, from);
      from = next;
    }
  }
  /// Makes a way of nothing.
  void add_jump(StateId from, StateId to) { add({Edge::Kind::jump, 0, 0, Spelling::raw, to, 0}, from); }
  /// Makes a way of what the rule that begins in `callee` accepts; `deeper` if that is a value inside this one.
  void add_call(StateId from, StateId callee, StateId to, bool deeper) {
    add({Edge::Kind::call, static_cast<std::uint8_t>(deeper), 0, Spelling::raw, to, callee}, from);
  }
  /// Makes a way of the texts of an automaton.
  void add_text(StateId from, const CharacterAutomaton& texts, Spelling spelling, StateId to) {
    if (texts.empty()) return;
    const std::uint32_t place = place_text(texts);
    add({Edge::Kind::text, 0, 0, spelling, to, place}, from);
    if (spelling == Spelling::key) name_texts_.insert(place);
  }
  /// In the pretty form, a line break and the spaces of a level; otherwise nothing.
  StateId indent(StateId from, std::uint32_t levels) {
    if (!form_.pretty) return from;
    const StateId to = add_state();
    add({Edge::Kind::indent, 0, 0, Spelling::raw, to, levels}, from);
    return to;
  }
  /// The rule that accepts a name with its colon.
  StateId name_rule(const std::string& name) {
    const auto [found, added] = names_.try_emplace(name, 0);
    if (added) {
      found->second = add_state();
      const std::string colon = form_.pretty ? ": " : ":", ascii = quote(name, true), plain = quote(name, false);
      const StateId end = add_state(true);
      add_bytes(found->second, ascii + colon, end);
      if (!form_.ascii && ascii != plain) add_bytes(found->second, plain + colon, end);
    }
    return found->second;
  }
  /// Notes that objects have names which are not known beforehand.
  void need_distinct_keys() { distinct_keys_ = true; }

  /// Removes everything that leads nowhere, and makes the tables. The whole is the rule that begins in `start`.
  ///
  /// Codes  bad_argument (nothing is accepted), out_of_memory, those of the budget
  Result<Grammar> finish(StateId start, Allocator* from) {
    if (!budget_.ok()) return budget_.error();
    if (!find_needs()) return budget_.error();
    if (needs_[start] == kNever)
      return fail(Code::bad_argument, "the constraint can not be met: nothing satisfies it");
    Grammar g{Buffer<Edge>(from), Buffer<GrammarState>(from), Buffer<TextAutomaton>(from), Buffer<TextState>(from),
              Buffer<std::uint32_t>(from), Buffer<char32_t>(from), Buffer<std::uint16_t>(from)};
    g.start = start;
    g.ascii = form_.ascii;
    g.distinct_keys = distinct_keys_;
    bool fits = true;
    for (std::size_t s = 0; s < edges_.size(); ++s) {
      GrammarState state;
      state.first = static_cast<std::uint32_t>(g.edges.size());
      state.need = static_cast<std::uint16_t>(std::min<std::uint32_t>(needs_[s], kNever));
      state.accepting = accepting_[s] != 0;
      for (const Edge& e : edges_[s])
        if (need_of(e) != kNever) fits = fits && g.edges.push_back(e);
      const std::size_t count = g.edges.size() - state.first;
      if (count > 0xFFFF) return fail(Code::limit, "a state of the constraint has %zu ways on", count);
      state.count = static_cast<std::uint16_t>(count);
      fits = fits && g.states.push_back(state);
    }
    for (const CharacterAutomaton& a : texts_) fits = fits && flatten(a, g);
    if (fits && !budget_.ok()) return budget_.error();
    if (!fits) return fail(Code::out_of_memory, "no memory for the tables of a constraint");
    g.id = identify(g);
    return g;
  }

 private:
  /// A hash of everything that a matcher looks at.
  static std::uint64_t identify(const Grammar& g) {
    std::uint64_t h =
        14695981039346656037ull ^ (std::uint64_t{g.start} << 2 | std::uint64_t{g.ascii} << 1 | g.distinct_keys);
    const auto add = [&](std::uint64_t x) { h = (h ^ x) * 0x9E3779B97F4A7C15ull, h ^= h >> 29; };
    for (const Edge& e : g.edges) {
      add(std::uint64_t{e.to} << 32 | e.callee);
      add(std::uint64_t{e.low} << 24 | std::uint64_t{e.high} << 16 | static_cast<std::uint64_t>(e.kind) << 8 |
          static_cast<std::uint64_t>(e.spelling));
    }
    for (const GrammarState& s : g.states)
      add(std::uint64_t{s.first} << 32 | std::uint64_t{s.count} << 1 | s.accepting);
    for (const TextState& s : g.text_states) add(std::uint64_t{s.automaton} << 1 | s.accepting);
    for (const TextAutomaton& a : g.texts)
      add(std::uint64_t{a.first} << 32 | a.starts), add(std::uint64_t{a.next} << 32 | a.classes);
    for (const std::uint32_t x : g.next) add(x);
    for (const char32_t x : g.starts) add(x);
    for (const std::uint16_t x : g.classes) add(x);
    return h;
  }
  static constexpr std::uint32_t kNever = 0xFFFF;

  void add(const Edge& edge, StateId from) {
    if (budget_.spend()) edges_[from].push_back(edge);
  }
  /// The number of an automaton's first state; equal automata are kept once.
  std::uint32_t place_text(const CharacterAutomaton& a) {
    std::vector<std::uint32_t> key(a.next);
    key.insert(key.end(), a.accepting.begin(), a.accepting.end());
    key.insert(key.end(), a.starts.begin(), a.starts.end());
    key.insert(key.end(), a.class_of.begin(), a.class_of.end());
    const auto [found, added] = known_texts_.try_emplace(std::move(key), text_states_);
    if (added) {
      budget_.keep_states(a.states());
      texts_.push_back(a);
      text_states_ += a.states();
    }
    return found->second;
  }

  /// Frames that an edge puts on the stack until the rule's end; kNever if that is not reached.
  [[nodiscard]] std::uint32_t need_of(const Edge& e) const {
    const std::uint32_t behind = needs_[e.to];
    if (e.kind == Edge::Kind::byte || e.kind == Edge::Kind::jump || behind == kNever) return behind;
    const std::uint32_t inside = e.kind == Edge::Kind::call ? needs_[e.callee] : 0;
    return inside == kNever ? kNever : (std::max)((std::min)(inside + 1, kNever - 1), behind);
  }
  /// Finds the needs of all states: rounds over all edges until nothing changes.
  bool find_needs() {
    needs_.assign(edges_.size(), kNever);
    for (bool changed = true; changed;) {
      changed = false;
      for (std::size_t s = edges_.size(); s-- > 0;) {
        std::uint32_t need = accepting_[s] ? 0 : kNever;
        for (const Edge& e : edges_[s]) need = (std::min)(need, need_of(e));
        if (!budget_.spend(edges_[s].size() + 1)) return false;
        if (need < needs_[s]) needs_[s] = need, changed = true;
      }
    }
    return true;
  }

  bool flatten(const CharacterAutomaton& a, Grammar& g) {
    TextAutomaton out;
    out.first = static_cast<std::uint32_t>(g.text_states.size());
    out.classes = a.classes;
    out.next = static_cast<std::uint32_t>(g.next.size());
    out.starts = static_cast<std::uint32_t>(g.starts.size());
    out.intervals = static_cast<std::uint32_t>(a.starts.size());
    for (char32_t c = 0; c < 128; ++c) out.ascii[c] = static_cast<std::uint16_t>(a.find_class(c));
    bool fits = g.starts.append(a.starts.data(), a.starts.size()) &&
                g.classes.append(a.class_of.data(), a.class_of.size());
    for (const std::uint32_t to : a.next) fits = fits && g.next.push_back(to == kDead ? kDead : to + out.first);
    return fits && add_text_states(a, g) && g.texts.push_back(out);
  }
  /// Adds the states of an automaton, with what they say about characters.
  bool add_text_states(const CharacterAutomaton& a, Grammar& g) {
    std::vector<std::uint64_t> bits(a.classes, kEscapeBit);
    for (std::size_t i = 0; i < a.starts.size(); ++i)
      bits[a.class_of[i]] |= character_bits(a.starts[i], i + 1 < a.starts.size() ? a.starts[i + 1] - 1 : kLastCode);
    std::vector<TextState> states(a.states());
    for (std::uint32_t s = 0; s < a.states(); ++s) {
      TextState& state = states[s];
      state.automaton = static_cast<std::uint32_t>(g.texts.size());
      state.accepting = a.accepting[s] != 0;
      state.loop = state.open = kAllCharacters;
      for (std::uint32_t c = 1; c < a.classes; ++c) {
        const std::uint32_t to = a.next[std::size_t{s} * a.classes + c];
        if (to != s) state.loop &= ~bits[c];
        if (to == kDead) state.open &= ~bits[c];
      }
    }
    if (distinct_keys_ && name_texts_.count(static_cast<std::uint32_t>(g.text_states.size())) != 0) {
      const WordCount words(a, kFewWords, budget_);
      for (std::uint32_t s = 0; s < a.states(); ++s)
        if (words.by_state()[s] <= kFewWords)
          states[s].words = static_cast<std::uint16_t>(words.by_state()[s]), g.scarce_keys = true;
    }
    bool fits = true;
    for (std::uint32_t s = 0; s < a.states(); ++s) {
      find_runs(a, bits, states, s);
      fits = fits && budget_.ok() && g.text_states.push_back(states[s]);
    }
    return fits;
  }
  /// Looks how far the characters that lead on from a state lead.
  void find_runs(const CharacterAutomaton& a, const std::vector<std::uint64_t>& bits, std::vector<TextState>& states,
                 std::uint32_t s) {
    constexpr std::size_t kMostStates = 300;
    constexpr std::uint16_t kMostLevels = 140;  // tokens are hardly ever longer
    TextState& state = states[s];
    state.run = state.accepts = state.refuses = kForever;
    std::vector<std::uint32_t> seen{s};
    accepting_since_ = kForever;
    if (marks_.size() < states.size()) marks_.resize(states.size(), 0);
    marks_[s] = ++mark_;
    std::size_t level_end = 1;
    std::uint16_t level = 0;
    for (std::size_t i = 0; i < seen.size(); ++i) {
      if (i == level_end) ++level, level_end = seen.size();
      if (!budget_.spend(a.classes)) return;
      const TextState& at = states[seen[i]];
      if (!at.accepting) accepting_since_ = kForever;
      else if (accepting_since_ == kForever) accepting_since_ = level;
      if (state.open & ~at.open) state.run = (std::min)(state.run, level);
      (at.accepting ? state.refuses : state.accepts) = (std::min)(at.accepting ? state.refuses : state.accepts, level);
      if (state.run != kForever || seen.size() > kMostStates || level > kMostLevels) {
        const std::uint16_t known = state.run != kForever ? state.run : level;
        state.run = known;
        state.accepts = std::min<std::uint16_t>(state.accepts, known);
        // One state for each number of characters, and behind the last nothing: a counter.
        state.counts = state.open == kAllCharacters && state.run == level && i == level && at.open == 0 &&
                       seen.size() == i + 1 && state.refuses <= level && accepting_since_ == state.refuses;
        if (!state.counts) state.refuses = std::min<std::uint16_t>(state.refuses, known);
        return;
      }
      for (std::uint32_t c = 1; c < a.classes; ++c) {
        const std::uint32_t to = a.next[std::size_t{seen[i]} * a.classes + c];
        if ((bits[c] & state.open & ~kEscapeBit) == 0 || to == kDead) continue;
        if (marks_[to] != mark_) marks_[to] = mark_, seen.push_back(to);
      }
    }
  }

  JsonForm form_;
  Budget& budget_;
  bool distinct_keys_ = false;
  std::vector<std::vector<Edge>> edges_;  // by state
  std::vector<std::uint8_t> accepting_;   // by state
  std::vector<std::uint32_t> needs_;      // by state
  std::vector<CharacterAutomaton> texts_;
  std::uint32_t text_states_ = 0;
  StateMap known_texts_;
  std::set<std::uint32_t> name_texts_;  // first states of those that are names
  std::vector<std::uint32_t> marks_;  // of find_runs
  std::uint32_t mark_ = 0;
  std::uint16_t accepting_since_ = 0;  // level from which on all states accept, in find_runs
  std::map<std::string, StateId> names_;
};

}  // namespace constraint
DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_CONSTRAINT_GRAMMAR_BUILDER_HPP
