// The inverse DCT of a JPEG block, as libjpeg-turbo's default ("islow") computes it, bit for bit.
//
// It is Loeffler, Ligtenberg and Moschytz's factorisation with constants of 13 fractional bits: columns first, with two
// fractional bits kept in between, then rows. stb_image has the same one with 12 bits, so its pictures differ by a
// level here and there.
// Source: Loeffler et al., "Practical fast 1-D DCT algorithms with 11 multiplications", 1989; jidctint.c.
#ifndef DSVL_IO_JPEG_DCT_HPP
#define DSVL_IO_JPEG_DCT_HPP

#include "jpeg_lanes.hpp"

DSVL_BEGIN_NAMESPACE
namespace jpeg {

/// One pass over eight columns at once. kBits fractional bits are removed at the end.
template <int kBits>
DSVL_FORCE_INLINE void idct_columns(Int16x8 (&x)[8]) noexcept {
  // The eleven factors c as round(c * 2^13), named as in jidctint.c.
  constexpr int k0_298 = 2446, k0_390 = 3196, k0_541 = 4433, k0_765 = 6270, k0_899 = 7373, k1_175 = 9633,
                k1_501 = 12299, k1_847 = 15137, k1_961 = 16069, k2_053 = 16819, k2_562 = 20995, k3_072 = 25172;
  const Int32x8 even2 = weigh(x[2], x[6], k0_541, k0_541 - k1_847);
  const Int32x8 even3 = weigh(x[2], x[6], k0_541 + k0_765, k0_541);
  const Int32x8 even0 = widen_by_13(x[0] + x[4]), even1 = widen_by_13(x[0] - x[4]);
  const Int32x8 sum0 = even0 + even3, sum3 = even0 - even3, sum1 = even1 + even2, sum2 = even1 - even2;

  const Int16x8 z3 = x[7] + x[3], z4 = x[5] + x[1];
  const Int32x8 odd3 = weigh(z3, z4, k1_175 - k1_961, k1_175), odd4 = weigh(z3, z4, k1_175, k1_175 - k0_390);
  const Int32x8 t0 = weigh(x[7], x[1], k0_298 - k0_899, -k0_899) + odd3;
  const Int32x8 t3 = weigh(x[7], x[1], -k0_899, k1_501 - k0_899) + odd4;
  const Int32x8 t1 = weigh(x[5], x[3], k2_053 - k2_562, -k2_562) + odd4;
  const Int32x8 t2 = weigh(x[5], x[3], -k2_562, k3_072 - k2_562) + odd3;

  x[0] = narrow<kBits>(sum0 + t3), x[7] = narrow<kBits>(sum0 - t3);
  x[1] = narrow<kBits>(sum1 + t2), x[6] = narrow<kBits>(sum1 - t2);
  x[2] = narrow<kBits>(sum2 + t1), x[5] = narrow<kBits>(sum2 - t1);
  x[3] = narrow<kBits>(sum3 + t0), x[4] = narrow<kBits>(sum3 - t0);
}

/// Transforms a block. `coefficients` are 8 x 8, row-major, already multiplied by their quantisation steps. Writes 8
/// rows of 8 samples, `stride` bytes apart.
inline void idct(std::uint8_t* out, int stride, const std::int16_t* coefficients) noexcept {
  Int16x8 x[8];
  for (int i = 0; i < 8; ++i) x[i] = load(coefficients + 8 * i);
  idct_columns<11>(x);
  transpose(x);
  idct_columns<18>(x);
  transpose(x);
  for (int i = 0; i < 8; ++i) store(out + i * stride, x[i] + splat(128));
}

}  // namespace jpeg
DSVL_END_NAMESPACE

#endif  // DSVL_IO_JPEG_DCT_HPP
