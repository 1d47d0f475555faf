// Quantised weight formats: one policy each, beside the dense ones of dense_formats.hpp.
//
//   weight = d * (s * (q - z)) - dmin * m
//
// q is an unsigned code of kBits, z one constant per format. (q8_0 where kSignedCodes: q is signed and z is 0.) d and
// dmin are the block's f16 scales, s and m the integer scales of a sub-block, where the format has them. So a product
// takes an exact integer dot product per sub-block, times s; and once per block, times d.
#ifndef DSVL_KERNELS_WEIGHTS_QUANTIZED_FORMATS_HPP
#define DSVL_KERNELS_WEIGHTS_QUANTIZED_FORMATS_HPP

#include <concepts>

#include "../lanes/bytes.hpp"
#include "../table.hpp"
#include "blocks.hpp"

DSVL_BEGIN_NAMESPACE
namespace kernels {
inline namespace DSVL_ISA {

/// A product takes columns in activation blocks of kInt8Block, and those in words of four.
inline constexpr int kBlockWords = static_cast<int>(kInt8Block / 4);

/// The facts and loads that a product needs of a weight block, for the kLanes rows from `row` on of a group. A weight
/// block spans one or more activation blocks; `c` counts them.
///
/// kCols              columns of a weight block, one or more stored ones
/// kBits              bits of a code
/// kZeroBit           z = 2^kZeroBit, or 0 if negative
/// kSubBlocks         sub-blocks with a scale s in each activation block: 1 or 2, or 0 if the format has none
/// kHasScale          the block has a scale d
/// kHasMins           it has dmin and m
/// codes              word `word` (0 to 7) of activation block c
///
/// Where the constants say so, also the following, each for one row per lane:
/// sub_scale(block, c, sub_block, row)   s as floats
/// scale(block, row)                     d as floats
/// min_scale(block, row)                 dmin as floats
/// sub_mins(block, pair, row)            m of activation blocks 2 pair and 2 pair + 1, in the halves of a word
template <class F>
concept QuantizedFormat = requires(const std::byte* block, Index c, Index row) {
  { F::kFormat } -> std::convertible_to<Format>;
  { F::kCols } -> std::convertible_to<Index>;
  { F::kBits } -> std::convertible_to<int>;
  { F::kZeroBit } -> std::convertible_to<int>;
  { F::kSubBlocks } -> std::convertible_to<int>;
  { F::kHasScale } -> std::convertible_to<bool>;
  { F::kHasMins } -> std::convertible_to<bool>;
  { F::codes(block, c, 0, row) } noexcept -> std::same_as<Bits>;
};

/// Word `word` of a field, of kLanes rows.
DSVL_FORCE_INLINE Bits load_word(const std::byte* block, BlockField field, Index word, Index row) noexcept {
  return load_bits(block + field.place(word * field.word, row));
}
/// A field that is one binary16, of kLanes rows.
DSVL_FORCE_INLINE Lanes load_half(const std::byte* block, BlockField field, Index row) noexcept {
  return load_f16(block + field.place(0, row));
}

/// Format::q8_0.
struct Q8_0 {
  static constexpr Format kFormat = Format::q8_0;
  static constexpr Index kCols = 32;
  static constexpr int kBits = 8, kZeroBit = kSignedCodes ? -1 : 7, kSubBlocks = 0;
  static constexpr bool kHasScale = true, kHasMins = false;
  static DSVL_FORCE_INLINE Bits codes(const std::byte* block, Index, int word, Index row) noexcept {
    const Bits stored = load_word(block, block::Q8_0::kCodes, word, row);
    return kSignedCodes ? stored : stored ^ splat_bits(0x80808080u);
  }
  static DSVL_FORCE_INLINE Lanes scale(const std::byte* block, Index row) noexcept {
    return load_half(block, block::Q8_0::kScale, row);
  }
};

/// Format::q4_0, with a scale of x for every 32 columns.
struct Q4_0 {
  static constexpr Format kFormat = Format::q4_0;
  static constexpr Index kCols = 32;
  static constexpr int kBits = 4, kZeroBit = 3, kSubBlocks = 0;
  static constexpr bool kHasScale = true, kHasMins = false;
  static DSVL_FORCE_INLINE Bits codes(const std::byte* block, Index, int word, Index row) noexcept {
    const Bits both = load_word(block, block::Q4_0::kCodes, word % 4, row);
    return (word < 4 ? both : shift_right(both, 4)) & splat_bits(0x0F0F0F0Fu);
  }
  static DSVL_FORCE_INLINE Lanes scale(const std::byte* block, Index row) noexcept {
    return load_half(block, block::Q4_0::kScale, row);
  }
};

/// Format::q4_k.
struct Q4_K {
  static constexpr Format kFormat = Format::q4_k;
  static constexpr Index kCols = 256;
  static constexpr int kBits = 4, kZeroBit = -1, kSubBlocks = 1;
  static constexpr bool kHasScale = true, kHasMins = true;
  static DSVL_FORCE_INLINE Bits codes(const std::byte* block, Index c, int word, Index row) noexcept {
    const Bits both = load_word(block, block::Q4_K::kCodes, c / 2 * kBlockWords + word, row);
    return shift_right(both, static_cast<int>(c % 2 * 4)) & splat_bits(0x0F0F0F0Fu);
  }
  static DSVL_FORCE_INLINE Lanes scale(const std::byte* block, Index row) noexcept {
    return load_half(block, block::Q4_K::kScale, row);
  }
  static DSVL_FORCE_INLINE Lanes sub_scale(const std::byte* block, Index c, int, Index row) noexcept {
    return to_float(packed(block, c, 0, 0, row));
  }
  static DSVL_FORCE_INLINE Lanes min_scale(const std::byte* block, Index row) noexcept {
    return load_half(block, block::Q4_K::kMin, row);
  }
  static DSVL_FORCE_INLINE Bits sub_mins(const std::byte* block, Index pair, Index row) noexcept {
    return packed(block, 2 * pair, 1, 4, row) | shift_left(packed(block, 2 * pair + 1, 1, 4, row), 16);
  }

 private:
  /// The scale (own = 0, nibble = 0) or min (own = 1, nibble = 4) of activation block c, out of the packed 12 bytes:
  /// see block::Q4_K::sub_scales. `own` is the word that has the first four whole, and the top bits of the others.
  static DSVL_FORCE_INLINE Bits packed(const std::byte* block, Index c, Index own, int nibble, Index row) noexcept {
    const int at = static_cast<int>(c % 4 * 8);
    const Bits first = shift_right(load_word(block, block::Q4_K::kScales, own, row), at);
    if (c < 4) return first & splat_bits(63);
    const Bits low = shift_right(load_word(block, block::Q4_K::kScales, 2, row), at + nibble) & splat_bits(15);
    return low | shift_left(shift_right(first, 6) & splat_bits(3), 4);
  }
};

/// Format::q6_k.
struct Q6_K {
  static constexpr Format kFormat = Format::q6_k;
  static constexpr Index kCols = 256;
  static constexpr int kBits = 6, kZeroBit = 5, kSubBlocks = 2;
  static constexpr bool kHasScale = true, kHasMins = false;
  static DSVL_FORCE_INLINE Bits codes(const std::byte* block, Index c, int word, Index row) noexcept {
    const Index half = c / 4, quarter = c % 4;
    const Bits low = load_word(block, block::Q6_K::kLow, (2 * half + quarter % 2) * kBlockWords + word, row);
    const Bits high = load_word(block, block::Q6_K::kHigh, half * kBlockWords + word, row);
    return (shift_right(low, static_cast<int>(quarter / 2 * 4)) & splat_bits(0x0F0F0F0Fu)) |
           shift_left(shift_right(high, static_cast<int>(2 * quarter)) & splat_bits(0x03030303u), 4);
  }
  static DSVL_FORCE_INLINE Lanes scale(const std::byte* block, Index row) noexcept {
    return load_half(block, block::Q6_K::kScale, row);
  }
  static DSVL_FORCE_INLINE Lanes sub_scale(const std::byte* block, Index c, int sub_block, Index row) noexcept {
    const Bits four = load_word(block, block::Q6_K::kScales, c / 2, row);
    return to_float(signed_byte(four, static_cast<int>(2 * (c % 2) + sub_block)));
  }
};

/// A format with blocks of 32 columns, seen as blocks of 256, for rows of x that share a scale as long. The 32-column
/// scales then act as sub-block scales, and the scale of x is multiplied once for all of them.
template <QuantizedFormat F>
struct WideBlocks {
  static constexpr Format kFormat = F::kFormat;
  static constexpr Index kCols = kInt8WideBlock, kBlockBytes = stored_block(kFormat).bytes;
  static constexpr int kBits = F::kBits, kZeroBit = F::kZeroBit, kSubBlocks = 1;
  static constexpr bool kHasScale = false, kHasMins = false;
  static_assert(F::kCols == kInt8Block && F::kSubBlocks == 0 && !F::kHasMins);
  static DSVL_FORCE_INLINE Bits codes(const std::byte* block, Index c, int word, Index row) noexcept {
    return F::codes(block + c * kBlockBytes, 0, word, row);
  }
  static DSVL_FORCE_INLINE Lanes sub_scale(const std::byte* block, Index c, int, Index row) noexcept {
    return F::scale(block + c * kBlockBytes, row);
  }
};

static_assert(QuantizedFormat<Q8_0> && QuantizedFormat<Q4_0> && QuantizedFormat<WideBlocks<Q4_0>>);
static_assert(QuantizedFormat<Q4_K> && QuantizedFormat<Q6_K>);

/// Calls f(policy) for a quantised format.
template <class Call>
DSVL_FORCE_INLINE void with_quantized(Format format, ActivationFormat x_format, Call&& f) noexcept {
  switch (format) {
    case Format::q8_0: return f(Q8_0{});
    case Format::q4_0: return x_format == ActivationFormat::int8_per_256 ? f(WideBlocks<Q4_0>{}) : f(Q4_0{});
    case Format::q4_k: return f(Q4_K{});
    case Format::q6_k: return f(Q6_K{});
    case Format::f32:
    case Format::bf16:
    case Format::f16: return;
  }
}

}  // namespace DSVL_ISA
}  // namespace kernels
DSVL_END_NAMESPACE

#endif  // DSVL_KERNELS_WEIGHTS_QUANTIZED_FORMATS_HPP
