// The decoder's keys and values: pages of 64 tokens, each holding all layers and heads.
//
// A page is the unit that is shared, copied on write and evicted; the attention kernel reads it block by block.
// Positions are absolute: token p stands in page p / 64, slot p % 64.
#ifndef DSVL_LANGUAGE_KV_CACHE_HPP
#define DSVL_LANGUAGE_KV_CACHE_HPP

#include "../nn/attention.hpp"

DSVL_BEGIN_NAMESPACE

template <class T>
class KvCache {
 public:
  /// Room for `context` tokens, rounded up to whole pages. The page table is the session's own; a page may be shared.
  void carve(Arena& arena, HeadShape shape, Index layers, Index context, KvFormat format) noexcept {
    format_ = format;
    block_bytes_ = kv_block_bytes<T>(format, shape.head_dim);
    layer_bytes_ = shape.kv_heads * block_bytes_;
    pages_ = ceil_div(context, kKvBlock);
    table_ = arena.array<std::byte*>("kv page table", pages_);
    std::byte* const memory = arena.array<std::byte>("kv cache", pages_ * layers * layer_bytes_);
    if (!arena.measuring())
      for (Index p = 0; p < pages_; ++p) table_[p] = memory + p * layers * layer_bytes_;
  }

  [[nodiscard]] KvBlocks layer(Index i) const noexcept { return {table_, i * layer_bytes_, block_bytes_, format_}; }
  [[nodiscard]] Index capacity() const noexcept { return pages_ * kKvBlock; }

 private:
  std::byte** table_ = nullptr;
  Index pages_ = 0, layer_bytes_ = 0, block_bytes_ = 0;
  KvFormat format_ = KvFormat::full;
};

DSVL_END_NAMESPACE

#endif  // DSVL_LANGUAGE_KV_CACHE_HPP
