// Quantises weights: writes the blocks that decode() of blocks.hpp reads.
//
// q8_0 and q4_0 equal ggml's to the bit. For q4_k and q6_k it searches the scales that leave the smallest squared
// error, in which weights far from zero count more. Source: ggml-quants.c (quantize_row_q8_0_ref,
// quantize_row_q4_0_ref); the formats of blocks.hpp.
#ifndef DSVL_KERNELS_WEIGHTS_QUANTIZE_HPP
#define DSVL_KERNELS_WEIGHTS_QUANTIZE_HPP

#include <cmath>

#include "blocks.hpp"

DSVL_BEGIN_NAMESPACE
namespace kernels {
inline namespace DSVL_ISA {
namespace block {

/// Stores a binary16 at any address.
inline void put_half(std::byte* at, float x) noexcept {
  const f16 half = to_f16(x);
  std::memcpy(at, &half, sizeof half);
}
/// The low 8 bits.
inline std::byte to_byte(int x) noexcept { return static_cast<std::byte>(x & 0xFF); }
/// 1 / x, or 0 for 0.
inline float inverse(float x) noexcept { return x != 0 ? 1 / x : 0.0f; }
/// The nearest integer within [low, high]. x is finite.
inline int nearest(float x, int low, int high) noexcept {
  return static_cast<int>(std::nearbyint(std::clamp(x, static_cast<float>(low), static_cast<float>(high))));
}

/// std::round for |x| far below 2^23: halves go away from zero. (The constant is the float just below one half.)
inline int round_half_away(float x) noexcept { return static_cast<int>(x + std::copysign(0.49999997f, x)); }

/// The largest number becomes 127 or -127.
inline void encode(Q8_0, const float* x, std::byte* b) noexcept {
  float most = 0;
  for (Index i = 0; i < 32; ++i) most = std::max<float>(most, std::fabs(x[i]));
  const float scale = most / 127, up = inverse(scale);
  put_half(b, scale);
  for (Index i = 0; i < 32; ++i) b[Q8_0::kCodes.at + i] = to_byte(round_half_away(x[i] * up));
}

/// The number of the largest size becomes code 0, that is -8.
inline void encode(Q4_0, const float* x, std::byte* b) noexcept {
  float most = 0, signed_most = 0;
  for (Index i = 0; i < 32; ++i)
    if (std::fabs(x[i]) > most) most = std::fabs(x[i]), signed_most = x[i];
  const float scale = signed_most / -8, up = inverse(scale);
  put_half(b, scale);
  const auto code = [&](float number) { return std::min<int>(15, static_cast<int>(number * up + 8.5f)); };
  for (Index i = 0; i < 16; ++i) b[Q4_0::kCodes.at + i] = to_byte(code(x[i]) | code(x[i + 16]) << 4);
}

/// Numbers as scale * code - min, with codes from 0 to `most` and min >= 0.
struct Affine {
  float scale = 0, min = 0;

  [[nodiscard]] int code(float x, int most) const noexcept { return nearest((x + min) * inverse(scale), 0, most); }
};

/// The scale and min that leave the smallest weighted squared error among several tries: each starts from another step
/// width, takes the codes that it gives, and fits the best line through them (least squares).
inline Affine fit(const float* x, const float* weight, Index n, int most) noexcept {
  float low = 0, high = 0;  // min is not below zero
  for (Index i = 0; i < n; ++i) low = std::min<float>(low, x[i]), high = std::max<float>(high, x[i]);
  if (high == low) return {};
  Affine best{(high - low) / static_cast<float>(most), -low};
  const auto error = [&](const Affine& a) {
    double sum = 0;
    for (Index i = 0; i < n; ++i) {
      const auto off = static_cast<double>(a.scale * static_cast<float>(a.code(x[i], most)) - a.min - x[i]);
      sum += static_cast<double>(weight[i]) * off * off;
    }
    return sum;
  };
  double least = error(best);
  const Affine widest = best;
  constexpr int kTries = 16;
  for (int t = 0; t <= kTries; ++t) {
    const float steps = static_cast<float>(most) - 1 + 2 * static_cast<float>(t) / kTries;
    const Affine tried{(high - low) / steps, widest.min};
    double w = 0, wc = 0, wcc = 0, wx = 0, wcx = 0;
    for (Index i = 0; i < n; ++i) {
      const auto each = static_cast<double>(weight[i]), number = static_cast<double>(x[i]);
      const double code = tried.code(x[i], most);
      w += each, wc += each * code, wcc += each * code * code, wx += each * number, wcx += each * code * number;
    }
    const double determinant = w * wcc - wc * wc;
    if (determinant <= 0) continue;
    double scale = (w * wcx - wc * wx) / determinant, min = (wc * wcx - wcc * wx) / determinant;
    if (min < 0) min = 0, scale = wcx / wcc;
    if (!(scale > 0)) continue;
    const Affine line{static_cast<float>(scale), static_cast<float>(min)};
    if (const double left = error(line); left < least) least = left, best = line;
  }
  return best;
}

/// Weights for a fit: the root mean square of the numbers plus the size of each, so larger numbers count more.
inline void weigh(const float* x, float* weight, Index n) noexcept {
  double squares = 0;
  for (Index i = 0; i < n; ++i) squares += static_cast<double>(x[i]) * static_cast<double>(x[i]);
  const auto typical = static_cast<float>(std::sqrt(squares / static_cast<double>(n)));
  for (Index i = 0; i < n; ++i) weight[i] = typical + std::fabs(x[i]);
}

/// Fits each sub-block, rounds scales and mins to 6 bits, and chooses the codes for those.
inline void encode(Q4_K, const float* x, std::byte* b) noexcept {
  Affine part[8];
  float most_scale = 0, most_min = 0;
  for (Index s = 0; s < 8; ++s) {
    float weight[32];
    weigh(x + 32 * s, weight, 32);
    part[s] = fit(x + 32 * s, weight, 32, 15);
    most_scale = std::max<float>(most_scale, part[s].scale), most_min = std::max<float>(most_min, part[s].min);
  }
  put_half(b, most_scale / 63), put_half(b + Q4_K::kMin.at, most_min / 63);
  const float scale = half_at(b + Q4_K::kScale.at), min = half_at(b + Q4_K::kMin.at);  // as they will be read
  std::byte* const scales = b + Q4_K::kScales.at;
  std::memset(scales, 0, 12);
  const auto add = [](std::byte& to, int bits) { to |= to_byte(bits); };
  for (Index s = 0; s < 8; ++s) {
    const int sub_scale = nearest(part[s].scale * inverse(scale), 0, 63);
    const int sub_min = nearest(part[s].min * inverse(min), 0, 63);
    part[s] = {scale * static_cast<float>(sub_scale), min * static_cast<float>(sub_min)};
    if (s < 4) {
      add(scales[s], sub_scale), add(scales[s + 4], sub_min);
    } else {
      add(scales[s + 4], (sub_scale & 15) | (sub_min & 15) << 4);
      add(scales[s - 4], sub_scale >> 4 << 6), add(scales[s], sub_min >> 4 << 6);
    }
  }
  for (Index i = 0; i < 128; ++i) {
    const Index s = i / 32 * 2, at = s * 32 + i % 32;
    b[Q4_K::kCodes.at + i] = to_byte(part[s].code(x[at], 15) | part[s + 1].code(x[at + 32], 15) << 4);
  }
}

/// The scale of n numbers with codes from -32 to 31 that leaves the smallest weighted squared error. It is negative
/// where the number farthest from zero is positive, since there is one code more below zero.
inline float fit_scale(const float* x, const float* weight, Index n) noexcept {
  float farthest = 0;
  for (Index i = 0; i < n; ++i)
    if (std::fabs(x[i]) > std::fabs(farthest)) farthest = x[i];
  if (farthest == 0) return 0;
  float best = 0;
  double most = -1;
  constexpr int kTries = 9;
  for (int t = -kTries; t <= kTries; ++t) {
    const float up = -(32 + 0.1f * static_cast<float>(t)) / farthest;
    double wcx = 0, wcc = 0;
    for (Index i = 0; i < n; ++i) {
      const double code = nearest(x[i] * up, -32, 31), each = static_cast<double>(weight[i]);
      wcx += each * code * static_cast<double>(x[i]), wcc += each * code * code;
    }
    if (wcc > 0 && wcx * wcx / wcc > most) most = wcx * wcx / wcc, best = static_cast<float>(wcx / wcc);
  }
  return best;
}

/// Fits each sub-block, rounds scales to 8 bits, and chooses the codes for those.
inline void encode(Q6_K, const float* x, std::byte* b) noexcept {
  float part[16], farthest = 0;
  for (Index s = 0; s < 16; ++s) {
    float weight[16];
    weigh(x + 16 * s, weight, 16);
    part[s] = fit_scale(x + 16 * s, weight, 16);
    if (std::fabs(part[s]) > std::fabs(farthest)) farthest = part[s];
  }
  std::memset(b, 0, 210);
  put_half(b + Q6_K::kScale.at, farthest / -128);
  const float scale = half_at(b + Q6_K::kScale.at);
  int codes[256];
  for (Index s = 0; s < 16; ++s) {
    const int sub_scale = nearest(part[s] * inverse(scale), -128, 127);
    b[Q6_K::kScales.at + s] = to_byte(sub_scale);
    const float up = inverse(scale * static_cast<float>(sub_scale));
    for (Index i = 16 * s; i < 16 * (s + 1); ++i) codes[i] = nearest(x[i] * up, -32, 31) + 32;
  }
  for (Index i = 0; i < 256; ++i) {
    const Index half = i / 128, quarter = i % 128 / 32, at = i % 32;
    b[Q6_K::kLow.at + half * 64 + quarter % 2 * 32 + at] |= to_byte((codes[i] & 15) << (quarter < 2 ? 0 : 4));
    b[Q6_K::kHigh.at + half * 32 + at] |= to_byte(codes[i] >> 4 << (2 * quarter));
  }
}

/// Encodes stored_block(format).cols finite numbers as one of ggml's blocks.
inline void encode(Format format, const float* x, std::byte* b) noexcept {
  with_block(format, [&]<class B>(B type) { encode(type, x, b); });
}

}  // namespace block

/// Encodes kGroupRows rows of `cols` finite numbers, `stride` apart, as one group: row_bytes(format, cols) for each
/// row.
inline void encode_group(Format format, const float* x, Index stride, Index cols, std::byte* group) noexcept {
  const StoredBlock stored = stored_block(format);
  std::byte one[kMaxBlockCols];
  for (Index r = 0; r < kGroupRows; ++r)
    for (Index c = 0; c < cols; c += stored.cols) {
      block::encode(format, x + r * stride + c, one);
      scatter_block(format, one, group + c / stored.cols * stored.bytes, r);
    }
}

}  // namespace DSVL_ISA
}  // namespace kernels
using kernels::encode_group;
DSVL_END_NAMESPACE

#endif  // DSVL_KERNELS_WEIGHTS_QUANTIZE_HPP
