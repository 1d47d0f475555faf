// CharacterAutomaton: a deterministic automaton over code points, and the algebra of the languages they stand for.
//
// Whatever a schema says about a string or a number becomes one of these: pattern, format, enum, lengths, and all that
// `not` makes of them, because regular languages are closed under complement. How characters are spelled (UTF-8, the
// escapes of JSON) is none of its business; spelling.hpp knows that.
#ifndef DSVL_CONSTRAINT_CHARACTER_AUTOMATON_HPP
#define DSVL_CONSTRAINT_CHARACTER_AUTOMATON_HPP

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "budget.hpp"
#include "code_set.hpp"

DSVL_BEGIN_NAMESPACE
namespace constraint {

inline constexpr std::uint32_t kDead = 0xFFFFFFFFu;  ///< no state: nothing is accepted from here on

/// Characters are divided into classes; class 0 is the surrogates, which lead nowhere. No states: the empty language.
struct CharacterAutomaton {
  std::vector<char32_t> starts = {0, kFirstSurrogate, kBehindSurrogates};  ///< first code point of each interval
  std::vector<std::uint16_t> class_of = {1, 0, 1};                         ///< class of each interval
  std::uint32_t classes = 2;                                               ///< number of classes
  std::vector<std::uint32_t> next;                                         ///< (states, classes): target, or kDead
  std::vector<std::uint8_t> accepting;                                     ///< by state: 1 where a text may end

  /// Number of states; the first one is state 0.
  [[nodiscard]] std::uint32_t states() const { return static_cast<std::uint32_t>(accepting.size()); }
  /// True when no text is accepted (of an automaton that was trimmed).
  [[nodiscard]] bool empty() const { return accepting.empty(); }
  /// Class of a code point.
  [[nodiscard]] std::uint32_t find_class(char32_t code) const {
    return class_of[static_cast<std::size_t>(std::upper_bound(starts.begin(), starts.end(), code) - starts.begin()) -
                    1];
  }
  /// The state behind `state` and a character.
  [[nodiscard]] std::uint32_t step(std::uint32_t state, char32_t code) const {
    return state == kDead ? kDead : next[std::size_t{state} * classes + find_class(code)];
  }
  /// True when the text is in the language.
  [[nodiscard]] bool accepts(const std::u32string& text) const {
    std::uint32_t state = empty() ? kDead : 0;
    for (const char32_t c : text) state = step(state, c);
    return state != kDead && accepting[state] != 0;
  }
};

/// The automaton of all texts.
inline CharacterAutomaton all_texts() {
  CharacterAutomaton a;
  a.next = {kDead, 0};
  a.accepting = {1};
  return a;
}

/// Removes states that are not reached or lead to no accepted text. Each state must be reachable from 0 or removable.
inline void trim(CharacterAutomaton& a, Budget& budget) {
  const std::size_t n = a.states(), k = a.classes;
  if (!budget.spend(n * k)) return;
  std::vector<std::vector<std::uint32_t>> before(n);
  std::vector<std::uint32_t> queue;
  std::vector<std::uint8_t> alive(n, 0);
  for (std::uint32_t s = 0; s < n; ++s) {
    for (std::size_t c = 0; c < k; ++c)
      if (const std::uint32_t to = a.next[s * k + c]; to != kDead && (before[to].empty() || before[to].back() != s))
        before[to].push_back(s);
    if (a.accepting[s]) alive[s] = 1, queue.push_back(s);
  }
  for (std::size_t i = 0; i < queue.size(); ++i)
    for (const std::uint32_t s : before[queue[i]])
      if (!alive[s]) alive[s] = 1, queue.push_back(s);
  std::vector<std::uint32_t> renamed(n, kDead), order;
  if (n > 0 && alive[0]) renamed[0] = 0, order.push_back(0);
  for (std::size_t i = 0; i < order.size(); ++i)
    for (std::size_t c = 0; c < k; ++c)
      if (const std::uint32_t to = a.next[order[i] * k + c]; to != kDead && alive[to] && renamed[to] == kDead) {
        renamed[to] = static_cast<std::uint32_t>(order.size());
        order.push_back(to);
      }
  std::vector<std::uint32_t> next(order.size() * k, kDead);
  std::vector<std::uint8_t> accepting(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    accepting[i] = a.accepting[order[i]];
    for (std::size_t c = 0; c < k; ++c) {
      const std::uint32_t to = a.next[order[i] * k + c];
      next[i * k + c] = to == kDead ? kDead : renamed[to];
    }
  }
  a.next = std::move(next);
  a.accepting = std::move(accepting);
}

/// Hash of a list of numbers, for maps that find states again.
struct HashOfList {
  /// FNV-1a over the words.
  std::size_t operator()(const std::vector<std::uint32_t>& list) const {
    std::uint64_t h = 14695981039346656037ull;
    for (const std::uint32_t x : list) h = (h ^ x) * 1099511628211ull;
    return static_cast<std::size_t>(h ^ h >> 29);
  }
};
/// Finds states by what they are made of.
using StateMap = std::unordered_map<std::vector<std::uint32_t>, std::uint32_t, HashOfList>;

/// Numbers states by what they are made of, in the order in which they are met: those that are not worked on yet stand
/// behind the one that is.
class NumberedStates {
 public:
  /// The number of the state that is made of `key`: the one that it has, or the next.
  std::uint32_t number(std::vector<std::uint32_t> key) {
    const auto found = numbers_.try_emplace(std::move(key), static_cast<std::uint32_t>(keys_.size()));
    if (found.second) keys_.push_back(&found.first->first);
    return found.first->second;
  }
  /// How many states there are.
  [[nodiscard]] std::size_t size() const { return keys_.size(); }
  /// What state s is made of. It stays where it is.
  const std::vector<std::uint32_t>& operator[](std::size_t s) const { return *keys_[s]; }

