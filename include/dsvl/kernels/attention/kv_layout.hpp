// The bytes of a block of keys and values: 64 tokens of one head.
//
// K comes first and is transposed, (head_dim, 64), so that a kernel's lanes run across keys and a score needs no sum
// across lanes. Then V, (64, head_dim padded), and with KvFormat::q8 the scales.
#ifndef DSVL_KERNELS_ATTENTION_KV_LAYOUT_HPP
#define DSVL_KERNELS_ATTENTION_KV_LAYOUT_HPP

#include "../../base/precision.hpp"
#include "../../base/view.hpp"

DSVL_BEGIN_NAMESPACE

/// Tokens in one block. Blocks are absolute: block b holds positions [64 b, 64 b + 64).
inline constexpr Index kKvBlock = 64;
/// Rows of V are padded to a multiple of this many elements, so that no kernel needs a tail loop along head_dim.
inline constexpr Index kKvPad = 16;

/// Bytes of one element of a key or a value.
template <class T>
constexpr Index kv_element_bytes(KvFormat format) noexcept {
  return format == KvFormat::full ? static_cast<Index>(sizeof(T)) : format == KvFormat::bf16 ? 2 : 1;
}
/// Offset of the scales in a q8 block of one head: 64 floats for the keys, then 64 for the values.
constexpr Index kv_scales_offset(Index head_dim) noexcept { return kKvBlock * (head_dim + round_up(head_dim, kKvPad)); }
/// Bytes of one block of one head, scales included.
template <class T>
constexpr Index kv_block_bytes(KvFormat format, Index head_dim) noexcept {
  const Index scales = format == KvFormat::q8 ? 2 * kKvBlock * static_cast<Index>(sizeof(float)) : 0;
  return kv_element_bytes<T>(format) * kKvBlock * (head_dim + round_up(head_dim, kKvPad)) + scales;
}

DSVL_END_NAMESPACE

#endif  // DSVL_KERNELS_ATTENTION_KV_LAYOUT_HPP
