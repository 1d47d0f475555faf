// How many texts an automaton accepts, where they are few: an object whose names are all used can have no further one.
#ifndef DSVL_CONSTRAINT_WORD_COUNT_HPP
#define DSVL_CONSTRAINT_WORD_COUNT_HPP

#include <cstdint>
#include <utility>
#include <vector>

#include "budget.hpp"
#include "character_automaton.hpp"

DSVL_BEGIN_NAMESPACE
namespace constraint {

/// Counts texts by depth-first search.
class WordCount {
 public:
  /// Counts up to `most`. `automaton` is trimmed, and must outlive the object, as the budget must.
  WordCount(const CharacterAutomaton& automaton, std::uint32_t most, Budget& budget)
      : a_(automaton), many_(most + 1), counts_(automaton.states(), kUnknown), widths_(automaton.classes) {
    for (std::size_t i = 0; i < a_.starts.size(); ++i)
      widths_[a_.class_of[i]] += (i + 1 < a_.starts.size() ? a_.starts[i + 1] : kLastCode + 1) - a_.starts[i];
    for (std::uint32_t s = 0; s < a_.states(); ++s)
      if (counts_[s] == kUnknown) count(s, budget);
  }
  /// By state: texts that lead from it to an end, or `most` + 1 for more.
  [[nodiscard]] const std::vector<std::uint32_t>& by_state() const { return counts_; }
  /// Texts of the whole automaton.
  [[nodiscard]] std::uint32_t all() const { return counts_.empty() ? 0 : counts_[0]; }

 private:
  static constexpr std::uint32_t kUnknown = 0xFFFFFFFFu;

  /// Counts from a state that nobody has been in. While it is being counted it has `many_`, so that whoever meets it
  /// again, on a circle, does too.
  void count(std::uint32_t state, Budget& budget) {
    std::vector<std::pair<std::uint32_t, std::uint32_t>> way{{state, 1}};  // states, and the class to look at next
    std::vector<std::uint64_t> sums{a_.accepting[state]};
    counts_[state] = many_;
    while (!way.empty() && budget.spend()) {
      const std::uint32_t at = way.back().first, c = way.back().second;
      if (c == a_.classes) {
        counts_[at] = static_cast<std::uint32_t>((std::min)(sums.back(), std::uint64_t{many_}));
        way.pop_back(), sums.pop_back();
        continue;
      }
      const std::uint32_t to = a_.next[std::size_t{at} * a_.classes + c];
      if (to != kDead && counts_[to] == kUnknown) {
        counts_[to] = many_;
        way.emplace_back(to, 1);
        sums.push_back(a_.accepting[to]);
        continue;
      }
      if (to != kDead) sums.back() += std::uint64_t{widths_[c]} * counts_[to];
      sums.back() = (std::min)(sums.back(), std::uint64_t{many_});
      ++way.back().second;
    }
  }

  const CharacterAutomaton& a_;
  std::uint32_t many_;
  std::vector<std::uint32_t> counts_;
  std::vector<std::uint32_t> widths_;  // code points of each class
};

}  // namespace constraint
DSVL_END_NAMESPACE

#endif  // DSVL_CONSTRAINT_WORD_COUNT_HPP
