// Quantised weight formats: one policy each, beside those of dense_formats.hpp.
//
// A weight is scale * (fine * (code - zero)) - min * fine_min: the code a few bits without a sign, `zero` the same for
// all (of q8_0 with a sign and no zero where kSignedCodes); scale and min those of a stored block, the fine ones whole
// numbers of a span within it, where there are any. So products are sums of codes times bytes of x, which are exact,
// times what is fine; and what a block is worth is multiplied on once for each.
#ifndef DSVL_KERNELS_WEIGHTS_QUANTIZED_FORMATS_HPP
#define DSVL_KERNELS_WEIGHTS_QUANTIZED_FORMATS_HPP

#include <concepts>

#include "../lanes/bytes.hpp"
#include "blocks.hpp"
#include "../table.hpp"

DSVL_BEGIN_NAMESPACE
namespace kernels {
inline namespace DSVL_ISA {

/// A product takes columns in the spans of x, and those in units of four.
inline constexpr int kUnits = static_cast<int>(kInt8Span / 4);

/// What a product needs of a block of a group, for the kLanes rows from `row` on. A block is cut into stretches of
/// kInt8Span columns; `c` counts them.
template <class F>
concept QuantizedFormat = requires(const std::byte* block, Index c, Index row) {
  { F::kFormat } -> std::convertible_to<Format>;
  { F::kCols } -> std::convertible_to<Index>;  ///< of a block, which is a whole number of stored ones
  { F::kBits } -> std::convertible_to<int>;    ///< of a code
  { F::kZero } -> std::convertible_to<int>;    ///< the code of zero is 2^kZero, or 0 where that is negative
  { F::kSpans } -> std::convertible_to<int>;   ///< of a stretch, each with a fine scale: 1 or 2, or 0 without such
  { F::kScale } -> std::convertible_to<bool>;  ///< whether the block has a scale,
  { F::kMins } -> std::convertible_to<bool>;   ///< and mins
  { F::codes(block, c, 0, row) } noexcept -> std::same_as<Bits>;  ///< of unit 0 to 7
};
/// And, as F says: fine(block, c, span, row), as floats; scale(block, row); mins(block, row), and
/// fine_mins(block, pair, row), those of two stretches in halves of 16 bits.

/// Unit `unit` of a field, of kLanes rows.
DSVL_FORCE_INLINE Bits load_unit(const std::byte* block, BlockField field, Index unit, Index row) noexcept {
  return load_bits(block + field.place(unit * field.unit, row));
}
/// A field that is one binary16.
DSVL_FORCE_INLINE Lanes load_half(const std::byte* block, BlockField field, Index row) noexcept {
  return load_f16(block + field.place(0, row));
}

struct Q8_0 {
  static constexpr Format kFormat = Format::q8_0;
  static constexpr Index kCols = 32;
  static constexpr int kBits = 8, kZero = kSignedCodes ? -1 : 7, kSpans = 0;
  static constexpr bool kScale = true, kMins = false;
  static DSVL_FORCE_INLINE Bits codes(const std::byte* block, Index, int unit, Index row) noexcept {
    const Bits stored = load_unit(block, block::q8_0::kCodes, unit, row);
    return kSignedCodes ? stored : stored ^ splat_bits(0x80808080u);
  }
  static DSVL_FORCE_INLINE Lanes scale(const std::byte* block, Index row) noexcept {
    return load_half(block, block::kScale, row);
  }
};

struct Q4_0 {
  static constexpr Format kFormat = Format::q4_0;
  static constexpr Index kCols = 32;
  static constexpr int kBits = 4, kZero = 3, kSpans = 0;
  static constexpr bool kScale = true, kMins = false;
  static DSVL_FORCE_INLINE Bits codes(const std::byte* block, Index, int unit, Index row) noexcept {
    const Bits both = load_unit(block, block::q4_0::kCodes, unit % 4, row);
    return (unit < 4 ? both : shift_right(both, 4)) & splat_bits(0x0F0F0F0Fu);
  }
  static DSVL_FORCE_INLINE Lanes scale(const std::byte* block, Index row) noexcept {
    return load_half(block, block::kScale, row);
  }
};

struct Q4_K {
  static constexpr Format kFormat = Format::q4_k;
  static constexpr Index kCols = 256;
  static constexpr int kBits = 4, kZero = -1, kSpans = 1;
  static constexpr bool kScale = true, kMins = true;
  static DSVL_FORCE_INLINE Bits codes(const std::byte* block, Index c, int unit, Index row) noexcept {
    const Bits both = load_unit(block, block::q4_k::kCodes, c / 2 * kUnits + unit, row);
    return shift_right(both, static_cast<int>(c % 2 * 4)) & splat_bits(0x0F0F0F0Fu);
  }
  static DSVL_FORCE_INLINE Lanes scale(const std::byte* block, Index row) noexcept {
    return load_half(block, block::kScale, row);
  }
  static DSVL_FORCE_INLINE Lanes fine(const std::byte* block, Index c, int, Index row) noexcept {
    return to_float(packed(block, c, 0, 0, row));
  }
  static DSVL_FORCE_INLINE Lanes mins(const std::byte* block, Index row) noexcept {
    return load_half(block, block::q4_k::kMin, row);
  }
  static DSVL_FORCE_INLINE Bits fine_mins(const std::byte* block, Index pair, Index row) noexcept {
    return packed(block, 2 * pair, 1, 4, row) | shift_left(packed(block, 2 * pair + 1, 1, 4, row), 16);
  }

 private:
  /// Byte c % 4 of units of the packed scales: `own` for the first four; later their nibble, at bit `nibble`, and the
  /// two bits that unit `own` has left.
  static DSVL_FORCE_INLINE Bits packed(const std::byte* block, Index c, Index own, int nibble, Index row) noexcept {
    const int at = static_cast<int>(c % 4 * 8);
    const Bits first = shift_right(load_unit(block, block::q4_k::kScales, own, row), at);
    if (c < 4) return first & splat_bits(63);
    const Bits low = shift_right(load_unit(block, block::q4_k::kScales, 2, row), at + nibble) & splat_bits(15);
    return low | shift_left(shift_right(first, 6) & splat_bits(3), 4);
  }
};

struct Q6_K {
  static constexpr Format kFormat = Format::q6_k;
  static constexpr Index kCols = 256;
  static constexpr int kBits = 6, kZero = 5, kSpans = 2;
  static constexpr bool kScale = true, kMins = false;
  static DSVL_FORCE_INLINE Bits codes(const std::byte* block, Index c, int unit, Index row) noexcept {
    const Index half = c / 4, quarter = c % 4;
    const Bits low = load_unit(block, block::q6_k::kLow, (2 * half + quarter % 2) * kUnits + unit, row);
    const Bits high = load_unit(block, block::q6_k::kHigh, half * kUnits + unit, row);
    return (shift_right(low, static_cast<int>(quarter / 2 * 4)) & splat_bits(0x0F0F0F0Fu)) |
           shift_left(shift_right(high, static_cast<int>(2 * quarter)) & splat_bits(0x03030303u), 4);
  }
  static DSVL_FORCE_INLINE Lanes scale(const std::byte* block, Index row) noexcept {
    return load_half(block, block::q6_k::kScale, row);
  }
  static DSVL_FORCE_INLINE Lanes fine(const std::byte* block, Index c, int span, Index row) noexcept {
    const Bits four = load_unit(block, block::q6_k::kScales, c / 2, row);
    return to_float(signed_byte(four, static_cast<int>(2 * (c % 2) + span)));
  }
};

/// Blocks of F, which have one stretch each, where kInt8Wide columns of x share a scale: what a block is worth is
/// multiplied on at once, and the scale of x once for all of them.
template <QuantizedFormat F>
struct Wide {
  static constexpr Format kFormat = F::kFormat;
  static constexpr Index kCols = kInt8Wide, kStep = stored_block(kFormat).bytes;
  static constexpr int kBits = F::kBits, kZero = F::kZero, kSpans = 1;
  static constexpr bool kScale = false, kMins = false;
  static_assert(F::kCols == kInt8Span && F::kSpans == 0 && !F::kMins);
  static DSVL_FORCE_INLINE Bits codes(const std::byte* block, Index c, int unit, Index row) noexcept {
    return F::codes(block + c * kStep, 0, unit, row);
  }
  static DSVL_FORCE_INLINE Lanes fine(const std::byte* block, Index c, int, Index row) noexcept {
    return F::scale(block + c * kStep, row);
  }
};

static_assert(QuantizedFormat<Q8_0> && QuantizedFormat<Q4_0> && QuantizedFormat<Wide<Q4_0>>);
static_assert(QuantizedFormat<Q4_K> && QuantizedFormat<Q6_K>);

/// f(policy) for a quantised format.
template <class Call>
DSVL_FORCE_INLINE void with_quantized(Format format, Inputs inputs, Call&& f) noexcept {
  switch (format) {
    case Format::q8_0: return f(Q8_0{});
    case Format::q4_0: return inputs == Inputs::int8_wide ? f(Wide<Q4_0>{}) : f(Q4_0{});
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