 private:
  StateMap numbers_;
  std::vector<const std::vector<std::uint32_t>*> keys_;  // of numbers_, whose elements do not move
};

/// Trims, and merges states that accept the same texts (Moore's refinement). Large automata are only trimmed, because a
/// long chain takes as many rounds as it is long.
inline void minimise(CharacterAutomaton& a, Budget& budget) {
  trim(a, budget);
  const std::size_t n = a.states(), k = a.classes;
  if (n < 2 || n > 4000 || !budget.ok()) return;
  std::vector<std::uint32_t> block(a.accepting.begin(), a.accepting.end()), refined(n);
  std::size_t blocks = 0;
  for (;;) {
    if (!budget.spend(n * k)) return;
    StateMap seen;
    std::vector<std::uint32_t> key(k + 1);
    for (std::size_t s = 0; s < n; ++s) {
      key[0] = block[s];
      for (std::size_t c = 0; c < k; ++c) {
        const std::uint32_t to = a.next[s * k + c];
        key[c + 1] = to == kDead ? kDead : block[to];
      }
      refined[s] = seen.try_emplace(key, static_cast<std::uint32_t>(seen.size())).first->second;
    }
    block.swap(refined);
    if (seen.size() == blocks) break;
    blocks = seen.size();
  }
  CharacterAutomaton out = a;
  out.next.assign(blocks * k, kDead);
  out.accepting.assign(blocks, 0);
  for (std::size_t s = 0; s < n; ++s) {  // state 0 is met first, so its block is number 0
    out.accepting[block[s]] = a.accepting[s];
    for (std::size_t c = 0; c < k; ++c)
      if (a.next[s * k + c] != kDead) out.next[block[s] * k + c] = block[a.next[s * k + c]];
  }
  a = std::move(out);
}

/// How two languages are combined: given whether each has the text, whether the result has it. (no, no) must give no,
/// so that texts of neither can be forgotten.
enum class Combine : unsigned char { both, either, first_only };

/// The texts that are in both languages, in either, or only in the first.
inline CharacterAutomaton combine(const CharacterAutomaton& a, const CharacterAutomaton& b, Combine how,
                                  Budget& budget) {
  CharacterAutomaton out;
  out.starts.clear();
  out.class_of.clear();
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint16_t> pairs{{{0, 0}, 0}};
  std::vector<std::pair<std::uint32_t, std::uint32_t>> of_class{{0, 0}};
  for (std::size_t i = 0, j = 0; i < a.starts.size() || j < b.starts.size();) {
    const char32_t at = (std::min)(i < a.starts.size() ? a.starts[i] : kLastCode + 1,
                                   j < b.starts.size() ? b.starts[j] : kLastCode + 1);
    if (i < a.starts.size() && a.starts[i] == at) ++i;
    if (j < b.starts.size() && b.starts[j] == at) ++j;
    const std::pair<std::uint32_t, std::uint32_t> pair{a.class_of[i - 1], b.class_of[j - 1]};
    const auto found = pairs.try_emplace(pair, static_cast<std::uint16_t>(pairs.size()));
    if (found.second) of_class.push_back(pair);
    out.starts.push_back(at);
    out.class_of.push_back(found.first->second);
  }
  out.classes = static_cast<std::uint32_t>(pairs.size());
  NumberedStates todo;
  const auto state_of = [&](std::uint32_t p, std::uint32_t q) {
    if ((p == kDead && (q == kDead || how != Combine::either)) || (q == kDead && how == Combine::both)) return kDead;
    return todo.number({p, q});
  };
  state_of(a.empty() ? kDead : 0, b.empty() ? kDead : 0);
  for (std::size_t s = 0; s < todo.size(); ++s) {
    if (!budget.spend(out.classes + 8) || !budget.may_have(todo.size())) return {};
    const std::uint32_t p = todo[s][0], q = todo[s][1];
    const bool in_a = p != kDead && a.accepting[p], in_b = q != kDead && b.accepting[q];
    const bool in = how == Combine::both ? in_a && in_b : how == Combine::either ? in_a || in_b : in_a && !in_b;
    out.accepting.push_back(in);
    for (const auto& [ca, cb] : of_class)
      out.next.push_back(ca == 0 && cb == 0 ? kDead
                                            : state_of(p == kDead ? kDead : a.next[std::size_t{p} * a.classes + ca],
                                                       q == kDead ? kDead : b.next[std::size_t{q} * b.classes + cb]));
  }
  minimise(out, budget);
  return out;
}

/// The texts of a language that have min..max characters.
inline CharacterAutomaton with_length(const CharacterAutomaton& a, std::uint64_t min, std::uint64_t max,
                                      Budget& budget) {
  CharacterAutomaton out = a;
  out.next.clear();
  out.accepting.clear();
  if (a.empty() || min > max) return out;
  const bool bounded = max != ~std::uint64_t{0};
  const std::uint64_t cap = bounded ? max : min;
  if (!budget.may_have(cap > 0xFFFFFFFFu ? ~std::size_t{0} : static_cast<std::size_t>(cap))) return out;
  NumberedStates todo;
  const auto state_of = [&](std::uint32_t q, std::uint64_t count) {
    if (q == kDead || (bounded && count > max)) return kDead;
    return todo.number({q, static_cast<std::uint32_t>((std::min)(count, cap))});
  };
  state_of(0, 0);
  for (std::size_t s = 0; s < todo.size(); ++s) {
    if (!budget.spend(a.classes + 8) || !budget.may_have(todo.size())) return {};
    const std::uint32_t q = todo[s][0], count = todo[s][1];
    out.accepting.push_back(a.accepting[q] && count >= min);
    for (std::uint32_t c = 0; c < a.classes; ++c)
      out.next.push_back(state_of(a.next[std::size_t{q} * a.classes + c], std::uint64_t{count} + 1));
  }
  trim(out, budget);
  return out;
}

/// The automaton of a finite list of texts.
inline CharacterAutomaton one_of(const std::vector<std::u32string>& texts, Budget& budget) {
  CharacterAutomaton out;
  std::map<char32_t, std::uint16_t> classes;
  for (const std::u32string& text : texts)
    for (const char32_t c : text) classes.try_emplace(c, 0);
  std::uint16_t number = 1;  // 0: surrogates; 1: all other characters, which lead nowhere either
  std::map<char32_t, std::uint16_t> starts{{0, 1}, {kFirstSurrogate, 0}, {kBehindSurrogates, 1}};
  for (auto& [code, of] : classes) {
    if (number == 0xFFFF) { budget.refuse(fail(Code::limit, "too many different characters")); return out; }
    of = ++number;
    starts[code] = of;
    if (code < kLastCode) starts.try_emplace(code + 1, std::uint16_t{1});
  }
  out.starts.clear();
  out.class_of.clear();
  for (const auto& [start, of] : starts) out.starts.push_back(start), out.class_of.push_back(of);
  out.classes = number + 1u;
  const auto add_state = [&] {
    out.accepting.push_back(0);
    out.next.resize(out.next.size() + out.classes, kDead);
    return out.states() - 1;
  };
  if (!texts.empty()) add_state();
  for (const std::u32string& text : texts) {
    std::uint32_t state = 0;
    for (const char32_t c : text) {
      if (!budget.spend(out.classes) || !budget.may_have(out.states())) return {};
      std::size_t slot = std::size_t{state} * out.classes + classes[c];
      if (out.next[slot] == kDead) {
        const std::uint32_t added = add_state();
        out.next[slot] = added;
      }
      state = out.next[slot];
    }
    out.accepting[state] = 1;
  }
  minimise(out, budget);
  return out;
}

/// The characters of a UTF-8 text, which must be valid.
inline std::u32string characters(std::string_view text) {
  std::u32string out;
  for (std::size_t i = 0; i < text.size();) {
    const unsigned lead = static_cast<unsigned char>(text[i++]);
    const int more = lead < 0x80 ? 0 : lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : 3;
    char32_t code = more == 0 ? lead : lead & (0x3Fu >> more);
    for (int k = 0; k < more && i < text.size(); ++k)
      code = code << 6 | (static_cast<unsigned char>(text[i++]) & 0x3Fu);
    out.push_back(code);
  }
  return out;
}

}  // namespace constraint
DSVL_END_NAMESPACE

#endif  // DSVL_CONSTRAINT_CHARACTER_AUTOMATON_HPP
