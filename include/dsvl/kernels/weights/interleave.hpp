// Rows of quantised weights, one behind the other as in ggml's files, become groups of interleaved rows; and groups are
// looked at for scales that are no numbers.
//
// A whole model goes through this while it is loaded. So the places of a block's fields are constants here, and a word
// is one load and one store: twenty times as fast as scatter_block(), which looks them up, and bound by memory.
#ifndef DSVL_KERNELS_WEIGHTS_INTERLEAVE_HPP
#define DSVL_KERNELS_WEIGHTS_INTERLEAVE_HPP

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <utility>

#include "../lanes/unroll.hpp"
#include "blocks.hpp"

DSVL_BEGIN_NAMESPACE
namespace kernels {
inline namespace DSVL_ISA {
namespace block {

/// Copies a field out of the same block of sixteen rows, which are `stride` bytes apart.
template <BlockField kField>
DSVL_FORCE_INLINE void interleave_field(const std::byte* rows, Index stride, std::byte* group) noexcept {
  for (Index i = 0; i < kField.bytes; i += kField.word)
    unroll<static_cast<int>(kGroupRows)>([&](int r) DSVL_INLINED {
      std::memcpy(group + kField.place(i, r), rows + r * stride + kField.at + i, static_cast<std::size_t>(kField.word));
    });
}

/// Keeps the largest exponent of each lane, if the field is a binary16 of sixteen rows.
template <BlockField kField>
DSVL_FORCE_INLINE void note_exponents(const std::byte* group, std::int16_t (&largest)[kGroupRows]) noexcept {
  if constexpr (kField.word == sizeof(f16)) {
    std::int16_t half[kGroupRows];
    std::memcpy(half, group + kField.place(0, 0), sizeof half);
    for (Index r = 0; r < kGroupRows; ++r)
      largest[r] = std::max<std::int16_t>(largest[r], static_cast<std::int16_t>(half[r] & 0x7C00));
  }
}

/// interleave() for one group of rows with `blocks` blocks each. It is not inlined, because what loads a model is
/// compiled for size.
template <class B, std::size_t... kField>
DSVL_NO_INLINE void interleave_group(std::index_sequence<kField...>, const std::byte* rows, Index blocks, Index bytes,
                                     std::byte* group) noexcept {
  const Index stride = blocks * bytes;
  for (Index c = 0; c < blocks; ++c, rows += bytes, group += kGroupRows * bytes)
    (interleave_field<B::kFields.field[kField]>(rows, stride, group), ...);
}

/// finite_scales() for `count` groups of one block, `bytes` each.
template <class B, std::size_t... kField>
DSVL_NO_INLINE bool finite_groups(std::index_sequence<kField...>, const std::byte* group, Index count,
                                  Index bytes) noexcept {
  std::int16_t largest[kGroupRows] = {};
  for (Index g = 0; g < count; ++g, group += bytes)
    (note_exponents<B::kFields.field[kField]>(group, largest), ...);
  return *std::max_element(largest, largest + kGroupRows) < 0x7C00;
}

}  // namespace block

/// Interleaves rows that lie one behind the other to groups. `rows` and `cols` fit the format.
inline void interleave(Format format, const std::byte* from, Index rows, Index cols, std::byte* to) noexcept {
  const StoredBlock stored = stored_block(format);
  const Index group = kGroupRows * row_bytes(format, cols);
  block::with_block(format, [&]<class B>(B) {
    for (Index r = 0; r < rows; r += kGroupRows, from += group, to += group)
      block::interleave_group<B>(std::make_index_sequence<B::kFields.count>(), from, cols / stored.cols,
                                 stored.bytes / stored.rows, to);
  });
}

/// True if every scale and min in these groups is finite. Then all decoded weights are finite, too.
[[nodiscard]] inline bool finite_scales(Format format, const std::byte* groups, Index rows, Index cols) noexcept {
  const StoredBlock stored = stored_block(format);
  bool finite = true;
  block::with_block(format, [&]<class B>(B) {
    finite = block::finite_groups<B>(std::make_index_sequence<B::kFields.count>(), groups,
                                     rows / stored.rows * (cols / stored.cols), stored.bytes);
  });
  return finite;
}

}  // namespace DSVL_ISA
}  // namespace kernels
using kernels::finite_scales;
using kernels::interleave;
DSVL_END_NAMESPACE

#endif  // DSVL_KERNELS_WEIGHTS_INTERLEAVE_HPP
