// Dense weight formats (f32, bf16, f16): one policy each. A kernel is written once, over a policy.
//
// Weights are read in place (in a mapped file), at any alignment. A new dense format is a policy here, a line in
// `with_format` and a row of the table in base/format.hpp; a quantised one goes to quantized_formats.hpp.
#ifndef DSVL_KERNELS_WEIGHTS_DENSE_FORMATS_HPP
#define DSVL_KERNELS_WEIGHTS_DENSE_FORMATS_HPP

#include <concepts>

#include "../lanes/lanes.hpp"
#include "blocks.hpp"

DSVL_BEGIN_NAMESPACE
namespace kernels {
inline namespace DSVL_ISA {

/// A product sums in four accumulators, which take turns along a row of weights: accumulator q takes operands
/// [q * kRun, (q + 1) * kRun) of every step of kStep operands. An operand is one column, or a pair of them (Bf16Pairs).
inline constexpr int kAccumulators = 4;
template <class F>
inline constexpr Index kStep = kAccumulators * F::kRun;
/// Vectors whose quads are the four accumulators: one row of x times four rows of w at a time.
inline constexpr int kAccumulatorVectors = kAccumulators / kQuads;

/// A policy has what a product needs of its weights.
///
/// kBytes         bytes of an operand: operand i of a row starts at byte i * kBytes
/// kPerWord       operands in a 32-bit word, the unit that is transposed
/// operand<e>     the e-th operand of every word
/// transpose      takes a step of four rows of w, `stride` bytes apart: quad q of columns[i] is operand i of the run of
///                accumulator v * kQuads + q, of the four rows
/// Arithmetic     kRun and multiply_add; once transposed, formats with the same arithmetic are the same
template <class F>
concept OperandFormat = requires(const std::byte* row, Index n, Lanes x, Lanes* columns) {
  { F::kBytes } -> std::convertible_to<Index>;
  { F::kPerWord } -> std::convertible_to<Index>;
  { F::kRun } -> std::convertible_to<Index>;
  typename F::Arithmetic;
  { F::template operand<0>(x) } noexcept -> std::same_as<Lanes>;
  { F::transpose(row, n, 0, columns) } noexcept;
  { F::multiply_add(x, x, x) } noexcept -> std::same_as<Lanes>;
};
/// A format whose operands are single weights: `load` widens kLanes of them, or the first n with zeros behind. Exact.
template <class F>
concept WeightFormat = OperandFormat<F> && requires(const std::byte* row, Index n) {
  { F::load(row) } noexcept -> std::same_as<Lanes>;
  { F::load(row, n) } noexcept -> std::same_as<Lanes>;
};

/// `transpose` for formats whose run is four words: quad q of columns[i] is word i of the run of accumulator
/// v * kQuads + q.
DSVL_FORCE_INLINE void transpose_words(const std::byte* step, Index stride, int v, Lanes* columns) noexcept {
  const auto row = [&](int i) { return load(reinterpret_cast<const float*>(step + i * stride) + v * kLanes); };
  transpose_4x4({row(0), row(1), row(2), row(3)}, columns);
}

/// Products of single weights, each an fma.
struct FmaArithmetic {
  using Arithmetic = FmaArithmetic;
  static constexpr Index kRun = 8;
  static DSVL_FORCE_INLINE Lanes multiply_add(Lanes x, Lanes w, Lanes sum) noexcept { return fma(x, w, sum); }
};

/// Format::f32.
struct F32 : FmaArithmetic {
  static constexpr Format kFormat = Format::f32;
  static constexpr Index kBytes = 4, kPerWord = 1;
  static DSVL_FORCE_INLINE Lanes load(const std::byte* row) noexcept {
    return kernels::load(reinterpret_cast<const float*>(row));
  }
  static DSVL_FORCE_INLINE Lanes load(const std::byte* row, Index n) noexcept {
    return kernels::load(reinterpret_cast<const float*>(row), n);
  }
  template <int>
  static DSVL_FORCE_INLINE Lanes operand(Lanes words) noexcept {
    return words;
  }
  static DSVL_FORCE_INLINE void transpose(const std::byte* step, Index stride, int v, Lanes* columns) noexcept {
    constexpr Index kRunBytes = kRun * kBytes;
    unroll<2>([&](int half) DSVL_INLINED {
      const auto row = [&](int i) {
        return load_quads(step + i * stride + v * kQuads * kRunBytes + half * 16, kRunBytes);
      };
      transpose_4x4({row(0), row(1), row(2), row(3)}, columns + 4 * half);
    });
  }
};

/// The common part of bf16 and f16: a word is a pair of weights.
template <class F>
struct Halves : FmaArithmetic {
  static constexpr Index kBytes = 2, kPerWord = 2;
  static DSVL_FORCE_INLINE void transpose(const std::byte* step, Index stride, int v, Lanes* columns) noexcept {
    Lanes pairs[4];
    transpose_words(step, stride, v, pairs);
    unroll<4>([&](int i) DSVL_INLINED {
      columns[2 * i] = F::template operand<0>(pairs[i]);
      columns[2 * i + 1] = F::template operand<1>(pairs[i]);
    });
  }
};

/// Format::bf16, with x in float.
struct Bf16 : Halves<Bf16> {
  static constexpr Format kFormat = Format::bf16;
  static DSVL_FORCE_INLINE Lanes load(const std::byte* row) noexcept { return load_bf16(row); }
  static DSVL_FORCE_INLINE Lanes load(const std::byte* row, Index n) noexcept {
    return load_partial16(row, n, [](const std::byte* part) DSVL_INLINED { return load_bf16(part); });
  }
  template <int e>
  static DSVL_FORCE_INLINE Lanes operand(Lanes words) noexcept {
    return widen_bf16<e>(words);
  }
};

/// Format::f16.
struct F16 : Halves<F16> {
  static constexpr Format kFormat = Format::f16;
  static DSVL_FORCE_INLINE Lanes load(const std::byte* row) noexcept { return load_f16(row); }
  static DSVL_FORCE_INLINE Lanes load(const std::byte* row, Index n) noexcept {
    return load_partial16(row, n, [](const std::byte* part) DSVL_INLINED { return load_f16(part); });
  }
  template <int e>
  static DSVL_FORCE_INLINE Lanes operand(Lanes words) noexcept {
    return widen_f16(e == 0 ? bits(words) & splat_bits(0xFFFFu) : shift_right(bits(words), 16));
  }
};

static_assert(WeightFormat<F32> && WeightFormat<Bf16> && WeightFormat<F16>);

/// Pairs of bf16 weights, for x in pairs of bf16: the processor may multiply and add both at once.
struct Bf16Pairs {
  using Arithmetic = Bf16Pairs;
  static constexpr Index kBytes = 4, kPerWord = 1, kRun = 4;
  template <int>
  static DSVL_FORCE_INLINE Lanes operand(Lanes words) noexcept {
    return words;
  }
  static DSVL_FORCE_INLINE void transpose(const std::byte* step, Index stride, int v, Lanes* columns) noexcept {
    transpose_words(step, stride, v, columns);
  }
  static DSVL_FORCE_INLINE Lanes multiply_add(Lanes x, Lanes w, Lanes sum) noexcept { return dot_bf16(x, w, sum); }
};
static_assert(OperandFormat<Bf16Pairs>);

/// Calls f(policy) for a dense format; the only place where one becomes a type.
template <class Call>
DSVL_FORCE_INLINE void with_format(Format format, Call&& f) noexcept {
  switch (format) {
    case Format::f32: return f(F32{});
    case Format::bf16: return f(Bf16{});
    case Format::f16: return f(F16{});
    case Format::q8_0:
    case Format::q4_0:
    case Format::q4_k:
    case Format::q6_k: return;
  }
}

/// The weights of a row that `at` covers.
template <WeightFormat F>
DSVL_FORCE_INLINE Lanes load_weights(const std::byte* row, FullVector at) noexcept {
  return F::load(row + at.i * F::kBytes);
}
template <WeightFormat F>
DSVL_FORCE_INLINE Lanes load_weights(const std::byte* row, PartialVector at) noexcept {
  return F::load(row + at.i * F::kBytes, at.n);
}

/// body(at, weights) for the first n weights of a row, one vector at a time. Quantised rows are decoded block by block.
template <class Body>
DSVL_FORCE_INLINE void for_each_weight_vector(WeightRow w, Index n, Body&& body) noexcept {
  if (!quantized(w.format))
    return with_format(w.format, [&]<class F>(F) {
      for_each_vector(n, [&](auto at) DSVL_INLINED { body(at, load_weights<F>(w.group, at)); });
    });
  float numbers[kMaxBlockCols];
  for (Index k = 0; k < n; k += kMaxBlockCols) {
    const Index count = std::min<Index>(kMaxBlockCols, n - k);
    decode_row(w, k, numbers, count);
    for_each_vector(count, [&](auto at) DSVL_INLINED {
      const Lanes weights = at.load(numbers);
      at.i += k;
      body(at, weights);
    });
  }
}

/// y[i] = w[i] for the first n weights of a row.
inline void unpack(WeightRow w, float* y, Index n) noexcept {
  for_each_weight_vector(w, n, [&](auto at, Lanes weights) DSVL_INLINED { at.store(y, weights); });
}
/// y[i] += w[i].
inline void add_unpacked(WeightRow w, float* y, Index n) noexcept {
  for_each_weight_vector(w, n, [&](auto at, Lanes weights) DSVL_INLINED { at.store(y, at.load(y) + weights); });
}

}  // namespace DSVL_ISA
}  // namespace kernels
DSVL_END_NAMESPACE

#endif  // DSVL_KERNELS_WEIGHTS_DENSE_FORMATS_HPP
