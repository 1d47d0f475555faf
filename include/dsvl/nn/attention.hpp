// Attention over blocks of keys and values: one kernel for the decoder's growing cache, SigLIP's 576 tokens and SAM's
// windows and whole maps.
//
// Keys and values are first stored into blocks of 64 tokens at absolute positions (K transposed, so that the kernel's
// lanes run across keys), then read back as stored. A page holds the blocks of all heads, and in the cache those of all
// layers.
#ifndef DSVL_NN_ATTENTION_HPP
#define DSVL_NN_ATTENTION_HPP

#include <algorithm>
#include <cmath>

#include "tiling.hpp"

DSVL_BEGIN_NAMESPACE

/// One layer's keys and values in memory: block b of head h starts at pages[b] + offset + h * block_bytes.
struct KvBlocks {
  std::byte* const* pages = nullptr;
  Index offset = 0;       ///< of this layer inside a page
  Index block_bytes = 0;  ///< of one head
  KvFormat format = KvFormat::full;

  [[nodiscard]] Index head_offset(Index head) const noexcept { return offset + head * block_bytes; }
  [[nodiscard]] std::byte* block(Index position, Index head) const noexcept {
    return pages[position / kKvBlock] + head_offset(head);
  }
};

/// Division of an activation's width into heads. `heads` queries share `kv_heads` keys and values (grouped-query
/// attention); with equal numbers it is plain multi-head attention.
struct HeadShape {
  Index heads = 0, kv_heads = 0, head_dim = 0;
  [[nodiscard]] constexpr Index width() const noexcept { return heads * head_dim; }
  [[nodiscard]] constexpr Index kv_width() const noexcept { return kv_heads * head_dim; }
  [[nodiscard]] constexpr Index kv_head(Index head) const noexcept { return head * kv_heads / heads; }
  constexpr bool operator==(const HeadShape&) const noexcept = default;
};

/// Memory for the keys and values of `sequences` independent sequences of `tokens` each, for one layer at a time. The
/// pages of a sequence follow one another. The page table is filled once and for all, so it must not overlap() with
/// anything in the arena; the memory itself may.
template <class T>
struct KvSpace {
  std::byte** table = nullptr;
  Index pages = 0, page_bytes = 0, block_bytes = 0;

  void carve_table(Arena& arena, HeadShape shape, Index sequences, Index tokens) noexcept {
    pages = sequences * ceil_div(tokens, kKvBlock);
    block_bytes = kv_block_bytes<T>(KvFormat::full, shape.head_dim);
    page_bytes = shape.kv_heads * block_bytes;
    table = arena.array<std::byte*>("kv page table", pages);
  }
  void carve_memory(Arena& arena) noexcept {
    std::byte* const memory = arena.array<std::byte>("keys and values", pages * page_bytes);
    if (!arena.measuring())
      for (Index p = 0; p < pages; ++p) table[p] = memory + p * page_bytes;
  }
  [[nodiscard]] KvBlocks blocks() const noexcept { return {table, 0, block_bytes, KvFormat::full}; }
};

namespace ops {

/// Stores rows of k and v at the positions *start, *start + 1, … of one sequence, or from 0 in each of several.
template <class T>
struct StoreKv {
  static constexpr const char* kName = "store_kv";
  RowCount count;
  View<const T> k, v;
  HeadShape shape;
  const Index* start;  // null: 0
  Index sequence;      // rows per sequence; 0: all rows are one sequence
  KvBlocks to;

  // K is stored transposed, so one token's key touches head_dim different cache lines. Splitting by heads lets several
  // workers overlap those misses.
  static constexpr Index kRows = 16, kHeads = 8;
  [[nodiscard]] Index across() const noexcept { return ceil_div(shape.kv_heads, kHeads); }
  [[nodiscard]] Index tiles() const noexcept { return ceil_div(count.of(k.rows), kRows) * across(); }
  [[nodiscard]] Index scratch() const noexcept { return 0; }
  [[nodiscard]] double cost() const noexcept { return 8.0 * static_cast<double>(count.of(k.rows) * k.cols); }
  void run(const Worker<T>& on, Index tile) const noexcept {
    const Range r = tile_range(tile / across(), kRows, count.of(k.rows));
    const Range heads = tile_range(tile % across(), kHeads, shape.kv_heads);
    for (Index i = r.first, rows; i < r.first + r.count; i += rows) {
      const Index at = sequence ? i % sequence : i;
      const Index position = (start ? *start : 0) + (sequence ? i / sequence * round_up(sequence, kKvBlock) : 0) + at;
      rows = std::min<Index>(r.first + r.count - i, kKvBlock - position % kKvBlock);  // of one block
      if (sequence) rows = std::min<Index>(rows, sequence - at);
      for (Index h = heads.first; h < heads.first + heads.count; ++h)
        on.kernels.store_kv({.k = k.row(i) + h * shape.head_dim, .v = v.row(i) + h * shape.head_dim,
                             .k_stride = k.stride, .v_stride = v.stride, .rows = rows, .head_dim = shape.head_dim,
                             .format = to.format, .block = to.block(position, h), .slot = position % kKvBlock});
    }
  }
};

/// Attends queries in blocks of rows. All tiles of a head come before the next head's, so that its keys and values stay
/// in the caches.
template <class T>
struct Attend {
  static constexpr const char* kName = "attention";
  RowCount count;
  View<const T> q;
  HeadShape shape;
  T scale;
  KvBlocks from;
  const Index* start;  // causal: position of row 0; null: every row sees all `keys`
  Index keys;
  View<T> y;

