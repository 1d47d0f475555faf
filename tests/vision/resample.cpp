#include <dsvl/vision/resample.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "../picture_formula.hpp"
#include "../support.hpp"

namespace {

using dsvl::Filter;
using dsvl::Index;
using dsvl::Pixels;
using dsvl::Rect;
using dsvl::Resampler;

using Bytes = std::vector<std::uint8_t>;

/// One row of Pillow's 8-bit resize, written down plainly: the oracle.
Bytes pillow_row(const Bytes& in, Index out_size, Filter filter) {
  const Index n = static_cast<Index>(in.size());
  if (n == out_size) return in;
  const double scale = static_cast<double>(n) / static_cast<double>(out_size), fs = std::max(scale, 1.0);
  const double support = (filter == Filter::bicubic ? 2.0 : 1.0) * fs;
  Bytes out;
  for (Index o = 0; o < out_size; ++o) {
    const double center = (static_cast<double>(o) + 0.5) * scale;
    const Index lo = std::max<Index>(0, static_cast<Index>(center - support + 0.5));
    const Index hi = std::min<Index>(n, static_cast<Index>(center + support + 0.5));
    std::vector<double> w;
    for (Index j = lo; j < hi; ++j) {
      const double x = std::abs((static_cast<double>(j) - center + 0.5) / fs);
      if (filter == Filter::bilinear) w.push_back(std::max(0.0, 1 - x));
      else w.push_back(x < 1 ? (1.5 * x - 2.5) * x * x + 1 : x < 2 ? (((x - 5) * x + 8) * x - 4) * -0.5 : 0);
    }
    const double sum = std::accumulate(w.begin(), w.end(), 0.0);
    std::int64_t acc = 1 << 21;
    for (std::size_t j = 0; j < w.size(); ++j)
      acc += static_cast<std::int64_t>(std::trunc(w[j] / sum * 4194304 + (w[j] < 0 ? -0.5 : 0.5))) *
             in[static_cast<std::size_t>(lo) + j];
    out.push_back(static_cast<std::uint8_t>(std::clamp<std::int64_t>(acc >> 22, 0, 255)));
  }
  return out;
}

Bytes transposed(const Bytes& in, Index width, Index height) {
  Bytes out;
  for (Index x = 0; x < width; ++x)
    for (Index y = 0; y < height; ++y) out.push_back(in[static_cast<std::size_t>(y * width + x)]);
  return out;
}

Bytes pillow_rows(const Bytes& in, Index width, Index out_width, Filter filter) {
  Bytes out;
  for (auto row = in.begin(); row != in.end(); row += width) {
    const Bytes done = pillow_row(Bytes(row, row + width), out_width, filter);
    out.insert(out.end(), done.begin(), done.end());
  }
  return out;
}

/// Both passes of a one-channel picture, in full.
Bytes pillow(const Bytes& in, Index w, Index h, Index ow, Index oh, Filter filter) {
  const auto rows = [&](const Bytes& p) { return pillow_rows(p, w, ow, filter); };
  const auto columns = [&](const Bytes& p, Index width) {
    return transposed(pillow_rows(transposed(p, width, h), h, oh, filter), oh, width);
  };
  if (h > 100 * w && oh < h) return rows(columns(in, w));
  return columns(rows(in), ow);
}

struct ToInteger { std::int32_t operator()(std::uint8_t v) const { return v; } };

/// A resize with memory of its own.
template <class Weight>
struct Resize {
  Resampler<Weight> by;
  dsvl::Buffer<std::byte> slab;
};

template <class Weight>
Resize<Weight> make(Filter filter, Index w, Index h, Index ow, Index oh, int channels) {
  Resize<Weight> out;
  const auto status = out.by.plan(filter, w, h, ow, oh, channels);
  REQUIRE_MESSAGE(status.ok(), status.text());
  REQUIRE(dsvl::carve_slab(out.slab, [&](dsvl::Arena& arena) { out.by.carve(arena); }));
  out.by.fill();
  return out;
}

Resize<std::int32_t> plan(const Pixels& p, Index ow, Index oh, Filter filter) {
  return make<std::int32_t>(filter, p.width, p.height, ow, oh, dsvl::samples_of(p).channels);
}

/// Planar output of all tiles; -1 stands for "never written", -2 for "written twice".
std::vector<int> by_tiles(const Resampler<std::int32_t>& r, const Pixels& p, Index ow, Index oh) {
  const int channels = dsvl::samples_of(p).channels;
  std::vector<int> out(static_cast<std::size_t>(ow * oh * channels), -1);
  std::vector<std::int32_t> scratch(r.scratch_bytes() / 4);
  for (Index t = 0; t < r.tiles(); ++t)
    r.run(t, dsvl::samples_of(p), ToInteger(), [&](Index c, Index y, Index x, std::int32_t v) {
      int& to = out[static_cast<std::size_t>((c * oh + y) * ow + x)];
      to = to == -1 ? v : -2;
    }, scratch.data());
  return out;
}

}  // namespace

