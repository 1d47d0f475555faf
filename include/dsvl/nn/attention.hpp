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

/// The rows of a pass, a table that is read when the program runs. Rows that stand together and have keys in common, of
/// one sequence or of a prefix that several share, read them together; their order changes no result.
struct SequenceRows {
  const SequenceRow* table = nullptr;
  Index keys = 0;  ///< the most that any row sees: its position + 1

  [[nodiscard]] const SequenceRow& operator[](Index i) const noexcept { return table[i]; }
  /// How many of the `most` rows from `first` on follow one another in one sequence.
  [[nodiscard]] Index run(Index first, Index most) const noexcept {
    Index n = 1;
    while (n < most && table[first + n] == table[first].behind(n)) ++n;
    return n;
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

/// Where the last rows of a pass leave how they weigh the keys, head by head: memory for one layer at a time.
template <class T>
struct HeadWeights {
  View<T> data;                  ///< (rows * heads, keys), each row with room for whole blocks; no columns: none do
  Index heads = 0;               ///< of the queries
  const Index* first = nullptr;  ///< the first row that does so, as all behind it; read when the program runs

  /// True when rows leave their weights. It does not need the memory, so that it holds while an arena measures.
  [[nodiscard]] explicit operator bool() const noexcept { return data.cols > 0; }
  /// (keys): the weights of the i-th of these rows in one head.
  [[nodiscard]] T* of(Index i, Index head) const noexcept { return data.row(i * heads + head); }
};

namespace ops {

/// Stores rows of k and v at the places that a table has for them, or from 0 on in each of several equal sequences.
template <class T>
struct StoreKv {
  static constexpr const char* kName = "store_kv";
  RowCount count;
  View<const T> k, v;
  HeadShape shape;
  const SequenceRows* places;  // null: every sequence begins at 0
  Index sequence;              // rows per sequence then; 0: all rows are one sequence
  KvBlocks to;                 // its pages are not read where there are places

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
      const SequenceRow at = place(i);
      rows = std::min<Index>(r.first + r.count - i, kKvBlock - at.position % kKvBlock);  // of one block
      if (places) rows = places->run(i, rows);
      else if (sequence) rows = std::min<Index>(rows, sequence - i % sequence);
      for (Index h = heads.first; h < heads.first + heads.count; ++h)
        on.kernels.store_kv({.k = k.row(i) + h * shape.head_dim, .v = v.row(i) + h * shape.head_dim,
                             .k_stride = k.stride, .v_stride = v.stride, .rows = rows, .head_dim = shape.head_dim,
                             .format = to.format,
                             .block = at.pages[at.position / kKvBlock] + to.head_offset(h),
                             .slot = at.position % kKvBlock});
    }
  }

 private:
  [[nodiscard]] SequenceRow place(Index i) const noexcept {
    if (places) return (*places)[i];
    return {to.pages, sequence ? i / sequence * round_up(sequence, kKvBlock) + i % sequence : i};
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
  KvBlocks from;               // its pages are not read where there are places
  const SequenceRows* places;  // causal: every row sees its sequence up to its own position; null: all rows see `keys`
  Index keys;
  View<T> y;
  HeadWeights<T> weights;

  static constexpr Index kMaxRows = 32;
  [[nodiscard]] Index visible() const noexcept { return places ? places->keys : keys; }
  [[nodiscard]] Index row_step() const noexcept {
    const double per_row = 4.0 * static_cast<double>(visible() * shape.head_dim);
    return std::clamp<Index>(static_cast<Index>(kTileFlops / (per_row + 1.0)) / 4 * 4, 4, kMaxRows);
  }
  [[nodiscard]] Index parts() const noexcept { return ceil_div(count.of(q.rows), row_step()); }
  [[nodiscard]] Index tiles() const noexcept { return shape.heads * parts(); }
  [[nodiscard]] Index scratch() const noexcept { return attend_scratch(kMaxRows, shape.head_dim); }
  [[nodiscard]] double cost() const noexcept {
    const double rows = static_cast<double>(count.of(q.rows)), seen = static_cast<double>(visible());
    return 4.0 * rows * static_cast<double>(shape.width()) * (places ? seen - (rows - 1) / 2 : seen);
  }
  void run(const Worker<T>& on, Index tile) const noexcept {
    const Index head = tile / parts(), at = head * shape.head_dim;
    const Range r = tile_range(tile % parts(), row_step(), count.of(q.rows));
    AttendTile<T> t{.q = q.row(r.first) + at, .q_stride = q.stride, .rows = r.count, .head_dim = shape.head_dim,
                    .scale = scale, .pages = from.pages, .offset = from.head_offset(shape.kv_head(head)),
                    .format = from.format, .keys = keys, .places = places ? &(*places)[r.first] : nullptr,
                    .y = y.row(r.first) + at, .y_stride = y.stride};
    if (weights && *weights.first < r.first + r.count) {
      t.weights_from = std::max<Index>(*weights.first - r.first, 0);
      t.weights = weights.of(r.first + t.weights_from - *weights.first, head);
      t.weights_stride = weights.heads * weights.data.stride;
    }
    on.kernels.attend(t, on.scratch);
  }
};

}  // namespace ops

/// Stores k and v (rows, kv_heads * head_dim) at their places, which are read when the program runs; null means from
/// position 0 on in the pages of `to`.
template <class On>
void store_kv(On& on, View<const Scalar<On>> k, View<const Scalar<On>> v, HeadShape shape, const SequenceRows* places,
              KvBlocks to) noexcept {
  on(ops::StoreKv<Scalar<On>>{on.rows(), k, v, shape, places, 0, to});
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
  on(ops::Attend<Scalar<On>>{on.rows(), q, shape, static_cast<Scalar<On>>(scale), from, nullptr, keys, y, {}});
}

/// Causal attention: each row sees the positions of its sequence up to its own. Rows of several sequences may share a
/// pass; a row's result does not depend on the others.
///
/// q, y     (tokens, heads * head_dim); `places` has one for each row, and is read when the program runs
/// weights  what some rows leave behind beside y, which has the same bits with it and without
template <class On>
void causal_attention(On& on, View<const Scalar<On>> q, HeadShape shape, KvBlocks from, const SequenceRows* places,
                      View<Scalar<On>> y, HeadWeights<Scalar<On>> weights = {}) noexcept {
  const double scale = 1.0 / std::sqrt(static_cast<double>(shape.head_dim));
  on(ops::Attend<Scalar<On>>{on.rows(), q, shape, static_cast<Scalar<On>>(scale), from, places, 0, y, weights});
}

DSVL_END_NAMESPACE

#endif  // DSVL_NN_ATTENTION_HPP
