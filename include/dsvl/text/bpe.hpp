// Byte pair encoding of one piece: the adjacent pair of lowest rank is joined, the leftmost on ties, until no rule
// joins any pair.
//
// MergeTable holds the rules and merge_pairs() applies them. Short pieces, which are nearly all words, are scanned for
// the lowest rank. Long ones use a heap over a linked list, which is O(n log n), so a megabyte without a space cannot
// stall the tokenizer.
// Source: Sennrich, Haddow, Birch 2016 (arXiv:1508.07909); the order of joins is that of HF `tokenizers`.
#ifndef DSVL_TEXT_BPE_HPP
#define DSVL_TEXT_BPE_HPP

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <functional>
#include <limits>

#include "../base/buffer.hpp"

DSVL_BEGIN_NAMESPACE

/// The rules (left, right) -> joined in order of rank, with a hash table from pair to rank. The 99 757 rules of the
/// published vocabulary take 3.3 MB.
class MergeTable {
 public:
  /// The ids of two tokens and of the token that they become.
  struct Rule { std::int32_t left, right, joined; };
  /// The rank of a pair that no rule joins; it is above all others.
  static constexpr std::uint32_t kNoRank = (std::numeric_limits<std::uint32_t>::max)();

  /// An empty table; reserve() must come before add().
  explicit MergeTable(Allocator* from = nullptr) noexcept : rules_(from), slots_(from) {}

  /// Takes memory for that many rules; false when there is none.
  [[nodiscard]] bool reserve(std::size_t rules) noexcept {
    std::size_t places = 16;
    while (places < rules * 2) places *= 2;  // at most half full, so that a search soon meets a free place
    if (!rules_.reserve(rules) || !slots_.resize(places)) return false;
    for (HashSlot& slot : slots_) slot = {0, kNoRank};
    mask_ = places - 1;
    return true;
  }

  /// Adds the rule of the next rank, at most as many as were reserved. False when the pair already has one.
  [[nodiscard]] bool add(const Rule& rule) noexcept {
    const std::uint64_t h = hash(rule.left, rule.right);
    auto at = static_cast<std::size_t>(h) & mask_;
    for (; slots_[at].rank != kNoRank; at = (at + 1) & mask_)
      if (slots_[at].tag == tag(h) && is(slots_[at].rank, rule.left, rule.right)) return false;
    slots_[at] = {tag(h), static_cast<std::uint32_t>(rules_.size())};
    return rules_.push_back(rule);
  }

  /// Rank of the pair, or kNoRank. The table is at most half full, so about two places are looked at.
  [[nodiscard]] std::uint32_t rank(std::int32_t left, std::int32_t right) const noexcept {
    const std::uint64_t h = hash(left, right);
    for (auto at = static_cast<std::size_t>(h) & mask_;; at = (at + 1) & mask_) {
      const HashSlot slot = slots_[at];
      if (slot.rank == kNoRank || (slot.tag == tag(h) && is(slot.rank, left, right))) return slot.rank;
    }
  }
  /// The rule of a rank.
  [[nodiscard]] const Rule& rule(std::uint32_t rank) const noexcept { return rules_[rank]; }

 private:
  /// A place of the hash table. The tag is the other half of the hash. Comparing it first saves a cache miss, that of
  /// looking into rules_, for nearly every pair that has no rule.
  struct HashSlot { std::uint32_t tag, rank; };

  static std::uint64_t hash(std::int32_t left, std::int32_t right) noexcept {
    std::uint64_t h = std::uint64_t{static_cast<std::uint32_t>(left)} << 32 | static_cast<std::uint32_t>(right);
    h = (h ^ h >> 32) * 0xD6E8FEB86659FD93ull;
    return h ^ h >> 32;
  }
  static std::uint32_t tag(std::uint64_t hash) noexcept { return static_cast<std::uint32_t>(hash >> 32); }
  [[nodiscard]] bool is(std::uint32_t rank, std::int32_t left, std::int32_t right) const noexcept {
    return rules_[rank].left == left && rules_[rank].right == right;
  }

  Buffer<Rule> rules_;
  Buffer<HashSlot> slots_;
  std::size_t mask_ = 0;
};

/// Working memory of merge_pairs(), kept from piece to piece so that it is allocated once per text.
struct MergeScratch {
  /// A token of the piece, linked to its neighbours by their index.
  struct Symbol { std::int32_t id; std::uint32_t previous, next; };

  /// Empty memory from an allocator; null means operator new.
  explicit MergeScratch(Allocator* from = nullptr) noexcept : symbols(from), heap(from) {}
  Buffer<Symbol> symbols;      ///< linked list of the symbols that are left
  Buffer<std::uint64_t> heap;  ///< rank << 32 | position of the left symbol, so the smallest is the next to join
};

