// The operations that kernels may ask of an instruction set: types, and the list that each family's file defines.
//
// Operations that xsimd has are defined here for all. The others, which xsimd 8.1 lacks or which newer versions spell
// differently, are declared here with their meaning, and each family's file defines all of them: avx512.hpp, avx2.hpp,
// avx.hpp, sse2.hpp or neon.hpp. Only the file that the unit's flags allow is not empty. A family that has no
// instruction for an operation forwards it to portable.hpp by name.
#ifndef DSVL_KERNELS_LANES_CONTRACT_HPP
#define DSVL_KERNELS_LANES_CONTRACT_HPP

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <xsimd/xsimd.hpp>

#include "../../base/bit_cast.hpp"
#include "../../base/half.hpp"
#include "../../base/view.hpp"
#include "unroll.hpp"

#if defined(__GNUC__) && !defined(__clang__)  // GCC 12 warns about its own AVX-512 header (PR 105593)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

DSVL_BEGIN_NAMESPACE
namespace kernels {
inline namespace DSVL_ISA {

using Lanes = xsimd::batch<float>;         ///< one vector register of floats
using Bits = xsimd::batch<std::uint32_t>;  ///< the same register as 32-bit words
using Ints = xsimd::batch<std::int32_t>;   ///< and as signed ones
using Mask = xsimd::batch_bool<float>;     ///< a yes or no for every lane

/// Floats in a register.
inline constexpr Index kLanes = static_cast<Index>(Lanes::size);
/// Quads in a register. A quad is four floats, 128 bits; shuffles within quads are the cheap ones.
inline constexpr int kQuads = static_cast<int>(kLanes) / 4;
/// Vector registers that the processor has: they bound the height and width of a micro-tile.
#if defined(__AVX512F__) || defined(__aarch64__) || defined(_M_ARM64)
inline constexpr int kRegisters = 32;
#else
inline constexpr int kRegisters = 16;
#endif

// --- the same for all ----------------------------------------------------------------------------
DSVL_FORCE_INLINE Lanes splat(float x) noexcept { return Lanes(x); }
DSVL_FORCE_INLINE Lanes load(const float* from) noexcept { return Lanes::load_unaligned(from); }
DSVL_FORCE_INLINE void store(float* to, Lanes x) noexcept { x.store_unaligned(to); }
DSVL_FORCE_INLINE Bits bits(Lanes x) noexcept { return dsvl::bit_cast<Bits>(x); }
DSVL_FORCE_INLINE Lanes from_bits(Bits x) noexcept { return dsvl::bit_cast<Lanes>(x); }
DSVL_FORCE_INLINE Bits splat_bits(std::uint32_t x) noexcept { return Bits(x); }
DSVL_FORCE_INLINE Bits shift_left(Bits x, int by) noexcept { return x << by; }
/// Zeros come in from the left.
DSVL_FORCE_INLINE Bits shift_right(Bits x, int by) noexcept { return x >> by; }
DSVL_FORCE_INLINE Lanes select(Mask where, Lanes yes, Lanes no) noexcept { return xsimd::select(where, yes, no); }
DSVL_FORCE_INLINE Lanes abs(Lanes x) noexcept { return xsimd::abs(x); }
/// Signed 32-bit integers as floats.
DSVL_FORCE_INLINE Lanes to_float(Bits x) noexcept { return xsimd::to_float(dsvl::bit_cast<Ints>(x)); }
/// Byte `i` of every lane, with its sign.
DSVL_FORCE_INLINE Bits signed_byte(Bits x, int i) noexcept {
  return dsvl::bit_cast<Bits>(dsvl::bit_cast<Ints>(shift_left(x, 24 - 8 * i)) >> 24);
}
/// The larger of two numbers below 2^31.
DSVL_FORCE_INLINE Bits larger(Bits a, Bits b) noexcept {
  return dsvl::bit_cast<Bits>((xsimd::max)(dsvl::bit_cast<Ints>(a), dsvl::bit_cast<Ints>(b)));
}

/// Joins all lanes into one value, always in the same order: lane i with lane i + half, then quarters, then eighths, …
template <class T, class Join>
DSVL_FORCE_INLINE T fold(xsimd::batch<T> x, Join&& join) noexcept {
  alignas(64) T part[kLanes];
  x.store_aligned(part);
  for (Index half = kLanes / 2; half > 0; half /= 2)
    for (Index i = 0; i < half; ++i) part[i] = join(part[i], part[i + half]);
  return part[0];
}

// --- defined by every family: floats -------------------------------------------------------------
/// The first n lanes (0 < n < kLanes) from memory, the others zero. Memory behind the n is not touched.
DSVL_FORCE_INLINE Lanes load(const float* from, Index n) noexcept;
/// Stores the first n lanes (0 < n < kLanes) and touches nothing behind them.
DSVL_FORCE_INLINE void store(float* to, Lanes x, Index n) noexcept;
/// Returns x and tells the compiler that it is in a register: GCC otherwise reads a loop's operand from memory again at
/// every use. Does nothing where an operand cannot come from unaligned memory (SSE, NEON).
DSVL_FORCE_INLINE Lanes keep_in_register(Lanes x) noexcept;

/// a * b + c, rounded once where the processor has fma. Kernels write it wherever a product meets a sum, because what
/// the compiler would contract on its own depends on the surrounding code.
DSVL_FORCE_INLINE Lanes fma(Lanes a, Lanes b, Lanes c) noexcept;
/// a < b ? b : a: of a NaN and a number it returns a.
DSVL_FORCE_INLINE Lanes larger(Lanes a, Lanes b) noexcept;
/// The largest lane; no lane is NaN.
DSVL_FORCE_INLINE float largest(Lanes x) noexcept;
/// The largest lane; all are below 2^31.
DSVL_FORCE_INLINE std::uint32_t largest(Bits x) noexcept;

/// Transposes four rows quad by quad: quad q of columns[u] holds float 4 q + u of rows 0 to 3.
DSVL_FORCE_INLINE void transpose_4x4(const Lanes (&row)[4], Lanes* columns) noexcept;
/// Loads kLanes floats and fills every quad with its own i-th float.
template <int i>
DSVL_FORCE_INLINE Lanes splat_in_quads(const float* from) noexcept;
/// Loads four floats of each of kQuads rows, `stride` bytes apart, one quad per row. Loading into place costs less than
/// moving quads between registers.
DSVL_FORCE_INLINE Lanes load_quads(const std::byte* from, Index stride) noexcept;

// --- defined by every family: 16-bit floats and integers -----------------------------------------
/// kLanes bf16 from any address. Exact.
DSVL_FORCE_INLINE Lanes load_bf16(const std::byte* from) noexcept;
/// kLanes binary16 from any address. Exact.
DSVL_FORCE_INLINE Lanes load_f16(const std::byte* from) noexcept;
/// binary16 in the low half of every word. Exact.
DSVL_FORCE_INLINE Lanes widen_f16(Bits half) noexcept;
/// kLanes signed bytes from any address, as floats.
DSVL_FORCE_INLINE Lanes load_i8(const std::byte* from) noexcept;
/// Stores the low 16 bits of every lane, which lie below 2^16, at any address.
DSVL_FORCE_INLINE void store_low_halves(std::byte* to, Bits x) noexcept;
/// Stores the low 8 bits of every lane at any address.
DSVL_FORCE_INLINE void store_low_bytes(std::byte* to, Bits x) noexcept;
/// sum + both products of the two bf16 in a lane of a and b. With AVX512-BF16 it is the processor's own instruction,
/// which takes subnormals for zero and adds in an order of its own.
DSVL_FORCE_INLINE Lanes dot_bf16(Lanes a, Lanes b, Lanes sum) noexcept;

// --- defined by every family: dot products of bytes ----------------------------------------------
// A lane holds four bytes of each factor. `codes` are weights of `bits` bits, `numbers` activations from -127 to 127.
//
// Three constants say how the processor multiplies bytes:
//   kSignedCodes  false with VNNI, which multiplies unsigned codes by signed numbers and adds all four products to 32
//                 bits. true elsewhere, where codes of 8 bits keep their sign; those of fewer bits have none.
//   kHasMaddubs   true where there is no VNNI but `maddubs`, which adds two products to 16 bits.
//   kLongDot      true where dot_bytes takes many instructions, since the family has neither.

/// sum + the four products of every lane. Exact: a lane grows by at most 4 * 255 * 127, and kernels add eight of these
/// before they convert the sum to float. Where kHasMaddubs, codes have fewer than 8 bits.
template <int bits>
DSVL_FORCE_INLINE Bits dot_bytes(Bits codes, Bits numbers, Bits sum) noexcept;
static_assert(8 * 4 * 255 * 127 < (1 << 30));
// The next four are defined only where kHasMaddubs.
/// Sums two products of an unsigned code and a signed number in each 16-bit half of a lane, exactly as long as that
/// fits.
DSVL_FORCE_INLINE Bits maddubs(Bits codes, Bits numbers) noexcept;
static_assert(2 * 127 * 127 <= 32767 && 2 * 128 * -128 >= -32768, "the products of a magnitude fit in 16 bits");
/// The magnitude of each signed byte; of -128 it is the unsigned 128.
DSVL_FORCE_INLINE Bits magnitudes(Bits bytes) noexcept;
/// All bits of each byte that is negative, and none of the others.
DSVL_FORCE_INLINE Bits negative_bytes(Bits bytes) noexcept;
/// a - b, byte by byte.
DSVL_FORCE_INLINE Bits subtract_bytes(Bits a, Bits b) noexcept;
/// sum + both products of the two signed 16-bit halves of a lane. No caller multiplies -32768 by itself twice.
DSVL_FORCE_INLINE Bits dot_halves(Bits a, Bits b, Bits sum) noexcept;
/// 1 in every half: dot_halves(x, ones16(), sum) adds both halves of x to sum.
DSVL_FORCE_INLINE Bits ones16() noexcept { return splat_bits(0x00010001u); }

}  // namespace DSVL_ISA
}  // namespace kernels
DSVL_END_NAMESPACE

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

#endif  // DSVL_KERNELS_LANES_CONTRACT_HPP
