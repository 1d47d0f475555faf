#include <doctest/doctest.h>

#include <algorithm>

#include "../support.hpp"

using namespace dsvl;
using namespace test;

namespace {

/// One head: `keys` cached tokens in pages whose unused slots are NaN, queries and, if map_width > 0, biases.
template <class T>
struct Head {
  Index rows, keys, head_dim, map_width;
  KvFormat format;
  std::vector<std::vector<std::byte>> pages;
  std::vector<std::byte*> table;
  std::vector<T> q, bias_y, bias_x;
  static constexpr Index kOffset = 64;  // the head does not start its page

  Head(const Kernels<T>& kernels, Index r, Index n, Index d, KvFormat f, Index width, unsigned char garbage = 0xFF)
      : rows(r), keys(n), head_dim(d), map_width(width), format(f) {
    const auto values = noise(static_cast<std::size_t>((2 * n + r) * d), 71);
    const std::vector<T> all(values.begin(), values.end());
    for (Index b = 0; b < ceil_div(n, kKvBlock); ++b)
      pages.emplace_back(static_cast<std::size_t>(kOffset + kv_block_bytes<T>(f, d)), std::byte{garbage});
    for (Index j = 0; j < n; ++j)
      kernels.store_kv({.k = all.data() + 2 * j * d, .v = all.data() + (2 * j + 1) * d, .rows = 1, .head_dim = d,
                        .format = f, .block = pages[static_cast<std::size_t>(j / kKvBlock)].data() + kOffset,
                        .slot = j % kKvBlock});
    for (auto& page : pages) table.push_back(page.data());
    q.assign(all.begin() + 2 * n * d, all.end());
    if (width > 0) {
      const auto bias = noise(static_cast<std::size_t>(r * stride() + 3), 72);
      bias_y.assign(bias.begin(), bias.begin() + r * stride());
      bias_x.assign(bias.begin() + 3, bias.begin() + 3 + r * stride());
    }
  }
  /// Row r is at place r + 3 of the map: distances go from -(r + 3) / width up, and from -(width - 1).
  static constexpr Index kPlace = 3;
  Index height() const { return ceil_div(std::max<Index>(keys, rows + kPlace), map_width); }
  Index stride() const { return 2 * std::max<Index>(height(), map_width); }

  /// Rows [first, first + count); row r sees keys - (rows - 1 - r) * step keys, with a step of 1 by its place.
  void run(const Kernels<T>& kernels, Index first, Index count, Index step, T* y, T* weights = nullptr, Index from = 0,
           Index stride_of_weights = 0) const {
    AttendTile<T> t;
    t.weights = weights;
    t.weights_from = from;
    t.weights_stride = stride_of_weights;
    t.q = q.data() + first * head_dim;
    t.q_stride = t.y_stride = t.head_dim = head_dim;
    t.rows = count;
    t.scale = T(1) / std::sqrt(static_cast<T>(head_dim)) * T(3);
    t.pages = table.data();
    t.offset = kOffset;
    t.format = format;
    t.keys = keys;
    std::vector<SequenceRow> places;
    for (Index r = first; r < first + count; ++r) places.push_back({table.data(), keys - (rows - r)});
    if (step == 1) t.places = places.data();
    if (map_width > 0) {
      t.bias_y = bias_y.data() + first * stride() + height() - 1;
      t.bias_x = bias_x.data() + first * stride() + map_width - 1;
      t.bias_stride = stride();
      t.map_width = map_width;
      t.place = kPlace + first;
    }
    t.y = y;
    Scratch<T> scratch(attend_scratch(count, head_dim));
    kernels.attend(t, scratch.data());
  }
  std::vector<T> all(const Kernels<T>& kernels, Index step, Index tile) const {
    std::vector<T> y(static_cast<std::size_t>(rows * head_dim), T(-7));
    for (Index r = 0; r < rows; r += tile)
      run(kernels, r, std::min<Index>(tile, rows - r), step, y.data() + r * head_dim);
    return y;
  }
};

constexpr KvFormat kEveryFormat[] = {KvFormat::full, KvFormat::bf16, KvFormat::q8};

}  // namespace

TEST_CASE("attention agrees with the reference for every head size, number of keys, format, with and without biases") {
  double worst = 0;
  for (const KvFormat format : kEveryFormat) {
    for (const Index head_dim : {1, 2, 10, 12, 16, 17, 64, 80, 128}) {
      for (const Index keys : {1, 2, 15, 16, 17, 63, 64, 65, 130, 196}) {
        for (const Index width : {0, 1, 14, 64}) {
          CAPTURE(head_dim);
          CAPTURE(keys);
          CAPTURE(width);
          const Index rows = std::min<Index>(keys, 7), step = width == 0 ? 1 : 0;
          const auto want = Head<double>(reference_kernels<double>(), rows, keys, head_dim, format, width)
                                .all(reference_kernels<double>(), step, rows);
          const auto plain = Head<float>(reference_kernels<float>(), rows, keys, head_dim, format, width)
                                 .all(reference_kernels<float>(), step, rows);
          const auto got =
              Head<float>(float_kernels(), rows, keys, head_dim, format, width).all(float_kernels(), step, rows);
          CHECK(relative_error(plain, want) < 1e-6);
          CHECK(relative_error(got, want) < 1e-6);
          worst = std::max(worst, relative_error(got, want));
        }
      }
    }
  }
  MESSAGE("attention: largest relative error " << worst);
}

