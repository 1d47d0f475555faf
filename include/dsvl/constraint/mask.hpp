// MaskMaker: which tokens may come next.
//
// The tree of tokens is walked, with the state of each node on a stack; a node that is not reached cuts off everything
// below it. Outside of strings few bytes are possible, so few nodes are met. Inside of strings nearly all tokens can
// be:
// there, where all characters below a node keep the state of the text, what stays inside is copied from FreeText, and
// only where the string is closed the walk goes on.
#ifndef DSVL_CONSTRAINT_MASK_HPP
#define DSVL_CONSTRAINT_MASK_HPP

#include <algorithm>
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
  explicit MaskMaker(Allocator* from = nullptr) noexcept
      : bits_(from), sets_(from), places_(from), known_bits_(from), closed_bits_(from) {}
  /// Takes memory for a vocabulary; false when there is none. All masks are made for that one.
  [[nodiscard]] bool open(const TokenTrie& trie) noexcept {
    trie_ = &trie;
    words_ = words(trie.vocabulary());
    closed_words_ = words(trie.most_quotes());
    return bits_.resize(words_) && sets_.resize(kMaxTokenBytes + 1) && places_.resize(kMaxTokenBytes + 1) &&
           known_bits_.resize(words_ * kKnown) && closed_bits_.resize(closed_words_ * kKnown);
  }
  /// The most bytes that open() takes for a vocabulary; all its tokens could have a quote.
  static std::size_t bytes_for(std::size_t vocabulary) noexcept {
    return words(vocabulary) * 8 * (2 * kKnown + 1) +
           (kMaxTokenBytes + 1) * (sizeof(ThreadSet) + sizeof(TextPlace)) + 5 * kAlignment;
  }
  /// Sets the bits of all tokens that can follow the text of `matcher`, and clears all others. `mask` has
  /// vocabulary / 64 + 1 words or more. Control tokens are never set: the end token is the caller's business, who asks
  /// Matcher::whole().
  void make(Matcher& matcher, std::span<std::uint64_t> mask) noexcept {
    matcher_ = &matcher;
    threads_ = &matcher.threads_;
    nodes_ = trie_->nodes();
    for (std::uint64_t& word : bits_) word = 0;
    many_ = false;
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
      if (in_text(thread)) add_text(thread);
    }
    if (matcher.grammar_->distinct_keys) remove_repeated_keys();
    if (matcher.grammar_->scarce_keys && matcher.keys_.begins_another()) remove_dry_beginnings();
    write(mask);
  }

 private:
  static constexpr std::size_t words(std::size_t bits) noexcept { return bits / 64 + 1; }
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

  /// What one text state allows by itself; of the memory of MaskMaker.
  struct Known {
    std::uint64_t grammar = 0;             // its id
    std::uint32_t state = kDead;           // kDead: nothing is known
    Spelling spelling = Spelling::raw;
  };

  /// Sets the tokens of one thread that is in a text.
  void add_text(const Thread& thread) noexcept {
    const ThreadSet alone = threads_->alone(thread, matcher_->now_);
    behind_ = threads_->behind_rule(alone, thread);
    goes_on_ = threads_->goes_on(behind_);
    spelling_ = Threads::spelling(thread);
    free_ = &trie_->free_text(spelling_, matcher_->grammar_->ascii);
    const std::uint32_t state = thread.state & ~Threads::kText;
    const bool lasting = Threads::between_characters(thread) && !(spelling_ == Spelling::raw && goes_on_);
    std::size_t entry = 0;
    while (entry < kKnown && !(known_[entry].state == state && known_[entry].grammar == matcher_->grammar_->id &&
                               known_[entry].spelling == spelling_))
      ++entry;
    const bool known = lasting && entry < kKnown;
    if (!known) entry = next_ = (next_ + 1) % kKnown;
    text_bits_ = {known_bits_.data() + entry * words_, words_};
    closed_ = {closed_bits_.data() + entry * closed_words_, closed_words_};
    if (!known) {
      std::fill(text_bits_.begin(), text_bits_.end(), 0);
      std::fill(closed_.begin(), closed_.end(), 0);
      known_[entry] = {matcher_->grammar_->id, lasting ? state : kDead, spelling_};
      walk_text(thread);
    }
    std::uint64_t set = 0;
    for (std::size_t w = 0; w < words_; ++w) {
      bits_[w] |= text_bits_[w];
      set += text_bits_[w] & 1u;
    }
    many_ = many_ || set > words_ / 2;
    if (!goes_on_) return;
    for (std::size_t w = 0; w < closed_words_; ++w)
      for (std::uint64_t bits = closed_[w]; bits != 0; bits &= bits - 1)
        walk_behind(free_->quotes[w * 64 + static_cast<std::size_t>(std::countr_zero(bits))]);
  }
  /// Walks over all nodes with a thread that is in a text.
  void walk_text(const Thread& thread) noexcept {
    const Grammar& grammar = *matcher_->grammar_;
    automaton_ = &grammar.texts[threads_->text_state(thread).automaton];
    row_ = grammar.next.data() + automaton_->next;
    for (unsigned b = 0; b < 128; ++b)
      plain_[b] = spelling_ == Spelling::raw || (b >= 0x20 && b != '"' && b != '\\');
    places_[0] = {thread.state & ~Threads::kText, thread.partial & 0x3FFFFFFFu};
    const auto end = static_cast<std::uint32_t>(nodes_.size()) - 1;
    if (!count(places_[0]) && !shortcut(0, end)) walk_text(1, end, false);
  }
  /// Settles everything for a text that only counts its characters, and has few left.
  bool count(const TextPlace& place) noexcept {
    const TextState& state = matcher_->grammar_->text_states[place.state];
    if (place.partial != 0 || !state.counts || state.run >= kShortest || free_->short_inside.empty()) return false;
    copy_bits(text_bits_, free_->short_inside.span().subspan(state.run * words_, words_), 0, trie_->ids().size());
    for (std::size_t q = 0; q < free_->quotes.size(); ++q)
      if (free_->lengths[q] <= state.run && free_->lengths[q] >= state.refuses) close(q);
    return true;
  }
  /// Notes that the text is closed at a node of FreeText::quotes.
  void close(std::size_t quote) noexcept {
    const TokenTrie::Node& node = nodes_[free_->quotes[quote]];
    for (std::uint32_t r = node.rank; r < node.rank + node.own; ++r) text_bits_[r / 64] |= std::uint64_t{1} << r % 64;
    closed_[quote / 64] |= std::uint64_t{1} << quote % 64;
  }
  [[nodiscard]] std::size_t quote_at(std::uint32_t node) const noexcept {
    return static_cast<std::size_t>(std::lower_bound(free_->quotes.begin(), free_->quotes.end(), node) -
                                    free_->quotes.begin());
  }
  /// Walks over nodes first..last - 1; with `closings`, only over those below which the text is closed.
  void walk_text(std::uint32_t first, std::uint32_t last, bool closings) noexcept {
    const Speller speller(*matcher_->grammar_);
    std::size_t quote = quote_at(first);
    for (std::uint32_t n = first; n < last;) {
      const TokenTrie::Node& node = nodes_[n];
      if (closings) {
        while (quote < free_->quotes.size() && free_->quotes[quote] < n) ++quote;
        if (quote == free_->quotes.size()) return;
        if (free_->quotes[quote] >= node.skip) {
          n = node.skip;
          continue;
        }
      }
      TextPlace place = places_[node.depth - 1u];
      const Speller::Step step = step_text(speller, place, node.byte);
      if (step == Speller::Step::closed) close(quote_at(n));
      if (step != Speller::Step::inside) {
        n = node.skip;
        continue;
      }
      for (std::uint32_t r = node.rank; r < node.rank + node.own; ++r) text_bits_[r / 64] |= std::uint64_t{1} << r % 64;
      places_[node.depth] = place;
      n = below(n, place) ? node.skip : n + 1;
    }
  }
  /// Speller::step, short for the characters that most tokens are made of.
  Speller::Step step_text(const Speller& speller, TextPlace& place, std::uint8_t byte) const noexcept {
    if (!plain_[byte] || place.partial != 0) return speller.step(place, spelling_, byte);
    place.state = row_[std::size_t{place.state - automaton_->first} * automaton_->classes + automaton_->ascii[byte]];
    return place.state == kDead ? Speller::Step::dead : Speller::Step::inside;
  }
  /// What is below a node inside the text; true when it is settled.
  bool below(std::uint32_t n, const TextPlace& place) noexcept {
    if (nodes_[n].skip == n + 1) return true;
    if (place.partial != 0) return false;
    // A raw text may end wherever its automaton accepts.
    if (spelling_ == Spelling::raw && goes_on_ && matcher_->grammar_->text_states[place.state].accepting)
      walk_behind(n);
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
    copy_bits(text_bits_, free_->inside.span(), begin, end);
    if (raw || (loops ? !state.accepting : state.refuses > node.height)) return true;
    if (loops ? state.accepting : state.accepts > node.height) {
      for (std::size_t q = quote_at(n + 1); q < free_->quotes.size() && free_->quotes[q] < skip; ++q) close(q);
    } else {
      walk_text(n + 1, skip, true);
    }
    return true;
  }
  /// Removes tokens with which an object would have a name twice.
  void remove_repeated_keys() noexcept {
    KeyTracker& keys = matcher_->keys_;
    const bool scarce = matcher_->grammar_->scarce_keys;
    const std::size_t most = keys.inside_key() || scarce ? trie_->quoted().size() : trie_->twice_quoted();
    keys.mark();
    for (const TokenTrie::Quoted& token : trie_->quoted().first(most)) {
      const std::uint32_t rank = token.rank;
      if (!(bits_[rank / 64] >> rank % 64 & 1u)) continue;
      if (!keys.follow(trie_->text(token)) || (scarce && matcher_->runs_dry(matcher_->follow(trie_->text(token)))))
        bits_[rank / 64] &= ~(std::uint64_t{1} << rank % 64);
      keys.revert();
    }
  }
  /// Removes tokens inside a name behind which it could only become one that the object has. They go on as such a name
  /// does, so few nodes are met.
  void remove_dry_beginnings() noexcept {
    KeyTracker& keys = matcher_->keys_;
    const auto end = static_cast<std::uint32_t>(nodes_.size()) - 1;
    char text[kMaxTokenBytes];
    sets_[0] = matcher_->now_;
    keys.mark();
    for (std::uint32_t n = 1; n < end;) {
      const TokenTrie::Node& node = nodes_[n];
      text[node.depth - 1u] = static_cast<char>(node.byte);
      const ThreadSet set = threads_->step(sets_[node.depth - 1u], node.byte);
      const bool goes_on = !set.empty() && keys.follow({text, node.depth}) && keys.begins_another();
      if (goes_on && node.own > 0 && matcher_->runs_dry(set))
        for (std::uint32_t r = node.rank; r < node.rank + node.own; ++r)
          bits_[r / 64] &= ~(std::uint64_t{1} << r % 64);
      keys.revert();
      sets_[node.depth] = set;
      n = goes_on ? n + 1 : node.skip;
    }
  }
  /// From bits by rank to bits by id. Where most tokens are set, only what differs from a free string is looked at.
  void write(std::span<std::uint64_t> mask) noexcept {
    const std::size_t words = this->words(trie_->ids().size());
    const std::span<const std::uint64_t> ranks = trie_->string_by_rank(), by_id = trie_->string_by_id();
    const bool differences = many_;
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
  const FreeText* free_ = nullptr;      // likewise
  ThreadSet behind_;                    // the set behind it
  bool goes_on_ = false;                // something can follow there
  const TextAutomaton* automaton_ = nullptr;  // of the text
  const std::uint32_t* row_ = nullptr;        // its transitions
  bool plain_[256] = {};                      // bytes that are characters by themselves
  bool many_ = false;                         // about half of all tokens are set, or more
  static constexpr std::size_t kKnown = 24;   // texts whose results are kept
  Known known_[kKnown];
  std::size_t next_ = 0, words_ = 0, closed_words_ = 0;
  std::span<std::uint64_t> text_bits_, closed_;  // what the text that is walked allows: tokens, and closing nodes
  Buffer<std::uint64_t> bits_;          // by rank
  Buffer<ThreadSet> sets_;              // by depth
  Buffer<TextPlace> places_;            // of the text, by depth
  Buffer<std::uint64_t> known_bits_, closed_bits_;  // of all kKnown texts
};

}  // namespace constraint
DSVL_END_NAMESPACE

#endif  // DSVL_CONSTRAINT_MASK_HPP
