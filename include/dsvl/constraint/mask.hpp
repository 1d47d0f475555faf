// MaskMaker: which tokens may come next.
//
// The tree of tokens is walked, with the state of each node on a stack; a node that is not reached cuts off everything
// below it. Outside of strings few bytes are possible, so few nodes are met. Inside of strings nearly all tokens can be:
// there, where all characters below a node keep the state of the text, what stays inside is copied from FreeText, and
// only where the string is closed the walk goes on.
#ifndef DSVL_CONSTRAINT_MASK_HPP
#define DSVL_CONSTRAINT_MASK_HPP

#include <bit>
#include <span>

#include "matcher.hpp"
#include "token_trie.hpp"

DSVL_BEGIN_NAMESPACE
namespace constraint {

/// Makes masks, in memory that it has taken before.
class MaskMaker {
 public:
  /// Takes its memory from `from` in open().
  explicit MaskMaker(Allocator* from = nullptr) noexcept : bits_(from), sets_(from), places_(from) {}
  /// Takes memory for a vocabulary; false when there is none.
  [[nodiscard]] bool open(std::size_t vocabulary) noexcept {
    return bits_.resize(vocabulary / 64 + 1) && sets_.resize(kMaxTokenBytes + 1) &&
           places_.resize(kMaxTokenBytes + 1);
  }
  /// Bytes that open() takes.
  static constexpr std::size_t bytes_for(std::size_t vocabulary) noexcept {
    return (vocabulary / 64 + 1) * 8 + (kMaxTokenBytes + 1) * (sizeof(ThreadSet) + sizeof(TextPlace)) + 3 * kAlignment;
  }
  /// Sets the bits of all tokens that can follow the text of `matcher`, and clears all others. `mask` has
  /// vocabulary / 64 + 1 words or more. Control tokens are never set: the end token is the caller's business, who asks
  /// Matcher::whole().
  void make(Matcher& matcher, const TokenTrie& trie, std::span<std::uint64_t> mask) noexcept {
    matcher_ = &matcher;
    threads_ = &matcher.threads_;
    trie_ = &trie;
    nodes_ = trie.nodes();
    for (std::uint64_t& word : bits_) word = 0;
    const auto end = static_cast<std::uint32_t>(nodes_.size()) - 1;
    // Threads inside texts are walked one by one, the others together.
    const ThreadSet all = matcher.now_;
    ThreadSet rest{all.end, all.end, all.frames};
    for (std::uint32_t i = 0; i < all.end - all.begin; ++i) {
      const Thread thread = (*threads_)[all][i];
      if (!in_text(thread)) rest.end = threads_->alone(thread, rest).end;
    }
    if (threads_->goes_on(rest)) {
      sets_[0] = rest;
      walk(1, end);
    }
    for (std::uint32_t i = 0; i < all.end - all.begin; ++i) {
      const Thread thread = (*threads_)[all][i];
      if (in_text(thread)) walk_text(thread);
    }
    if (matcher.grammar_->distinct_keys) remove_repeated_keys();
    write(mask);
  }

 private:
  static bool in_text(const Thread& t) noexcept { return (t.state & Threads::kText) && t.frame != Threads::kNoFrame; }
  void set_own(const TokenTrie::Node& node) noexcept {
    for (std::uint32_t r = node.rank; r < node.rank + node.own; ++r) bits_[r / 64] |= std::uint64_t{1} << r % 64;
  }
  /// Walks over nodes first..last - 1, which are all below one whose set is known.
  void walk(std::uint32_t first, std::uint32_t last) noexcept {
    for (std::uint32_t n = first; n < last;) {
      const TokenTrie::Node& node = nodes_[n];
      const ThreadSet set = threads_->step(sets_[node.depth - 1u], node.byte);
      if (set.empty()) {
        n = node.skip;
        continue;
      }
      sets_[node.depth] = set;
      set_own(node);
      ++n;
    }
  }
  /// Walks below a node with the set behind the text.
  void walk_behind(std::uint32_t n) noexcept {
    if (!goes_on_ || nodes_[n].skip == n + 1) return;
    sets_[nodes_[n].depth] = behind_;
    walk(n + 1, nodes_[n].skip);
  }

