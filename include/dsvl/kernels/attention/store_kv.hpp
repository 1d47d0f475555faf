// Stores keys and values into the cache's blocks: K transposed, so that attention's lanes run across keys, V as it is.
#ifndef DSVL_KERNELS_ATTENTION_STORE_KV_HPP
#define DSVL_KERNELS_ATTENTION_STORE_KV_HPP

#include <algorithm>

#include "../lanes/prefetch.hpp"
#include "../small/quantize8.hpp"
#include "../table.hpp"
#include "kv_formats.hpp"

DSVL_BEGIN_NAMESPACE
namespace kernels {
inline namespace DSVL_ISA {
namespace store_kv_detail {

/// Tokens go in groups of kLanes: their keys are transposed in registers and stored one vector of slots at a time, so
/// that each cache line of the block is written once per group. What is left of tokens and of head_dim goes one by one.
template <class Kv>
void store_keys(const KvTile<float>& t) noexcept {
  const auto place = [&](Index d, Index r) { return d * kKvBlock + t.slot + r; };
  const Index whole_rows = t.rows / kLanes * kLanes, whole_dims = t.head_dim / kLanes * kLanes;
  for (Index r = 0; r < whole_rows; r += kLanes)
    for (Index d = 0; d < whole_dims; d += kLanes) {
      Lanes columns[kLanes];
      load_columns(reinterpret_cast<const std::byte*>(t.k + r * t.k_stride + d), 4 * t.k_stride, columns);
      unroll<static_cast<int>(kLanes)>(
          [&](int i) DSVL_INLINED { Kv::store(t.block, place(d + i, r), columns[i]); });
    }
  // A few tokens touch a line for every dim. The lines are asked for first, or each store would wait for its own.
  if (whole_rows == 0)
    for (Index d = 0; d < t.head_dim; ++d) prefetch(t.block + place(d, 0) * Kv::kBytes);
  for (Index r = 0; r < t.rows; ++r)
    for (Index d = r < whole_rows ? whole_dims : 0; d < t.head_dim; ++d)
      Kv::store_one(t.block, place(d, r), t.k[r * t.k_stride + d]);
}

/// Rows of V are copied; their padding becomes zero.
template <class Kv>
void store_values(const KvTile<float>& t) noexcept {
  const Index padded = round_up(t.head_dim, kKvPad);
  for (Index r = 0; r < t.rows; ++r) {
    const Index row = t.head_dim * kKvBlock + (t.slot + r) * padded;
    for_each_vector(t.head_dim, [&](auto at) DSVL_INLINED {  // a partial vector has zeros behind
      Kv::store(t.block, row + at.i, at.load(t.v + r * t.v_stride));
    });
    for (Index d = round_up(t.head_dim, kLanes); d < padded; d += kLanes) Kv::store(t.block, row + d, splat(0.0f));
  }
}

/// Quantises each token's key and value to 8 bits, with a scale of its own.
inline void store_q8(const KvTile<float>& t) noexcept {
  const Index padded = round_up(t.head_dim, kKvPad);
  auto* const to = reinterpret_cast<std::int8_t*>(t.block);
  float* const scales = reinterpret_cast<float*>(t.block + kv_scales_offset(t.head_dim));
  for (Index r = 0; r < t.rows; ++r) {
    const Index slot = t.slot + r, row = t.head_dim * kKvBlock + slot * padded;
    scales[slot] = quantize8(t.k + r * t.k_stride, t.head_dim, to + slot, kKvBlock);
    scales[kKvBlock + slot] = quantize8(t.v + r * t.v_stride, t.head_dim, to + row, 1);
    std::fill(to + row + t.head_dim, to + row + padded, std::int8_t{0});
  }
}

}  // namespace store_kv_detail

/// See Kernels::store_kv.
inline void store_kv(const KvTile<float>& t) noexcept {
  using namespace store_kv_detail;
  switch (t.format) {
    case KvFormat::full: return store_keys<FullKv>(t), store_values<FullKv>(t);
    case KvFormat::bf16: return store_keys<Bf16Kv>(t), store_values<Bf16Kv>(t);
    case KvFormat::q8: return store_q8(t);
  }
}

}  // namespace DSVL_ISA
}  // namespace kernels
DSVL_END_NAMESPACE

#endif  // DSVL_KERNELS_ATTENTION_STORE_KV_HPP