  static constexpr Index kMaxRows = 32;
  [[nodiscard]] Index visible() const noexcept { return start ? *start + count.of(q.rows) : keys; }
  [[nodiscard]] Index row_step() const noexcept {
    const double per_row = 4.0 * static_cast<double>(visible() * shape.head_dim);
    return std::clamp<Index>(static_cast<Index>(kTileFlops / (per_row + 1.0)) / 4 * 4, 4, kMaxRows);
  }
  [[nodiscard]] Index parts() const noexcept { return ceil_div(count.of(q.rows), row_step()); }
  [[nodiscard]] Index tiles() const noexcept { return shape.heads * parts(); }
  [[nodiscard]] Index scratch() const noexcept { return attend_scratch(kMaxRows, shape.head_dim); }
  [[nodiscard]] double cost() const noexcept {
    const double rows = static_cast<double>(count.of(q.rows)), seen = static_cast<double>(visible());
    return 4.0 * rows * static_cast<double>(shape.width()) * (start ? seen - (rows - 1) / 2 : seen);
  }
  void run(const Worker<T>& on, Index tile) const noexcept {
    const Index head = tile / parts(), at = head * shape.head_dim;
    const Range r = tile_range(tile % parts(), row_step(), count.of(q.rows));
    on.kernels.attend({.q = q.row(r.first) + at, .q_stride = q.stride, .rows = r.count, .head_dim = shape.head_dim,
                       .scale = scale, .pages = from.pages, .offset = from.head_offset(shape.kv_head(head)),
                       .format = from.format, .keys = start ? *start + r.first + 1 : keys, .keys_step = start ? 1 : 0,
                       .y = y.row(r.first) + at, .y_stride = y.stride},
                      on.scratch);
  }
};

}  // namespace ops

/// Stores k and v (rows, kv_heads * head_dim) at the positions *start, *start + 1, … of the cache; null means from 0.
template <class On>
void store_kv(On& on, View<const Scalar<On>> k, View<const Scalar<On>> v, HeadShape shape, const Index* start,
              KvBlocks to) noexcept {
  on(ops::StoreKv<Scalar<On>>{on.rows(), k, v, shape, start, 0, to});
}

/// Stores independent sequences of `sequence` rows each, every one from position 0, into a KvSpace.
template <class On>
void store_kv_sequences(On& on, View<const Scalar<On>> k, View<const Scalar<On>> v, HeadShape shape, Index sequence,
                        KvBlocks to) noexcept {
  on(ops::StoreKv<Scalar<On>>{on.rows(), k, v, shape, nullptr, sequence, to});
}

/// y = softmax(q k^T / sqrt(head_dim)) v, every query seeing all `keys` stored positions.
///
/// q, y   (tokens, heads * head_dim); may be the same memory only if identical
/// Cost   4 * tokens * keys * width operations
template <class On>
void attention(On& on, View<const Scalar<On>> q, HeadShape shape, KvBlocks from, Index keys,
               View<Scalar<On>> y) noexcept {
  const double scale = 1.0 / std::sqrt(static_cast<double>(shape.head_dim));
  on(ops::Attend<Scalar<On>>{on.rows(), q, shape, static_cast<Scalar<On>>(scale), from, nullptr, keys, y});
}

/// Causal attention: row i stands at position *start + i and sees the positions up to its own.
///
/// q, y   (tokens, heads * head_dim); `start` is read when the program runs
template <class On>
void causal_attention(On& on, View<const Scalar<On>> q, HeadShape shape, KvBlocks from, const Index* start,
                      View<Scalar<On>> y) noexcept {
  const double scale = 1.0 / std::sqrt(static_cast<double>(shape.head_dim));
  on(ops::Attend<Scalar<On>>{on.rows(), q, shape, static_cast<Scalar<On>>(scale), from, start, 0, y});
}

DSVL_END_NAMESPACE

#endif  // DSVL_NN_ATTENTION_HPP
