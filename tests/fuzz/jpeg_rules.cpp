// What JPEG computes behind its entropy coding, held against the plain rules: the inverse DCT of any block, components of
// any ratio brought to the picture's size, and colors.
#include <array>
#include <vector>

#include "../jpeg_reference.hpp"
#include "target.hpp"

namespace fuzz_jpeg_rules {

using dsvl::Index;

std::vector<std::uint8_t> samples(fuzz::Input& in, Index count) {
  std::vector<std::uint8_t> out(static_cast<std::size_t>(count));
  for (std::uint8_t& s : out) s = in.byte();
  return out;
}

void check_idct(fuzz::Input& in) {
  std::int16_t block[64] = {};
  const std::size_t filled = in.number(64);
  for (std::size_t i = 0; i < filled; ++i) block[i] = in.value<std::int16_t>();
  std::uint8_t out[64];
  dsvl::jpeg::idct(out, 8, block);
  const std::vector<int> want = test::plain_idct(block);
  for (std::size_t i = 0; i < 64; ++i) FUZZ_CHECK(out[i] == want[i]);
}

void check_upsampling(fuzz::Input& in) {
  const Index width = 1 + static_cast<Index>(in.number(39)), height = 1 + static_cast<Index>(in.number(5));
  const int across = 1 << in.number(2), down = 1 << in.number(2);
  const Index stride = dsvl::round_up(width, 8);
  const std::vector<std::uint8_t> stored = samples(in, stride * height);
  const dsvl::jpeg::Plane plane{stored.data(), stride, width, height, across, down};
  std::vector<std::uint8_t> row(static_cast<std::size_t>(stride * across + dsvl::jpeg::kRowSlack));
  std::vector<std::int16_t> sums(static_cast<std::size_t>(stride + dsvl::jpeg::kRowSlack));
  for (Index y = 0; y < height * down; ++y) {
    const std::uint8_t* const got = dsvl::jpeg::upsampled_row(plane, y, row.data(), sums.data());
    for (Index x = 0; x < width * across; ++x) FUZZ_CHECK(int{got[x]} == test::plain_sample(plane, x, y));
  }
}

void check_colors(fuzz::Input& in) {
  const auto colors = static_cast<dsvl::jpeg::Colors>(in.number(4));
  const Index width = 1 + static_cast<Index>(in.number(40));
  std::vector<std::uint8_t> rows[4];
  for (std::vector<std::uint8_t>& row : rows) {
    row = samples(in, width);
    row.resize(row.size() + 8);
  }
  const std::vector<std::uint8_t> stored[4] = {rows[0], rows[1], rows[2], rows[3]};
  std::vector<std::uint8_t> out(static_cast<std::size_t>(3 * width));
  dsvl::jpeg::to_rgb(colors, {rows[0].data(), rows[1].data(), rows[2].data(), rows[3].data()}, width, out.data());
  for (std::size_t x = 0; x < static_cast<std::size_t>(width); ++x) {
    const std::array<int, 3> want =
        test::plain_rgb(colors, {int{stored[0][x]}, int{stored[1][x]}, int{stored[2][x]}, int{stored[3][x]}});
    for (std::size_t c = 0; c < 3; ++c) FUZZ_CHECK(out[3 * x + c] == want[c]);
  }
}

void run(fuzz::Input in) {
  switch (in.number(2)) {
    case 0: return check_idct(in);
    case 1: return check_upsampling(in);
    default: return check_colors(in);
  }
}

}  // namespace fuzz_jpeg_rules

DSVL_FUZZ_TARGET(jpeg_rules)
