// Attention over cached keys and values: softmax(scale q K^T + bias) V in one pass, 64 keys at a time.
//
// This is online softmax. Blocks lie at fixed positions (block b holds [64 b, 64 b + 64)), and every row goes through
// the blocks it sees with a running maximum, a running sum and a running output, which are rescaled once per block. So
// a row's bits depend only on its q, its bias and its visible keys: not on the rows beside it; and keys behind the last
// visible one are masked and have no influence. K is stored transposed, so lanes run along the keys and scores need no
// sum across lanes.
//
// Rows that read the same block, neighbours in one sequence or forks that share a prefix, all compute scores, then all
// softmax weights, then all add values, so that first only K, then only V lies in the nearest cache. q is multiplied by
// scale * log2(e) once, so that the weights are powers of two, which spares exp's own multiplication by log2(e).
// Sources: online softmax arXiv:1805.02867; blocks as in FlashAttention arXiv:2205.14135.
#ifndef DSVL_KERNELS_ATTENTION_ATTENTION_HPP
#define DSVL_KERNELS_ATTENTION_ATTENTION_HPP

#include <algorithm>
#include <limits>
#include <numbers>

#include "kv_formats.hpp"
#include "../lanes/math.hpp"
#include "../table.hpp"

DSVL_BEGIN_NAMESPACE
namespace kernels {
inline namespace DSVL_ISA {
namespace attention_detail {

/// The micro-tile: six rows, four or one by kVectors vectors of keys (for scores) or of head_dim (for values). The rows
/// share each load.
inline constexpr int kVectors = kRegisters == 32 ? 4 : 2;
/// Vectors for `rows` rows. A row alone takes eight, or as many as `most`, the lanes of a block of keys, fill: so many
/// sums do not wait for each other.
template <int rows, Index most>
inline constexpr int kTileVectors = rows > 1 ? kVectors : static_cast<int>(std::min<Index>(8, most / kLanes));
/// Calls f(count, first) for the blocks of rows that make micro-tiles: as many of six as leave a multiple of four,
/// since a row alone waits for its own sums. A decoded token is alone.
template <class F>
DSVL_FORCE_INLINE void for_each_tile(Index rows, F&& f) noexcept {
  const Index fours = std::min<Index>((3 - rows % 6 / 2) % 3, rows / 4), sixes = (rows - 4 * fours) / 6;
  Index first = 0;
  for (Index i = 0; i < sixes; ++i, first += 6) f(std::integral_constant<int, 6>{}, first);
  for (Index i = 0; i < fours; ++i, first += 4) f(std::integral_constant<int, 4>{}, first);
  for (; first < rows; ++first) f(std::integral_constant<int, 1>{}, first);
}

/// exp(x) = 2^(kLog2E * x).
inline constexpr float kLog2E = std::numbers::log2e_v<float>;

/// The state that each row keeps from block to block, and the scores of the current block: views of the caller's
/// scratch.
struct Rows {
  Index padded;        ///< head_dim, rounded up to kKvPad
  float* query;        ///< (rows, padded), times scale and log2(e)
  float* output;       ///< (rows, padded), not yet divided by the total
  float* scores;       ///< (rows, 64)
  float* totals;       ///< (rows, 16): kLanes partial sums of softmax weights, in room for the widest register
  float* block_max;    ///< (rows): the largest score of the current block
  float* running_max;  ///< (rows): the largest score so far
  float* corrections;  ///< (rows): 2^(old maximum - new maximum), which rescales earlier sums

  Rows(float* scratch, Index rows, Index head_dim) noexcept : padded(round_up(head_dim, kKvPad)), query(scratch) {
    output = query + rows * padded;
    scores = output + rows * padded;
    totals = scores + rows * kKvBlock;
    block_max = totals + rows * kKvPad;
    running_max = block_max + round_up(rows, kKvPad);
    corrections = running_max + round_up(rows, kKvPad);
  }
  float* q(Index r) const noexcept { return query + r * padded; }
  float* out(Index r) const noexcept { return output + r * padded; }
  float* score(Index r) const noexcept { return scores + r * kKvBlock; }
  float* total(Index r) const noexcept { return totals + r * kKvPad; }
};

/// The number of keys of a block that row r sees.
inline Index visible(const AttendTile<float>& t, Index r, Index block) noexcept {
  return std::clamp<Index>(t.keys_of(r) - block * kKvBlock, 0, kKvBlock);
}

/// Rows [first, last), which read one block together.
struct Group { Index first, last; };
/// Calls f(group, block) for the rows that see keys of block b: those that stand together and read the same memory, of
/// one sequence or of a prefix that several share, are a group.
template <class F>
DSVL_FORCE_INLINE void for_each_group(const AttendTile<float>& t, Index b, F&& f) noexcept {
  for (Index first = 0, last; first < t.rows; first = last) {
    last = first + 1;
    if (visible(t, first, b) == 0) continue;
    const std::byte* const block = t.block_of(first, b);
    while (last < t.rows && visible(t, last, b) > 0 && t.block_of(last, b) == block) ++last;
    f(Group{first, last}, block);
  }
}

/// Scores q . k of `rows` rows and some vectors of keys, from `key` on of a block.
/// q       (rows, head_dim), rows `pitch` apart
/// scores  (rows, 64)
template <class Kv, int rows>
DSVL_KERNEL void multiply_keys(const float* q, Index pitch, Index head_dim, const std::byte* k, Index key,
                               float* scores) noexcept {
  constexpr int vectors = kTileVectors<rows, kKvBlock>;
  Lanes dot[rows][vectors];
  unroll<rows>([&](int r) { unroll<vectors>([&](int w) { dot[r][w] = splat(0.0f); }); });
  for (Index d = 0; d < head_dim; ++d) {
    Lanes b[vectors];
    unroll<vectors>([&](int w) { b[w] = keep_in_register(Kv::load(k, d * kKvBlock + key + w * kLanes)); });
    unroll<rows>([&](int r) DSVL_INLINED {
      const Lanes a = keep_in_register(splat(q[r * pitch + d]));
      unroll<vectors>([&](int w) { dot[r][w] = fma(a, b[w], dot[r][w]); });
    });
  }
  unroll<rows>([&](int r) DSVL_INLINED {
    unroll<vectors>([&](int w) { store(scores + r * kKvBlock + key + w * kLanes, dot[r][w]); });
  });
}

/// True in the first n lanes.
DSVL_FORCE_INLINE Mask lanes_below(Index n) noexcept { return iota() < splat(static_cast<float>(n)); }

/// Adds relative position biases to the scores of `keys` keys from `key` on, for a group of rows; of keys that
/// a row does not see they are masked later. For each run of keys in one map row bias_y is constant. Rows of q are the
/// inner loop: two neighbouring runs touch the same vector of a row's scores, and a load right after the partial store
/// of the run before would stall (no store forwarding). The last vector of a run is stored whole, with what was there
/// behind it: stores of some lanes take AMD's processors a dozen times as long. Biases are in natural units, scores are
/// exponents of two.
inline void add_biases(const AttendTile<float>& t, const Rows& at, Group rows, Index key, Index keys) noexcept {
  const Index first = rows.first;
  const Index top = (t.place + first) / t.map_width, left = (t.place + first) % t.map_width;  // of the first row
  Index y = key / t.map_width, x = key % t.map_width;
  for (Index i = 0, run; i < keys; i += run, x = 0, ++y) {
    run = std::min<Index>(t.map_width - x, keys - i);
    for (Index r = first, row_y = top, row_x = left; r < rows.last; ++r) {
      const Lanes of_y = splat(t.bias_y[r * t.bias_stride + y - row_y]);
      const float* const of_x = t.bias_x + r * t.bias_stride + x - row_x;
      float* const s = at.score(r) + i;
      for_each_vector(run, [&](auto part) {
        const Lanes old = load(s + part.i), sum = fma(of_y + part.load(of_x), splat(kLog2E), old);
        store(s + part.i, part.i + kLanes <= run ? sum : select(lanes_below(run - part.i), sum, old));
      });
      if (++row_x == t.map_width) row_x = 0, ++row_y;
    }
  }
}

/// Returns the largest of the first `keys` scores of a row. What follows them in the last vector becomes -infinity.
DSVL_FORCE_INLINE float mask_and_max(float* scores, Index keys) noexcept {
  const Lanes none = splat(-std::numeric_limits<float>::infinity());
  Lanes most = none;
  for (Index j = 0; j < keys; j += kLanes) {
    Lanes x = load(scores + j);
    if (j + kLanes > keys) {
      x = select(lanes_below(keys - j), x, none);
      store(scores + j, x);
    }
    most = larger(most, x);
  }
  return largest(most);
}

/// Turns the scores of row r into softmax weights 2^(score - maximum), not yet divided by their sum, which goes to the
/// totals. What is stored is the weight times the value's scale in q8 (`scales`, else null).
DSVL_FORCE_INLINE void softmax_row(const Rows& at, Index r, Index keys, const float* scales) noexcept {
  float* const s = at.score(r);
  const Lanes maximum = splat(at.running_max[r]);
  Lanes total = splat(0.0f);
  for (Index j = 0; j < keys; j += kLanes) {
    const Lanes p = exp2_of_negative(load(s + j) - maximum);
    store(s + j, scales ? p * load(scales + j) : p);
    total = total + p;
  }
  store(at.total(r), fma(load(at.total(r)), splat(at.corrections[r]), total));
}

/// output = output * correction + sum_j weight_j v_j for `rows` rows from `row` on and `vectors` vectors of head_dim
/// from d on. keys[r] are visible to row r; the rows share the loads of those values that all of them see.
template <class Kv, int rows, int vectors>
DSVL_KERNEL void multiply_values(const Rows& at, Index row, const std::byte* v, const Index* keys, Index d) noexcept {
  Lanes out[rows][vectors];
  unroll<rows>([&](int r) DSVL_INLINED {
    unroll<vectors>(
        [&](int w) { out[r][w] = load(at.out(row + r) + d + w * kLanes) * splat(at.corrections[row + r]); });
  });
  const float* const p = at.score(row);
  Index shared = keys[0];
  for (int r = 1; r < rows; ++r) shared = std::min<Index>(shared, keys[r]);
  for (Index j = 0; j < shared; ++j) {
    Lanes b[vectors];
    unroll<vectors>([&](int w) { b[w] = keep_in_register(Kv::load(v, j * at.padded + d + w * kLanes)); });
    unroll<rows>([&](int r) DSVL_INLINED {
      const Lanes a = keep_in_register(splat(p[r * kKvBlock + j]));
      unroll<vectors>([&](int w) { out[r][w] = fma(a, b[w], out[r][w]); });
    });
  }
  unroll<rows>([&](int r) DSVL_INLINED {
    for (Index j = shared; j < keys[r]; ++j) {
      const Lanes a = splat(p[r * kKvBlock + j]);
      unroll<vectors>([&](int w) { out[r][w] = fma(a, Kv::load(v, j * at.padded + d + w * kLanes), out[r][w]); });
    }
    unroll<vectors>([&](int w) { store(at.out(row + r) + d + w * kLanes, out[r][w]); });
  });
}

/// Computes the scores of a group of rows against its block of keys.
template <class Kv>
DSVL_FORCE_INLINE void score_block(const AttendTile<float>& t, const Rows& at, Group group, Index block,
                                   const std::byte* k) noexcept {
  for_each_tile(group.last - group.first, [&](auto rows, Index row) {
    row += group.first;
    Index keys = 0;
    for (int r = 0; r < rows; ++r) keys = std::max<Index>(keys, visible(t, row + r, block));
    // The last micro-tile may reach past the keys, and never past the block.
    for (Index j = 0; j < keys; j += kTileVectors<rows, kKvBlock> * kLanes)
      multiply_keys<Kv, rows>(at.q(row), at.padded, t.head_dim, k, j, at.score(row));
  });
}
static_assert(kKvBlock % (kVectors * kLanes) == 0);

// The next two run only where weights are left behind. They are not inlined, so that the code of all else is as it was.

/// Puts the scores of a block aside, of those rows that leave their weights behind. Behind the last key they are
/// -infinity, up to a whole vector.
DSVL_NO_INLINE inline void keep_scores(const AttendTile<float>& t, const Rows& at, Group group, Index block) noexcept {
  for (Index r = std::max<Index>(group.first, t.weights_from); r < group.last; ++r) {
    float* const to = t.weights_of(r) + block * kKvBlock;
    for (Index j = 0; j < visible(t, r, block); j += kLanes) store(to + j, load(at.score(r) + j));
  }
}
/// Turns the scores that row r has put aside into its weights, now that the largest one is known, and `share`: one over
/// the total.
DSVL_NO_INLINE inline void finish_weights(const AttendTile<float>& t, const Rows& at, Index r, float share) noexcept {
  const Lanes maximum = splat(at.running_max[r]), inverse = splat(share);
  float* const to = t.weights_of(r);
  for (Index j = 0; j < t.keys_of(r); j += kLanes) store(to + j, exp2_of_negative(load(to + j) - maximum) * inverse);
}

/// Turns the scores of a block into softmax weights, and updates maxima, totals and corrections. `scales` is null, or
/// q8's 64 scales of the keys and 64 of the values.
inline void softmax_block(const AttendTile<float>& t, const Rows& at, Group group, Index block,
                          const float* scales) noexcept {
  if (scales)
    for (Index r = group.first; r < group.last; ++r)
      for_each_vector(visible(t, r, block),
            [&](auto part) { part.store(at.score(r), part.load(at.score(r)) * part.load(scales)); });
  if (t.bias_y) add_biases(t, at, group, block * kKvBlock, visible(t, group.last - 1, block));
  for (Index r = group.first; r < group.last; ++r) at.block_max[r] = mask_and_max(at.score(r), visible(t, r, block));
  if (t.weights) keep_scores(t, at, group, block);
  // A vector of rows at a time. Rows beside the group have an old block_max, and so a correction of one.
  for (Index r = group.first / kLanes * kLanes; r < group.last; r += kLanes) {
    const Lanes before = load(at.running_max + r), now = larger(before, load(at.block_max + r));
    store(at.running_max + r, now);
    store(at.corrections + r, exp2_of_negative(before - now));
  }
  for (Index r = group.first; r < group.last; ++r)
    softmax_row(at, r, visible(t, r, block), scales ? scales + kKvBlock : nullptr);
}

/// Adds the weighted values of a block to the outputs of a group of rows, which see keys of it.
template <class Kv>
DSVL_FORCE_INLINE void value_block(const AttendTile<float>& t, const Rows& at, Group group, Index block,
                                   const std::byte* v) noexcept {
  for_each_tile(group.last - group.first, [&](auto rows, Index row) {
    row += group.first;
    Index keys[rows], d = 0;
    for (int r = 0; r < rows; ++r) keys[r] = visible(t, row + r, block);
    constexpr int kMany = kTileVectors<rows, 8 * kLanes>;
    for (; d + kMany * kLanes <= at.padded; d += kMany * kLanes)
      multiply_values<Kv, rows, kMany>(at, row, v, keys, d);
    if constexpr (kKvPad % (kMany * kLanes) != 0)
      for (; d < at.padded; d += kLanes) multiply_values<Kv, rows, 1>(at, row, v, keys, d);
  });
}

/// One tile of attention, for keys and values stored as Kv.
template <class Kv>
DSVL_NO_INLINE void attend(const AttendTile<float>& t, float* scratch) noexcept {
  const Rows at(scratch, t.rows, t.head_dim);
  const Lanes scale = splat(t.scale * kLog2E);
  for (Index r = 0; r < t.rows; ++r) {
    for_each_vector(t.head_dim, [&](auto part) { part.store(at.q(r), part.load(t.q + r * t.q_stride) * scale); });
    for (Index d = 0; d < at.padded; d += kLanes) store(at.out(r) + d, splat(0.0f));
    store(at.total(r), splat(0.0f));
  }
  // The lowest float and not -infinity, whose difference with itself is NaN; up to whole vectors of rows.
  for (Index r = 0; r < round_up(t.rows, kKvPad); ++r)
    at.block_max[r] = at.running_max[r] = std::numeric_limits<float>::lowest();
  Index most = 0;
  for (Index r = 0; r < t.rows; ++r) most = std::max<Index>(most, t.keys_of(r));
  for (Index b = 0; b * kKvBlock < most; ++b)
    for_each_group(t, b, [&](Group group, const std::byte* k) DSVL_INLINED {
      score_block<Kv>(t, at, group, b, k);
      softmax_block(t, at, group, b,
                    Kv::kScaled ? reinterpret_cast<const float*>(k + kv_scales_offset(t.head_dim)) : nullptr);
      value_block<Kv>(t, at, group, b, k + t.head_dim * kKvBlock * Kv::kBytes);
    });
  for (Index r = 0; r < t.rows; ++r) {
    const bool any = t.keys_of(r) > 0;  // a row that sees no key becomes zero
    const float share = any ? 1.0f / sum(load(at.total(r))) : 1.0f;
    const Lanes inverse = splat(share);
    for_each_vector(t.head_dim, [&](auto part) { part.store(t.y + r * t.y_stride, part.load(at.out(r)) * inverse); });
    if (t.weights_of(r)) finish_weights(t, at, r, share);
  }
}

}  // namespace attention_detail

/// See Kernels::attend.
inline void attend(const AttendTile<float>& t, float* scratch) noexcept {
  switch (t.format) {
    case KvFormat::full: return attention_detail::attend<FullKv>(t, scratch);
    case KvFormat::bf16: return attention_detail::attend<Bf16Kv>(t, scratch);
    case KvFormat::q8: return attention_detail::attend<Q8Kv>(t, scratch);
  }
}

}  // namespace DSVL_ISA
}  // namespace kernels
DSVL_END_NAMESPACE

#endif  // DSVL_KERNELS_ATTENTION_ATTENTION_HPP