TEST_CASE("attention gives a row the same bits in any grouping, whatever stands behind the last key") {
  for (const KvFormat format : kEveryFormat) {
    for (const Index head_dim : {10, 64, 128}) {
      for (const Index width : {0, 14}) {
        for (const Index step : {0, 1}) {
          const Index rows = 75, keys = 141;
          CAPTURE(head_dim);
          CAPTURE(step);
          const Head<float> head(float_kernels(), rows, keys, head_dim, format, width);
          const auto alone = head.all(float_kernels(), step, 1);
          for (const Index tile : {2, 3, 4, 5, 7, 64, 75})
            CHECK(same_bits(head.all(float_kernels(), step, tile), alone));
          const Head<float> clean(float_kernels(), rows, keys, head_dim, format, width, 0);
          CHECK(same_bits(clean.all(float_kernels(), step, 16), alone));
        }
      }
    }
  }
}

TEST_CASE("rows of sequences that share a prefix have the bits that they have alone") {
  for (const KvFormat format : kEveryFormat)
    for (const Index head_dim : {10, 64, 128}) {
      CAPTURE(head_dim);
      // Three sequences of 200 keys, whose first two pages are the first one's; the last has a third page of it as well.
      Head<float> heads[] = {{float_kernels(), 9, 200, head_dim, format, 0},
                             {float_kernels(), 9, 200, head_dim, format, 0, 0},
                             {float_kernels(), 9, 200, head_dim, format, 0, 0}};
      const auto other = noise(static_cast<std::size_t>(2 * head_dim), 5);
      float_kernels().store_kv({.k = other.data(), .v = other.data() + head_dim, .rows = 1, .head_dim = head_dim,
                                .format = format, .block = heads[1].table[2] + Head<float>::kOffset, .slot = 3});
      for (const int h : {1, 2}) std::copy_n(heads[0].table.begin(), h + 1, heads[h].table.begin());
      std::vector<SequenceRow> places;
      for (const Index position : {199, 130, 70, 3, 63, 128, 64, 199, 191})
        places.push_back({heads[static_cast<std::size_t>(position) % 3].table.data(), position});
      AttendTile<float> t;
      t.q = heads[0].q.data();
      t.q_stride = t.y_stride = t.head_dim = head_dim;
      t.scale = 0.3f;
      t.offset = Head<float>::kOffset;
      t.format = format;
      std::vector<float> together(static_cast<std::size_t>(9 * head_dim)), alone(together), plain(together);
      Scratch<float> scratch(attend_scratch(9, head_dim));
      const auto attend = [&](const Kernels<float>& kernels, Index first, Index rows, std::vector<float>& y) {
        t.q = heads[0].q.data() + first * head_dim;
        t.y = y.data() + first * head_dim;
        t.places = places.data() + first;
        t.rows = rows;
        kernels.attend(t, scratch.data());
      };
      attend(float_kernels(), 0, 9, together);
      attend(reference_kernels<float>(), 0, 9, plain);
      for (Index r = 0; r < 9; ++r) attend(float_kernels(), r, 1, alone);
      CHECK(same_bits(together, alone));
      CHECK(relative_error(together, plain) < 1e-6);
    }
}

TEST_CASE("rows leave their softmax weights, near those of the reference, and their results have the same bits") {
  for (const KvFormat format : kEveryFormat)
    for (const Index head_dim : {10, 64, 128})
      for (const Index keys : {1, 5, 63, 64, 65, 200})
        for (const Index from : {0, 1, 4}) {
          CAPTURE(head_dim);
          CAPTURE(keys);
          CAPTURE(from);
          const Index rows = std::min<Index>(keys, 5), room = round_up(keys, kKvBlock), stride = 2 * room;
          if (from >= rows) continue;
          const Head<float> head(float_kernels(), rows, keys, head_dim, format, 0);
          const Head<double> exact(reference_kernels<double>(), rows, keys, head_dim, format, 0);
          const auto weigh = [&]<class T>(const Head<T>& h, const Kernels<T>& kernels, std::vector<T>& to) {
            std::vector<T> y(static_cast<std::size_t>(rows * head_dim));
            to.assign(static_cast<std::size_t>((rows - from) * stride), T(-7));
            h.run(kernels, 0, rows, 1, y.data(), to.data(), from, stride);
            return y;
          };
          std::vector<float> got;
          std::vector<double> want;
          CHECK(same_bits(weigh(head, float_kernels(), got), head.all(float_kernels(), 1, rows)));
          weigh(exact, reference_kernels<double>(), want);
          double worst = 0;
          for (Index r = from; r < rows; ++r) {
            double sum = 0;
            const Index seen = keys - (rows - 1 - r);
            for (Index j = 0; j < stride; ++j) {
              const auto at = static_cast<std::size_t>((r - from) * stride + j);
              if (j < seen) worst = std::max(worst, std::abs(static_cast<double>(got[at]) - want[at])), sum += want[at];
              if (j >= room) CHECK(got[at] == -7.0f);  // what lies behind the blocks is the caller's
            }
            CHECK(sum == doctest::Approx(1));
          }
          CHECK(worst < 1e-6);
        }
}

