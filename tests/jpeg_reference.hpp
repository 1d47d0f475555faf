// JPEG's arithmetic once more, in the plainest way: what jidctint.c, jdsample.c and jdcolor.c of libjpeg-turbo compute,
// and what Pillow makes of inks.
#ifndef DSVL_TESTS_JPEG_REFERENCE_HPP
#define DSVL_TESTS_JPEG_REFERENCE_HPP

#include <dsvl/io/image.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

namespace test {

inline std::int64_t saturate16(std::int64_t x) { return std::clamp<std::int64_t>(x, -32768, 32767); }
inline std::int64_t wrap16(std::int64_t x) { return static_cast<std::int16_t>(static_cast<std::uint16_t>(x & 0xFFFF)); }

inline void plain_idct_line(std::int64_t (&x)[8], int bits) {
  const std::int64_t z1 = (x[2] + x[6]) * 4433;
  const std::int64_t even2 = z1 - x[6] * 15137, even3 = z1 + x[2] * 6270;
  const std::int64_t even0 = wrap16(x[0] + x[4]) * 8192, even1 = wrap16(x[0] - x[4]) * 8192;
  const std::int64_t a = wrap16(x[7] + x[3]), b = wrap16(x[5] + x[1]), z5 = (a + b) * 9633;
  const std::int64_t z3 = z5 - a * 16069, z4 = z5 - b * 3196;
  const std::int64_t y1 = (x[7] + x[1]) * -7373, y2 = (x[5] + x[3]) * -20995;
  const std::int64_t odd[4] = {x[1] * 12299 + y1 + z4, x[3] * 25172 + y2 + z3, x[5] * 16819 + y2 + z4,
                               x[7] * 2446 + y1 + z3};
  const std::int64_t even[4] = {even0 + even3, even1 + even2, even1 - even2, even0 - even3};
  for (int i = 0; i < 4; ++i) {
    const std::int64_t half = std::int64_t{1} << (bits - 1);
    x[i] = saturate16((even[i] + odd[i] + half) >> bits);
    x[7 - i] = saturate16((even[i] - odd[i] + half) >> bits);
  }
}
inline std::vector<int> plain_idct(const std::int16_t* block) {
  std::int64_t work[8][8];
  for (int x = 0; x < 8; ++x) {
    std::int64_t line[8];
    for (int y = 0; y < 8; ++y) line[y] = block[8 * y + x];
    plain_idct_line(line, 11);
    for (int y = 0; y < 8; ++y) work[y][x] = line[y];
  }
  std::vector<int> out;
  for (auto& row : work) {
    plain_idct_line(row, 18);
    for (const std::int64_t v : row) out.push_back(static_cast<int>(std::clamp<std::int64_t>(v + 128, 0, 255)));
  }
  return out;
}

/// One sample of an upsampled component.
inline int plain_sample(const dsvl::jpeg::Plane& p, dsvl::Index x, dsvl::Index y) {
  const auto at = [&](dsvl::Index column, dsvl::Index row) {
    const dsvl::Index v = std::clamp<dsvl::Index>(row, 0, p.height - 1), u = std::clamp<dsvl::Index>(column, 0, p.width - 1);
    return int{p.data[v * p.stride + u]};
  };
  const dsvl::Index u = x / 2, v = y / 2, beside = x % 2 == 0 ? u - 1 : u + 1, above = y % 2 == 0 ? v - 1 : v + 1;
  if (p.across == 1 && p.down == 2) return (3 * at(x, v) + at(x, above) + (y % 2 == 0 ? 1 : 2)) >> 2;
  if (p.across == 2 && p.down == 1 && p.width > 2) return (3 * at(u, y) + at(beside, y) + (x % 2 == 0 ? 1 : 2)) >> 2;
  if (p.across == 2 && p.down == 2 && p.width > 2) {
    const int own = 3 * at(u, v) + at(u, above), other = 3 * at(beside, v) + at(beside, above);
    return (3 * own + other + (x % 2 == 0 ? 8 : 7)) >> 4;
  }
  return at(x / p.across, y / p.down);
}

/// The color of a pixel whose components are given. Of CMYK each is 255 less the ink, and YCCK holds the RGB that is
/// 255 less such a component.
inline std::array<int, 3> plain_rgb(dsvl::jpeg::Colors colors, std::array<int, 4> of) {
  using Colors = dsvl::jpeg::Colors;
  if (colors == Colors::gray) return {of[0], of[0], of[0]};
  std::array<int, 3> out = {of[0], of[1], of[2]};
  if (colors == Colors::ycbcr || colors == Colors::ycck) {
    const int u = of[1] - 128, v = of[2] - 128;
    out = {of[0] + ((91881 * v + 32768) >> 16), of[0] + ((-22554 * u - 46802 * v + 32768) >> 16),
           of[0] + ((116130 * u + 32768) >> 16)};
    for (int& c : out) c = std::clamp(c, 0, 255);
  }
  if (colors == Colors::ycck)
    for (int& c : out) c = 255 - c;
  if (colors == Colors::cmyk || colors == Colors::ycck)
    for (int& c : out) c = std::max(0, of[3] - (2 * (255 - c) * of[3] + 255) / 510);
  return out;
}

}  // namespace test

#endif  // DSVL_TESTS_JPEG_REFERENCE_HPP