/// Up to so many symbols, scanning for the lowest rank is faster than a heap.
inline constexpr std::size_t kFewSymbols = 32;
/// merge_pairs() for `n` <= kFewSymbols symbols. Returns the number that is left.
inline std::size_t merge_few(const MergeTable& table, std::int32_t* ids, std::size_t n) noexcept {
  std::uint32_t ranks[kFewSymbols];  // of the pairs (i, i + 1)
  for (std::size_t i = 0; i + 1 < n; ++i) ranks[i] = table.rank(ids[i], ids[i + 1]);
  while (n > 1) {
    std::size_t best = 0;
    for (std::size_t i = 1; i + 1 < n; ++i)
      if (ranks[i] < ranks[best]) best = i;
    if (ranks[best] == MergeTable::kNoRank) break;
    ids[best] = table.rule(ranks[best]).joined;
    --n;
    for (std::size_t i = best + 1; i < n; ++i) ids[i] = ids[i + 1], ranks[i - 1] = ranks[i];
    if (best > 0) ranks[best - 1] = table.rank(ids[best - 1], ids[best]);
    if (best + 1 < n) ranks[best] = table.rank(ids[best], ids[best + 1]);
  }
  return n;
}

/// merge_pairs() for any number of symbols below 2^31. False when memory runs out.
inline bool merge_many(const MergeTable& table, std::int32_t* ids, std::size_t& n, MergeScratch& scratch) noexcept {
  constexpr std::uint32_t kEnd = (std::numeric_limits<std::uint32_t>::max)();
  auto& symbols = scratch.symbols;
  auto& heap = scratch.heap;
  const auto later = std::greater<std::uint64_t>();
  if (!symbols.resize(n)) return false;
  heap.clear();
  // `candidate` appends a pair to the unordered heap, `push` to the ordered one. Both return false only when memory
  // runs out; a pair without a rule is no error.
  const auto candidate = [&](std::uint32_t left) noexcept {
    const std::uint32_t rank = table.rank(symbols[left].id, symbols[symbols[left].next].id);
    return rank == MergeTable::kNoRank || heap.push_back(std::uint64_t{rank} << 32 | left);
  };
  const auto push = [&](std::uint32_t left) noexcept {
    const std::size_t before = heap.size();
    if (!candidate(left)) return false;
    if (heap.size() > before) std::push_heap(heap.begin(), heap.end(), later);
    return true;
  };
  const auto count = static_cast<std::uint32_t>(n);
  for (std::uint32_t i = 0; i < count; ++i) symbols[i] = {ids[i], i == 0 ? kEnd : i - 1, i + 1 == count ? kEnd : i + 1};
  for (std::uint32_t i = 0; i + 1 < count; ++i)
    if (!candidate(i)) return false;
  std::make_heap(heap.begin(), heap.end(), later);
  while (!heap.empty()) {
    const std::uint64_t top = heap[0];
    std::pop_heap(heap.begin(), heap.end(), later);
    if (!heap.resize(heap.size() - 1)) return false;
    const MergeTable::Rule& rule = table.rule(static_cast<std::uint32_t>(top >> 32));
    const auto left = static_cast<std::uint32_t>(top);
    const std::uint32_t right = symbols[left].next;
    // A candidate is stale when one of its two symbols was joined with another one meanwhile.
    if (symbols[left].id != rule.left || right == kEnd || symbols[right].id != rule.right) continue;
    symbols[left].id = rule.joined;
    symbols[left].next = symbols[right].next;
    symbols[right].id = -1;
    if (symbols[left].next != kEnd) {
      symbols[symbols[left].next].previous = left;
      if (!push(left)) return false;
    }
    if (symbols[left].previous != kEnd && !push(symbols[left].previous)) return false;
  }
  n = 0;
  for (std::uint32_t i = 0; i != kEnd; i = symbols[i].next) ids[n++] = symbols[i].id;
  return true;
}

/// Joins the tokens ids[0, n) by the rules, in place; `n` becomes the number that is left. False when memory runs out.
///
/// Cost   O(n^2) up to kFewSymbols, then O(n log n)
inline bool merge_pairs(const MergeTable& table, std::int32_t* ids, std::size_t& n, MergeScratch& scratch) noexcept {
  if (n > kFewSymbols) return merge_many(table, ids, n, scratch);
  n = merge_few(table, ids, n);
  return true;
}

DSVL_END_NAMESPACE

#endif  // DSVL_TEXT_BPE_HPP
