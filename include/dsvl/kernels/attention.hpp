// Attention over cached keys and values: softmax(scale q K^T + bias) V in one pass, 64 keys at a time.
//
// Blocks are absolute (block b holds positions [64 b, 64 b + 64)), and every row runs its own chain over the blocks it
// sees: running maximum, running sum, running output, rescaled once a block. So a row's bits depend on its q, its bias
// and its visible keys alone: not on the rows beside it, nor on what lies behind the last visible key (masked, never
// used). Scores need no sum across lanes: K is stored transposed, lanes run along the keys.
// Sources: online softmax arXiv:1805.02867; blocks as in FlashAttention arXiv:2205.14135.
#ifndef DSVL_KERNELS_ATTENTION_HPP
#define DSVL_KERNELS_ATTENTION_HPP

#include <algorithm>
#include <limits>

#include "kv_formats.hpp"
#include "math.hpp"
#include "table.hpp"

DSVL_BEGIN_NAMESPACE
namespace kernels {
inline namespace DSVL_ISA {
namespace attention_detail {

/// Rows that share the loads of keys and values, and registers of keys (or of head_dim) beside them.
inline constexpr int kRowBlock = kRegisters == 32 ? 6 : 3;
inline constexpr int kWide = 4;

/// What a row carries from block to block, and the scores of the block at hand: views of the caller's scratch.
struct Rows {
  float* scores;  ///< (rows, 64)
  float* output;  ///< (rows, padded), not yet divided by the total
  float* state;   ///< (rows, 32): kLanes partial totals, then the maximum at [16], the block's correction at [17]
  Index padded;

  Rows(float* scratch, Index rows, Index head_dim) noexcept
      : scores(scratch), output(scratch + rows * kKvBlock), padded(round_up(head_dim, kKvPad)) {
    state = output + rows * padded;
  }
  float* score(Index r) const noexcept { return scores + r * kKvBlock; }
  float* out(Index r) const noexcept { return output + r * padded; }
  float* total(Index r) const noexcept { return state + r * 2 * kKvPad; }
  float& maximum(Index r) const noexcept { return total(r)[kKvPad]; }
  float& correction(Index r) const noexcept { return total(r)[kKvPad + 1]; }
};

/// q . k for `rows` rows and the block's first `keys` keys (rounded up to whole groups of registers), not scaled.
template <class Kv, int rows>
DSVL_NO_INLINE void scores(const float* q, Index q_stride, Index head_dim, const std::byte* block, Index keys,
                           float* out) noexcept {
  for (Index j = 0; j < keys; j += kWide * kLanes) {
    Lanes dot[rows][kWide];
    unroll<rows>([&](auto r) { unroll<kWide>([&](auto w) { dot[r][w] = splat(0.0f); }); });
    for (Index d = 0; d < head_dim; ++d) {
      Lanes k[kWide];
      unroll<kWide>([&](auto w) { k[w] = hold(Kv::load(block, d * kKvBlock + j + w * kLanes)); });
      unroll<rows>([&](auto r) {
        const Lanes a = hold(splat(q[r * q_stride + d]));
        unroll<kWide>([&](auto w) { dot[r][w] = fma(a, k[w], dot[r][w]); });
      });
    }
    unroll<rows>(
        [&](auto r) { unroll<kWide>([&](auto w) { store(out + r * kKvBlock + j + w * kLanes, dot[r][w]); }); });
  }
}
static_assert(kKvBlock % (kWide * kLanes) == 0);

/// bias[i] = bias_y[j / width] + bias_x[j % width] for the keys j = first + i: runs of one y.
inline void fill_bias(const float* bias_y, const float* bias_x, Index width, Index first, Index keys,
                      float* bias) noexcept {
  Index y = first / width, x = first % width;
  for (Index i = 0; i < keys; x = 0, ++y) {
    const Index run = std::min<Index>(width - x, keys - i);
    sweep(run, [&](auto at) { at.store(bias + i, splat(bias_y[y]) + at.load(bias_x + x)); });
    i += run;
  }
}

/// Turns the first `keys` raw scores of row r into weights exp(score - maximum); zeros fill the last register.
/// `scales`: null, or those of the block's 64 keys and then of its 64 values, which the weights are then multiplied by.
DSVL_NO_INLINE inline void soften(const AttendTile<float>& t, const Rows& rows, Index r, Index first, Index keys,
                                  const float* scales) noexcept {
  alignas(64) float bias[kKvBlock];
  if (t.bias_y) fill_bias(t.bias_y + r * t.bias_stride, t.bias_x + r * t.bias_stride, t.map_width, first, keys, bias);
  float* const s = rows.score(r);
  const Lanes none = splat(-std::numeric_limits<float>::infinity());
  Lanes top = none;
  for (Index j = 0; j < keys; j += kLanes) {
    Lanes x = load(s + j);
    if (scales) x = x * load(scales + j);
    const Mask seen = iota() < splat(static_cast<float>(keys - j));
    x = t.bias_y ? fma(x, splat(t.scale), select(seen, load(bias + j), none)) : x * splat(t.scale);
    x = select(seen, x, none);
    store(s + j, x);
    top = larger(top, x);
  }
  const float before = rows.maximum(r), now = std::max<float>(before, largest(top));
  Lanes total = splat(0.0f);
  for (Index j = 0; j < keys; j += kLanes) {
    const Lanes p = exp(load(s + j) - splat(now));
    store(s + j, scales ? p * load(scales + kKvBlock + j) : p);
    total = total + p;
  }
  alignas(64) float correction[kLanes];
  store(correction, exp(splat(before - now)));
  rows.maximum(r) = now;
  rows.correction(r) = correction[0];
  store(rows.total(r), fma(load(rows.total(r)), splat(correction[0]), total));
}

/// output = output * correction + sum_j weight_j v_j for `rows` rows from `row` on and kWide or 1 registers of
/// head_dim. keys[r] are visible to row r; the rows share the loads of those that all of them see.
template <class Kv, int rows, int wide>
DSVL_NO_INLINE void gather_values(const Rows& at, Index row, const std::byte* v, const Index* keys, Index d) noexcept {
  Lanes out[rows][wide];
  unroll<rows>([&](auto r) {
    unroll<wide>([&](auto w) { out[r][w] = load(at.out(row + r) + d + w * kLanes) * splat(at.correction(row + r)); });
  });
  const float* const p = at.score(row);
  Index shared = keys[0];
  for (int r = 1; r < rows; ++r) shared = std::min<Index>(shared, keys[r]);
  for (Index j = 0; j < shared; ++j) {
    Lanes b[wide];
    unroll<wide>([&](auto w) { b[w] = hold(Kv::load(v, j * at.padded + d + w * kLanes)); });
    unroll<rows>([&](auto r) {
      const Lanes a = hold(splat(p[r * kKvBlock + j]));
      unroll<wide>([&](auto w) { out[r][w] = fma(a, b[w], out[r][w]); });
    });
  }
  unroll<rows>([&](auto r) {
    for (Index j = shared; j < keys[r]; ++j) {
      const Lanes a = splat(p[r * kKvBlock + j]);
      unroll<wide>([&](auto w) { out[r][w] = fma(a, Kv::load(v, j * at.padded + d + w * kLanes), out[r][w]); });
    }
    unroll<wide>([&](auto w) { store(at.out(row + r) + d + w * kLanes, out[r][w]); });
  });
}

/// One block of keys for `rows` rows from `row` on.
template <class Kv, int rows>
DSVL_NO_INLINE void visit_block(const AttendTile<float>& t, const Rows& at, Index row, Index block) noexcept {
  const std::byte* const k = t.pages[block] + t.offset;
  const std::byte* const v = k + t.head_dim * kKvBlock * Kv::kBytes;
  Index keys[rows], most = 0;
  for (int r = 0; r < rows; ++r) {
    keys[r] = std::clamp<Index>(t.keys + (row + r) * t.keys_step - block * kKvBlock, 0, kKvBlock);
    most = std::max<Index>(most, keys[r]);
  }
  if (most == 0) return;
  const float* const scales =
      Kv::kScaled ? reinterpret_cast<const float*>(k + kv_scales_offset(t.head_dim)) : nullptr;
  scores<Kv, rows>(t.q + row * t.q_stride, t.q_stride, t.head_dim, k, most, at.score(row));
  for (int r = 0; r < rows; ++r) {
    if (keys[r] > 0) soften(t, at, row + r, block * kKvBlock, keys[r], scales);
    else at.correction(row + r) = 1.0f;
  }
  Index d = 0;
  for (; d + kWide * kLanes <= at.padded; d += kWide * kLanes) gather_values<Kv, rows, kWide>(at, row, v, keys, d);
  for (; d < at.padded; d += kLanes) gather_values<Kv, rows, 1>(at, row, v, keys, d);
}

template <class Kv>
DSVL_NO_INLINE void attend(const AttendTile<float>& t, float* scratch) noexcept {
  const Rows at(scratch, t.rows, t.head_dim);
  for (Index r = 0; r < t.rows; ++r) {
    for (Index d = 0; d < at.padded; d += kLanes) store(at.out(r) + d, splat(0.0f));
    store(at.total(r), splat(0.0f));
    at.maximum(r) = -std::numeric_limits<float>::infinity();
  }
  const Index blocks = t.rows > 0 ? ceil_div(t.keys + (t.rows - 1) * t.keys_step, kKvBlock) : 0;
  for (Index b = 0; b < blocks; ++b)
    each_block<kRowBlock>(t.rows, [&](auto rows, Index row) { visit_block<Kv, rows>(t, at, row, b); });
  for (Index r = 0; r < t.rows; ++r) {
    const bool any = t.keys + r * t.keys_step > 0;
    const Lanes total = splat(any ? sum(load(at.total(r))) : 1.0f);
    sweep(t.head_dim, [&](auto part) { part.store(t.y + r * t.y_stride, part.load(at.out(r)) / total); });
  }
}

}  // namespace attention_detail

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

#endif  // DSVL_KERNELS_ATTENTION_HPP
