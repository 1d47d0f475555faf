// The decoder's keys and values: pages of 64 tokens, each holding all layers and heads.
//
// A page is the unit that is shared between sessions, copied on write and evicted; the attention kernel reads it block
// by block, where a block is one layer and head of a page. Positions are absolute: token p is in page p / 64, at p %
// 64.
// Source: arXiv:2309.06180 for paged caches.
#ifndef DSVL_LANGUAGE_KV_CACHE_HPP
#define DSVL_LANGUAGE_KV_CACHE_HPP

#include <span>

#include "../nn/attention.hpp"

DSVL_BEGIN_NAMESPACE

/// Bytes of one page: 64 tokens of every layer and head.
template <class T>
constexpr Index kv_page_bytes(HeadShape shape, Index layers, KvFormat format) noexcept {
  return layers * shape.kv_heads * kv_block_bytes<T>(format, shape.head_dim);
}

/// How pages are divided into blocks, which is the same for all sequences of a model.
struct KvLayout {
  Index layer_bytes = 0;  ///< of one layer within a page
  Index block_bytes = 0;  ///< of one head
  KvFormat format = KvFormat::full;

  /// The blocks of layer i in a page of any sequence.
  [[nodiscard]] KvBlocks layer(Index i) const noexcept { return {nullptr, i * layer_bytes, block_bytes, format}; }
};
/// The layout for activations of scalar T.
template <class T>
constexpr KvLayout kv_layout(HeadShape shape, KvFormat format) noexcept {
  const Index block = kv_block_bytes<T>(format, shape.head_dim);
  return {shape.kv_heads * block, block, format};
}

/// The page table of one sequence. It knows where pages are, not who owns them, so several sequences may share a page.
template <class T>
class KvCache {
 public:
  /// Declares a table for `context` tokens, rounded up to whole pages. The caller puts pages in with set_page().
  void carve_table(Arena& arena, HeadShape shape, Index context, KvFormat format) noexcept {
    layout_ = kv_layout<T>(shape, format);
    pages_ = ceil_div(context, kKvBlock);
    table_ = arena.array<std::byte*>("kv page table", pages_);
  }
  /// Declares such a table and memory for all its pages, which then belong to this sequence alone.
  void carve(Arena& arena, HeadShape shape, Index layers, Index context, KvFormat format) noexcept {
    carve_table(arena, shape, context, format);
    const Index page_bytes = kv_page_bytes<T>(shape, layers, format);
    std::byte* const memory = arena.array<std::byte>("kv cache", pages_ * page_bytes);
    if (!arena.measuring())
      for (Index p = 0; p < pages_; ++p) table_[p] = memory + p * page_bytes;
  }

  [[nodiscard]] const KvLayout& layout() const noexcept { return layout_; }
  /// The blocks of layer i, as the attention kernels take them. They stay valid when a page is replaced, since they
  /// point to the table.
  [[nodiscard]] KvBlocks layer(Index i) const noexcept {
    KvBlocks blocks = layout_.layer(i);
    blocks.pages = table_;
    return blocks;
  }
  /// Writes the places of the positions [start, start + rows.size()) of this sequence to `rows`, for a forward pass.
  /// They stay valid when a page is replaced.
  SequenceRows place_rows(Index start, std::span<SequenceRow> rows) const noexcept {
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = {table_, start + static_cast<Index>(i)};
    return {rows.data(), start + static_cast<Index>(rows.size())};
  }
  /// Tokens that the table has room for.
  [[nodiscard]] Index capacity() const noexcept { return pages_ * kKvBlock; }
  /// Pages that the table has room for.
  [[nodiscard]] Index pages() const noexcept { return pages_; }
  /// Puts a page of kv_page_bytes() at place p, aligned to kAlignment. No forward pass may run meanwhile.
  void set_page(Index p, std::byte* memory) noexcept { table_[p] = memory; }

 private:
  std::byte** table_ = nullptr;
  Index pages_ = 0;
  KvLayout layout_;
};

DSVL_END_NAMESPACE

#endif  // DSVL_LANGUAGE_KV_CACHE_HPP
