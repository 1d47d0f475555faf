// 32-bit words of a register: four bytes of a quantised row, or an integer sum of their products.
#ifndef DSVL_KERNELS_LANES_BYTES_HPP
#define DSVL_KERNELS_LANES_BYTES_HPP

#include <algorithm>
#include <type_traits>

#include "lanes.hpp"

DSVL_BEGIN_NAMESPACE
namespace kernels {
inline namespace DSVL_ISA {

/// Loads and stores at any address.
DSVL_FORCE_INLINE Bits load_bits(const std::byte* from) noexcept {
  return bits(load(reinterpret_cast<const float*>(from)));
}
DSVL_FORCE_INLINE void store_bits(std::byte* to, Bits x) noexcept { store(reinterpret_cast<float*>(to), from_bits(x)); }
/// Four bytes from any address, to every lane.
DSVL_FORCE_INLINE Bits splat_word(const std::byte* from) noexcept {
  std::uint32_t word;
  std::memcpy(&word, from, sizeof word);
  return splat_bits(word);
}
/// See contract.hpp.
DSVL_FORCE_INLINE Bits keep_in_register(Bits x) noexcept { return bits(keep_in_register(from_bits(x))); }
/// The number of words whose products maddubs can add in 16 bits before the sums could overflow: up to the eight words
/// of an activation block. Widening them to 32 bits once instead of every time saves most of those instructions.
template <int bits>
inline constexpr int kWordsIn16Bits =
    !kHasMaddubs || bits == 8 ? 1 : std::min<int>(8, 32767 / (2 * ((1 << bits) - 1) * 127));
/// True for codes that have a sign where the processor multiplies unsigned codes only.
template <int bits>
inline constexpr bool kMovesSigns = kHasMaddubs && bits == 8;
/// Such codes: what it multiplies instead, and all bits of the bytes whose sign the other factor has to take over.
struct SignedCodes { Bits magnitude, negative; };
/// Codes of `bits` bits as a product takes them.
template <int bits>
using Codes = std::conditional_t<kMovesSigns<bits>, SignedCodes, Bits>;
/// Makes them of codes as a format stores them.
template <int bits>
DSVL_FORCE_INLINE Codes<bits> to_codes(Bits stored) noexcept {
  if constexpr (kMovesSigns<bits>) return {magnitudes(stored), negative_bytes(stored)};
  else return stored;
}
DSVL_FORCE_INLINE SignedCodes keep_in_register(SignedCodes x) noexcept {
  return {keep_in_register(x.magnitude), keep_in_register(x.negative)};
}
/// The sum of the magnitudes of negative codes, of `words` words, the same for every number they are multiplied by.
template <int words, class Load>
DSVL_FORCE_INLINE Bits sum_of_negatives(Load&& codes) noexcept {
  Bits halves = splat_bits(0);  // of bytes up to 128
  unroll<words>([&](int word) DSVL_INLINED {
    const SignedCodes c = codes(word);
    halves = halves + maddubs(c.magnitude & c.negative, splat_bits(0x01010101u));
  });
  return dot_halves(halves, ones16(), splat_bits(0));
}
/// dot_bytes for word `word` of a sub-block, where kHasMaddubs. Sums stay in 16 bits, in `halves`, while they fit.
template <int bits>
DSVL_FORCE_INLINE void add_maddubs(int word, Bits codes, Bits numbers, Bits& halves, Bits& sum) noexcept {
  using Halves = xsimd::batch<std::uint16_t>;
  // Both sums are kept in registers: GCC would otherwise add them as a tree, and spill its branches.
  const Bits two = maddubs(codes, numbers);
  if (word % kWordsIn16Bits<bits> == 0) halves = two;
  else halves = keep_in_register(dsvl::bit_cast<Bits>(dsvl::bit_cast<Halves>(halves) + dsvl::bit_cast<Halves>(two)));
  if (word % kWordsIn16Bits<bits> == kWordsIn16Bits<bits> - 1)
    sum = keep_in_register(dot_halves(halves, ones16(), sum));
}

/// Calls f(0), …, f(words - 1) for the words of a sub-block: unrolled, unless kLongDot. A loop then costs nothing
/// beside the products, whose sums find a register more often in code that is an eighth as long.
template <int words, class F>
DSVL_FORCE_INLINE void for_each_word(F&& f) noexcept {
  if constexpr (!kLongDot) {
    unroll<words>(f);
  } else {
#if defined(__GNUC__)  // and Clang
#pragma GCC unroll 1
#endif
    for (int word = 0; word < words; ++word) f(word);
  }
}

}  // namespace DSVL_ISA
}  // namespace kernels
DSVL_END_NAMESPACE

#endif  // DSVL_KERNELS_LANES_BYTES_HPP
