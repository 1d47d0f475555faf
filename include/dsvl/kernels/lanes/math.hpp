// Transcendental functions on Lanes. A lane's result does not depend on its neighbours.
//
// Some results are returned as two factors. A caller that adds something to the product writes the fma itself, so that
// the compiler does not decide whether to contract (see fma in contract.hpp).
// The coefficients are weighted minimax fits (Lawson's iteration) made for this file. The errors given are those of the
// rounded coefficients; tests/kernels/lanes/lanes.cpp and small/elementwise.cpp measure them.
#ifndef DSVL_KERNELS_LANES_MATH_HPP
#define DSVL_KERNELS_LANES_MATH_HPP

#include "lanes.hpp"

DSVL_BEGIN_NAMESPACE
namespace kernels {
inline namespace DSVL_ISA {

/// A number as value * scale.
struct Product {
  Lanes value, scale;
};

/// exp(x), relative error below 1.3e-7 (about 1 ulp); overflows to infinity, underflows through subnormals to 0, NaN
/// stays NaN. exp(x) = 2^n exp(r), |r| <= log(2) / 2, exp(r) = 1 + r + r^2 q(r) with q of degree 5 (error 6e-11).
DSVL_FORCE_INLINE Product exp_factors(Lanes x) noexcept {
  x = select(x > splat(89.0f), splat(89.0f), x);  // a NaN passes both comparisons
  x = select(x < splat(-105.0f), splat(-105.0f), x);
  const Lanes shift = splat(12582912.0f);  // 1.5 * 2^23: the sum's low bits are the nearest integer
  const Lanes shifted = fma(x, splat(1.44269504f), shift), n = shifted - shift;
  // log(2) in two parts; n times the first is exact.
  const Lanes r = fma(n, splat(2.12194440e-4f), fma(n, splat(-0.693359375f), x));
  Lanes q = splat(1.97903035e-4f);
  q = fma(q, r, splat(1.39447046e-3f));
  q = fma(q, r, splat(8.33349768e-3f));
  q = fma(q, r, splat(4.16662954e-2f));
  q = fma(q, r, splat(1.66666657e-1f));
  q = fma(q, r, splat(0.5f));
  const Lanes value = fma(q, r * r, r) + splat(1.0f);
  // 2^n in two factors, since n may leave the range of one exponent: 2^(h - 128) and 2^(n + 128 - h), h half of n +
  // 256.
  const Bits above = bits(shifted) - bits(shift) + splat_bits(256u), half = shift_right(above, 1);
  const Lanes first = from_bits(shift_left(half - splat_bits(1u), 23));
  const Lanes second = from_bits(shift_left(above - half - splat_bits(1u), 23));
  return {value * first, second};
}

/// 2^x for x <= 0, relative error below 1e-7; 0 where x is below -125, NaN stays NaN.
/// 2^x = 2^n 2^r, |r| <= 1/2, 2^r = 1 + r q(r) with q of degree 5 (error 3e-9).
DSVL_FORCE_INLINE Lanes exp2_of_negative(Lanes x) noexcept {
  const Lanes shift = splat(12583039.0f);  // 1.5 * 2^23 + 127: the sum's low bits are n + 127, the exponent of 2^n
  const Lanes shifted = x + shift, r = x - (shifted - shift);
  Lanes q = splat(1.53264613e-4f);
  q = fma(q, r, splat(1.33908063e-3f));
  q = fma(q, r, splat(9.61850584e-3f));
  q = fma(q, r, splat(5.55035993e-2f));
  q = fma(q, r, splat(2.40226477e-1f));
  q = fma(q, r, splat(6.93147182e-1f));
  q = fma(q, r, splat(1.0f));
  return select(x < splat(-125.0f), splat(0.0f), q * from_bits(shift_left(bits(shifted), 23)));
}

/// The standard normal distribution left of -|x|, that is erfc(|x| / sqrt 2) / 2, relative error below 4e-7 down to the
/// smallest normal float (4e-6 far out where fma is emulated). = exp(-x^2 / 2) h(|x|), h smooth: t P(t) with
/// t = 1 / (1 + 0.3 |x|), P of degree 9 (error 3e-8).
DSVL_FORCE_INLINE Product normal_tail(Lanes x) noexcept {
  Lanes z = abs(x);
  z = select(z > splat(14.5f), splat(14.5f), z);  // beyond, the result is 0
  const Lanes square = z * z, rest = fma(z, z, negate(square));  // z^2 = square + rest
  const Lanes t = splat(1.0f) / fma(z, splat(0.3f), splat(1.0f));
  Lanes p = splat(-0.0206249263f);
  p = fma(p, t, splat(0.11244379f));
  p = fma(p, t, splat(-0.228233531f));
  p = fma(p, t, splat(0.191812173f));
  p = fma(p, t, splat(-0.0794474408f));
  p = fma(p, t, splat(0.0961702615f));
  p = fma(p, t, splat(0.0783847868f));
  p = fma(p, t, splat(0.110236518f));
  p = fma(p, t, splat(0.119571678f));
  p = fma(p, t, splat(0.1196867f));
  const Product e = exp_factors(square * splat(-0.5f));
  return {e.value * fma(rest, splat(-0.5f), splat(1.0f)) * (p * t), e.scale};
}

}  // namespace DSVL_ISA
}  // namespace kernels
DSVL_END_NAMESPACE

#endif  // DSVL_KERNELS_LANES_MATH_HPP