TEST_CASE("a row's bits do not change when later keys are cached") {
  for (const KvFormat format : kEveryFormat) {
    const Index head_dim = 64;
    Head<float> longer(float_kernels(), 1, 200, head_dim, format, 0),
        shorter(float_kernels(), 1, 100, head_dim, format, 0);
    longer.q = shorter.q;
    longer.keys = 100;
    CHECK(same_bits(longer.all(float_kernels(), 0, 1), shorter.all(float_kernels(), 0, 1)));
  }
}

TEST_CASE("a row that sees no key is zero, and one that sees one key is its value") {
  const Head<float> head(float_kernels(), 3, 2, 12, KvFormat::full, 0);  // rows see 0, 1 and 2 keys
  const auto y = head.all(float_kernels(), 1, 3);
  const auto values = noise(static_cast<std::size_t>((2 * 2 + 3) * 12), 71);
  for (std::size_t d = 0; d < 12; ++d) {
    CHECK(y[d] == 0.0f);
    CHECK(y[12 + d] == values[12 + d]);
  }
}

TEST_CASE("large scores do not overflow, and NaN in a visible key reaches the output") {
  Head<float> head(float_kernels(), 2, 70, 16, KvFormat::full, 0);
  for (float& q : head.q) q *= 1e4f;
  for (const float y : head.all(float_kernels(), 0, 2)) CHECK(std::isfinite(y));
  const std::vector<float> bad(16, NAN), fine(16, 1.0f);
  float_kernels().store_kv({.k = bad.data(), .v = fine.data(), .rows = 1, .head_dim = 16, .format = KvFormat::full,
                            .block = head.pages[0].data() + head.kOffset, .slot = 5});
  for (const float y : head.all(float_kernels(), 0, 2)) CHECK(std::isnan(y));
}

TEST_CASE("store_kv writes the reference's bytes, and only its slots") {
  struct Run { Index slot, rows; };
  for (const KvFormat format : kEveryFormat) {
    for (const Index head_dim : {1, 10, 12, 15, 16, 17, 33, 64, 128}) {
      CAPTURE(head_dim);
      const Index stride = head_dim + 5;
      const auto size = static_cast<std::size_t>(64 * stride);
      const auto k = noise(size, 81), v = noise(size, 82);
      std::vector<std::byte> got(static_cast<std::size_t>(kv_block_bytes<float>(format, head_dim)), std::byte{0xAB}),
          want = got;
      for (const Run run : {Run{0, 1}, {63, 1}, {3, 2}, {7, 16}, {25, 23}, {48, 16}, {0, 64}, {17, 33}}) {
        CAPTURE(run.slot);
        CAPTURE(run.rows);
        KvTile<float> tile{.k = k.data(), .v = v.data(), .k_stride = stride, .v_stride = stride - 2, .rows = run.rows,
                           .head_dim = head_dim, .format = format, .block = got.data(), .slot = run.slot};
        float_kernels().store_kv(tile);
        tile.block = want.data();
        reference_kernels<float>().store_kv(tile);
        CHECK(same_bits(got, want));
      }
    }
  }
}

TEST_CASE("keys and values in 8 bits are within half a step of what was stored, and NaN is not lost") {
  const auto x = noise(64, 83);
  std::vector<std::int8_t> q(64 * 3, 9);
  const float scale = quantize8(x.data(), 64, q.data(), 3), largest = *std::max_element(x.begin(), x.end(), [](float a, float b) { return std::abs(a) < std::abs(b); });
  CHECK(scale == doctest::Approx(std::abs(largest) / 127));
  for (std::size_t i = 0; i < 64; ++i) {
    CHECK(std::abs(static_cast<float>(q[3 * i]) * scale - x[i]) <= 0.5001f * scale);
    CHECK(q[3 * i + 1] == 9);
  }
  const std::vector<float> none(8, 0.0f), bad = {1, NAN, 2};
  CHECK(quantize8(none.data(), 8, q.data(), 1) == 0.0f);
  CHECK(q[7] == 0);
  CHECK(std::isnan(quantize8(bad.data(), 3, q.data(), 1)));
}