TEST_CASE("resample: integer weights equal two full passes of Pillow's algorithm at every size") {
  struct Case { Index w, h, ow, oh; };
  for (const Case c : {Case{1, 1, 1, 1}, {1, 1, 40, 7}, {7, 5, 7, 5}, {7, 5, 7, 11}, {7, 5, 13, 5},
                       {100, 37, 17, 16}, {64, 64, 15, 17}, {33, 200, 100, 31}, {500, 3, 48, 14}, {3, 301, 14, 40},
                       {3, 300, 14, 40}, {2, 700, 14, 384}, {2, 700, 14, 800}, {1, 3000, 5, 100}, {400, 300, 1, 1},
                       {257, 129, 128, 64}}) {
    CAPTURE(c.w);
    CAPTURE(c.h);
    for (const Filter filter : {Filter::bilinear, Filter::bicubic}) {
      const Bytes rgb = test::formula_picture(c.w, c.h, c.ow % 9);
      const Pixels pixels{rgb.data(), c.w, c.h, dsvl::PixelFormat::rgb, 0};
      const auto got = by_tiles(plan(pixels, c.ow, c.oh, filter).by, pixels, c.ow, c.oh);
      for (std::size_t channel = 0; channel < 3; ++channel) {
        Bytes plane;
        for (std::size_t i = channel; i < rgb.size(); i += 3) plane.push_back(rgb[i]);
        const Bytes want = pillow(plane, c.w, c.h, c.ow, c.oh, filter);
        REQUIRE(want.size() * 3 == got.size());
        CHECK(std::equal(want.begin(), want.end(), got.begin() + static_cast<Index>(channel * want.size())));
      }
    }
  }
}

TEST_CASE("resample: any rectangle has the values that the tiles give") {
  struct Case { Index w, h, ow, oh; };
  for (const Case c : {Case{300, 200, 97, 61}, {31, 40, 97, 61}, {4, 500, 14, 90}}) {
    const Bytes rgb = test::formula_picture(c.w, c.h, 4);
    for (const auto format : {dsvl::PixelFormat::rgb, dsvl::PixelFormat::gray}) {
      const Pixels p{rgb.data(), c.w, c.h, format, 0};
      const auto resize = plan(p, c.ow, c.oh, Filter::bicubic);
      const auto& r = resize.by;
      const auto want = by_tiles(r, p, c.ow, c.oh);
      CHECK(std::none_of(want.begin(), want.end(), [](int v) { return v < 0; }));
      for (const Rect at : {Rect{0, 0, c.ow, c.oh}, {0, 7, c.ow, 1}, {3, 0, 1, c.oh}, {c.ow - 5, c.oh - 17, 5, 17},
                            {1, 2, 3, 4}, {0, 0, 0, 5}}) {
        std::vector<std::int32_t> scratch(r.rectangle_scratch_bytes(std::max<Index>(at.width, 1), at.height) / 4);
        Index written = 0, wrong = 0;
        r.rectangle(at, dsvl::samples_of(p), ToInteger(), [&](Index ch, Index y, Index x, std::int32_t v) {
          ++written;
          if (x < at.x || y < at.y || x >= at.x + at.width || y >= at.y + at.height) ++wrong;
          if (want[static_cast<std::size_t>((ch * c.oh + y) * c.ow + x)] != v) ++wrong;
        }, scratch.data());
        CHECK(written == at.width * at.height * dsvl::samples_of(p).channels);
        CHECK(wrong == 0);
      }
    }
  }
}