  /// Walks over all nodes with one thread that is in a text.
  void walk_text(const Thread& thread) noexcept {
    const ThreadSet alone = threads_->alone(thread, matcher_->now_);
    behind_ = threads_->behind_rule(alone, thread);
    goes_on_ = threads_->goes_on(behind_);
    spelling_ = Threads::spelling(thread);
    known_ = &trie_->free_text(spelling_, matcher_->grammar_->ascii);
    places_[0] = {thread.state & ~Threads::kText, thread.partial & 0x3FFFFFFFu};
    const auto end = static_cast<std::uint32_t>(nodes_.size()) - 1;
    if (!shortcut(0, end)) walk_text(1, end, false);
  }
  /// Walks over nodes first..last - 1; with `closings`, only over those below which the text is closed.
  void walk_text(std::uint32_t first, std::uint32_t last, bool closings) noexcept {
    const Speller speller(*matcher_->grammar_);
    const std::uint32_t* quote = std::lower_bound(known_->quotes.begin(), known_->quotes.end(), first);
    for (std::uint32_t n = first; n < last;) {
      const TokenTrie::Node& node = nodes_[n];
      if (closings) {
        while (quote != known_->quotes.end() && *quote < n) ++quote;
        if (quote == known_->quotes.end()) return;
        if (*quote >= node.skip) {
          n = node.skip;
          continue;
        }
      }
      TextPlace place = places_[node.depth - 1u];
      const Speller::Step step = speller.step(place, spelling_, node.byte);
      if (step != Speller::Step::dead) set_own(node);
      if (step == Speller::Step::closed) walk_behind(n);
      places_[node.depth] = place;
      n = step == Speller::Step::inside && !below(n, place) ? n + 1 : node.skip;
    }
  }
  /// What is below a node inside the text; true when it is settled.
  bool below(std::uint32_t n, const TextPlace& place) noexcept {
    if (nodes_[n].skip == n + 1) return true;
    if (place.partial != 0) return false;
    // A raw text may end wherever its automaton accepts.
    if (spelling_ == Spelling::raw && goes_on_ && matcher_->grammar_->text_states[place.state].accepting) walk_behind(n);
    return shortcut(n, nodes_[n].skip);
  }
  /// Settles everything below node n, up to node `skip`, if no character there changes what the text allows.
  bool shortcut(std::uint32_t n, std::uint32_t skip) noexcept {
    const TokenTrie::Node& node = nodes_[n];
    const TextPlace place = places_[node.depth];
    if (place.partial != 0) return false;
    const TextState& state = matcher_->grammar_->text_states[place.state];
    const bool raw = spelling_ == Spelling::raw;
    if (raw && (goes_on_ || (node.characters & kQuoteBit))) return false;
    const std::uint64_t needed = raw ? node.characters : node.characters & ~(kQuoteBit | kControlBit);
    const bool loops = !(needed & ~state.loop);
    if (!loops && ((needed & ~state.open) || state.run < node.height)) return false;
    const std::size_t begin = node.rank + node.own, end = nodes_[skip].rank;
    copy_bits(bits_.span(), known_->inside.span(), begin, end);
    if (raw || (loops ? !state.accepting : state.refuses > node.height)) return true;
    if (loops ? state.accepting : state.accepts > node.height) {
      copy_bits(bits_.span(), known_->closing.span(), begin, end);
      const std::uint32_t* q = std::lower_bound(known_->quotes.begin(), known_->quotes.end(), n + 1);
      for (; q != known_->quotes.end() && *q < skip; ++q) walk_behind(*q);
    } else {
      walk_text(n + 1, skip, true);
    }
    return true;
  }
  /// Removes tokens with which an object would have a name twice.
  void remove_repeated_keys() noexcept {
    KeyTracker& keys = matcher_->keys_;
    const std::size_t most = keys.inside_key() ? trie_->quoted().size() : trie_->twice_quoted();
    keys.mark();
    for (const TokenTrie::Quoted& token : trie_->quoted().first(most)) {
      const std::uint32_t rank = token.rank;
      if (!(bits_[rank / 64] >> rank % 64 & 1u)) continue;
      if (!keys.follow(trie_->text(token))) bits_[rank / 64] &= ~(std::uint64_t{1} << rank % 64);
      keys.revert();
    }
  }
  /// From bits by rank to bits by id. Where most tokens are set, only what differs from a free string is looked at.
  void write(std::span<std::uint64_t> mask) noexcept {
    const std::size_t words = trie_->ids().size() / 64 + 1;
    std::size_t set = 0, different = 0;
    const std::span<const std::uint64_t> ranks = trie_->string_by_rank(), by_id = trie_->string_by_id();
    for (std::size_t w = 0; w < words; ++w) {
      set += static_cast<std::size_t>(std::popcount(bits_[w]));
      different += static_cast<std::size_t>(std::popcount(bits_[w] ^ ranks[w]));
    }
    const bool differences = different < set;
    for (std::size_t w = 0; w < mask.size(); ++w) mask[w] = differences && w < by_id.size() ? by_id[w] : 0;
    for (std::size_t w = 0; w < words; ++w)
      for (std::uint64_t bits = differences ? bits_[w] ^ ranks[w] : bits_[w]; bits != 0; bits &= bits - 1) {
        const auto id =
            static_cast<std::size_t>(trie_->ids()[w * 64 + static_cast<std::size_t>(std::countr_zero(bits))]);
        mask[id / 64] ^= std::uint64_t{1} << id % 64;
      }
  }

  Matcher* matcher_ = nullptr;
  Threads* threads_ = nullptr;
  const TokenTrie* trie_ = nullptr;
  std::span<const TokenTrie::Node> nodes_;
  Spelling spelling_ = Spelling::raw;   // of the text that is walked
  const FreeText* known_ = nullptr;     // likewise
  ThreadSet behind_;                    // the set behind it
  bool goes_on_ = false;                // something can follow there
  Buffer<std::uint64_t> bits_;          // by rank
  Buffer<ThreadSet> sets_;              // by depth
  Buffer<TextPlace> places_;            // of the text, by depth
};

}  // namespace constraint
DSVL_END_NAMESPACE

#endif  // DSVL_CONSTRAINT_MASK_HPP
