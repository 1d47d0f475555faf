// MaskMaker: which tokens may come next.
//
// The tree of tokens is walked, with the set of threads of each node on a stack; a node that no thread reaches cuts off
// everything below it. Outside of strings few bytes are possible, so few nodes are met. Inside of strings nearly all
// tokens are possible: there, as long as any character may follow, what stays inside is copied from FreeText, and only
// the nodes at which the string is closed are walked on from.
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
  explicit MaskMaker(Allocator* from = nullptr) noexcept : bits_(from), sets_(from) {}
  /// Takes memory for a vocabulary; false when there is none.
  [[nodiscard]] bool open(std::size_t vocabulary) noexcept {
    return bits_.resize(vocabulary / 64 + 1) && sets_.resize(kMaxTokenBytes + 1);
  }
  /// Bytes that open() takes.
  static constexpr std::size_t bytes_for(std::size_t vocabulary) noexcept {
    return (vocabulary / 64 + 1) * 8 + (kMaxTokenBytes + 1) * sizeof(ThreadSet) + 2 * kAlignment;
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
    const std::uint32_t end = static_cast<std::uint32_t>(nodes_.size()) - 1;
    // Threads inside a text where anything may stand are walked one by one, the others together.
    const ThreadSet all = matcher.now_;
    ThreadSet rest{all.end, all.end, all.frames};
    for (std::uint32_t i = 0; i < all.end - all.begin; ++i) {
      const Thread thread = (*threads_)[all][i];
      if (!roomy(thread)) {
        const ThreadSet one = threads_->alone(thread, rest);
        rest.end = one.end;
      }
    }
    if (!rest.empty()) {
      text_frame_ = Threads::kNoFrame;
      sets_[0] = rest;
      walk(1, end, nullptr);
    }
    for (std::uint32_t i = 0; i < all.end - all.begin; ++i) {
      const Thread thread = (*threads_)[all][i];
      if (!roomy(thread)) continue;
      text_frame_ = thread.frame;
      sets_[0] = threads_->alone(thread, all);
      if (!shortcut(sets_[0], 0)) walk(1, end, nullptr);
    }
    if (matcher.grammar_->distinct_keys) remove_repeated_keys();
    write(mask);
  }

 private:
  [[nodiscard]] bool roomy(const Thread& t) const noexcept {
    return Threads::between_characters(t) && threads_->text_state(t).free > 0;
  }
  void set_own(const TokenTrie::Node& node) noexcept {
    for (std::uint32_t r = node.rank; r < node.rank + node.own; ++r) bits_[r / 64] |= std::uint64_t{1} << r % 64;
  }
  /// Walks over nodes first..last - 1, which are all below one whose set is known. With `quotes`, only over those
  /// below which a free text is closed; all others are settled.
  void walk(std::uint32_t first, std::uint32_t last, const Buffer<std::uint32_t>* quotes) noexcept {
    const std::uint32_t* quote = quotes ? std::lower_bound(quotes->begin(), quotes->end(), first) : nullptr;
    for (std::uint32_t n = first; n < last;) {
      const TokenTrie::Node& node = nodes_[n];
      if (quotes) {
        while (quote != quotes->end() && *quote < n) ++quote;
        if (quote == quotes->end()) return;
        if (*quote >= node.skip) {
          n = node.skip;
          continue;
        }
      }
      const ThreadSet set = threads_->step(sets_[node.depth - 1u], node.byte);
      if (set.empty()) {
        n = node.skip;
        continue;
      }
      sets_[node.depth] = set;
      set_own(node);
      if (quotes && *quote == n) {  // closed here: what is below goes on behind the text
        walk(n + 1, node.skip, nullptr);
        n = node.skip;
        continue;
      }
      n = node.skip > n + 1 && shortcut(set, n) ? node.skip : n + 1;
    }
  }
  /// Settles everything below a node when its set is inside a text where anything may stand; false when it is not.
  bool shortcut(const ThreadSet& set, std::uint32_t n) noexcept {
    if (text_frame_ == Threads::kNoFrame) return false;
    const Thread* inside = nullptr;
    for (const Thread& t : (*threads_)[set]) {
      if (t.frame == Threads::kNoFrame) continue;  // behind the whole: nothing can follow
      if (inside || t.frame != text_frame_ || !Threads::between_characters(t)) return false;
      inside = &t;
    }
    if (!inside) return false;
    const TokenTrie::Node& node = nodes_[n];
    const TextState& state = threads_->text_state(*inside);
    if (state.free < node.height) return false;
    const Spelling spelling = Threads::spelling(*inside);
    const FreeText& known = trie_->free_text(spelling, matcher_->grammar_->ascii);
    const std::size_t begin = node.rank + node.own, end = nodes_[node.skip].rank;
    copy_bits(bits_.span(), known.inside.span(), begin, end);
    if (spelling == Spelling::raw || state.refuses > node.height) return true;
    const std::uint32_t* const first = std::lower_bound(known.quotes.begin(), known.quotes.end(), n + 1);
    if (first == known.quotes.end() || *first >= node.skip) return true;
    if (state.accepts <= node.height) return walk(n + 1, node.skip, &known.quotes), true;
    copy_bits(bits_.span(), known.closing.span(), begin, end);
    const ThreadSet closed = threads_->step(set, '"');
    const std::uint32_t skip = node.skip, frame = text_frame_;
    text_frame_ = Threads::kNoFrame;
    for (const std::uint32_t* q = first; q != known.quotes.end() && *q < skip; ++q) {
      if (nodes_[*q].skip == *q + 1) continue;
      sets_[nodes_[*q].depth] = closed;
      walk(*q + 1, nodes_[*q].skip, nullptr);
    }
    text_frame_ = frame;
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
  std::uint32_t text_frame_ = 0;   // of the free text that the walk began in; kNoFrame: it did not begin in one
  Buffer<std::uint64_t> bits_;     // by rank
  Buffer<ThreadSet> sets_;         // by depth
};

}  // namespace constraint
DSVL_END_NAMESPACE

#endif  // DSVL_CONSTRAINT_MASK_HPP
