// Windows and relative positions against the definition: pad with zeros, cut, attend with every key, put back, crop.
#include <dsvl/nn/map_attention.hpp>
#include <dsvl/vision/rel_pos_table.hpp>

#include "../oracle.hpp"

using namespace dsvl;
using test::Mat;
using test::Rows;

namespace {

/// A table (2 side - 1, dim) as checkpoints have it, and the reversed floats that the attention takes.
struct Table {
  Mat stored;
  std::vector<float> reversed;
  Table(Index side, Index dim, std::uint64_t seed) : stored(test::noise_mat(2 * side - 1, dim, seed, 0.5)), reversed(stored.v.size()) {
    for (Index r = 0; r < stored.rows; ++r)
      for (Index c = 0; c < dim; ++c)
        reversed[static_cast<std::size_t>((stored.rows - 1 - r) * dim + c)] = static_cast<float>(stored(r, c));
  }
};

}  // namespace

TEST_CASE("a map that is no multiple of the window is filled with zeros at the bottom and on the right") {
  const Windows w{{5, 7}, 3};
  CHECK(w.down() == 2);
  CHECK(w.across() == 3);
  CHECK(w.tokens() == 54);
  Rows<float> x(test::noise_mat(35, 4, 1)), cut(54, 4), back(Mat(35, 4));
  Immediate<float> on(active_kernels<float>());
  split_windows(on, x, w, cut);
  for (Index wy = 0; wy < 2; ++wy)
    for (Index wx = 0; wx < 3; ++wx)
      for (Index y = 0; y < 3; ++y)
        for (Index c = 0; c < 3; ++c) {
          const Index my = 3 * wy + y, mx = 3 * wx + c, t = (wy * 3 + wx) * 9 + y * 3 + c;
          for (Index d = 0; d < 4; ++d) CHECK(cut.view().row(t)[d] == (my < 5 && mx < 7 ? x.view().row(my * 7 + mx)[d] : 0.0f));
        }
  add_windows(on, cut, w, back);
  CHECK(test::same_bits<float>(back.view(), x.view()));
  add_windows(on, cut, w, back);
  for (Index i = 0; i < 35; ++i) CHECK(back.view().row(i)[3] == 2 * x.view().row(i)[3]);
}

TEST_CASE("one window is the whole map when the side is 0") {
  const Windows w{{5, 7}, 0};
  CHECK(w.count() == 1);
  CHECK(w.tokens() == 35);
  CHECK(w.window() == Grid{5, 7});
  for (Index t = 0; t < 35; ++t) CHECK(w.map_row(t) == t);
}

TEST_CASE("map attention adds q . R with unscaled q, in windows and over maps that need not be square") {
  struct Case { Windows windows; Index heads, head_dim; };
  for (const Case& c : {Case{{{5, 5}, 0}, 2, 8}, {{{9, 20}, 0}, 1, 16}, {{{20, 3}, 0}, 3, 5}, {{{14, 14}, 14}, 2, 10}, {{{10, 6}, 4}, 2, 12},
                        {{{3, 3}, 14}, 1, 8}, {{{40, 40}, 0}, 1, 8}}) {
    const Grid window = c.windows.window();
    const HeadShape shape{c.heads, c.heads, c.head_dim};
    const Index tokens = c.windows.tokens(), width = shape.width(), each = window.tokens();
    INFO(window.height << " x " << window.width << ", " << c.windows.count() << " windows");
    const Mat q = test::noise_mat(tokens, width, 1, 2), k = test::noise_mat(tokens, width, 2), v = test::noise_mat(tokens, width, 3);
    const Table ty(window.height, c.head_dim, 4), tx(window.width, c.head_dim, 5);
    Mat want(tokens, width);
    for (Index n = 0; n < c.windows.count(); ++n) {
      const Mat one = test::attend_map(q.lines(n * each, each), k.lines(n * each, each), v.lines(n * each, each), c.heads, window, ty.stored, tx.stored);
      std::copy(one.v.begin(), one.v.end(), want.v.begin() + n * each * width);
    }
    test::with_kernels([&](const auto& kernels) {
      using T = test::scalar_of<decltype(kernels)>;
      KvSpace<T> space;
      const auto memory = test::slab([&](Arena& a) {
        space.carve_table(a, shape, c.windows.count(), each);
        space.carve_memory(a);
      });
      Immediate<T> on(kernels);
      Rows<T> queries(q), keys(k), values(v), y(tokens, width);
      store_kv_sequences(on, keys, values, shape, each, space.blocks());
      map_attention(on, queries, shape, c.windows, {ty.reversed.data(), tx.reversed.data()}, space.blocks(), y);
      test::check_near("map attention", y.view(), want, test::kNear<T>);
      CHECK((y.padding_untouched() && on.status().ok()));
    });
  }
}

TEST_CASE("without tables, map attention is plain attention inside each window") {
  const HeadShape shape{2, 2, 8};
  const Mat q = test::noise_mat(12, 16, 1, 2), k = test::noise_mat(12, 16, 2), v = test::noise_mat(12, 16, 3);
  KvSpace<float> space;
  const auto memory = test::slab([&](Arena& a) {
    space.carve_table(a, shape, 1, 12);
    space.carve_memory(a);
  });
  Immediate<float> on(active_kernels<float>());
  Rows<float> queries(q), keys(k), values(v), y(12, 16);
  store_kv_sequences(on, keys, values, shape, 12, space.blocks());
  map_attention(on, queries, shape, Windows{{4, 3}, 0}, {}, space.blocks(), y);
  test::check_near("no tables", y.view(), test::attend_heads(q, k, v, 2, 2, [](Index, Index) { return 0.0; }), 2e-6);
}
