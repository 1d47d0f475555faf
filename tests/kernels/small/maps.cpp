#include <doctest/doctest.h>

#include <algorithm>

#include "../support.hpp"

using namespace dsvl;
using namespace test;

namespace {

/// The whole map unfolded in tiles of `tile` pixels.
template <class T>
std::vector<T> unfold(const Kernels<T>& kernels, const std::vector<T>& map, bool channels_last, Index channels,
                      Index height, Index width, Index size, Index step, Index padding, Index tile) {
  const Index out_height = (height + 2 * padding - size) / step + 1,
              out_width = (width + 2 * padding - size) / step + 1;
  const Index cols = channels * size * size;
  std::vector<T> y(static_cast<std::size_t>(out_height * out_width * cols), T(99));
  for (Index first = 0; first < out_height * out_width; first += tile) {
    UnfoldTile<T> t;
    t.map = map.data();
    t.channel_stride = channels_last ? 1 : height * width;
    t.row_stride = channels_last ? width * channels : width;
    t.pixel_stride = channels_last ? channels : 1;
    t.channels = channels;
    t.height = height;
    t.width = width;
    t.size = size;
    t.step = step;
    t.padding = padding;
    t.out_width = out_width;
    t.first = first;
    t.count = std::min<Index>(tile, out_height * out_width - first);
    t.y = y.data() + first * cols;
    t.y_stride = cols;
    kernels.unfold(t);
  }
  return y;
}

template <class T>
std::vector<T> resize(const Kernels<T>& kernels, const std::vector<T>& map, Grid from, Grid to, Index channels,
                      Index tile) {
  std::vector<T> y(static_cast<std::size_t>(to.tokens() * channels));
  for (Index first = 0; first < to.height; first += tile) {
    ResizeTile<T> t;
    t.map = map.data();
    t.from = from;
    t.to = to;
    t.channels = channels;
    t.first = first;
    t.count = std::min<Index>(tile, to.height - first);
    t.y = y.data();
    kernels.resize(t);
  }
  return y;
}

}  // namespace

TEST_CASE(
    "unfold equals the reference for patches, for padded and strided convolutions, in both layouts, in any tiles") {
  struct Shape {
    Index channels, height, width, size, step, padding;
  };
  for (const Shape& s : {Shape{3, 8, 8, 4, 4, 0}, Shape{2, 5, 7, 3, 1, 1}, Shape{19, 6, 6, 3, 2, 1},
                         Shape{4, 3, 3, 1, 1, 0}, Shape{1, 2, 2, 3, 1, 1}, Shape{5, 1, 1, 3, 1, 1}}) {
    for (const bool channels_last : {true, false}) {
      const auto map = noise(static_cast<std::size_t>(s.channels * s.height * s.width), 51);
      const auto run = [&](const auto& kernels, const auto& from, Index tile) {
        return unfold(kernels, from, channels_last, s.channels, s.height, s.width, s.size, s.step, s.padding, tile);
      };
      const auto want = run(reference_kernels<float>(), map, 1000);
      CHECK(same_bits(run(float_kernels(), map, 1000), want));
      CHECK(same_bits(run(float_kernels(), map, 3), want));
    }
  }
}

TEST_CASE("unfold orders a neighbourhood by channel, then row, then column") {
  const std::vector<float> map = {1, 2, 3, 4, 5, 6, 7, 8};  // two channels of 2 x 2, channels first
  const auto y = unfold<float>(float_kernels(), map, false, 2, 2, 2, 2, 1, 0, 1);
  CHECK(y == map);
  const auto last = unfold<float>(float_kernels(), map, true, 2, 2, 2, 2, 1, 0, 1);
  CHECK(last == std::vector<float>{1, 3, 5, 7, 2, 4, 6, 8});
}

TEST_CASE("resize agrees with the reference up, down and to the same size, in any tiles") {
  struct Shape {
    Grid from, to;
    Index channels;
  };
  for (const Shape& s : {Shape{{64, 64}, {96, 96}, 5}, Shape{{4, 6}, {6, 9}, 17}, Shape{{9, 9}, {4, 5}, 16},
                         Shape{{5, 5}, {5, 5}, 33}, Shape{{1, 1}, {3, 2}, 1}, Shape{{3, 2}, {1, 1}, 65}}) {
    const auto map = noise(static_cast<std::size_t>(s.from.tokens() * s.channels), 61);
    const auto want = resize<double>(reference_kernels<double>(), widen(map), s.from, s.to, s.channels, 1000);
    const auto got = resize<float>(float_kernels(), map, s.from, s.to, s.channels, 1000);
    CHECK(relative_error(got, want) < 5e-6);  // positions are rounded to float, as PyTorch does
    CHECK(relative_error(got, resize<float>(reference_kernels<float>(), map, s.from, s.to, s.channels, 1000)) < 1e-7);
    CHECK(same_bits(resize<float>(float_kernels(), map, s.from, s.to, s.channels, 1), got));
    if (s.from == s.to) CHECK(same_bits(got, map));
  }
}

TEST_CASE("resize samples at pixel centres and stops at the border") {
  const std::vector<float> map = {0, 1};  // one row of two pixels to four: -0.25, 0.25, 0.75, 1.25
  CHECK(resize<float>(float_kernels(), map, {1, 2}, {1, 4}, 1, 1) == std::vector<float>{0.0f, 0.25f, 0.75f, 1.0f});
}
