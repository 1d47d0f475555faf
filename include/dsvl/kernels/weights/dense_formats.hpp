// Weight formats whose weights are numbers of their own: one policy each. A kernel is written once, over a policy.
//
// Weights are read where they lie (a mapped file), at any alignment. A new format is a policy here and a line in
// `with_format`, or if it is quantised, in quantized_formats.hpp.
#ifndef DSVL_KERNELS_WEIGHTS_DENSE_FORMATS_HPP
#define DSVL_KERNELS_WEIGHTS_DENSE_FORMATS_HPP

#include <concepts>

#include "../lanes/lanes.hpp"
#include "blocks.hpp"

DSVL_BEGIN_NAMESPACE
namespace kernels {
inline namespace DSVL_ISA {

/// Operands of a row of weights are shared out among four chains of a product in runs of F::kRun: those of a line.
inline constexpr int kChains = 4;
template <class F>
inline constexpr Index kLine = kChains * F::kRun;
/// Registers whose quarters are the chains.
inline constexpr int kParts = kChains / kQuads;

/// What a product needs of its weights. Operand i of a row starts at i * kBytes. A unit is 4 bytes of a row, which is
/// what is turned and moved: kUnit operands, of which `operand<e>` is the e-th. `turn<p>` takes a line of four rows:
/// operand i of the runs of the chains p * kQuads, … is turned[i], a quarter each. Once turned, formats of the same
/// F::Arithmetic (kRun and multiply_add) are the same.
template <class F>
concept Operand = requires(const std::byte* row, Index n, Lanes x, Lanes* turned) {
  { F::kBytes } -> std::convertible_to<Index>;
  { F::kUnit } -> std::convertible_to<Index>;
  { F::kRun } -> std::convertible_to<Index>;
  typename F::Arithmetic;
  { F::template operand<0>(x) } noexcept -> std::same_as<Lanes>;
  { F::template turn<0>(row, n, turned) } noexcept;
  { F::multiply_add(x, x, x) } noexcept -> std::same_as<Lanes>;
};
/// A format whose operands are weights: `load` takes kLanes of them, or the first n and zeros. All are exact.
template <class F>
concept WeightFormat = Operand<F> && requires(const std::byte* row, Index n) {
  { F::load(row) } noexcept -> std::same_as<Lanes>;
  { F::load(row, n) } noexcept -> std::same_as<Lanes>;
};

/// `turn<p>` of a format whose run is four units: quarter q of turned[u] is unit u of the run of chain
/// p * kQuads + q.
template <int p>
DSVL_FORCE_INLINE void turn_units(const std::byte* line, Index stride, Lanes* turned) noexcept {
  const auto row = [&](int i) { return load(reinterpret_cast<const float*>(line + i * stride) + p * kLanes); };
  transpose_4x4({row(0), row(1), row(2), row(3)}, turned);
}

/// Weights as numbers of their own: a product is an fma.
struct Numbers {
  using Arithmetic = Numbers;
  static constexpr Index kRun = 8;
  static DSVL_FORCE_INLINE Lanes multiply_add(Lanes x, Lanes w, Lanes sum) noexcept { return fma(x, w, sum); }
};

struct F32 : Numbers {
  static constexpr Index kBytes = 4, kUnit = 1;
  static DSVL_FORCE_INLINE Lanes load(const std::byte* row) noexcept {
    return kernels::load(reinterpret_cast<const float*>(row));
  }
  static DSVL_FORCE_INLINE Lanes load(const std::byte* row, Index n) noexcept {
    return kernels::load(reinterpret_cast<const float*>(row), n);
  }
  template <int>
  static DSVL_FORCE_INLINE Lanes operand(Lanes units) noexcept {
    return units;
  }
  template <int p>
  static DSVL_FORCE_INLINE void turn(const std::byte* line, Index stride, Lanes* turned) noexcept {
    constexpr Index kRunBytes = kRun * kBytes;
    unroll<2>([&](auto half) DSVL_INLINED {
      const auto row = [&](int i) {
        return load_quads(line + i * stride + p * kQuads * kRunBytes + half * 16, kRunBytes);
      };
      transpose_4x4({row(0), row(1), row(2), row(3)}, turned + 4 * half);
    });
  }
};

/// What the formats of 16 bits share: a unit is a pair.
template <class F>
struct Halves : Numbers {
  static constexpr Index kBytes = 2, kUnit = 2;
  template <int p>
  static DSVL_FORCE_INLINE void turn(const std::byte* line, Index stride, Lanes* turned) noexcept {
    Lanes pairs[4];
    turn_units<p>(line, stride, pairs);
    unroll<4>([&](auto i) {
      turned[2 * i] = F::template operand<0>(pairs[i]);
      turned[2 * i + 1] = F::template operand<1>(pairs[i]);
    });
  }
};

struct Bf16 : Halves<Bf16> {
  static DSVL_FORCE_INLINE Lanes load(const std::byte* row) noexcept { return load_bf16(row); }
  static DSVL_FORCE_INLINE Lanes load(const std::byte* row, Index n) noexcept {
    return load_partial16(row, n, [](const std::byte* part) DSVL_INLINED { return load_bf16(part); });
  }
  template <int e>
  static DSVL_FORCE_INLINE Lanes operand(Lanes units) noexcept {
    return widen_bf16<e>(units);
  }
};

struct F16 : Halves<F16> {
  static DSVL_FORCE_INLINE Lanes load(const std::byte* row) noexcept { return load_f16(row); }
  static DSVL_FORCE_INLINE Lanes load(const std::byte* row, Index n) noexcept {
    return load_partial16(row, n, [](const std::byte* part) DSVL_INLINED { return load_f16(part); });
  }
  template <int e>
  static DSVL_FORCE_INLINE Lanes operand(Lanes units) noexcept {
    return widen_f16(e == 0 ? bits(units) & splat_bits(0xFFFFu) : shift_right(bits(units), 16));
  }
};

static_assert(WeightFormat<F32> && WeightFormat<Bf16> && WeightFormat<F16>);

/// Pairs of bf16 weights, for x in pairs of bf16.
struct Bf16Pairs {
  using Arithmetic = Bf16Pairs;
  static constexpr Index kBytes = 4, kUnit = 1, kRun = 4;
  template <int>
  static DSVL_FORCE_INLINE Lanes operand(Lanes units) noexcept {
    return units;
  }
  template <int p>
  static DSVL_FORCE_INLINE void turn(const std::byte* line, Index stride, Lanes* turned) noexcept {
    turn_units<p>(line, stride, turned);
  }
  static DSVL_FORCE_INLINE Lanes multiply_add(Lanes x, Lanes w, Lanes sum) noexcept { return dot_bf16(x, w, sum); }
};
static_assert(Operand<Bf16Pairs>);

/// f(policy) of a format that is not quantised: the only place where such a one becomes a type.
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

/// Weights [at, …) of a row.
template <WeightFormat F>
DSVL_FORCE_INLINE Lanes load_weights(const std::byte* row, FullVector at) noexcept {
  return F::load(row + at.i * F::kBytes);
}
template <WeightFormat F>
DSVL_FORCE_INLINE Lanes load_weights(const std::byte* row, PartialVector at) noexcept {
  return F::load(row + at.i * F::kBytes, at.n);
}

/// body(at, weights) for the first n weights of a row, a register at a time.
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
