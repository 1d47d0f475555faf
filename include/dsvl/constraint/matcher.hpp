// Matcher: follows one text through a grammar, byte by byte or token by token.
#ifndef DSVL_CONSTRAINT_MATCHER_HPP
#define DSVL_CONSTRAINT_MATCHER_HPP

#include "../base/host_macros_push.hpp"

#include <span>
#include <string_view>

#include "key_tracker.hpp"
#include "threads.hpp"

DSVL_BEGIN_NAMESPACE
namespace constraint {

/// The state of one text. Its memory is taken in open(); nothing else allocates.
class Matcher {
 public:
  /// Takes its memory from `from` in open().
  explicit Matcher(Allocator* from = nullptr) noexcept : threads_(from), keys_(from) {}
  /// Takes the memory; false when there is none.
  [[nodiscard]] bool open(const MatchLimits& limits = {}) noexcept {
    return threads_.open(limits) && keys_.open(limits.keys, limits.depth + 2);
  }
  /// Bytes that open() takes.
  static constexpr std::size_t bytes_for(const MatchLimits& limits) noexcept {
    return Threads::bytes_for(limits) + KeyTracker::bytes_for(limits.keys, limits.depth + 2);
  }
  /// Begins a text. `grammar` must stay until the next begin().
  void begin(const Grammar& grammar) noexcept {
    grammar_ = &grammar;
    now_ = threads_.begin(grammar);
    keys_.begin();
    bytes_ = 0;
  }
  /// True when accept() would take these bytes.
  [[nodiscard]] bool allows(std::string_view bytes) noexcept {
    const ThreadSet set = follow(bytes);
    if (set.empty()) return false;
    if (!grammar_->distinct_keys) return true;
    keys_.mark();
    const bool distinct = keys_.follow(bytes) && !runs_dry(set);
    keys_.revert();
    return distinct;
  }
  /// Goes on by some bytes, if the grammar takes all of them; otherwise nothing changes.
  [[nodiscard]] bool accept(std::string_view bytes) noexcept {
    const ThreadSet set = follow(bytes);
    if (set.empty()) return false;
    if (grammar_->distinct_keys) {
      keys_.mark();
      if (!keys_.follow(bytes) || runs_dry(set)) return keys_.revert(), false;
      keys_.mark();
    }
    now_ = threads_.settle(set);
    bytes_ += bytes.size();
    return true;
  }
  /// True when the text so far is a whole.
  [[nodiscard]] bool whole() const noexcept { return threads_.whole(now_); }
  /// True when no byte can follow.
  [[nodiscard]] bool over() const noexcept { return !threads_.goes_on(now_); }
  /// True once the memory did not suffice: then ways may have been missed, and the text must be given up.
  [[nodiscard]] bool full() const noexcept { return threads_.full() || keys_.full(); }
  /// Bytes that were accepted.
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
  /// Writes the bytes that must come next, as far as there is no choice and there is room; returns how many.
  std::size_t forced(std::span<char> out) noexcept {
    ThreadSet set = now_;
    std::size_t n = 0;
    while (n < out.size()) {
      const int byte = threads_.forced_byte(set);
      if (byte < 0) break;
      out[n++] = static_cast<char>(byte);
      set = threads_.step(set, static_cast<std::uint8_t>(byte));
    }
    return n;
  }

 private:
  friend class MaskMaker;

  /// The set behind some bytes; empty when they cannot come.
  ThreadSet follow(std::string_view bytes) noexcept {
    ThreadSet set = now_;
    for (std::size_t i = 0; i < bytes.size() && !set.empty(); ++i)
      set = threads_.step(set, static_cast<std::uint8_t>(bytes[i]));
    return set;
  }

  /// True when a set is inside a name, to which its object has all names already that could become of it. Names are
  /// looked at between two characters only.
  [[nodiscard]] bool runs_dry(const ThreadSet& set) const noexcept {
    if (!grammar_->scarce_keys || !keys_.begins_another()) return false;
    for (const Thread& t : threads_[set])
      if (!Threads::between_characters(t) || Threads::spelling(t) != Spelling::key ||
          has_more(t.state & ~Threads::kText, keys_.hash()))
        return false;
    return true;
  }
  /// True when a text that leads from a state to an end makes a name that the object does not have. As many as it has
  /// are looked at, and one. The last way on is followed in the loop, so that long names take no stack.
  [[nodiscard]] bool has_more(std::uint32_t state, std::uint64_t hash) const noexcept {
    while (state != kDead) {
      const TextState& at = grammar_->text_states[state];
      if (at.words > keys_.names() || (at.accepting && !keys_.has(hash))) return true;
      const TextAutomaton& a = grammar_->texts[at.automaton];
      const std::uint32_t* const row = grammar_->next.data() + a.next + std::size_t{state - a.first} * a.classes;
      const std::uint64_t before = hash;
      state = kDead;
      for (std::uint32_t i = 0; i < a.intervals; ++i) {
        const std::uint32_t to = row[grammar_->classes[a.starts + i]];
        if (to == kDead) continue;
        const char32_t end = i + 1 < a.intervals ? grammar_->starts[a.starts + i + 1] : kLastCode + 1;
        for (char32_t c = grammar_->starts[a.starts + i]; c < end; ++c) {
          if (state != kDead && has_more(state, hash)) return true;
          state = to;
          hash = KeyTracker::behind(before, c);
        }
      }
    }
    return false;
  }

  const Grammar* grammar_ = nullptr;
  Threads threads_;
  KeyTracker keys_;
  ThreadSet now_;
  std::size_t bytes_ = 0;
};

}  // namespace constraint
DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_CONSTRAINT_MATCHER_HPP