TEST_CASE("resample: float weights agree with the same sums in double") {
  constexpr Index kIn = 96, kOut = 36;  // the ratio of 1024 to 384
  const Bytes rgb = test::formula_picture(kIn, kIn, 1);
  const Pixels p{rgb.data(), kIn, kIn, dsvl::PixelFormat::rgb, 0};
  const auto resize = make<float>(Filter::bilinear, kIn, kIn, kOut, kOut, 3);
  const auto& r = resize.by;
  std::vector<double> weights(static_cast<std::size_t>(kIn * kOut), 0);  // (out, in)
  for (Index o = 0; o < kOut; ++o) {
    double sum = 0;
    const auto weight = [&](Index i) {
      return std::max(0.0, 1 - std::abs((static_cast<double>(i) + 0.5) * 0.375 - (static_cast<double>(o) + 0.5)));
    };
    for (Index i = 0; i < kIn; ++i) sum += weight(i);
    for (Index i = 0; i < kIn; ++i) weights[static_cast<std::size_t>(o * kIn + i)] = weight(i) / sum;
  }
  std::vector<float> scratch(r.scratch_bytes() / 4);
  double worst = 0;
  for (Index t = 0; t < r.tiles(); ++t)
    r.run(t, dsvl::samples_of(p), [](std::uint8_t v) { return static_cast<float>(v) / 255; },
          [&](Index c, Index y, Index x, float v) {
            double want = 0;
            for (Index i = 0; i < kIn; ++i)
              for (Index j = 0; j < kIn; ++j)
                want += weights[static_cast<std::size_t>(y * kIn + i)] *
                        weights[static_cast<std::size_t>(x * kIn + j)] *
                        rgb[static_cast<std::size_t>((i * kIn + j) * 3 + c)] / 255;
            worst = std::max(worst, std::abs(want - static_cast<double>(v)));
          }, scratch.data());
  CHECK(worst < 2e-6);  // observed 4e-7: the reference's geometry is in float32
  CHECK(worst > 0);
}

TEST_CASE("resample: tiles of a large photo stay small in work and scratch memory") {
  Resampler<std::int32_t> r;
  REQUIRE(r.plan(Filter::bicubic, 12000, 9000, 1024, 768, 3).ok());
  CHECK(r.tiles() > 500);
  CHECK(r.scratch_bytes() < 512 * 1024);
  REQUIRE(r.plan(Filter::bicubic, dsvl::kMaxPictureSide, 100, 384, 14, 3).ok());
  CHECK(r.scratch_bytes() < 4 * 1024 * 1024);
  REQUIRE(r.plan(Filter::bicubic, 100, dsvl::kMaxPictureSide, 14, 384, 3).ok());
  CHECK(r.scratch_bytes() < 4 * 1024 * 1024);
}

TEST_CASE("resample: sizes out of range are refused") {
  Resampler<std::int32_t> r;
  CHECK(r.plan(Filter::bicubic, 0, 5, 4, 4, 3).code() == dsvl::Code::bad_argument);
  CHECK(r.plan(Filter::bicubic, 5, 5, 4, -1, 3).code() == dsvl::Code::bad_argument);
  CHECK(r.plan(Filter::bicubic, 5, dsvl::kMaxPictureSide + 1, 4, 4, 3).code() == dsvl::Code::limit);
  CHECK(r.plan(Filter::bicubic, PTRDIFF_MAX, PTRDIFF_MAX, 4, 4, 3).code() == dsvl::Code::limit);
  CHECK(r.plan(Filter::bicubic, PTRDIFF_MIN, PTRDIFF_MIN, 4, 4, 3).code() == dsvl::Code::bad_argument);
}
